"""The rules that need others to answer: dead links, heavy images, SpamAssassin."""

import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.issues.content import IssueContent
from newsletter.rendering import checks, spam
from newsletter.rendering.fetching import Fetcher
from newsletter.rendering.press import Rendered
from newsletter.settings import Settings
from tests.rendering import samples
from tests.rendering.test_fetching import Site, serving
from tests.support.lacking import lacking


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as site:
        yield site


def test_dead_links_and_heavy_images_are_named_with_their_item(
    content: IssueContent, rendered: Rendered, desk: Settings, site: Site
) -> None:
    html = (
        rendered.html.replace("https://grid.example/register/q3", f"{site.url}/alive")
        .replace("https://grid.example/register", f"{site.url}/404")
        .replace("</body>", f'<img src="{site.url}/heavy" alt="" width="9"><a href="{site.url}/404">again</a></body>')
    )
    fetcher = Fetcher(timeout=1, pause=0, allowed=lambda address: address == "127.0.0.1")
    found = checks.check_online(content, replace(rendered, html=html), desk, fetcher=fetcher)
    assert ("email.dead", "html, item 1: quay-cranes-go-electric", f"{site.url}/404: it answers 404") in {
        (each.rule, each.where, each.message) for each in found
    }
    assert [each.message for each in found if each.rule == "email.image_weight"] == [
        f"{site.url}/heavy has 1,234,567 bytes"
    ]
    assert len([each for each in found if "/404" in each.message]) == 1
    assert sorted(path for _, path, _ in site.asked) == ["/404", "/404", "/alive", "/heavy"]  # 404: by HEAD, then GET


def test_the_publications_own_pages_are_not_asked(content: IssueContent, rendered: Rendered, desk: Settings) -> None:
    sheet = checks.Proof(content, rendered, desk)
    asked = checks.online.addresses(sheet)
    assert "https://grid.example/register" in asked
    assert not [url for url in asked if url.startswith(samples.URL) or "[[" in url]


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Run a server that says one thing to everybody; return its address."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.read()
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def scored(desk: Settings, address: str) -> Settings:
    """Return the settings with a spamd."""
    return desk.model_copy(update={"check": desk.check.model_copy(update={"spamd": address})})


HEAD = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 26\r\nSpam: %b\r\n\r\nHTML_IMAGE_ONLY_04,MISSING_MID\r\n"


def test_a_score_over_two_is_told_with_its_rules(desk: Settings) -> None:
    with answering(HEAD % b"False ; 2.1 / 5.0") as address:
        (found,) = checks.check_spam(b"x", scored(desk, address))
    assert found.message == "SpamAssassin gives 2.1 of 5: HTML_IMAGE_ONLY_04, MISSING_MID"


@pytest.mark.parametrize("score", [b"False ; 2.0 / 5.0", b"False ; -0.1 / 5.0"])
def test_a_lower_score_is_no_finding(desk: Settings, score: bytes) -> None:
    with answering(HEAD % score) as address:
        assert checks.check_spam(b"x", scored(desk, address)) == []


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad\r\n\r\n", b"SPAMD/1.0 76 Bad header line\r\n\r\n", b"\xff" * 99]
)
def test_whoever_is_no_spamd_is_told(desk: Settings, answer: bytes) -> None:
    with answering(answer) as address:
        (found,) = checks.check_spam(b"x", scored(desk, address))
    assert "does not answer as spamd does" in found.message


def test_a_spamd_that_is_not_there_is_told(desk: Settings) -> None:
    (found,) = checks.check_spam(b"x", scored(desk, "127.0.0.1:1"))
    assert "cannot be asked" in found.message


def test_without_a_spamd_nobody_is_asked(desk: Settings) -> None:
    assert checks.check_spam(b"x", desk) == []


def test_the_real_spamd_scores_a_message(tmp_path: Path) -> None:
    spamd = shutil.which("spamd", path="/usr/sbin:/usr/bin")
    if spamd is None:
        lacking("SpamAssassin")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [spamd, "-L", "-x", "-p", str(port), "-i", "127.0.0.1", "-A", "127.0.0.1", "-m", "1", "-u", "nobody",
               "--pidfile", str(tmp_path / "pid"), "-s", str(tmp_path / "log")]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        message = b"From: a@example.com\r\nSubject: FREE MONEY ACT NOW\r\n\r\nbuy\r\n"
        for _ in range(150):
            report = spam.ask(f"127.0.0.1:{port}", message)
            if not report.trouble:
                break
            time.sleep(0.2)
        assert not report.trouble
        assert "MISSING_MID" in report.rules
        assert report.score > 0
    finally:
        process.terminate()
        process.wait(timeout=20)
