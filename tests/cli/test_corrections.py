"""Corrections by command: drafted by one, approved by another, sent to those who have the briefing."""

import mailbox
from pathlib import Path

import pytest

from newsletter.demo import sink
from tests.support.commands import Desk


def test_a_correction_walks_its_whole_road(desk: Desk, tmp_path: Path) -> None:
    for handle, *roles in (("stan", "standards"), ("edith", "editor"), ("sara", "sender"), ("will", "writer")):
        desk.run("people", "add", handle, *(word for role in roles for word in ("--role", role)))
    desk.run("compose", "--pick", "cranes", "--as", "edith")
    desk.run("issues", "freeze", "1", "--as", "edith")
    maildir = tmp_path / "Maildir"
    with sink.listening(maildir) as port:
        here = Desk(desk.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(port)})
        here.run("send", "1", "--list", "weekly", "--yes", "--as", "sara")
        here.run("subscribers", "add", "three@example.com", "--list", "weekly")
        words = ("--reason", "We wrote two harbours.", "--right", "It was three.")
        assert "this takes standards" in here.refuses("briefings", "correct", "cranes", *words, "--as", "edith")
        made = here.json("briefings", "correct", "cranes", *words, "--as", "stan")
        assert (made["state"], made["correction"]) == ("corrected", 1)
        assert "somebody else approves it" in here.run("corrections", "show", "1").stdout.lower()
        text = here.run("corrections", "show", "1", "--text").stdout
        assert text.index("\nCorrection\n") < text.index("We wrote two harbours.") < text.index("It was three.")
        here.run("corrections", "show", "1", "--html", str(tmp_path / "it.html"))
        for shown in (text, (tmp_path / "it.html").read_text("utf-8")):
            assert "reader@example.com" in shown
            assert "[[" not in shown
        assert "cannot be written" in here.refuses("corrections", "show", "1", "--html", str(tmp_path))
        assert "It was three." in (tmp_path / "it.html").read_text("utf-8")
        assert "cannot be sent" in here.refuses("corrections", "send", "1", "--yes", "--as", "sara")
        assert "they wrote it" in here.refuses("corrections", "approve", "1", "--as", "stan")
        assert "this takes" in here.refuses("corrections", "approve", "1", "--as", "will")
        approved = here.json("corrections", "approve", "1", "--as", "edith")
        assert (approved["state"], approved["issue"], approved["approved_by"]) == ("approved", 2, "edith")
        assert "We wrote two harbours. -> It was three." in " ".join(here.run("corrections", "list").stdout.split())
        found = here.json("corrections", "list", "--state", "approved")
        assert [(each["correction"], each["label"]) for each in found] == [(1, "Correction")]
        shown = here.json("issues", "show", "2")
        assert (shown["kind"], shown["state"], shown["correction"]) == ("correction", "frozen", 1)
        assert "is a correction" in here.refuses("send", "2", "--list", "weekly", "--yes", "--as", "sara")
        here.run("check", "2")
        counted = here.json("corrections", "send", "1", "--dry-run", str(tmp_path / "dry"), "--as", "sara")
        assert (counted["audience"], counted["messages"]) == (2, 2)
        asked = here.refuses("corrections", "send", "1", "--as", "sara")
        assert "2 readers had it; 0 left since" in asked
        assert "'Correction: What cranes will change in the harbours', to 2 readers who had the briefing?" in asked
        status = here.json("corrections", "send", "1", "--yes", "--as", "sara")
        assert (status["state"], status["sent"], status["audience"]) == ("sent", 2, 2)
        told = [str(mail["To"]) for mail in mailbox.Maildir(maildir) if str(mail["Subject"]).startswith("Correction: ")]
        assert sorted(told) == ["one@example.com", "two@example.com"]
        assert "already sent" in here.refuses("corrections", "send", "1", "--yes", "--as", "sara").lower()
        for command in (["corrections", "send", "1"], ["send", "2"]):
            refused = here.refuses(*command, "--yes", "--as", "sara")
            assert "issue 2 is already sent. Who has it and who has not: newsletter status 2" in refused
            assert "draft another: newsletter corrections draft" in refused
            assert "compose" not in refused
    assert "cannot be edited any more" in desk.refuses("corrections", "edit", "1", "--right", "x", "--as", "edith")
    assert desk.run("corrections", "show", "9", code=3).stderr.startswith("error: there is no correction 9")
    clarify = ("corrections", "draft", "cranes", "--kind", "clarification", "--wrong", "Offers are yearly.")
    assert desk.json(*clarify, "--as", "edith")["state"] == "drafted"
    assert desk.json("corrections", "withdraw", "2", "--reason", "Clear", "--as", "stan")["state"] == "withdrawn"
    kill = ("corrections", "draft", "cranes", "--kind", "kill", "--wrong", "The tender never was.")
    assert "this takes standards" in desk.refuses(*kill, "--as", "edith")
    assert desk.json(*kill, "--as", "stan")["label"] == "Withdrawn"
    assert desk.json("briefings", "show", "cranes")["state"] == "killed"
    desk.run("corrections", "approve", "3", "--page-only", "--as", "edith")
    assert "noted" in desk.run("corrections", "list").stdout


