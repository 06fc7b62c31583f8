"""`newsletter inbox triage`: one story after another, each decided by one key."""

import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.inbox import keyboard
from newsletter.discovery import inbox, ranking, triage
from newsletter.discovery.models import ItemState
from newsletter.discovery.ranking import Story
from newsletter.editorial import beginnings
from newsletter.editorial.models import Role
from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

HELP = """\
s  shortlist: worth a briefing
d  dismiss for a reason: a digit takes one of those proposed, or type another and Enter
z  snooze for 1, 3 or 7 days
b  begin a briefing from it; the story is then yours
o  open it in the browser
n  next (blank, Enter, right)      p  previous (left)
u  undo the newest decision, and the ones before it
?  these lines                     q  quit
Each key counts at once; Esc takes back a question."""
_KEYS = "s shortlist  d dismiss  z snooze  b begin  o open  n next  p previous  u undo  ? help  q quit"
_OTHERWISE = "see what waits: newsletter inbox list; then newsletter inbox shortlist, dismiss or snooze ITEM"
_DAYS = {"1": 1, "3": 3, "7": 7, "\n": 1}


def register(app: typer.Typer) -> None:
    """Put the command under the noun."""
    app.command("triage")(triage_)


def triage_(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also what is shortlisted or claimed already.")] = False,
    as_: desk.Actor = "",
) -> None:
    """Go through the stories that wait, the best first, and decide of each by one key.

    Each key counts at once, and u takes decisions back, one after the other; ? lists the keys.
    """
    keyboard.require(_OTHERWISE)
    here = desk.of(ctx)
    who = here.may(as_, Role.SCOUT)
    with here.read() as session:
        found = ranking.rank(inbox.waiting(session, now=here.now), beginnings.memory(session), now=here.now)
    stories = found if every else triage.undecided(found)
    if not stories:
        output.say("Nothing waits that nobody has taken up; see the rest: newsletter inbox list")
        return
    sitting = Sitting(here, who, triage.Walk(stories))
    try:
        with keyboard.listening(sitting.draw) as key:
            sitting.run(key)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        output.say(f"\n{sitting.walk.told()}")


