"""Sending by command: what is refused before a byte leaves, what is asked, what is told."""

import errno
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text, update

from newsletter import db
from newsletter.delivery.tables import AUDIENCE, DELIVERY
from newsletter.demo import sink
from tests.cli.test_refusals import Refuse, names, refuse
from tests.support.commands import Desk
from tests.support.smtp import serving
from tests.support.stores import Keeper

__all__ = ["refuse"]

REFUSED = os.strerror(errno.ECONNREFUSED)


@pytest.fixture
def frozen(desk: Desk, once: Keeper) -> Desk:
    """Return the desk with issue 1 frozen."""
    once("frozen", lambda: _freeze(desk))
    return desk


def _freeze(desk: Desk) -> None:
    assert desk.json("compose", "--pick", "cranes")["issue"] == 1
    assert desk.json("issues", "freeze", "1")["state"] == "frozen"


@pytest.fixture
def maildir(desk: Desk, tmp_path: Path) -> Iterator[Path]:
    """Return the Maildir of a mail server that the desk's relay is set to."""
    with sink.listening(tmp_path / "Maildir") as port:
        toml = desk.folder / "newsletter.toml"
        toml.write_text(toml.read_text().replace("port = 2525", f"port = {port}"))
        yield tmp_path / "Maildir"


def test_an_issue_goes_to_everyone_once_and_only_once(frozen: Desk, maildir: Path) -> None:
    counted = frozen.json("send", "1", "--list", "weekly", "--yes")
    assert (counted["audience"], counted["sent"], counted["state"]) == (2, 2, "sent")
    assert sorted(sink.recipients(maildir)) == ["one@example.com", "two@example.com"]
    names(frozen.refuses("send", "1", "--list", "weekly", "--yes"), "issue 1 is already sent", "newsletter compose")
    assert "Who has it and who has not: newsletter status 1" in frozen.refuses("send", "1", "--yes")
    assert len(sink.recipients(maildir)) == 2
    assert frozen.json("briefings", "show", "cranes")["state"] == "sent"


def test_send_names_the_count_and_the_subject_and_asks(frozen: Desk, refuse: Refuse) -> None:
    error = refuse("send", "1", "--list", "weekly")
    names(error, "2 readers of weekly", "cranes", "--yes")


def test_the_help_of_send_explains_each_of_its_arguments(desk: Desk) -> None:
    told = desk.run("send", "--help").stdout
    assert "With --test: more addresses" in told[told.index("Arguments:") : told.index("Options:")]


def test_send_needs_an_audience(frozen: Desk, refuse: Refuse) -> None:
    assert "--list" in refuse("send", "1", "--yes", code=2)
    names(refuse("send", "1", "--list", "weekli", "--yes", code=3), "weekli", "weekly")
    names(refuse("send", "1", "--list", "empty", "--yes"), "nobody", "empty", "newsletter lists list")
    names(refuse("send", "1", "--list", "weekly", "--segment", "none", "--yes", code=3), "none")


def test_an_issue_that_is_not_frozen_is_not_sent(desk: Desk, refuse: Refuse) -> None:
    desk.run("compose", "--pick", "cranes")
    names(refuse("send", "1", "--list", "weekly", "--yes"), "assembling", "newsletter issues freeze 1")


def test_an_edit_after_freezing_stops_the_send(frozen: Desk, maildir: Path) -> None:
    file = frozen.folder / "briefings" / "cranes.md"
    file.write_text(file.read_text().replace("surprised the trade", "shocked the trade"))
    names(frozen.refuses("send", "1", "--list", "weekly", "--yes"), "cannot be sent", "cranes", "changed")
    assert sink.recipients(maildir) == []
    file.write_text(file.read_text().replace("shocked the trade", "surprised the trade"))
    names(frozen.run("check", "1", code=1).stderr, "cannot go out")  # the old words are back, and the yes is not


