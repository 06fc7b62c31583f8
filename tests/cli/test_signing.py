"""Signing an issue off, and taking it back, by the commands."""

from tests.support.commands import Desk


def test_a_desk_that_asks_for_it_sends_nothing_that_is_not_cleared(desk: Desk) -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text().replace('language = "en"', "").replace("[sender]", "clearance = true\n\n[sender]"))
    desk.run("compose", "--list", "weekly", "--as", "mara")
    desk.run("issues", "freeze", "1", "--as", "mara")
    for words in (("--yes",), ("--yes", "--at", "2099-01-01T07:00Z")):
        assert "newsletter issues clear 1" in desk.refuses("send", "1", *words, "--as", "mara")
    assert "mara cannot clear issue 1: it was frozen by them" in desk.refuses("issues", "clear", "1", "--as", "mara")
    cleared = desk.json("issues", "clear", "1", "--note", "Read", "--as", "jonas")
    assert (cleared["state"], cleared["cleared"]["person"], cleared["cleared"]["solo"]) == ("cleared", "jonas", False)
    assert desk.json("issues", "show", "1")["cleared"] == cleared["cleared"]
    assert "It is cleared by jonas, " in desk.run("issues", "show", "1").stdout
    desk.run("send", "1", "--yes", "--at", "2099-01-01T07:00Z", "--as", "mara")
    assert "take that time away first" in desk.refuses("issues", "unfreeze", "1", "--as", "mara")
    desk.run("schedule", "remove", "1", "--as", "mara")
    assert desk.json("issues", "unfreeze", "1", "--as", "mara") == {"issue": 1, "state": "assembling"}
    assert desk.json("issues", "show", "1")["cleared"] is None