@dataclass
class Sitting:
    """An editor before the inbox: where they are, what the last key came to, and the question that is open."""

    here: desk.Desk
    who: str
    walk: triage.Walk
    note: str = ""
    question: str = ""
    typed: str = ""
    standing: str = ""
    held: tuple[triage.Held, ...] = ()
    key: Callable[[], str] = field(default=lambda: "end")

    def run(self, key: Callable[[], str]) -> None:
        """Show stories and do what each key says, until one says that it is enough."""
        self.key = key
        does: dict[str, Callable[[], None]] = {
            "s": self.shortlist, "d": self.dismiss, "z": self.snooze, "b": self.begin, "o": self.open, "u": self.undo,
            "?": self.help, **dict.fromkeys(("n", " ", "\n", "right"), self.walk.forward),
            **dict.fromkeys(("p", "left"), self.walk.back),
        }  # fmt: skip
        while True:
            self.look()
            self.draw()
            pressed = key()
            if pressed in ("q", "end"):
                return
            self.note = ""
            if self.walk.current is None and pressed in ("s", "d", "z", "b", "o"):
                continue
            try:
                does.get(pressed, self.unknown)()
            except NewsletterError as error:
                self.note = str(error)
                if isinstance(error, triage.Overtaken):
                    self.walk.forward()

    def look(self) -> None:
        """Remember how the story before the editor stands, and that they saw it."""
        story = self.walk.current
        if story:
            with self.here.read() as session:
                self.held = triage.held(session, story.id)
                self.standing = _standing(inbox.get(session, story.id))
            self.walk.seen.add(story.id)

    def shortlist(self) -> None:
        """Keep the story."""
        self.decide(ItemState.SHORTLISTED)

    def dismiss(self) -> None:
        """Ask why, and dismiss the story."""
        with self.here.read() as session:
            reasons = triage.reasons(session)
        proposed = "  ".join(f"{number} {reason}" for number, reason in enumerate(reasons, start=1))
        reason = self.line(f"Why? {proposed}\nOr in your words, and Enter", reasons)
        if reason:
            self.decide(ItemState.DISMISSED, reason=reason)

    def snooze(self) -> None:
        """Ask for how long, and put the story out of sight."""
        days = _DAYS.get(self.ask("For how many days? 1, 3 or 7 (Enter is 1)"))
        if days:
            self.decide(ItemState.SNOOZED, until=self.here.now + timedelta(days=days))

    def decide(self, to: ItemState, *, reason: str = "", until: datetime | None = None) -> None:
        """Decide of the story before the editor, for good unless they take it back."""
        story = self.walk.current
        assert story is not None
        detail = {"reason": reason} if reason else {"until": until.isoformat()} if until else {}
        with self.here.acting(self.who, Role.SCOUT) as act:
            decision = triage.decide(
                act.session, story.id, to, seen=self.held, reason=reason, until=until, actor=act.who, now=act.now
            )
            act.record(to.value, "item", story.id, **detail)
        self.walk.keep(decision)
        self.note = f"{to}: {story.title}"

    def begin(self) -> None:
        """Begin a briefing from the story, which is then the editor's."""
        story = self.walk.current
        assert story is not None
        with self.here.acting(self.who, Role.WRITER) as act:
            before = triage.require(act.session, story.id, self.held)
            folder = self.here.settings.briefings
            begun = beginnings.begin(act.session, [story.id], folder=folder, author=act.who, now=act.now)
            act.record("claimed", "item", story.id, briefing=begun.id)
            after = triage.held(act.session, story.id)
        self.walk.keep(triage.Decision(story=story.id, state=ItemState.CLAIMED, before=before, after=after))
        self.note = f"{begun.path} waits for your words"

    def open(self) -> None:
        """Open the story in the browser."""
        story = self.walk.current
        url = story.url if story else ""
        self.note = "" if url and webbrowser.open(url) else f"no browser can be started; its address: {url or 'none'}"

    def undo(self) -> None:
        """Take the newest decision back that can be."""
        if not self.walk.decisions:
            self.note = "there is no decision to take back"
            return
        decision = self.walk.decisions[-1]
        try:
            self._take_back(decision)
        except NewsletterError:
            self.walk.fix(decision)
            raise

    def _take_back(self, decision: triage.Decision) -> None:
        with self.here.acting(self.who, Role.SCOUT) as act:
            triage.undo(act.session, decision)
            act.record("undone", "item", decision.story, decision=decision.state.value)
        self.walk.retrace(decision)
        self.note = f"no longer {decision.state}"

    def help(self) -> None:
        """Show what the keys do."""
        self.note = HELP

    def unknown(self) -> None:
        """Say that a key does nothing."""
        self.note = "that key does nothing; ? lists the keys"

    def ask(self, question: str) -> str:
        """Return the key that answers a question."""
        self.question = question
        self.draw()
        try:
            return self.key()
        finally:
            self.question = ""

    def line(self, question: str, proposed: tuple[str, ...]) -> str:
        """Return a line that the editor types, or the one of those proposed whose digit they type first."""
        self.typed = ""
        while True:
            key = self.ask(f"{question}: {self.typed}")
            if not self.typed and key.isdecimal() and 0 < int(key) <= len(proposed):
                return proposed[int(key) - 1]
            if key in ("escape", "end"):
                return ""
            if key == "\n":
                return self.typed.strip()
            self.typed = self.typed[:-1] if key == "\x7f" else self.typed + (key if key.isprintable() else "")

    def draw(self) -> None:
        """Show the story as large as the terminal is now, what the last key came to, and what may be pressed."""
        from rich.console import Console

        console = Console(highlight=False, markup=False, emoji=False)
        console.clear()
        story = self.walk.current
        place = f"{self.walk.place + 1} of {len(self.walk.stories)}" if story else "That was the last"
        console.print(f"{place}; {self.walk.told()}", style="dim")
        if story:
            for line in _lines(story, self.standing, self.here.now, _teaser(console)):
                console.print(line)
        if self.note:
            console.print(f"\n{self.note}")
        console.print(f"\n{self.question or _KEYS}", style="" if self.question else "dim", end="")
        console.file.flush()


def _teaser(console: "Console") -> int:
    """Return how many characters of a teaser leave room for the rest."""
    return max(80, console.width * (console.height - 14))


def _lines(story: Story, standing: str, now: datetime, teaser: int) -> "list[str | Text]":
    from rich.text import Text

    sources = " and ".join([", ".join(story.sources[:-1]), story.sources[-1]] if story.sources[1:] else story.sources)
    lines: list[str | Text] = ["", Text(story.title, style="bold")]
    lines.append(f"{sources}, {_age(story, now)}, {standing}")
    for name, value in (("first told by", story.upstream), ("about", ", ".join(story.topics))):
        lines += [f"{name}: {value}"] * bool(value)
    lines += [Text(f"covered already by {story.covered}", style="yellow")] * bool(story.covered)
    short = story.summary if len(story.summary) <= teaser else f"{story.summary[:teaser].rsplit(' ', 1)[0]}…"
    return [*lines, *(["", short] * bool(short)), "", Text(story.url or "no address", style="dim")]


def _standing(item: inbox.ItemView) -> str:
    by = f" by {item.by}" if item.by and " by " not in inbox.standing(item) else ""
    return inbox.standing(item) + by + (f": {item.reason}" if item.reason else "")


def _age(story: Story, now: datetime) -> str:
    hours = int((now - (story.published or story.found_at)).total_seconds() // 3600)
    span = f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours > 1 else "an hour"
    return f"{span} ago" if story.published else f"found {span} ago, without a date"
