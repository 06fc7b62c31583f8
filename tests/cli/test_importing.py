"""People moved in and out by command: what is printed, what is recorded, who may."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlmodel import select

from newsletter import db
from newsletter.audit import AuditEntry
from newsletter.settings import Settings
from tests.support.commands import Desk

PEOPLE = "email,name,plan\nada@example.com,Ada,pro\nnot-an-address,X,\nADA@example.com,Again,\n"
AGREED = ("--consent-basis", "signed up at the fair")


@pytest.fixture
def here(settings: Settings) -> Desk:
    """Return a desk with a list."""
    made = Desk(settings.folder)
    made.run("lists", "create", "weekly")
    return made


@pytest.fixture
def people(tmp_path: Path) -> str:
    """Return the path of a file with one good row and two bad ones."""
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, "utf-8")
    return str(path)


def entries(here: Desk, settings: Settings, action: str) -> list[str]:
    """Return what the record says of an action."""
    with db.reading(db.connect(settings)) as session:
        found = session.exec(select(AuditEntry).where(AuditEntry.action == action)).all()
        return [f"{each.actor} {each.kind} {each.name} {json.dumps(each.detail)}" for each in found]


def test_an_import_prints_its_counts_and_its_rejects_and_is_recorded(
    here: Desk, settings: Settings, people: str, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    words = ("subscribers", "import", people, "--list", "weekly", *AGREED, "--declare", "--as", "mara")
    dry = here.run(*words, "--dry-run")
    assert dry.stdout == "Would be: 1 added, 0 updated, 0 unchanged, 2 rejected, 0 suppressed, 0 stay unsubscribed\n"
    assert entries(here, settings, "imported") == []
    done = here.run(*words, "--rejects", str(rejects))
    assert done.stdout == "1 added, 0 updated, 0 unchanged, 2 rejected, 0 suppressed, 0 stay unsubscribed\n"
    assert done.stderr.splitlines() == [
        "line 3: 'not-an-address': no address that mail can be sent to: An email address must have an @-sign",
        "line 4: 'ADA@example.com': line 2 already names this address",
    ]
    assert len(rejects.read_text().splitlines()) == 3
    [entry] = entries(here, settings, "imported")
    assert entry.startswith('mara list weekly {"rows": 3, "added": 1')
    assert "@" not in entry
    found = here.json(*words)
    assert (found["unchanged"], found["rejected"], len(found["first_rejects"])) == (1, 2, 2)


def test_columns_and_statuses_come_as_they_are_said(here: Desk, tmp_path: Path) -> None:
    path = tmp_path / "members.txt"
    path.write_bytes(
        "Mail:Wer:Seit:Stand\nada@example.com:'J:rgen':2020-01-31:Pending\n".replace("J:", "Jü:").encode("cp1252")
    )
    given = ("--map", "Mail=email", "--map", "wer=name", "--map", "Seit=joined", "--map", "Stand=status")
    words = ("subscribers", "import", str(path), "--list", "weekly", *given, "--delimiter", ":", "--quote", "'")
    assert "--encoding cp1252" in here.refuses(*words)
    here.run(*words, "--encoding", "cp1252")
    [ada] = here.json("subscribers", "list")
    assert (ada["name"], ada["joined_at"][:10], ada["subscriptions"]) == (
        "Jü:rgen",
        "2020-01-31",
        {"weekly": "pending"},
    )


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--list", "weekly"), 1, "nobody declared the attributes plan"),
        (("--list", "weekly", "--declare"), 1, "--consent-basis"),
        (("--list", "weakly", "--declare", *AGREED), 3, "no list 'weakly'"),
        ((*AGREED, "--declare"), 1, "no list is named"),
        (("--list", "weekly", *AGREED, "--preset", "mailchump"), 1, "did you mean mailchimp"),
        (("--list", "weekly", *AGREED, "--mode", "replace"), 2, "replace-topics"),
        (("--list", "weekly", *AGREED, "--declare", "--rejects", "/gone/r.csv"), 1, "name another file"),
    ],
)
def test_what_cannot_be_imported_is_refused_before_anything_is(
    here: Desk, people: str, words: tuple[str, ...], code: int, says: str
) -> None:
    assert says in here.refuses("subscribers", "import", people, *words, code=code)
    assert here.json("subscribers", "list") == []


def test_only_an_admin_moves_people_in_and_out(here: Desk, settings: Settings, people: str) -> None:
    for name, role in (("mara", "admin"), ("jonas", "writer")):
        here.run("people", "add", name, "--role", role, *(() if role == "admin" else ("--as", "mara")))
    for words in (("import", people, "--list", "weekly", *AGREED, "--map", "plan=-"), ("export",)):
        assert "admin" in here.refuses("subscribers", *words, "--as", "jonas")
        here.run("subscribers", *words, "--as", "mara")
    assert entries(here, settings, "exported") == [
        'mara subscribers all {"segment": "", "format": "csv", "subscribers": 1}'
    ]


def test_stdin_is_imported_and_stdout_exported_to(here: Desk, people: str) -> None:
    command = [sys.executable, "-m", "newsletter", "-C", str(here.folder), "subscribers"]
    more = ["import", "-", "--list", "weekly", *AGREED, "--declare", "--json"]
    done = subprocess.run([*command, *more], input=PEOPLE.encode(), capture_output=True, check=True)
    assert json.loads(done.stdout)["added"] == 1
    shown = subprocess.run([*command, "export", "--format", "jsonl"], capture_output=True, check=True, text=True)
    assert json.loads(shown.stdout)["email"] == "ada@example.com"


def test_an_export_is_whole_or_not_there_and_for_its_owner_only(here: Desk, people: str, tmp_path: Path) -> None:
    here.run("subscribers", "import", people, "--list", "weekly", *AGREED, "--declare")
    file = tmp_path / "out.csv"
    assert here.run("subscribers", "export", "--list", "weekly", "--output", str(file)).stdout == (
        f"1 subscriber is in {file}\n"
    )
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().splitlines()[1].startswith("ada@example.com,Ada,")
    assert list(tmp_path.glob("*.part")) == []
    assert "name another: --output" in here.refuses(
        "subscribers", "export", "--output", str(tmp_path / "gone" / "x.csv")
    )


def test_a_killed_command_goes_on_when_it_is_given_again(here: Desk, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("email\n" + "".join(f"r{number}@c{number % 9}.example\n" for number in range(70_000)))
    words = ("subscribers", "import", str(path), "--list", "weekly", *AGREED)
    running = here.process(*words)
    for _ in range(3000):
        time.sleep(0.01)
        if here.json("lists", "list")[0]["confirmed"]:
            break
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    half = here.json("lists", "list")[0]["confirmed"]
    assert 0 < half < 70_000
    assert half % 4000 == 0
    done = here.run(*words)
    assert done.stdout.startswith("70000 added, 0 updated")
    assert f"went on after row {half}" in done.stderr
