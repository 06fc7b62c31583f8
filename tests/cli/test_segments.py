"""Segments and attributes by command."""

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import audit
from newsletter.settings import Settings
from tests.support.commands import Desk


@pytest.fixture
def desk(settings: Settings) -> Desk:
    """Return a desk with two German readers and a French one, on one list."""
    here = Desk(settings.folder)
    here.run("lists", "create", "weekly")
    for name, country in (("ada", "DE"), ("bob", "DE"), ("zoe", "FR")):
        here.run("subscribers", "add", f"{name}@example.com", "--list", "weekly", "--country", country)
    return here


def test_a_segment_is_made_shown_tested_explained_changed_and_deleted(desk: Desk) -> None:
    condition = "country = 'DE' and not (lists has 'weekly' and opened)"
    assert desk.json("segments", "create", "germany", condition) == {
        "segment": "germany", "condition": condition, "subscribers": 2,
    }  # fmt: skip
    assert desk.json("segments", "show", "germany")["condition"] == condition
    tested = desk.json("segments", "test", "germany")
    assert (tested["subscribers"], tested["sample"]) == (2, ["ada@example.com", "bob@example.com"])
    explained = desk.json("segments", "explain", "germany", "zoe@example.com")
    assert (explained["matches"], [part["holds"] for part in explained["parts"]]) == (False, [False, True])
    assert [part["holds"] for part in explained["parts"][1]["parts"][0]["parts"]] == [True, False]
    told = desk.run("segments", "explain", "germany", "zoe@example.com").stdout.splitlines()
    assert told[0] == "zoe@example.com is not in germany"
    assert [line.strip().split(None, 1) for line in told[2:]] == [
        ["no", "country = 'DE'"], ["yes", "not:"], ["no", "all of:"], ["yes", "lists has 'weekly'"], ["no", "opened"],
    ]  # fmt: skip
    assert desk.json("segments", "edit", "germany", "country = 'FR'")["subscribers"] == 1
    (listed,) = desk.json("segments", "list")
    assert listed == {"segment": "germany", "condition": "country = 'FR'", "subscribers": 1, "error": ""}
    desk.run("segments", "delete", "germany")
    assert "germany" in desk.refuses("segments", "show", "germany", code=3)


def test_a_condition_is_tested_before_it_is_kept(desk: Desk) -> None:
    tested = desk.json("segments", "test", "--condition", "country = 'FR'")
    assert (tested["segment"], tested["subscribers"], tested["sample"]) == (None, 1, ["zoe@example.com"])
    assert desk.json("segments", "list") == []
    assert "column 1" in desk.refuses("segments", "test", "--condition", "contry = 'FR'")
    assert "one of the two" in desk.refuses("segments", "test", code=2)
    assert "one of the two" in desk.refuses("segments", "test", "x", "--condition", "country = 'FR'", code=2)


def test_what_looks_like_a_mistake_is_said_and_not_refused(desk: Desk) -> None:
    ended = desk.run("segments", "create", "most", "not lists has 'weakly'")
    assert "most: 3 subscribers" in ended.stdout
    assert "'weakly', which does not exist; did you mean weekly?" in ended.stderr


def test_the_record_of_a_segment_holds_no_address(desk: Desk, engine: Engine) -> None:
    desk.run("segments", "create", "one", "email = 'ada@example.com'")
    desk.run("segments", "edit", "one", "email = 'bob@example.com'")
    desk.run("segments", "delete", "one")
    with Session(engine) as session:
        kept = audit.entries(session, "segment", "one")
        assert [entry.action for entry in kept] == ["created", "changed", "deleted"]
        assert kept[0].detail["sha256"] != kept[1].detail["sha256"]
        assert "example" not in str([entry.detail for entry in kept])


def test_attributes_are_declared_listed_and_taken_back(desk: Desk) -> None:
    desk.run("subscribers", "attributes", "add", "plan", "--description", "what they pay for")
    desk.run("subscribers", "attributes", "add", "seats", "--type", "int")
    assert "declared already" in desk.refuses("subscribers", "attributes", "add", "plan")
    assert "a meaning of its own" in desk.refuses("subscribers", "attributes", "add", "opened")
    assert "str" in desk.refuses("subscribers", "attributes", "add", "x", "--type", "text", code=2)
    desk.run("subscribers", "edit", "zoe@example.com", "--attribute", "plan=pro")
    assert desk.json("subscribers", "attributes", "list") == [
        {"name": "plan", "type": "str", "description": "what they pay for", "subscribers": 1},
        {"name": "seats", "type": "int", "description": "", "subscribers": 0},
    ]
    desk.run("segments", "create", "paying", "plan = 'pro'")
    assert "asked about by paying" in desk.refuses("subscribers", "attributes", "remove", "plan")
    desk.run("segments", "delete", "paying")
    assert "1 subscriber has? Nobody can be asked" in desk.refuses("subscribers", "attributes", "remove", "plan")
    assert desk.json("subscribers", "attributes", "remove", "plan", "--yes")["subscribers"] == 1
    assert "did you mean seats" in desk.refuses("subscribers", "attributes", "remove", "seat", "--yes", code=3)


def test_segments_and_attributes_are_an_admins(desk: Desk) -> None:
    desk.run("people", "add", "ann", "--role", "admin")
    desk.run("people", "add", "wim", "--role", "writer", "--as", "ann")
    desk.run("segments", "create", "germany", "country = 'DE'", "--as", "ann")
    for words in (
        ("segments", "create", "x", "country = 'DE'"), ("segments", "edit", "germany", "country = 'FR'"),
        ("segments", "test", "germany"), ("segments", "explain", "germany", "ada@example.com"),
        ("segments", "delete", "germany"), ("subscribers", "attributes", "add", "plan"),
        ("subscribers", "attributes", "remove", "plan", "--yes"),
    ):  # fmt: skip
        assert "admin" in desk.refuses(*words, "--as", "wim")
    assert [each["segment"] for each in desk.json("segments", "list")] == ["germany"]
    assert desk.json("segments", "show", "germany")["condition"] == "country = 'DE'"
    assert desk.json("subscribers", "attributes", "list") == []