def test_an_edit_after_composing_is_found_by_check_and_keeps_trials_back(frozen: Desk, tmp_path: Path) -> None:
    frozen.run("briefings", "submit", "grid", "--as", "mara")
    frozen.run("briefings", "approve", "grid", "--as", "jonas")
    frozen.run("compose", "--pick", "grid")
    for name in ("cranes", "grid"):
        file = frozen.folder / "briefings" / f"{name}.md"
        file.write_text(file.read_text().replace("surprised the trade", "shocked the trade"))
    for issue in ("1", "2"):
        found = frozen.json("check", issue, code=1)
        assert [finding["rule"] for finding in found["findings"] if finding["severity"] == "block"] == ["P1"]
        frozen.run("preview", issue)
    names(frozen.refuses("send", "1", "--test", "me@example.org"), "cranes", "changed")
    names(frozen.refuses("send", "1", "--list", "weekly", "--dry-run", str(tmp_path / "copies")), "cranes", "changed")


def test_a_send_that_began_goes_on_though_a_text_has_expired_since(frozen: Desk, maildir: Path, engine: Engine) -> None:
    with sink.listening(frozen.folder / "gone") as port:
        here = Desk(frozen.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(port)})
    here.refuses("send", "1", "--list", "weekly", "--yes")  # the relay is gone: planned, and paused
    toml = frozen.folder / "newsletter.toml"
    toml.write_text(toml.read_text().replace("1 Quay Street", "2 Quay Street"))
    assert frozen.json("send", "1", "--yes")["sent"] == 2


def test_a_slow_send_is_told_with_a_decimal(frozen: Desk, maildir: Path, engine: Engine) -> None:
    frozen.run("send", "1", "--list", "weekly", "--yes")
    with db.transaction(engine) as session:
        last = max(session.scalars(select(DELIVERY.c.changed_at)))
        session.execute(update(AUDIENCE).values(planned_at=last - timedelta(seconds=2)))
    assert "\n1.0 messages/s\n" in frozen.run("status", "1").stdout


def test_a_segment_narrows_a_list(frozen: Desk, maildir: Path) -> None:
    frozen.run("subscribers", "add", "three@example.com", "--list", "weekly", "--country", "DE")
    frozen.run("segments", "create", "germany", "country = 'DE'")
    assert frozen.json("send", "1", "--list", "weekly", "--segment", "germany", "--yes")["audience"] == 1
    assert sink.recipients(maildir) == ["three@example.com"]


def test_a_send_that_reached_nobody_does_not_end_well(frozen: Desk) -> None:
    with serving() as server:
        server.rcpt = lambda _address: "550 5.1.1 no such user"
        here = Desk(frozen.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port)})
        ended = here.run("send", "1", "--list", "weekly", "--yes", code=1)
    names(ended.stderr, "nobody got issue 1", "all 2", "newsletter suppressions list")
    assert [row["reply"] for row in frozen.json("status", "1", "--who", "failed")] == ["550 5.1.1 no such user"] * 2


def test_without_a_relay_nothing_is_planned(frozen: Desk, refuse: Refuse) -> None:
    toml = frozen.folder / "newsletter.toml"
    whole = toml.read_text()
    toml.write_text(whole[: whole.index("[[relay]]")])
    names(refuse("send", "1", "--list", "weekly", "--yes"), "needs a relay", "[[relay]]")


def test_a_relay_that_cannot_be_reached_fails_nobody(frozen: Desk) -> None:
    with sink.listening(frozen.folder / "elsewhere") as port:
        toml = frozen.folder / "newsletter.toml"
        toml.write_text(toml.read_text().replace("port = 2525", f"port = {port}"))
    way = "Correct [[relay]] in newsletter.toml if it is wrong (newsletter relays test), then go on: newsletter send 1"
    names(frozen.refuses("send", "1", "--list", "weekly", "--yes"), str(port), way)
    names(frozen.refuses("send", "1", "--test", "me@example.org"), str(port), "then run the same command again")
    counted = frozen.json("status", "1")
    assert (counted["state"], counted["pending"], counted["failed"]) == ("paused", 2, 0)
    assert (
        counted["note"] == counted["relays"]["main"] == f"relay main at 127.0.0.1:{port} cannot be reached: {REFUSED}"
    )
    told = frozen.run("status", "1").stdout
    assert "Go on: newsletter send 1; newsletter deliver tries again by itself from 20" in told
    assert "same command" not in told
    with sink.listening(frozen.folder / "there") as port:
        toml.write_text(toml.read_text().replace("port = ", f"port = {port} # "))
        assert frozen.json("send", "1", "--yes")["sent"] == 2


