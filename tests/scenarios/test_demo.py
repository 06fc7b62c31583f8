"""The demo: the whole road, counted, run twice, and looked into."""

import email
import email.policy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import lxml.html
import pytest
from starlette.testclient import TestClient

from newsletter import db
from newsletter.delivery import report
from newsletter.demo import crowd, sink, walk
from newsletter.settings import load
from newsletter.web.app import create


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "newsletter", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> walk.Walked:
    """Return a walk whose folder still stands."""
    return walk.walk(tmp_path_factory.mktemp("walk") / "demo", tell=lambda text: None)


def test_the_demo_accounts_for_everyone_and_runs_again(tmp_path: Path) -> None:
    for _ in range(2):
        result = run(tmp_path, "demo", "--json")
        assert result.returncode == 0, result.stderr
        counted = json.loads(result.stdout)
        assert (counted["audience"], counted["sent"], counted["skipped"], counted["filed"]) == (500, 498, 2, 498)
        assert Path(counted["preview"]).is_file()
        assert Path(counted["message"]).suffix == ".eml"
        assert Path(counted["message"]).is_file()
    status = json.loads(run(tmp_path, "-C", "demo", "status", "1", "--json").stdout)
    assert status["issue"] == 1
    assert status["state"] == "sent"
    assert status["audience"] == status["sent"] + status["failed"] + status["skipped"] + status["unknown"] == 500
    assert "weekly" in run(tmp_path, "-C", "demo", "lists", "list").stdout
    segments = json.loads(run(tmp_path, "-C", "demo", "segments", "list", "--json").stdout)
    assert {segment["segment"] for segment in segments} == set(crowd.SEGMENTS)
    assert len(segments) == 3
    assert (tmp_path / "demo" / "newsletter.toml").exists()
    assert list((tmp_path / "demo" / "briefings").glob("*.md"))
    again = run(tmp_path, "-C", "demo", "send", "1", "--list", "weekly", "--yes")
    assert again.returncode == 1
    assert "issue 1 is already sent" in again.stderr
    assert "newsletter compose" in again.stderr


FAULTS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "one is missing": (lambda filed: filed[1:], "498 are recorded as sent and 497 messages arrived; these were missed"),
    "one came twice": (lambda filed: [*filed, filed[0]], "499 messages arrived; somebody has two copies"),
    "one came twice for another": (lambda filed: [*filed[1:], filed[-1]], "somebody has two copies; these were missed"),
    "a stranger got one": (lambda filed: [*filed, "who@stranger.example"], "are strangers: ['who@stranger.example']"),
}


@pytest.mark.parametrize(("spoil", "words"), FAULTS.values(), ids=FAULTS)
def test_the_demo_fails_loudly_when_the_mailbox_is_not_what_the_ledger_says(
    walked: walk.Walked, spoil: Callable[[list[str]], list[str]], words: str
) -> None:
    filed = sink.recipients(walked.folder / "Maildir")
    engine = db.engine(load(walked.folder, {}))
    walk._count(engine, walked.issue, walked.status, filed)
    with pytest.raises(walk.WrongCount) as caught:
        walk._count(engine, walked.issue, walked.status, spoil(filed))
    assert str(caught.value).startswith("the demo's count is wrong: ")
    assert words in str(caught.value)
    engine.dispose()


def test_the_demo_counts_the_same_after_the_fact(walked: walk.Walked) -> None:
    engine = db.engine(load(walked.folder, {}))
    with db.reading(engine) as session:
        assert report.status(session, walked.issue).sent == walked.filed == 498
    engine.dispose()


def links(message: Path) -> set[str]:
    """Return every address that either part of a delivered message links to."""
    mail = email.message_from_bytes(message.read_bytes(), policy=email.policy.default)
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    hrefs = {link.get("href", "") for link in lxml.html.fromstring(html.get_content()).iter("a", "link")}
    words = plain.get_content().split()
    return hrefs | {word.strip("<>().,;") for word in words if word.strip("<>(").startswith("http")}


def test_every_link_of_a_delivered_message_to_the_desk_is_answered(walked: walk.Walked) -> None:
    settings = load(walked.folder, {})
    ours = {link for link in links(walked.message) if link.startswith(settings.publication.url)}
    assert {urlsplit(link).path.split("/")[1] for link in ours} >= {"u", "p", "i", "briefings", "standards"}
    engine = db.engine(settings)
    with TestClient(create(settings, engine), base_url=settings.publication.url, follow_redirects=False) as client:
        answers = {link: client.get(link).status_code for link in sorted(ours)}
    engine.dispose()
    assert set(answers.values()) == {200}, answers


def test_the_demo_leaves_a_folder_of_somebody_elses_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.txt").write_text("years of work")
    result = run(tmp_path, "demo")
    assert result.returncode == 1
    assert "no demo made it" in result.stderr
    assert (tmp_path / "demo" / "thesis.txt").read_text() == "years of work"
