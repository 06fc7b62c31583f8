"""A link for a reviewer, by command."""

from pathlib import Path

from newsletter.settings import load
from tests.support.commands import Desk


def edit(desk: Desk, id: str, old: str, new: str) -> None:
    file: Path = desk.folder / "briefings" / f"{id}.md"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


def test_a_link_is_shown_once_and_listed_without_its_token(desk: Desk) -> None:
    desk.run("briefings", "submit", "grid", "--as", "mara")
    ended = desk.run("briefings", "invite", "grid", "--to", "jonas", "--for", "12h", "--as", "mara")
    address = load(desk.folder, {}).publication.url
    assert ended.stdout.startswith(f"{address}/review/")
    assert "For jonas alone" in ended.stderr
    token = ended.stdout.strip().rpartition("/")[2]
    assert len(token) == 43
    listed = desk.run("briefings", "invite", "grid", "--list", "--json").stdout
    assert '"state": "open"' in listed
    assert token not in listed
    assert token not in desk.run("briefings", "history", "grid", "--json").stdout


def test_a_link_is_taken_back(desk: Desk) -> None:
    desk.run("briefings", "submit", "grid", "--as", "mara")
    desk.run("briefings", "invite", "grid", "--to", "jonas", "--as", "mara")
    (ended,) = desk.json("briefings", "invite", "grid", "--revoke", "--as", "mara")
    assert (ended["person"], ended["state"]) == ("jonas", "revoked")
    assert "no open link" in desk.refuses("briefings", "invite", "grid", "--revoke", "--as", "mara", code=3)
    assert "revoked" in desk.run("briefings", "invite", "grid", "--list").stdout


def test_an_edit_before_the_invitation_is_seen(desk: Desk) -> None:
    desk.run("briefings", "submit", "grid", "--as", "mara")
    edit(desk, "grid", "surprised", "pleased")
    assert "grid is a draft" in desk.refuses("briefings", "invite", "grid", "--to", "jonas", "--as", "mara")


def test_what_is_missing_is_named(desk: Desk) -> None:
    assert "--to PERSON" in desk.refuses("briefings", "invite", "grid", "--as", "mara", code=2)
    error = desk.refuses("briefings", "invite", "grid", "--to", "jonas", "--for", "soon", "--as", "mara", code=2)
    assert "--for soon" in error
    bare = Desk(desk.folder, {"NEWSLETTER_PUBLICATION_PUBLIC_URL": ""})
    assert "public_url" in bare.refuses("briefings", "invite", "grid", "--to", "jonas", "--as", "mara")