def test_a_dry_run_writes_every_message_and_leaves_no_trace(frozen: Desk, engine: object, tmp_path: Path) -> None:
    assert frozen.json("send", "1", "--list", "weekly", "--dry-run", str(tmp_path / "copies"))["audience"] == 2
    assert len(list((tmp_path / "copies").glob("*.eml"))) == 2
    assert frozen.json("status", "1")["audience"] == 0
    names(frozen.refuses("send", "1", "--list", "weekly", "--dry-run", str(tmp_path / "copies")), "not empty")


def test_a_send_tells_what_is_different_since_the_dry_run(frozen: Desk, maildir: Path) -> None:
    counted = frozen.json("send", "1", "--list", "weekly", "--count")
    assert counted == {"issue": 1, "audience": 2, "skipped": {}, "messages": 0, "folder": None}
    assert "which counted 2, for weekly" in frozen.run("status", "1").stdout
    assert "the very readers of the dry run of" in frozen.refuses("send", "1", "--list", "weekly")
    frozen.run("subscribers", "add", "three@example.com", "--list", "weekly")
    frozen.run("suppressions", "add", "one@example.com")
    asked = frozen.refuses("send", "1", "--list", "weekly")
    assert "  new: three@example.com (joined since)\n  gone: one@example.com (suppressed: manual)\n" in asked
    assert "to 2 readers of weekly; 1 is new and 1 is gone since the dry run of" in asked
    error = frozen.refuses("send", "1", "--list", "weekly", "--yes", "--rehearsed").splitlines()[-1]
    names(error, "not go to whom the dry run counted: 1 is new and 1 is gone", "send 1 --list weekly --count")
    other = frozen.run("send", "1", "--list", "weekly", "--list", "empty", "--yes", "--rehearsed", code=1).stderr
    assert "for weekly, not for this audience" in other
    ended = frozen.run("send", "1", "--list", "weekly", "--yes", "--json")
    assert ended.stderr.startswith("note: 1 is new and 1 is gone since the dry run of")
    found = json.loads(ended.stdout)
    told = found["rehearsal"]
    assert (found["audience"], told["audience"], told["new"], told["gone"], told["erased"]) == (2, 2, 1, 1, 0)
    assert [each["reason"] for each in (*told["newcomers"], *told["leavers"])] == ["joined since", "suppressed: manual"]
    assert sorted(sink.recipients(maildir)) == ["three@example.com", "two@example.com"]


def test_who_comes_between_the_question_and_the_plan_is_told(frozen: Desk, maildir: Path) -> None:
    keyboard, terminal = os.openpty()
    sender = frozen.process("send", "1", "--list", "weekly", "--json", stdin=terminal)
    assert sender.stderr
    asked = ""
    while "[y/N]" not in asked:
        asked += sender.stderr.read(1) or "it ended [y/N]"
    assert "to 2 readers of weekly?" in asked
    frozen.run("subscribers", "add", "three@example.com", "--list", "weekly")
    os.write(keyboard, b"y\n")
    told, notes = sender.communicate()
    assert (json.loads(told)["sent"], sender.returncode) == (3, 0)
    assert "note: 3 readers are planned; a moment ago it was 2" in notes