@pytest.fixture
def approved(desk: Desk, tmp_path: Path) -> Desk:
    """Return the desk with an issue that is sent, and an approved correction of its briefing."""
    desk.run("compose", "--pick", "cranes")
    desk.run("issues", "freeze", "1")
    with sink.listening(tmp_path / "before") as port:
        Desk(desk.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(port)}).run("send", "1", "--list", "weekly", "--yes")
    desk.run("corrections", "draft", "cranes", "--wrong", "Two harbours.", "--right", "Three.", "--as", "mara")
    desk.run("corrections", "approve", "1", "--as", "jonas")
    return desk


def test_a_correction_says_what_its_dry_run_counted(approved: Desk) -> None:
    approved.run("corrections", "send", "1", "--count")
    assert "which counted 2, for those who have the briefing" in approved.run("status", "2").stdout
    asked = approved.refuses("corrections", "send", "1")
    assert "which counted 2, was for those who have the briefing, and it is 2 readers now" in asked
    approved.run("suppressions", "add", "one@example.com")
    assert "which counted 2, was for those who have the briefing, and it is 1 reader now" in approved.refuses(
        "corrections", "send", "1"
    )


def test_a_correction_that_nobody_has_yet_is_not_called_sent(approved: Desk, tmp_path: Path) -> None:
    with sink.listening(tmp_path / "Maildir") as port:
        here = Desk(approved.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(port)})
    refused = here.refuses("corrections", "send", "1", "--yes")  # nobody listens there any more
    assert "then go on: newsletter corrections send 1" in refused
    assert "Go on: newsletter corrections send 1; newsletter deliver tries again" in here.run("status", "2").stdout
    on_its_way = "Correction 1 is on its way: 0 of 2 have it. Go on: newsletter corrections send 1"
    for words in (("list",), ("show", "1")):
        assert on_its_way in here.run("corrections", *words).stdout
    for state, found in (("sending", [(1, "sending", 0, 2)]), ("sent", [])):
        listed = here.json("corrections", "list", "--state", state)
        assert [(each["correction"], each["state"], each["sent"], each["audience"]) for each in listed] == found
    here.run("briefings", "submit", "grid", "--as", "mara")
    here.run("briefings", "approve", "grid", "--as", "jonas")
    here.run("compose", "--pick", "grid")
    held = [each["message"] for each in here.json("check", "3")["findings"] if each["rule"] == "C1"]
    assert held == ["correction 1 of cranes is on its way, and some readers wait for it"]
    refused = here.refuses("corrections", "edit", "1", "--right", "Four.")
    assert "is sending and cannot be edited any more. Go on: newsletter corrections send 1" in refused
    with sink.listening(tmp_path / "Maildir") as port:
        here = Desk(approved.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(port)})
        assert here.json("corrections", "send", "1", "--yes")["sent"] == 2
    assert here.json("corrections", "show", "1")["state"] == "sent"
    assert "C1" not in {each["rule"] for each in here.json("check", "3")["findings"]}
