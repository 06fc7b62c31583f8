"""Two people and one text, by command."""

from pathlib import Path

from tests.support.commands import Desk


def edit(desk: Desk, id: str, old: str, new: str) -> None:
    file: Path = desk.folder / "briefings" / f"{id}.md"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


def state(desk: Desk, id: str) -> str:
    word: str = desk.json("briefings", "show", id)["state"]
    return word


def test_an_edit_voids_the_approval_and_history_tells(desk: Desk) -> None:
    assert state(desk, "cranes") == "approved"
    edit(desk, "cranes", "surprised", "pleased")
    assert state(desk, "cranes") == "draft"
    assert "changed after jonas approved it" in desk.refuses("compose", "--pick", "cranes")
    assert state(desk, "cranes") == "draft"
    done = [(entry["actor"], entry["action"]) for entry in desk.json("briefings", "history", "cranes")]
    assert [action for _, action in done][:3] == ["imported", "submitted", "approved"]
    assert "edited" in [action for _, action in done][3:]


def test_who_only_looks_does_not_become_an_author(desk: Desk) -> None:
    edit(desk, "grid", "surprised", "pleased")
    reviewer = Desk(desk.folder, {"NEWSLETTER_ACTOR": "jonas"})
    reviewer.run("briefings", "list")
    reviewer.run("briefings", "show", "grid")
    reviewer.run("briefings", "check", "grid")
    desk.run("briefings", "submit", "grid", "--as", "mara")
    reviewer.run("briefings", "approve", "grid")
    assert state(desk, "grid") == "approved"


def test_an_edit_between_submission_and_approval_is_never_approved_unseen(desk: Desk) -> None:
    desk.run("briefings", "submit", "grid", "--as", "mara")
    edit(desk, "grid", "surprised", "pleased")
    assert "grid" in desk.refuses("briefings", "approve", "grid", "--as", "jonas")
    assert state(desk, "grid") == "draft"


def test_a_solo_desk_approves_its_own_text_and_the_record_says_so(desk: Desk) -> None:
    alone = Desk(desk.folder, {"NEWSLETTER_PUBLICATION_SOLO": "true", "NEWSLETTER_ACTOR": "mara"})
    alone.run("briefings", "submit", "grid")
    assert alone.json("briefings", "approve", "grid")["solo"] is True
    (approved,) = [entry for entry in desk.json("briefings", "history", "grid") if entry["action"] == "approved"]
    assert approved["detail"]["solo"] is True
    assert "intact" in desk.run("audit", "verify", "--json").stdout


def test_a_name_that_cannot_be_a_persons_is_a_usage_error(desk: Desk) -> None:
    assert "--as" in desk.refuses("briefings", "submit", "grid", "--as", "x" * 200, code=2)


def test_a_new_briefing_is_a_draft_with_every_section_to_write(desk: Desk) -> None:
    made = desk.json("briefings", "new", "tugs", "--title", "Tugs go quiet", "--as", "mara")
    text = Path(made["path"]).read_text("utf-8")
    assert "# Tugs go quiet" in text
    for heading in ("Key points", "What happened", "Why it matters", "Buyer relevance", "What to watch next"):
        assert f"## {heading}" in text
    assert state(desk, "tugs") == "draft"
    assert "T1" in [finding["rule"] for finding in desk.json("briefings", "check", "tugs", code=1)["findings"]]
    assert "tugs" in desk.refuses("briefings", "new", "tugs", "--as", "mara")
