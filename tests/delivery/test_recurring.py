"""Issues that recur: made once at their moment, held or sent, and never made up more than once."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine, select

from newsletter import db
from newsletter.delivery import editions, recurring, rounds, schedules
from newsletter.delivery.editions import EditionView
from newsletter.delivery.models import Made
from newsletter.delivery.tables import EDITION
from newsletter.editorial import people
from newsletter.errors import SettingsError
from newsletter.issues import clearing, issues
from newsletter.issues.models import IssueState
from newsletter.settings import FILE, Settings, load
from tests.delivery import desk
from tests.delivery.desk import KEYRING
from tests.issues.conftest import approved
from tests.support.smtp import Server

#: A Tuesday, 07:00 in Berlin.
TUESDAY = datetime(2026, 11, 3, 6, 0, tzinfo=UTC)
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
WORDS = {
    "name": '"tuesday"',
    "every": '"Tuesday 07:00"',
    "zone": '"Europe/Berlin"',
    "list": '"weekly"',
    "person": '"mara"',
}


def table(*words: str) -> str:
    """Return a [[schedule]] with other words than the usual, or more."""
    said = {**WORDS, **dict(word.split(" = ", 1) for word in words)}
    return "\n[[schedule]]\n" + "".join(f"{name} = {value}\n" for name, value in said.items())


class Publication:
    """A publication with an issue each Tuesday, and two readers of its list."""

    def __init__(self, engine: Engine, settings: Settings, port: int) -> None:
        self.engine, self.folder = engine, settings.folder
        toml = settings.path(FILE)
        toml.write_text(toml.read_text().replace("port = 2525", f"port = {port}"))
        self.toml = toml.read_text()
        self.says()
        with db.transaction(engine) as session:
            desk.make_list(session, TUESDAY - WEEK, 2)
            for handle in ("mara", "jonas"):
                people.add(session, handle, now=TUESDAY - WEEK)

    def says(self, *words: str, at: datetime = TUESDAY - WEEK) -> None:
        """Write the table with more words in it, at a moment."""
        path = self.folder / FILE
        path.write_text(self.toml + table(*words))
        os.utime(path, (at.timestamp(), at.timestamp()))
        self.settings = load(self.folder, {})

    def faceless(self) -> None:
        """Forget where the publication's pages are, without which no issue can be frozen."""
        self.toml = "".join(line for line in self.toml.splitlines(True) if not line.startswith("public_url"))
        self.says()

    def approve(self, *names: str, at: datetime = TUESDAY - HOUR) -> None:
        with db.transaction(self.engine) as session:
            for name in names:
                approved(session, self.folder / "briefings", name, at=at)

    def run(self, now: datetime = TUESDAY) -> list[EditionView]:
        return recurring.run(self.engine, self.settings, keyring=KEYRING, now=now)

    def state(self, issue: int) -> IssueState:
        with db.reading(self.engine) as session:
            return issues.get(session, issue).state

    def deliver(self, now: datetime) -> tuple[list[int], list[int], list[int]]:
        """Do one pass and return which issues were sent, held and missed."""
        with db.transaction(self.engine) as session:
            found = rounds.look(session, self.settings, now=now)
        for due in found.due:
            rounds.take_up(self.engine, self.settings, due, keyring=KEYRING, clock=lambda: now)
        return [each.issue for each in found.due], [e.issue for e in found.held], [e.issue for e in found.missed]


@pytest.fixture
def here(engine: Engine, settings: Settings, server: Server) -> Publication:
    """Return the publication."""
    return Publication(engine, settings, server.port)


def test_an_issue_is_made_at_its_moment_once_and_held(here: Publication) -> None:
    here.approve("cranes", "tugs")
    here.says("limit = 1")
    assert here.run(TUESDAY - timedelta(seconds=1)) == []
    (made,) = here.run()
    assert (made.name, made.at, made.made, made.issue, made.sends) == ("tuesday", TUESDAY, Made.ISSUE, 1, False)
    assert "it waits for somebody who sends it: newsletter send 1" in str(made)
    assert here.run() == here.run(TUESDAY + HOUR) == here.run(TUESDAY + WEEK - HOUR) == []
    with db.reading(here.engine) as session:
        issue = issues.get(session, 1)
        assert (issue.state, issue.list, issue.items, issue.composed_by) == (
            IssueState.FROZEN, "weekly", ("cranes",), "mara",
        )  # fmt: skip
        assert schedules.all(session) == []
        (coming,) = recurring.coming(session, here.settings, now=TUESDAY)
        assert (coming.next[:2], coming.last) == ((TUESDAY + WEEK, TUESDAY + 2 * WEEK), made)
        assert (coming.local, coming.as_json()["last"]["issue"]) == ("2026-11-10 07:00 Europe/Berlin", 1)
    assert here.deliver(TUESDAY + HOUR) == ([], [], [])
    (again,) = here.run(TUESDAY + WEEK)  # what is left of last week
    assert (again.issue, again.at) == (2, TUESDAY + WEEK)


