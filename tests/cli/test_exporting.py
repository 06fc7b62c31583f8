"""The evidence of an issue in a folder that a stranger can read and verify."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter import audit, dossier
from newsletter.demo import sink
from newsletter.errors import BadInput, NewsletterError, Refused
from tests.support.commands import Desk


def relist(folder: Path, name: str) -> None:
    """Write the hash of a changed file into the manifest, as a forger would."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def change(name: str, *, listed: bool = False) -> Callable[[Path], None]:
    def forge(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes().replace(b"jonas", b"zoe"))
        if listed:
            relist(folder, name)

    return forge


def renamed_and_sealed(folder: Path) -> None:
    """Give the approval to somebody else, with a new hash of its own."""
    path = folder / dossier.ENTRIES
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for entry in entries:
        if entry["action"] == "approved":
            entry["actor"] = "zoe"
            entry["sha256"] = audit.seal(entry)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
    relist(folder, dossier.ENTRIES)


FORGERIES: list[tuple[Callable[[Path], object], type[NewsletterError], str]] = [
    (change("approvals.json"), Refused, "approvals.json is not the file that was exported"),
    (change(dossier.ENTRIES, listed=True), Refused, "does not fit the chain"),
    (renamed_and_sealed, Refused, "does not fit the chain"),
    (lambda folder: (folder / "rendering/issue.txt").unlink(), Refused, "cannot be read"),
    (lambda folder: (folder / "more.txt").write_text("x"), Refused, "what was not exported: more.txt"),
    (lambda folder: (folder / "manifest.json").write_text("{}"), BadInput, "is no manifest"),
    (lambda folder: (folder / "manifest.json").write_text("["), BadInput, "is no JSON"),
]


def test_an_issue_is_exported_for_a_stranger_and_verified_without_the_database(desk: Desk, tmp_path: Path) -> None:
    assert (
        "fixed to nothing yet"
        in (desk.run("compose", "--pick", "cranes"), desk.refuses("audit", "export", "1", "--to", "x"))[1]
    )
    desk.run("issues", "freeze", "1", "--as", "mara")
    with sink.listening(tmp_path / "Maildir") as port:
        here = Desk(desk.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(port)})
        here.run("send", "1", "--list", "weekly", "--yes", "--as", "mara")
    desk.run("corrections", "draft", "cranes", "--wrong", "Two harbours <b>bought</b>.", "--as", "mara")
    desk.run("corrections", "approve", "1", "--page-only", "--as", "jonas")
    folder = tmp_path / "out" / "evidence"
    made = desk.json("audit", "export", "1", "--to", str(folder), "--as", "jonas")
    assert made["manifest"] == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert [path.name for path in folder.parent.iterdir()] == ["evidence"]
    found = json.loads(
        Desk(tmp_path).run("audit", "verify", "--folder", str(folder), "--json").stdout
    )  # no publication
    assert (found["intact"], found["issue"], found["manifest"], found["made_by"]) == (
        True,
        1,
        made["manifest"],
        "jonas",
    )
    assert found["entries"] == made["entries"] < found["chain"]

    (approval,) = json.loads((folder / "approvals.json").read_bytes())
    canonical = (folder / "briefings/cranes/approved.canonical").read_bytes()
    assert (approval["person"], approval["sha256"]) == ("jonas", hashlib.sha256(canonical).hexdigest())
    reports = json.loads((folder / "briefings/cranes/reports.json").read_bytes())
    assert {each["stage"] for each in reports} == {"content", "issue"}
    assert [each["step"] for each in json.loads((folder / "reports.json").read_bytes())] == ["freeze", "send"]
    assert json.loads((folder / "deliveries.json").read_bytes())["sent"] == 2
    actions = [json.loads(line)["action"] for line in (folder / dossier.ENTRIES).read_text("utf-8").splitlines()]
    assert {"approved", "frozen", "sending", "sent", "drafted"} <= set(actions)
    page, told = (folder / "index.html").read_text("utf-8"), (folder / "README.txt").read_text("utf-8")
    assert "Two harbours &lt;b&gt;bought&lt;/b&gt;." in page
    assert "Approved by jonas on 20" in told
    assert "who had no hand in it" in told
    for name in ("one@example.com", "two@example.com"):
        assert not [path for path in folder.rglob("*") if path.is_file() and name.encode() in path.read_bytes()]
    for name in found_links(page):
        assert (folder / name).is_file(), name

    assert "is there already" in desk.refuses("audit", "export", "1", "--to", str(folder), "--as", "jonas")
    (tmp_path / "file").write_text("")
    assert "cannot be written" in desk.refuses(
        "audit", "export", "1", "--to", str(tmp_path / "file/x"), "--as", "jonas"
    )
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for forge, kind, words in FORGERIES:
        forge(folder)
        with pytest.raises(kind, match=words):
            dossier.verify(folder)
        (folder / "more.txt").unlink(missing_ok=True)
        for path, data in kept.items():
            path.write_bytes(data)
    assert dossier.verify(folder).files == made["files"]


def found_links(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('href="')[1:]]
