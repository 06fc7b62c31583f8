"""The issue: composed from approved briefings, moved through its states, read as values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select, update

from newsletter import audit
from newsletter.editorial import standings
from newsletter.editorial.models import Briefing
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues import arranging, choosing, proposing, wording
from newsletter.issues.arranging import AS_IT_IS, Arrangement
from newsletter.issues.content import ALIKE, Terms
from newsletter.issues.expressions import Known
from newsletter.issues.models import Issue, IssueKind, IssueState, Item, Unmatched
from subscribers import attributes, lists, segments
from subscribers.words import line

#: States in which the words can no longer change.
FIXED = (IssueState.FROZEN, IssueState.CLEARED, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)
#: States in which readers have the issue, or are getting it.
PUBLISHED = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)
#: States in which the issue began to go out and is not done.
UNDER_WAY = (IssueState.SENDING, IssueState.PAUSED)
#: States from which a send may start or go on.
SENDABLE = (IssueState.FROZEN, IssueState.CLEARED, IssueState.PAUSED, IssueState.SENDING)
_MARK = re.compile(r"\[\[[\w:]+\]\]")
#: The longest text that opens an issue.
LONGEST_INTRO = 20_000
#: How many subjects an issue can have: more would leave each too few readers to tell them apart.
MOST_SUBJECTS = 4


@dataclass(frozen=True, kw_only=True)
class IssueView:
    """An issue as a listing shows it; `items` are briefing ids in order, and `list` is whom it is composed for."""

    id: int
    kind: IssueKind
    state: IssueState
    list: str
    subject: str
    alternatives: tuple[str, ...]
    preheader: str
    intro: str
    items: tuple[str, ...]
    terms: Terms
    rendering: str
    note: str
    composed_at: datetime
    composed_by: str
    frozen_at: datetime | None
    sent_at: datetime | None

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return the subject and its alternatives, numbered from 0 as deliveries are."""
        return (self.subject, *self.alternatives)

    def as_json(self) -> dict[str, Any]:
        """Return the issue in the words of the command line's JSON."""
        return {
            "issue": self.id, "kind": self.kind.value, "state": self.state.value, "list": self.list,
            "subject": self.subject, "alternatives": list(self.alternatives), "preheader": self.preheader,
            "items": list(self.items), **vars(self.terms), "rendering": self.rendering, "note": self.note,
            "composed_at": self.composed_at, "composed_by": self.composed_by,
            "frozen_at": self.frozen_at, "sent_at": self.sent_at,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Words:
    """What an editor may set on an issue; what is empty is proposed from the lead item, but for other subjects."""

    subject: str = ""
    preheader: str = ""
    intro: str = ""
    alternatives: tuple[str, ...] = ()


def compose(
    session: Session, picks: Sequence[str], *,
    words: Words, terms: Terms = ALIKE, list_name: str = "", actor: str, now: datetime,
) -> IssueView:  # fmt: skip
    """Make an issue of the picked briefings, in that order; each must be approved and in no other issue.

    With a list, issues that are for other lists do not count.
    """
    if not picks:
        raise Refused("there is nothing to compose: approve a briefing first: newsletter briefings approve ID")
    if list_name:
        lists.get(session, list_name)
    texts = _free(session, picks, list_name=list_name, now=now)
    _require_fit(words, known(session))
    _require_sound(terms, len(picks))
    subject, preheader = _proposed(session, texts)
    issue = Issue(
        list=list_name,
        subject=line("the subject", words.subject or subject, 400),
        alternatives=_others(words.subject or subject, words.alternatives),
        preheader=line("the preheader", words.preheader or preheader, 400),
        intro=_intro(words.intro.strip()),
        composed_at=now,
        composed_by=actor,
        **vars(terms),
    )
    session.add(issue)
    session.flush()
    assert issue.id is not None
    arranging.place(session, issue.id, texts)
    audit.append(session, "composed", actor=actor, kind="issue", name=issue.id, now=now, items=list(picks),
                 **({"list": list_name} if list_name else {}))  # fmt: skip
    return view(session, issue)


def _free(session: Session, picks: Sequence[str], *, list_name: str, besides: int = 0, now: datetime) -> dict[str, str]:
    """Return the approved text of each pick by its hash; Refused where there is none, or another issue holds it."""
    if len(set(picks)) < len(picks):
        raise Refused("a briefing is picked twice; name each once")
    _require_unheld(session, picks, list_name=list_name, besides=besides)
    return {briefing: choosing.require(session, briefing, now=now).sha256 for briefing in picks}


def _require_unheld(session: Session, picks: Sequence[str], *, list_name: str, besides: int = 0) -> None:
    """Refuse a briefing that another issue for the list holds."""
    # PostgreSQL would let two editors take one briefing at once (SQLite has one writer).
    session.exec(select(Briefing.id).where(col(Briefing.id).in_(picks)).order_by(col(Briefing.id)).with_for_update())
    for briefing, number in choosing.held(session, picks, besides=besides, list_name=list_name).items():
        holder = row(session, number)
        whose = f" for {holder.list}" if holder.list else ""
        way_on = "" if holder.state in PUBLISHED else f", or cancel that issue: newsletter issues cancel {number}"
        if holder.list and not list_name:
            way_on = ", or name the list that yours is for: --list LIST"
        raise Refused(f"briefing {briefing} is already in issue {number}{whose} ({holder.state}); pick another{way_on}")


def _proposed(session: Session, texts: Mapping[str, str]) -> tuple[str, str]:
    """Return the subject and the preheader that the first of an issue's texts proposes."""
    lead = standings.text_at(session, *next(iter(texts.items())))
    return wording.literal(proposing.subject(lead)), wording.literal(proposing.preheader(lead))


def edit(
    session: Session, issue_id: int, *,
    changes: Mapping[str, Any], arrangement: Arrangement = AS_IT_IS, actor: str, now: datetime,
) -> IssueView:  # fmt: skip
    """Give an issue that is still assembled other items, then other words or terms, by the names of Words and Terms.

    A subject and a preheader that nobody wrote follow the items.
    """
    issue = row(session, issue_id, lock=True)
    if issue.state is not IssueState.ASSEMBLING:
        raise Refused(f"issue {issue_id} is {standing(issue.state)} and says what it says; compose a new one")
    list_name = str(changes.get("list", issue.list))
    if arrangement:
        changes = {**_rearrange(session, issue, arrangement, list_name, now), **changes}
    words = Words(**{name: changes[name] for name in vars(Words()) if name in changes})
    _require_fit(words, known(session))
    asked = Terms(**{**vars(terms(issue)), **{name: changes[name] for name in vars(ALIKE) if name in changes}})
    there = [item.briefing_id for item in items(session, issue_id)]
    _require_sound(asked, len(there))
    said = {**_said(issue, words, changes), "list": list_name}
    if list_name != issue.list:
        _require_unheld(session, there, list_name=list_name, besides=issue_id)
        said["list"] = lists.get(session, list_name).name if list_name else ""
    move(session, issue_id, IssueState.ASSEMBLING, since=(IssueState.ASSEMBLING,), **said, **vars(asked))
    detail = {"items": there} if arrangement else {}
    audit.append(session, "edited", actor=actor, kind="issue", name=issue_id, now=now, what=sorted(changes), **detail)
    return get(session, issue_id)


def _rearrange(session: Session, issue: Issue, wish: Arrangement, list_name: str, now: datetime) -> dict[str, str]:
    """Give the issue its items as they are wanted, and return those of its words that follow them."""
    assert issue.id is not None
    before = {item.briefing_id: item.sha256 for item in items(session, issue.id)}
    order = arranging.arranged(list(before), wish, issue=issue.id)
    known = {**before, **_free(session, wish.add, list_name=list_name, besides=issue.id, now=now)}
    after = {briefing: known[briefing] for briefing in order}
    arranging.place(session, issue.id, after)
    proposals = zip(("subject", "preheader"), _proposed(session, before), _proposed(session, after), strict=True)
    return {name: new for name, old, new in proposals if getattr(issue, name) == old}


def _said(issue: Issue, words: Words, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the words that are to change."""
    said: dict[str, Any] = {}
    for name in ("subject", "preheader"):
        if name in changes:
            said[name] = line(f"the {name}", getattr(words, name), 400)
    if not said.get("subject", "-"):
        raise BadInput("the subject would be empty; write one")
    if "intro" in changes:
        said["intro"] = _intro(words.intro.strip())
    others = words.alternatives if "alternatives" in changes else issue.alternatives
    return {**said, "alternatives": _others(said.get("subject", issue.subject), others)}


def _others(subject: str, alternatives: Sequence[str]) -> list[str]:
    """Return the other subjects as they are kept; each must differ from the rest, and there cannot be many."""
    others = [line("the other subject", each, 400) for each in alternatives]
    subjects = [" ".join(subject.split()), *filter(None, others)]
    if len(subjects) > MOST_SUBJECTS:
        raise BadInput(f"an issue can have {MOST_SUBJECTS} subjects in all, not {len(subjects)}; leave some out")
    for each in subjects:
        if subjects.count(each) > 1:
            raise BadInput(f"two subjects say {each!r}; a trial of subjects needs each to differ")
    return subjects[1:]


def known(session: Session) -> Known:
    """Return what an expression may name at this desk."""
    there = frozenset(segment.name for segment in segments.all(session))
    return Known(attributes=frozenset(attributes.types(session)), segments=there)


def _require_fit(words: Words, known: Known) -> None:
    """Refuse words with an expression that cannot be understood, or with what the press would take for its own."""
    others = (("other subject", each) for each in words.alternatives)
    for what, said in (
        ("subject", words.subject), *others, ("preheader", words.preheader), ("intro", words.intro)
    ):  # fmt: skip
        if found := _MARK.search(said):
            raise BadInput(f"the {what} holds {found[0]!r}, which the press would take for its own; write it otherwise")
        parts = wording.parts(said, f"the {what}", known=known, blocks=what == "intro")
        if what.endswith("subject") and said and not wording.neutral(parts).strip():
            raise BadInput(
                f"the {what} says nothing to a reader of whom nothing is known; write what they get, such as "
                "{{ subscriber.name | default('Hello') }}"
            )


def _require_sound(terms: Terms, items: int) -> None:
    if not 1 <= terms.leads <= items:
        raise BadInput(
            f"an issue of {items} can have 1 to {items} lead items, not {terms.leads}; write --leads {items}"
        )


def _intro(text: str) -> str:
    if len(text) > LONGEST_INTRO:
        raise BadInput(f"the intro has {len(text)} characters, and may have {LONGEST_INTRO}; shorten it")
    return text


def get(session: Session, issue_id: int) -> IssueView:
    """Return one issue, or say which there are."""
    return view(session, row(session, issue_id))


def all(session: Session) -> list[IssueView]:
    """Return every issue, newest first."""
    return [view(session, each) for each in session.exec(select(Issue).order_by(col(Issue.id).desc()))]


def row(session: Session, issue_id: int, *, lock: bool = False) -> Issue:
    """Return the issue's row, with `lock` nobody else's until the transaction ends; NotFound names the newest ones."""
    # Not the key: the sender's rows name the issue, and it would wait for the lock while it holds the audience.
    weak = {"key_share": True} if lock else None
    issue = session.get(Issue, issue_id, with_for_update=weak, populate_existing=lock)
    if issue is None:
        newest = session.exec(select(Issue.id).order_by(col(Issue.id).desc()).limit(3)).all()
        are = "is" if len(newest) == 1 else "are"
        there = f"the newest {are} {', '.join(map(str, newest))}" if newest else "make the first: newsletter compose"
        raise NotFound(f"there is no issue {issue_id}; {there}")
    return issue


def items(session: Session, issue_id: int) -> list[Item]:
    """Return the issue's items in order."""
    return list(session.exec(select(Item).where(Item.issue_id == issue_id).order_by(col(Item.position))))


def view(session: Session, issue: Issue) -> IssueView:
    """Return the row as a value."""
    assert issue.id is not None
    return IssueView(
        id=issue.id, kind=issue.kind, state=issue.state, list=issue.list, subject=issue.subject,
        alternatives=tuple(issue.alternatives), preheader=issue.preheader, intro=issue.intro,
        items=tuple(item.briefing_id for item in items(session, issue.id)), terms=terms(issue),
        rendering=issue.rendering,
        note=issue.note, composed_at=issue.composed_at, composed_by=issue.composed_by,
        frozen_at=issue.frozen_at, sent_at=issue.sent_at,
    )  # fmt: skip


def terms(issue: Issue) -> Terms:
    """Return how the issue differs from reader to reader."""
    return Terms(
        by_topic=issue.by_topic, by_audience=issue.by_audience, leads=issue.leads, unmatched=Unmatched(issue.unmatched)
    )


def lists_of(session: Session, issue_id: int, asked: Sequence[str]) -> tuple[str, ...]:
    """Return the lists that an issue goes to: its own, else those asked for; Refused for others than its own."""
    own = row(session, issue_id).list
    others = [name for name in asked if name != own]
    if own and others:
        raise Refused(
            f"issue {issue_id} is composed for the list {own}, and cannot go to {', '.join(others)}; send it: "
            f"newsletter send {issue_id}. For {others[0]} compose another: newsletter compose --list {others[0]}"
        )
    return (own,) if own else tuple(asked)


def verify(session: Session, issue_id: int, *, now: datetime) -> None:
    """Refuse unless each item's text is the very one that is approved now, and may be published now."""
    row(session, issue_id, lock=True)  # PostgreSQL would let an editor change it between this look and the next step
    reasons = []
    for item in items(session, issue_id):
        try:
            choosing.require(session, item.briefing_id, sha256=item.sha256, now=now)
        except Refused as refusal:
            reasons.append(str(refusal))
    if reasons:
        raise Refused(f"issue {issue_id} cannot go on: " + "; ".join(reasons))


def move(session: Session, issue_id: int, to: IssueState, *, since: Sequence[IssueState], **values: Any) -> None:
    """Move the issue to a state, if it is in one of `since`; a race is lost loudly."""
    guarded = update(Issue).where(col(Issue.id) == issue_id, col(Issue.state).in_(since)).values(state=to, **values)
    if session.execute(guarded).rowcount != 1:  # type: ignore[attr-defined]
        found = row(session, issue_id)
        session.refresh(found)
        raise Refused(
            f"issue {issue_id} is {standing(found.state)}; it cannot become {to} now. {next_step(view(session, found))}"
        )
    session.expire_all()


def standing(state: IssueState) -> str:
    """Return the state as a sentence has it."""
    return "already sent" if state is IssueState.SENT else state.value


def next_step(issue: IssueView) -> str:
    """Return what can be done with an issue in its state."""
    to = "" if issue.list or issue.kind is IssueKind.CORRECTION else " --list LIST"
    again = _again(issue)
    return {
        IssueState.ASSEMBLING: f"Freeze it: newsletter issues freeze {issue.id}",
        IssueState.FROZEN: f"Send it: newsletter send {issue.id}{to}",
        IssueState.CLEARED: f"Send it: newsletter send {issue.id}{to}",
        IssueState.SENDING: f"See how far it is: newsletter status {issue.id}",
        IssueState.PAUSED: f"Go on: newsletter send {issue.id}",
        IssueState.SENT: f"Who has it and who has not: newsletter status {issue.id}; for new words {again}",
        IssueState.CANCELLED: again[0].upper() + again[1:],
    }[issue.state]


def _again(issue: IssueView) -> str:
    if issue.kind is IssueKind.CORRECTION:
        return "draft another: newsletter corrections draft BRIEFING"
    return "compose a new one: newsletter compose"


def cancel(session: Session, issue_id: int, *, actor: str, now: datetime) -> None:
    """Give the issue up before it is sent; its briefings are free for another."""
    row(session, issue_id)
    before_sending = (IssueState.ASSEMBLING, IssueState.FROZEN, IssueState.CLEARED)
    move(session, issue_id, IssueState.CANCELLED, since=before_sending)
    audit.append(session, "cancelled", actor=actor, kind="issue", name=issue_id, now=now)