def test_a_moment_that_nothing_looked_for_is_made_up_once_and_within_hours(here: Publication) -> None:
    here.approve("cranes")
    (made,) = here.run(TUESDAY + 6 * HOUR)
    assert (made.at, made.issue) == (TUESDAY, 1)
    (missed,) = here.run(TUESDAY + 3 * WEEK + 7 * HOUR)  # the machine slept for weeks
    assert (missed.at, missed.made, missed.issue) == (TUESDAY + 3 * WEEK, Made.MISSED, None)
    assert "nothing looked for it within 6 hours" in missed.note
    assert here.run(TUESDAY + 3 * WEEK + 8 * HOUR) == []
    with db.reading(here.engine) as session:
        assert session.execute(select(EDITION.c.at).order_by(EDITION.c.at)).scalars().all() == [
            TUESDAY, TUESDAY + 3 * WEEK,
        ]  # fmt: skip


def test_what_the_settings_did_not_say_yet_was_not_due(here: Publication) -> None:
    here.approve("cranes")
    here.says(at=TUESDAY + HOUR)
    assert here.run(TUESDAY + 2 * HOUR) == []
    assert [each.at for each in here.run(TUESDAY + WEEK)] == [TUESDAY + WEEK]


def test_two_that_look_at_once_make_one_issue(here: Publication) -> None:
    here.approve("cranes")
    made: list[EditionView] = []
    both = [Thread(target=lambda: made.extend(here.run())) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    assert [each.issue for each in made] == [1]
    with db.reading(here.engine) as session:
        assert [each.id for each in issues.all(session)] == [1]


def test_nothing_approved_makes_no_issue_and_says_so(here: Publication) -> None:
    here.approve("cranes", at=TUESDAY - WEEK)
    here.says('since = "1d"')
    (made,) = here.run()
    assert (made.made, made.issue) == (Made.NOTHING, None)
    assert "made no issue: nothing that is approved waits for it" in str(made)
    assert here.run() == []


@pytest.mark.parametrize(
    ("spoil", "said", "issue"),
    [
        (lambda here: here.says('person = "ivo"'), "works here no more", None),
        (lambda here: here.says('list = "daily"'), "no list 'daily'", None),
        (lambda here: here.faceless(), "public_url", 1),
    ],
)
def test_what_cannot_be_made_is_kept_with_the_reason(
    here: Publication, spoil: Callable[[Publication], None], said: str, issue: int | None
) -> None:
    here.approve("cranes")
    with db.transaction(here.engine) as session:
        people.add(session, "ivo", now=TUESDAY)
        people.remove(session, "ivo", actor="mara", now=TUESDAY)
    spoil(here)
    (made,) = here.run()
    assert (made.made, made.issue) == (Made.REFUSED, issue)
    assert said in made.note
    assert here.run() == []


def test_one_that_sends_goes_out_when_it_is_cleared_and_is_held_until_then(here: Publication, server: Server) -> None:
    here.approve("cranes", at=TUESDAY - 3 * HOUR)
    here.says('then = "send"', 'ahead = "2h"')
    (made,) = here.run(TUESDAY - 2 * HOUR)
    assert (made.at, made.issue, made.sends) == (TUESDAY, 1, True)
    assert here.deliver(TUESDAY - HOUR) == ([], [], [])
    assert here.deliver(TUESDAY) == ([], [1], [])
    assert server.recipients == []
    with db.transaction(here.engine) as session:
        clearing.clear(session, 1, solo=False, actor="jonas", now=TUESDAY + HOUR)
    assert here.deliver(TUESDAY + HOUR) == ([1], [], [])
    assert (here.state(1), sorted(server.recipients)) == (IssueState.SENT, [desk.email(1), desk.email(2)])
    here.approve("tugs", at=TUESDAY + WEEK - 3 * HOUR)
    assert [each.issue for each in here.run(TUESDAY + WEEK - HOUR)] == [2]
    with db.transaction(here.engine) as session:
        clearing.clear(session, 2, solo=False, actor="jonas", now=TUESDAY + WEEK - HOUR)
    assert here.deliver(TUESDAY + WEEK - HOUR) == ([], [], [])
    assert here.deliver(TUESDAY + WEEK) == ([2], [], [])
    here.approve("quay", at=TUESDAY + 2 * WEEK - 3 * HOUR)
    assert [each.issue for each in here.run(TUESDAY + 2 * WEEK)] == [3]
    assert here.deliver(TUESDAY + 2 * WEEK + 7 * HOUR) == ([], [], [3])
    assert here.state(3) is IssueState.FROZEN


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (('every = "Tuesdy 07:00"',), "'tuesdy' is no weekday"),
        (('ahead = "soon"',), "ahead = 'soon' is no span of time"),
        (('then = "print"',), r"\[\[schedule\]\] .+: then: .*, not 'print'"),
        (("limits = 3",), r"\[\[schedule\]\] .+: limits is no setting; did you mean limit"),
    ],
)
def test_a_table_that_says_nothing_sound_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / FILE).write_text(f'[publication]\nname = "Desk"\n{table(*words)}')
    with pytest.raises(SettingsError, match=said):
        load(tmp_path, {})
    (tmp_path / FILE).write_text(f'[publication]\nname = "Desk"\n{table()}{table()}')
    with pytest.raises(SettingsError, match="two ..schedule.. tables have one name"):
        load(tmp_path, {})


def test_editions_are_told_by_the_issue_that_they_made(here: Publication) -> None:
    here.approve("cranes")
    (made,) = here.run()
    with db.reading(here.engine) as session:
        assert editions.of(session, [1, 2]) == {1: made}
