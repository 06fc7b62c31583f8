"""Who may give which command: refused without the role before anything is done, and done with it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from newsletter import audit, db
from newsletter.demo import sink
from newsletter.editorial.models import Role
from tests.cli.test_refusals import names, rows
from tests.support.commands import Desk
from tests.support.texts import briefing

SCOUTS, WRITERS, EDITORS = {"scout", "writer", "editor"}, {"writer", "editor"}, {"editor"}
APPROVERS, SENDERS, TRIERS, ADMINS = {"editor", "standards"}, {"sender"}, {"sender", "editor"}, {"admin"}

#: Each command that takes a role, in an order in which all of them can be given, and who of the six may give it.
TAKES: list[tuple[str, set[str]]] = [
    ("feeds read feed.xml --url https://wire.example.org/feed.xml", SCOUTS),
    ("briefings new wharf", WRITERS),
    ("briefings new tide --from 1", WRITERS),
    ("briefings import quay.md", WRITERS),
    ("briefings submit grid", WRITERS),
    ("briefings submit quay", WRITERS),
    ("briefings invite quay --to standards", APPROVERS),
    ("briefings approve grid", APPROVERS),
    ("briefings approve quay", APPROVERS),
    ("compose --pick cranes", EDITORS),
    ("compose --pick grid", EDITORS),
    ("issues edit 1 --order 1", EDITORS),
    ("issues freeze 1", EDITORS),
    ("issues cancel 2", EDITORS),
    ("send 1 --list weekly --count", TRIERS),
    ("send 1 --list weekly --dry-run copies", TRIERS),
    ("send 1 --test me@example.org", TRIERS),
    ("send 1 --list weekly --yes", SENDERS),
    ("status 1 --who sent", SENDERS | ADMINS),
    ("people add zoe --role editor", ADMINS),
    ("people edit zoe --no-roles", ADMINS),
    ("people remove zoe", ADMINS),
    ("keys rotate", ADMINS),
]
#: What anybody may look at, whom nobody gave a role.
OPEN = (
    "feeds list", "inbox list", "briefings list", "briefings show cranes", "briefings check cranes",
    "briefings history cranes", "people list", "people show mara", "issues list", "issues show 1", "preview 1",
    "check 1", "status 1", "audit verify", "db check", "lists list", "segments list",
)  # fmt: skip
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title><link>https://wire.example.org</link>
<item><title>Tide</title><link>https://wire.example.org/tide</link><guid>1</guid></item></channel></rss>"""


@pytest.fixture
def staffed(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return the desk with one person for each role, called by it, and mara and jonas without any."""
    for role in Role:
        desk.run("people", "add", role, "--role", role)
    (tmp_path / "feed.xml").write_text(FEED)
    (tmp_path / "quay.md").write_text(briefing("quay"))
    monkeypatch.chdir(tmp_path)
    return desk


def test_without_the_role_a_command_is_refused_before_anything_is_done(staffed: Desk, engine: Engine) -> None:
    before = rows(engine)
    files = sorted(staffed.folder.rglob("*"))
    for command, who in TAKES:
        for stranger in sorted({*Role, "mara", "nobody"} - who):
            error = staffed.refuses(*command.split(), "--as", stranger)
            names(error, stranger, "this takes", "newsletter people")
        assert "this takes" in staffed.refuses(*command.split())  # the OS user
    assert rows(engine) == before
    assert sorted(staffed.folder.rglob("*")) == files


def test_with_the_role_it_is_done_and_the_record_says_by_whom(staffed: Desk, tmp_path: Path, engine: Engine) -> None:
    with sink.listening(tmp_path / "Maildir") as port:
        here = Desk(staffed.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(port)})
        for number, (command, who) in enumerate(TAKES):
            able = sorted(who - {"editor"} or who)  # the editor writes here, and nobody approves what they handed in
            actor = able[number % len(able)]
            before = len(acted(engine))
            here.run(*command.split(), "--as", actor)
            assert set(acted(engine)[before:]) == ({actor} if "--who" not in command else set()), command
    for command in OPEN:
        staffed.run(*command.split())


def acted(engine: Engine) -> list[str]:
    """Return who acted, oldest first."""
    with db.reading(engine) as session:
        return list(session.scalars(select(audit.AuditEntry.actor).order_by(col(audit.AuditEntry.id))))


def test_the_environment_says_who_acts(staffed: Desk) -> None:
    here = Desk(staffed.folder, {"NEWSLETTER_ACTOR": "writer"})
    here.run("briefings", "new", "wharf")
    assert here.json("briefings", "show", "wharf")["author"] == "writer"
    names(here.refuses("briefings", "new", "pier", "--as", "scout"), "scout is scout here", "this takes writer")


def test_the_first_admin_ends_the_time_in_which_everybody_may_do_everything(desk: Desk) -> None:
    desk.run("people", "add", "kim", "--role", "writer")
    desk.run("people", "add", "ada", "--name", "Ada Byron", "--role", "admin", "--role", "sender")
    names(desk.refuses("people", "add", "zoe"), "has no role here", "this takes admin")
    names(desk.refuses("people", "remove", "ada", "--as", "ada"), "ada is the desk's only admin")
    desk.run("people", "edit", "kim", "--role", "admin", "--as", "ada")
    assert desk.json("people", "remove", "ada", "--as", "kim")["active"] is False
    names(desk.refuses("people", "edit", "kim", "--name", "Kim", "--as", "ada"), "ada works here no more")
    shown = desk.json("people", "show", "ada")
    assert (shown["name"], shown["roles"], shown["active"]) == ("Ada Byron", [], False)
    assert [each["handle"] for each in desk.json("people", "list")] == ["jonas", "kim", "mara"]


def test_what_is_to_change_of_a_person_must_be_said(desk: Desk) -> None:
    assert "say what to change" in desk.refuses("people", "edit", "mara", code=2)
    assert "contradict" in desk.refuses("people", "edit", "mara", "--role", "admin", "--no-roles", code=2)
    assert "nobody here is called" in desk.refuses("people", "edit", "zoe", "--name", "Zoe", code=3)
