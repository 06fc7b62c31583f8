"""Keeping the audience by command."""

import json
from pathlib import Path

import pytest

from tests.support.commands import Desk


def trail(desk: Desk) -> list[tuple[str, str, str]]:
    """Return the audit trail as (actor, action, kind)."""
    from sqlmodel import select

    from newsletter import db
    from newsletter.audit import AuditEntry
    from newsletter.settings import load

    engine = db.connect(load(desk.folder, {}))
    with db.reading(engine) as session:
        return [(each.actor, each.action, each.kind) for each in session.exec(select(AuditEntry))]


def test_a_list_is_made_changed_shown_and_deleted(desk: Desk) -> None:
    made = desk.json("lists", "create", "alerts", "--title", "Alerts", "--list-id", "alerts.news.example.com",
                     "--opt-in", "single", "--as", "mara")  # fmt: skip
    assert (made["identifier"], made["opt_in"], made["public"]) == ("alerts.news.example.com", "single", True)
    changed = desk.json("lists", "edit", "alerts", "--private", "--description", "As they come", "--as", "mara")
    assert (changed["public"], changed["title"]) == (False, "Alerts")
    shown = desk.run("lists", "show", "alerts").stdout
    assert "List-Id: alerts.news.example.com" in shown
    assert "private" in shown
    assert "say what is to be different" in desk.refuses("lists", "edit", "alerts", code=2)
    desk.run("lists", "remove", "alerts", "--as", "jonas")
    assert "weekly" in desk.refuses("lists", "show", "weakly", code=3)
    assert "--private" in desk.refuses("lists", "remove", "weekly")
    assert trail(desk)[-3:] == [
        ("mara", "created", "list"), ("mara", "changed", "list"), ("jonas", "removed", "list"),
    ]  # fmt: skip


def test_a_topic_is_offered_before_anybody_chose_it(desk: Desk) -> None:
    desk.run("topics", "add", "energy", "--title", "The grid")
    desk.run("subscribers", "edit", "one@example.com", "--topic", "energy")
    assert {"name": "energy", "title": "The grid", "subscribers": 1} in desk.json("topics", "list")
    desk.run("topics", "edit", "energy", "--title", "Energy")
    assert "which 1 subscriber chose" in desk.refuses("topics", "remove", "energy")
    assert desk.json("topics", "remove", "energy", "--yes")["subscribers"] == 1


def test_a_person_is_changed_shown_and_taken_off(desk: Desk) -> None:
    changed = desk.json("subscribers", "edit", "ONE@example.com", "--name", "One", "--frequency", "weekly",
                        "--country", "de", "--topic", "energy")  # fmt: skip
    assert (changed["name"], changed["frequency"], changed["country"], changed["topics"]) == (
        "One", "weekly", "DE", ["energy"],
    )  # fmt: skip
    assert "say what is to be different" in desk.refuses("subscribers", "edit", "one@example.com", code=2)
    assert "NAME=VALUE" in desk.refuses("subscribers", "edit", "one@example.com", "--attribute", "plan", code=2)
    shown = desk.run("subscribers", "show", "one@example.com").stdout
    for words in ("one@example.com", "weekly", "energy", "added by hand", "yes"):
        assert words in shown
    desk.run("subscribers", "unsubscribe", "one@example.com", "--list", "weekly", "--as", "mara")
    person = desk.json("subscribers", "show", "one@example.com")
    assert [(each["list"], each["mailable"], each["why"]) for each in person["lists"]] == [
        ("weekly", False, "they left")
    ]
    assert [each["event"] for each in person["consents"]] == ["confirmed", "withdrawn"]
    assert person["consents"][1]["method"] == "by hand, mara"
    assert [each["kind"] for each in person["events"]] == ["unsubscribed"]
    assert "nothing changed" in desk.run("subscribers", "unsubscribe", "one@example.com").stdout


def test_the_proof_of_consent_is_shown_for_people_and_for_programs(desk: Desk) -> None:
    shown = desk.run("subscribers", "consent", "one@example.com").stdout
    assert "confirmed  weekly  by admin" in shown
    assert "words: added by hand" in shown
    [proof] = desk.json("subscribers", "consent", "one@example.com")
    assert (proof["event"], len(proof["words_sha256"])) == ("confirmed", 64)


def test_a_person_gets_all_that_is_held_and_is_erased(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    desk.run("subscribers", "export-person", "one@example.com", "--output", str(file))
    held = json.loads(file.read_text("utf-8"))
    assert held["subscriber"]["email"] == "one@example.com"
    assert held == json.loads(desk.run("subscribers", "export-person", "one@example.com").stdout)
    assert "none" in desk.refuses("subscribers", "export-person", "one@example.com", "--output",
                                  str(tmp_path / "none" / "x.json"))  # fmt: skip
    assert "--yes" in desk.refuses("subscribers", "erase", "one@example.com")
    erased = desk.json("subscribers", "erase", "one@example.com", "--yes")
    assert (erased["subscriptions"], erased["consents"]) == (1, 1)
    assert "erased at its owner's wish" in desk.refuses("subscribers", "add", "one@example.com", "--list", "weekly")
    assert "erased at their wish" in desk.run("subscribers", "show", "one@example.com").stdout
    desk.run("subscribers", "add", "one@example.com", "--list", "weekly", "--resubscribe")
    assert not any("example.com" in str(entry) for entry in trail(desk))
    assert desk.json("audit", "verify")


def test_a_suppression_holds_on_one_list(desk: Desk) -> None:
    desk.run("suppressions", "add", "one@example.com", "--list", "weekly", "--reason", "complaint", "--as", "mara")
    [only] = desk.json("suppressions", "list")
    assert (only["list"], only["reason"], only["source"]) == ("weekly", "complaint", "by hand, mara")
    assert "--list weekly" in desk.refuses("suppressions", "remove", "one@example.com", code=3)
    desk.run("suppressions", "remove", "one@example.com", "--list", "weekly", "--as", "jonas")
    assert desk.json("suppressions", "list") == []


@pytest.mark.parametrize(
    "words",
    [
        "lists create x", "lists edit weekly --title x", "lists remove empty", "topics add x", "topics remove x --yes",
        "subscribers add x@example.com --list weekly", "subscribers list", "subscribers show one@example.com",
        "subscribers consent one@example.com", "subscribers edit one@example.com --name x",
        "subscribers unsubscribe one@example.com", "subscribers export-person one@example.com",
        "subscribers erase one@example.com", "suppressions add one@example.com", "suppressions list",
        "suppressions remove one@example.com",
    ],
)  # fmt: skip
def test_the_audience_is_kept_by_admins(desk: Desk, words: str) -> None:
    desk.run("people", "add", "kim", "--role", "admin")
    before = desk.json("lists", "list")
    assert "takes admin" in desk.refuses(*words.split(), "--as", "mara")
    assert desk.json("lists", "list") == before