def test_a_send_to_exactly_whom_the_dry_run_counted_needs_no_look(frozen: Desk, maildir: Path, tmp_path: Path) -> None:
    frozen.run("send", "1", "--list", "weekly", "--dry-run", str(tmp_path / "copies"))
    found = frozen.json("send", "1", "--list", "weekly", "--yes", "--rehearsed")
    assert (found["sent"], found["rehearsal"]["new"], found["rehearsal"]["gone"]) == (2, 0, 0)


def test_who_wants_fewer_mails_is_told_before_and_after(frozen: Desk, maildir: Path, engine: Engine) -> None:
    frozen.run("send", "1", "--list", "weekly", "--yes")
    with engine.begin() as connection:
        connection.execute(text("UPDATE subscriber SET frequency = 'weekly' WHERE email = 'one@example.com'"))
    frozen.run("briefings", "submit", "grid", "--as", "mara")
    frozen.run("briefings", "approve", "grid", "--as", "jonas")
    frozen.run("compose", "--pick", "grid")
    frozen.run("issues", "freeze", "2")
    assert "to 1 reader of weekly; 1 more wants fewer mails?" in frozen.refuses("send", "2", "--list", "weekly")
    counted = frozen.json("send", "2", "--list", "weekly", "--count")
    assert (counted["audience"], counted["skipped"]) == (1, {"frequency: weekly": 1})
    found = frozen.json("send", "2", "--list", "weekly", "--yes", "--rehearsed")
    assert (found["audience"], found["sent"], found["skipped"]) == (2, 1, 1)
    assert [(each["email"], each["reason"]) for each in frozen.json("status", "2", "--who", "skipped")] == [
        ("one@example.com", "frequency: weekly")
    ]


def test_a_dry_run_that_cannot_be_written_is_not_kept(frozen: Desk, refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    names(refuse("send", "1", "--list", "weekly", "--dry-run", str(tmp_path / "file")), "cannot be written")
    names(refuse("send", "1", "--list", "weekli", "--count", code=3), "weekli", "weekly")
    names(refuse("send", "1", "--count"), "name a list: newsletter send 1 --list LIST")
    names(refuse("send", "7", "--list", "weekly", "--count", code=3), "there is no issue 7")


def test_nobody_is_counted_for_an_issue_that_is_done(frozen: Desk, maildir: Path, tmp_path: Path) -> None:
    frozen.run("send", "1", "--list", "weekly", "--yes")
    for words in (("--count",), ("--dry-run", str(tmp_path / "copies"))):
        names(frozen.refuses("send", "1", "--list", "weekly", *words), "issue 1 is already sent", "newsletter status 1")
    assert not (tmp_path / "copies").exists()


def test_a_test_copy_goes_only_where_it_was_asked_to(frozen: Desk, maildir: Path) -> None:
    results = frozen.json("send", "1", "--test", "me@example.org", "you@example.org")
    assert [result["outcome"] for result in results] == ["sent", "sent"]
    assert sorted(sink.recipients(maildir)) == ["me@example.org", "you@example.org"]
    assert b"Subject: [Test]" in sink.one(maildir).read_bytes()
    assert frozen.json("status", "1")["audience"] == 0


def test_two_sends_at_once_make_one_copy_for_each(frozen: Desk, maildir: Path) -> None:
    senders = [frozen.process("send", "1", "--list", "weekly", "--yes") for _ in range(2)]
    ends = [(sender.communicate()[1], sender.returncode) for sender in senders]
    assert 0 in [code for _, code in ends], ends
    assert sorted(sink.recipients(maildir)) == ["one@example.com", "two@example.com"]


def test_a_broken_template_is_named_with_its_line(desk: Desk, refuse: Refuse) -> None:
    own = desk.folder / "templates" / "briefing"
    own.mkdir(parents=True)
    (own / "footer.mjml.j2").write_text(
        "<mj-section>\n  <mj-column>\n{{ publication.nmae }}\n</mj-column></mj-section>"
    )
    desk.run("compose", "--pick", "cranes")
    names(refuse("issues", "freeze", "1"), "footer.mjml.j2", "3", "nmae")
