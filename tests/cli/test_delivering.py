"""What goes on by itself, and what stops it, by command."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, update

from newsletter import db
from newsletter.delivery import rounds, schedules, sending
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import AUDIENCE, DELIVERY
from newsletter.demo import sink
from newsletter.feedback.models import Click, ClickBy
from newsletter.settings import load
from tests.cli.test_refusals import Refuse, names, refuse
from tests.cli.test_sending import frozen, maildir
from tests.delivery.desk import make_issue as made_issue
from tests.support.commands import Desk
from tests.support.smtp import serving

__all__ = ["frozen", "maildir", "refuse"]
NOTHING_ELSE = {
    "letters": {"sent": 0, "waiting": 0}, "webhooks": {"told": 0, "waiting": 0}, "held": [], "editions": [],
}  # fmt: skip


def says(told: str, *words: str) -> None:
    """Hold what a command said against the words that must stand in it, however the lines are broken."""
    for word in words:
        assert word in told or word in " ".join(told.split()), f"{word!r} is missing in {told!r}"


@pytest.fixture
def soon(engine: Engine, frozen: Desk) -> Desk:
    """Return the desk with issue 1 frozen, and its hour come a minute ago."""
    schedule(engine, timedelta(minutes=-1))
    return frozen


def schedule(engine: Engine, ahead: timedelta) -> None:
    now = datetime.now(UTC)
    with db.transaction(engine) as session:
        terms = rounds.terms(Order(lists=["weekly"]))
        schedules.add(session, 1, now + ahead, zone="Europe/Berlin", terms=terms, actor="mara", now=now)


def test_an_issue_whose_hour_has_come_is_delivered_once(soon: Desk, maildir: Path) -> None:
    ended = soon.json("deliver")
    assert ended == {
        "issues": [{"issue": 1, "why": "scheduled", "state": "sent", "sent": 2, "waiting": 0, "error": ""}],
        "busy": [], "missed": [], **NOTHING_ELSE,
    }  # fmt: skip
    assert sorted(sink.recipients(maildir)) == ["one@example.com", "two@example.com"]
    assert soon.json("schedule", "list") == []
    assert "Nothing is due" in soon.run("deliver").stdout
    assert len(sink.recipients(maildir)) == 2


def test_a_send_is_given_a_time(frozen: Desk, refuse: Refuse) -> None:
    year = datetime.now(UTC).year + 1
    made = frozen.json("send", "1", "--list", "weekly", "--at", f"{year}-12-01 07:00 Europe/Berlin", "--yes")
    assert (made["issue"], made["at"], made["lists"]) == (1, f"{year}-12-01T06:00:00+00:00", ["weekly"])
    words = ("send", "1", "--list", "weekly", "--yes", "--at")
    names(refuse(*words, f"{year}-12-02 07:00Z"), "newsletter schedule remove 1")
    frozen.run("schedule", "remove", "1")
    names(refuse(*words, f"{year}-12-01 07:00"), "names no time zone")
    names(refuse(*words, "2020-12-01 07:00Z"), "is past")
    assert frozen.json("issues", "show", "1")["state"] == "frozen"


def test_an_issue_that_somebody_sends_before_its_time_has_none_any_more(
    engine: Engine, frozen: Desk, maildir: Path
) -> None:
    schedule(engine, timedelta(days=1))
    assert frozen.json("send", "1", "--list", "weekly", "--yes")["state"] == "sent"
    assert frozen.json("schedule", "list") == []
    assert len(sink.recipients(maildir)) == 2


def test_an_issue_that_waits_for_its_time_says_so(engine: Engine, frozen: Desk, refuse: Refuse) -> None:
    schedule(engine, timedelta(days=1))
    says(frozen.run("issues", "show", "1").stdout, "It begins", "Europe/Berlin")
    assert frozen.json("issues", "show", "1")["schedule"]["lists"] == ["weekly"]
    says(frozen.run("schedule", "list").stdout, "--list weekly", "waits", "mara")
    assert frozen.json("deliver")["issues"] == []
    names(refuse("pause", "1"), "newsletter schedule remove 1")
    says(frozen.run("schedule", "remove", "1").stdout, "newsletter send 1")
    names(refuse("schedule", "remove", "1", code=3), "newsletter schedule list")
    assert frozen.json("schedule", "list") == []


def test_an_issue_whose_hour_passed_unseen_waits_for_a_person(engine: Engine, frozen: Desk, maildir: Path) -> None:
    schedule(engine, timedelta(hours=-7))
    ended = frozen.run("deliver")
    says(ended.stderr, "note: issue 1 was to begin", "newsletter send 1 --list weekly")
    assert frozen.run("deliver").stderr == ""
    says(frozen.run("schedule", "list").stdout, "missed", "newsletter send 1 --list weekly")
    assert sink.recipients(maildir) == []


def test_an_issue_that_was_blocked_meanwhile_does_not_begin(soon: Desk, maildir: Path) -> None:
    path = soon.folder / "briefings" / "cranes.md"
    path.write_text(path.read_text().replace("## Key points", "## Key points\n\n- One more.\n", 1))
    ended = soon.run("deliver", code=1)
    says(ended.stderr, "issue 1 was to begin, and cannot be sent", "cranes", "to mend before they can go on: issue 1")
    assert sink.recipients(maildir) == []
    assert len(soon.json("schedule", "list")) == 1


def test_a_relay_that_is_away_leaves_the_readers_waiting(soon: Desk) -> None:
    toml = soon.folder / "newsletter.toml"
    toml.write_text(toml.read_text().replace("port = 2525", "port = 1"))
    ended = soon.run("deliver", code=4)
    says(ended.stderr, "127.0.0.1:1", "2 of issue 1")


def test_somebody_who_sends_already_is_told_and_left_alone(engine: Engine, frozen: Desk, maildir: Path) -> None:
    planned(engine, frozen)
    with db.transaction(engine) as session:
        lives = {"worker": "elsewhere:1:7", "lease_until": datetime.now(UTC) + timedelta(seconds=30)}
        session.execute(update(AUDIENCE).values(**lives))
    assert frozen.json("deliver") == {"issues": [], "busy": [1], "missed": [], **NOTHING_ELSE}
    says(frozen.run("deliver").stdout, "is being sent already", "newsletter status 1")
    says(frozen.run("pause", "1", "--wait", "0").stdout, "is asked to stop")
    assert frozen.json("resume", "1") == {"issue": 1, "state": "sending"}
    assert frozen.json("issues", "cancel", "1", "--wait", "0")["asked"]
    assert sink.recipients(maildir) == []


def test_two_passes_at_once_send_one_issue_once(soon: Desk) -> None:
    with serving() as server:
        arrived, over = Event(), Event()

        def slowly(_address: str) -> None:
            arrived.set()
            over.wait(60)

        server.data = slowly
        toml = soon.folder / "newsletter.toml"
        toml.write_text(toml.read_text().replace("port = 2525", f"port = {server.port}"))
        first = soon.process("deliver", "--json")
        try:
            assert arrived.wait(60)
            assert soon.json("deliver") == {"issues": [], "busy": [1], "missed": [], **NOTHING_ELSE}
        finally:
            over.set()
            told, _ = first.communicate(timeout=60)
        assert (first.returncode, json.loads(told)["issues"][0]["state"]) == (0, "sent")
        assert sorted(server.recipients) == ["one@example.com", "two@example.com"]


def planned(engine: Engine, desk: Desk, issue: int = 1) -> None:
    """Plan an issue as a send does that dies before its first message."""
    order, now = Order(lists=["weekly"]), datetime.now(UTC)
    sending.plan(engine, load(desk.folder, {}), issue, order, actor="mara", now=now)


def test_an_issue_that_is_paused_while_another_goes_out_is_left_alone(engine: Engine, frozen: Desk) -> None:
    planned(engine, frozen)
    with db.transaction(engine) as session:
        made_issue(session, datetime.now(UTC))
    planned(engine, frozen, 2)
    with serving() as server:
        server.data = lambda _address: None if server.accepted else frozen.json("pause", "2") and None
        toml = frozen.folder / "newsletter.toml"
        toml.write_text(toml.read_text().replace("port = 2525", f"port = {server.port}"))
        ended = frozen.json("deliver")
        assert sorted(server.recipients) == ["one@example.com", "two@example.com"]
    assert ([each["issue"] for each in ended["issues"]], ended["busy"]) == ([1], [])
    assert frozen.json("status", "2")["stop"] == "asked"


def test_a_paused_issue_is_left_alone_until_it_is_resumed(engine: Engine, frozen: Desk, maildir: Path) -> None:
    planned(engine, frozen)
    assert frozen.json("pause", "1") == {"issue": 1, "state": "paused", "asked": False}
    assert frozen.json("deliver")["issues"] == []
    assert frozen.json("resume", "1")["state"] == "sent"
    assert len(sink.recipients(maildir)) == 2


def test_an_issue_is_cancelled_on_its_way(engine: Engine, frozen: Desk, refuse: Refuse) -> None:
    planned(engine, frozen)
    says(frozen.run("issues", "cancel", "1").stdout, "cancelled by", "0 of 2 have it")
    counted = frozen.json("status", "1")
    assert (counted["state"], counted["skipped"], counted["audience"]) == ("cancelled", 2, 2)
    assert counted["reasons"] == {"skipped": {"cancelled": 2}}
    names(refuse("send", "1", "--yes"), "cancelled", "newsletter compose")
    assert frozen.json("compose", "--pick", "cranes")["issue"] == 2


def test_a_pass_gives_up_what_a_sender_died_before_it_heard_of(engine: Engine, frozen: Desk, refuse: Refuse) -> None:
    planned(engine, frozen)
    for seconds in (30, -30):
        with db.transaction(engine) as session:
            lease = {"worker": "elsewhere:1:7", "lease_until": datetime.now(UTC) + timedelta(seconds=seconds)}
            session.execute(update(AUDIENCE).values(**lease))
        if seconds > 0:
            assert frozen.json("issues", "cancel", "1", "--wait", "0")["asked"]
    names(refuse("send", "1", "--yes"), "is to be cancelled, as", "newsletter resume 1")
    (done,) = frozen.json("deliver")["issues"]
    assert (done["why"], done["state"], done["sent"], done["waiting"], done["error"]) == (
        "cancel",
        "cancelled",
        0,
        0,
        "",
    )


def test_subjects_are_given_shown_and_checked(desk: Desk, refuse: Refuse) -> None:
    made = desk.json("compose", "--pick", "cranes", "--subject", "Cranes", "--or-subject", "Or so",
                     "--or-subject", "{{ subscriber.name | default('Reader') }}, cranes")  # fmt: skip
    assert made["alternatives"] == ["Or so", "{{ subscriber.name | default('Reader') }}, cranes"]
    says(desk.run("issues", "show", "1").stdout, "Or subject: Or so")
    says(desk.run("preview", "1").stdout, "Subject: Cranes\nOr subject: Or so\nOr subject: Reader, cranes\n\n")
    for words, told in (
        (("--or-subject", "Cranes"), "two subjects say 'Cranes'"),
        (
            ("--or-subject", "1", "--or-subject", "2", "--or-subject", "3", "--or-subject", "4"),
            "4 subjects in all, not 5",
        ),
        (("--or-subject", "{{ subscriber.nam }}"), "the other subject"),
        (("--subject", "Or so"), "two subjects say 'Or so'"),
    ):
        names(refuse("issues", "edit", "1", *words), told)
    assert desk.json("issues", "edit", "1", "--or-subject", "NOW!!", "--or-subject", "WHAT COMES NEXT")["alternatives"]
    found = desk.json("check", "1")["findings"]
    loud = [each["where"] for each in found if each["rule"] == "email.subject_loud"]
    assert loud == ["subject 2", "subject 3"]
    assert desk.json("issues", "edit", "1", "--or-subject", "")["alternatives"] == []


@pytest.fixture
def trial(engine: Engine, desk: Desk, maildir: Path) -> Desk:
    """Return the desk with a trial of two subjects whose share of two of six readers is out."""
    for number in range(4):
        desk.run("subscribers", "add", f"more{number}@example.com", "--list", "weekly")
    desk.run("compose", "--pick", "cranes", "--subject", "Cranes", "--or-subject", "Or so")
    desk.run("issues", "freeze", "1")
    words = ("--sample", "30%", "--winner", "clicks", "--after", "4", "--yes")
    desk.run("lists", "edit", "weekly", "--track-clicks")
    says(desk.run("send", "1", "--list", "weekly", *words, code=4).stdout, "paused", "4 wait")
    return desk


def test_a_trial_of_subjects_is_seen_and_decided(engine: Engine, trial: Desk, maildir: Path, refuse: Refuse) -> None:
    found = trial.json("issues", "winner", "1")
    assert [(each["subject"], each["sent"], each["clicked"]) for each in found["subjects"]] == [
        ("Cranes", 1, 0), ("Or so", 1, 0),
    ]  # fmt: skip
    assert (found["winner"], found["decide"], found["hours"]) == (None, "clicks", 4)
    says(trial.run("issues", "winner", "1").stdout, "Or so", "0 of 1", "Clicks decide on", "newsletter issues winner 1")
    assert "%" not in trial.run("issues", "winner", "1").stdout
    assert trial.json("deliver")["issues"] == []
    with db.transaction(engine) as session:
        second = session.execute(DELIVERY.select().where(DELIVERY.c.variant == 1)).one()
        who = {"subscriber_id": second.subscriber_id, "issue_id": 1}
        session.add(Click(**who, number=1, by=ClickBy.HUMAN, why="", at=datetime.now(UTC)))
    names(refuse("issues", "winner", "1", "2", "--clicks", code=2), "either the clicks decide, or you")
    names(refuse("issues", "winner", "1", "3", code=3), "they are 1 to 2")
    says(trial.run("issues", "winner", "1", "--clicks").stdout, "Subject 2 has won", "newsletter send 1 --rest")
    assert trial.json("issues", "winner", "1", "1")["winner"] == 1
    assert trial.json("issues", "winner", "1", "2")["winner"] == 2
    assert [(each["why"], each["state"]) for each in trial.json("deliver")["issues"]] == [("winner", "sent")]
    received = b"".join(path.read_bytes() for path in (maildir / "new").iterdir())
    assert (received.count(b"\nSubject: Cranes"), received.count(b"\nSubject: Or so")) == (1, 5)
    names(refuse("issues", "winner", "1", "1"), "on its way already")


@pytest.mark.parametrize(
    ("how", "says_so"),
    [("clicks", "Clicks decide on "), ("hand", "Nobody has chosen yet: newsletter issues winner 1 ")],
)
def test_a_trial_without_a_winner_leads_to_one(desk: Desk, maildir: Path, how: str, says_so: str) -> None:
    for number in range(4):
        desk.run("subscribers", "add", f"more{number}@example.com", "--list", "weekly")
    desk.run("lists", "edit", "weekly", "--track-clicks")
    desk.run("compose", "--pick", "cranes", "--subject", "Cranes", "--or-subject", "Or so")
    desk.run("issues", "freeze", "1")
    sent = desk.run("send", "1", "--list", "weekly", "--sample", "30%", "--winner", how, "--yes", code=4)
    for told in (sent.stdout, sent.stderr, desk.run("status", "1").stdout):
        says(told, says_so, "newsletter issues winner 1 NUMBER", "Then newsletter deliver sends the rest")
        assert "--rest" not in told
    again = desk.refuses("send", "1", "--list", "weekly", "--yes")
    says(again, "has no winner yet", "newsletter issues winner 1")


def test_an_issue_without_a_trial_says_how_one_is_made(frozen: Desk, refuse: Refuse) -> None:
    names(refuse("issues", "winner", "1", code=3), "no trial of subjects", "--or-subject", "compose a new one")


def test_a_trial_that_has_not_begun_says_how_it_begins(desk: Desk, refuse: Refuse) -> None:
    desk.run("compose", "--pick", "cranes", "--or-subject", "Or so")
    first = "the trial of issue 1 has not begun: newsletter issues freeze 1, then newsletter send 1"
    names(refuse("issues", "winner", "1", code=3), first)
    desk.run("issues", "freeze", "1")
    begin = "the trial of issue 1 has not begun: newsletter send 1 --list LIST --sample 20%"
    names(refuse("issues", "winner", "1", code=3), begin)


def test_a_recurring_issue_is_made_and_goes_out_when_somebody_clears_it(desk: Desk, maildir: Path) -> None:
    toml, at = desk.folder / "newsletter.toml", datetime.now(UTC) - timedelta(minutes=1)
    words = f'name = "daily"\nevery = "day {at:%H:%M}"\nzone = "UTC"\nlist = "weekly"\nperson = "mara"\nthen = "send"\n'
    toml.write_text(f"{toml.read_text()}\n[[schedule]]\n{words}")
    os.utime(toml, (at.timestamp() - 86_400,) * 2)
    (coming,) = desk.json("schedule", "list")
    assert (coming["issue"], coming["schedule"], coming["lists"], coming["last"]) == (None, "daily", ["weekly"], None)
    assert len(coming["next"]) == 3
    (made,) = desk.json("schedule", "run")
    assert (made["schedule"], made["made"], made["issue"]) == ("daily", "issue", 1)
    assert desk.json("schedule", "run") == []
    waits, recurs = desk.json("schedule", "list")
    assert (waits["issue"], recurs["last"]["issue"]) == (1, 1)
    says(
        desk.run("schedule", "list").stdout,
        "daily",
        f"day {at:%H:%M}",
        "is issue 1: it waits for somebody who clears it",
    )
    says(
        desk.run("deliver", code=1).stderr, "nobody has cleared it", "newsletter issues clear 1", "issue 1; the reasons"
    )
    assert sink.recipients(maildir) == []
    desk.run("issues", "clear", "1", "--as", "jonas")
    done = desk.json("deliver")
    assert ([each["state"] for each in done["issues"]], done["held"], done["editions"]) == (["sent"], [], [])
    assert len(sink.recipients(maildir)) == 2
