"""Review by command: what the gate says, waivers, comments, changes, and decisions besides the yes."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter.editorial.models import Role
from tests.cli.test_reviewing import edit, state
from tests.editorial.evidence import bring
from tests.support.commands import Desk

COPIED = "Operators in the region say that the change lowers their yearly cost, and that the first machines came."


def hold(engine: Engine, words: str, id: str = "grid") -> None:
    """Let the desk hold words of the source behind a briefing."""
    with Session(engine) as session:
        bring(session, words, url=f"https://wire.example.org/{id}")
        session.commit()


def strict(desk: Desk, *rules: str) -> None:
    """Make rules block that only warn by themselves."""
    file: Path = desk.folder / "newsletter.toml"
    file.write_text(f"{file.read_text('utf-8')}\n[check]\nblock = {json.dumps(rules)}\n", "utf-8")


def test_overlap_lays_what_was_copied_beside_its_source(desk: Desk, engine: Engine) -> None:
    hold(engine, f"The news of today. {COPIED}")
    found = desk.json("briefings", "overlap", "grid")
    assert found["longest"] == 17
    assert found["runs"][0]["there"].startswith("Operators in the region say")
    assert found["runs"][0]["before"].endswith("The news of today.")
    assert "only a teaser or nothing is held of Example Wire" in found["against"]
    told = " ".join(desk.run("briefings", "overlap", "grid").stdout.split())
    for words in ("Checked against", "teaser", "Longest run 17 words", "»Operators in the region"):
        assert words in told


def test_overlap_lists_what_no_source_says(desk: Desk, engine: Engine) -> None:
    hold(engine, "Nothing of the kind.")
    edit(desk, "grid", "surprised the trade", "surprised Kestrel by 47 million")
    unsupported = desk.json("briefings", "overlap", "grid")["unsupported"]
    assert [claim["text"] for claim in unsupported["numbers"]] == ["47"]
    assert "Kestrel" in [claim["text"] for claim in unsupported["names"]]
    assert "Kestrel" in desk.run("briefings", "overlap", "grid").stdout


def test_a_rule_made_graver_is_waived_by_the_standards_role_for_this_text_only(desk: Desk, engine: Engine) -> None:
    hold(engine, "Nothing of the kind.")
    edit(desk, "grid", "by far", "by 47 million")
    strict(desk, "N1")
    assert "block N1 numbers" in desk.refuses("briefings", "submit", "grid", "--as", "mara")
    desk.run("people", "add", "olga", "--role", "standards")
    desk.run("people", "add", "zoe", "--role", "writer")
    waiver = ("briefings", "waive", "grid", "N1", "--reason", "The tender says so.")
    assert "this takes standards" in desk.refuses(*waiver, "--as", "zoe")
    assert desk.json(*waiver, "--as", "olga")["rule"] == "N1"
    assert "N1 on numbers is waived by olga: The tender says so." in desk.run("briefings", "check", "grid").stdout
    desk.run("briefings", "submit", "grid", "--as", "mara")
    edit(desk, "grid", "surprised", "pleased")
    assert "block N1 numbers" in desk.refuses("briefings", "submit", "grid", "--as", "mara")


def test_the_check_of_an_issue_tells_what_the_gate_found_and_who_waived_it(desk: Desk, engine: Engine) -> None:
    hold(engine, "Nothing of the kind.")
    edit(desk, "grid", "by far", "by 47 million")
    desk.run("briefings", "submit", "grid", "--as", "mara")
    desk.run("briefings", "waive", "grid", "N1", "--reason", "The tender says so.", "--as", "jonas")
    desk.run("briefings", "approve", "grid", "--as", "jonas")
    desk.run("compose", "--pick", "grid")
    found = desk.json("check", "1")["findings"]
    (told,) = [each for each in found if each["rule"] == "N1"]
    assert (told["severity"], told["where"]) == ("info", "item 1: grid, numbers")
    assert told["waived"] == "jonas: The tender says so."


def test_a_rule_of_the_gate_may_be_named_where_issues_are_checked_too(desk: Desk) -> None:
    desk.run("compose", "--pick", "cranes")
    strict(desk, "N1")
    desk.run("check", "1")
    strict_again = desk.folder / "newsletter.toml"
    strict_again.write_text(strict_again.read_text("utf-8").replace('"N1"', '"N71"'), "utf-8")
    assert "names N71, which is no rule; did you mean N1" in desk.refuses("check", "1")


def test_the_report_behind_an_approval_is_shown_and_kept(desk: Desk) -> None:
    desk.run("briefings", "submit", "grid", "--as", "mara")
    told = " ".join(desk.run("briefings", "approve", "grid", "--as", "jonas").stdout.split())
    assert "checked against 0 words of 0 of 1 source" in told
    assert "grid is approved by jonas" in told
    kept = desk.json("briefings", "report", "grid")
    assert (kept["person"], kept["blocked"], kept["stage"]) == ("jonas", False, "content")
    assert f"Report {kept['report']} on grid, revision 1" in desk.run("briefings", "report", "grid").stdout
    first = desk.json("briefings", "report", "grid", "--number", str(kept["report"] - 1))
    assert first["person"] == "mara"
    assert "no report 99 on grid" in desk.refuses("briefings", "report", "grid", "--number", "99", code=3)


def test_a_rejected_briefing_is_compared_with_what_was_approved(desk: Desk) -> None:
    desk.run("briefings", "reject", "cranes", "--note", "Who says so?", "--as", "jonas")
    assert state(desk, "cranes") == "draft"
    assert "jonas approved revision 1" in desk.run("briefings", "diff", "cranes").stdout
    edit(desk, "cranes", "surprised", "pleased")
    found = desk.json("briefings", "diff", "cranes")
    assert (found["before"], found["approved_by"]) == (1, "jonas")
    assert any(line.startswith("+") and "pleased" in line for line in found["lines"])
    assert desk.json("briefings", "diff", "cranes", "--since", "1")["lines"] == found["lines"]
    assert "nobody has approved" in desk.refuses("briefings", "diff", "grid", "--since", "approval", code=3)
    assert "--since" in desk.refuses("briefings", "diff", "grid", "--since", "ever", code=2)


def test_comments_are_told_with_the_revision_that_they_were_made_on(desk: Desk) -> None:
    desk.run("briefings", "comment", "cranes", "Says who?", "--on", "key points 2", "--as", "jonas")
    assert state(desk, "cranes") == "approved"
    (comment,) = desk.json("briefings", "comments", "cranes")
    assert (comment["place"], comment["text"], comment["current"]) == ("Key points 2", "Says who?", True)
    assert "Says who?" in desk.run("briefings", "comments", "cranes").stdout
    assert "Nobody has said anything of grid" in desk.run("briefings", "comments", "grid").stdout


def test_a_spiked_briefing_keeps_its_issue_from_going_out(desk: Desk) -> None:
    desk.run("compose", "--pick", "cranes")
    desk.run("issues", "freeze", "1")
    desk.run("briefings", "spike", "cranes", "--reason", "The tender was withdrawn.", "--as", "jonas")
    assert "it is spiked" in desk.refuses("send", "1", "--list", "weekly", "--yes")
    desk.run("briefings", "restore", "cranes", "--as", "jonas")
    assert state(desk, "cranes") == "draft"


def test_only_what_readers_have_is_corrected_or_killed(desk: Desk) -> None:
    for verb in ("correct", "kill"):
        assert "readers do not have it" in desk.refuses("briefings", verb, "cranes", "--reason", "x", "--as", "jonas")


@pytest.mark.parametrize(
    ("command", "able"),
    [
        ("reject ghost --note x", {"editor", "standards"}),
        ("spike ghost --reason x", {"editor", "standards"}),
        ("restore ghost", {"editor", "standards"}),
        ("correct ghost --reason x", {"standards"}),
        ("kill ghost --reason x", {"standards"}),
        ("waive ghost N1 --reason x", {"standards"}),
        ("comment ghost x", {"writer", "editor", "standards"}),
    ],
)
def test_each_decision_takes_its_role(desk: Desk, command: str, able: set[str]) -> None:
    for role in Role:
        desk.run("people", "add", role, "--role", role)
        words = ("briefings", *command.split(), "--as", role)
        if role in able:
            assert "there is no briefing 'ghost'" in desk.refuses(*words, code=3)
        else:
            assert "this takes" in desk.refuses(*words)


def test_only_standards_waive_for_an_issue_and_only_what_is_found_there(desk: Desk) -> None:
    desk.run("people", "add", "olga", "--role", "standards")
    desk.run("people", "add", "zoe", "--role", "writer")
    desk.run("compose", "--pick", "cranes", "--as", "mara")
    assert "it finds nothing there" in desk.refuses("issues", "waive", "1", "C1", "--reason", "x", "--as", "olga")
    assert "no rule 'A1' on issues" in desk.run("issues", "waive", "1", "A1", "--reason", "x", code=3).stderr
    assert "needs a reason" in desk.refuses("issues", "waive", "1", "C1", "--reason", " ", "--as", "olga")
    assert "this takes standards" in desk.refuses("issues", "waive", "1", "C1", "--reason", "x", "--as", "zoe")
