"""`newsletter preview`: an issue as its readers will see it, in every form; the local page in a real browser."""

import email.policy
import os
import re
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import browser as browsers
from tests.support import judges
from tests.support.commands import Desk
from tests.support.lacking import lacking
from tests.support.stores import Keeper


@pytest.fixture
def issue(desk: Desk, once: Keeper) -> Desk:
    """Return the desk with issue 1, which has a preheader that is too short."""
    words = ("--subject", "Cranes", "--preheader", "Short", "--as", "mara")
    once("issue", lambda: desk.run("compose", "--pick", "cranes", *words))
    return desk


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.launch() as launched:
        yield launched


def test_the_message_is_written_as_it_would_leave(issue: Desk, tmp_path: Path) -> None:
    issue.run("preview", "1", "--eml", str(tmp_path / "one.eml"))
    message = email.message_from_bytes((tmp_path / "one.eml").read_bytes(), policy=email.policy.default)
    assert message["To"] == "reader@example.com"
    assert message["Subject"] == "Cranes"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_a_readers_own_copy_is_shown_to_an_admin(issue: Desk, tmp_path: Path) -> None:
    issue.run("people", "edit", "mara", "--role", "admin")
    mine = issue.run("preview", "1", "--as", "one@example.com", "--by", "mara")
    assert "one@example.com" in mine.stdout
    issue.run("preview", "1", "--as", "one@example.com", "--by", "mara", "--eml", str(tmp_path / "one.eml"))
    assert b"\r\nTo: one@example.com\r\n" in (tmp_path / "one.eml").read_bytes()
    assert issue.json("preview", "1", "--as", "one@example.com", "--by", "mara")["subject"] == "Cranes"


def test_a_readers_own_copy_is_shown_to_nobody_else(issue: Desk) -> None:
    issue.run("people", "edit", "mara", "--role", "admin")
    assert "admin" in issue.refuses("preview", "1", "--as", "one@example.com", "--by", "jonas")
    assert "nobody with the address" in issue.refuses(
        "preview", "1", "--as", "nobody@example.com", "--by", "mara", code=3
    )


@pytest.mark.parametrize("words", [("--text", "--png", "x.png"), ("--html", "-", "--eml", "x"), ("--serve", "--text"),
                                   ("--serve", "--as", "one@example.com")])  # fmt: skip
def test_one_form_at_a_time(issue: Desk, words: tuple[str, ...]) -> None:
    issue.refuses("preview", "1", *words, code=2)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a browser asks no database
def test_a_picture_shows_desktop_and_phone_by_day_and_by_night(issue: Desk, tmp_path: Path) -> None:
    if browsers.find() is None:
        lacking("Chromium")
    # As a process of its own: Playwright runs once in one, and other tests may have a browser open in this.
    drawing = issue.process("preview", "1", "--png", str(tmp_path / "sheet.png"))
    assert (drawing.communicate(timeout=120)[1], drawing.returncode) == ("", 0)
    data = (tmp_path / "sheet.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert width == 800 * 2 + 375 * 2 + 40 * 3 + 96
    assert 800 < height < 3000


def test_without_a_browser_a_picture_is_refused_with_what_to_install(
    issue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/nonexistent")
    said = issue.refuses("preview", "1", "--png", "x.png")
    assert "pip install playwright" in said
    assert "apt-get install chromium" in said


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """Run the local page; return its address."""
    process = desk.process("preview", "1", "--serve")
    assert process.stderr
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())
        assert found, process.stderr.read()
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        process.stderr.close()
        if process.stdout:
            process.stdout.close()


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page at desktop width; nothing but this machine may be asked."""
    with browsers.page(browser, width=1440, scheme="light", height=900) as page:
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(address) else route.abort())
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
        page.goto(address)
        expect(page.locator("#title")).to_contain_text("Issue 1")
        yield page
        assert failures == []


def retell(path: Path, old: str, new: str) -> None:
    """Change a file, so that even a coarse clock shows it."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    told = path.stat()
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns + 1_000_000))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a browser asks no database
def test_the_page_shows_the_issue_in_each_form_with_its_findings(issue: Desk, browser: Browser) -> None:
    with served(issue) as address, opened(browser, address) as page:
        mail = page.frame_locator("#mail")
        expect(mail.locator("h1")).to_have_text("Harbour Brief")
        expect(page.locator("#subject")).to_have_text("Cranes")
        expect(page.locator("#findings")).to_contain_text("email.preheader_length")
        for width in ("375", "640", "1200"):
            page.click(f"button[data-width='{width}']")
            expect(page.locator("#mail")).to_have_css("width", f"{width}px")
            frame = page.frames[1]
            assert frame.evaluate("document.documentElement.scrollWidth") == int(width)
            assert frame.evaluate("document.documentElement.scrollHeight <= innerHeight")
        ground = "getComputedStyle(document.body).backgroundColor"
        day = page.frames[1].evaluate(ground)
        page.click("button[data-scheme='dark']")
        expect(page.locator("#mail")).to_have_attribute("src", re.compile("scheme=dark"))
        expect(page.frame_locator("#mail").locator("body")).not_to_have_css("background-color", day)
        page.evaluate(judges.source("axe-core", "axe.min.js"))
        faults = page.evaluate(
            "axe.run(document, {iframes: false}).then(found => found.violations.map(each => each.id))"
        )
        assert faults == []
        page.click("button[data-view='text']")
        expect(page.locator("#plain")).to_contain_text("Unsubscribe")
        page.click("button[data-view='headers']")
        expect(page.locator("#plain")).to_contain_text("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        page.click("button[data-view='source']")
        expect(page.locator("#plain")).to_contain_text("<!DOCTYPE html>")
        page.reload()  # what was chosen stays chosen
        expect(page.locator("#plain")).to_contain_text("<!DOCTYPE html>")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a browser asks no database
def test_the_page_follows_what_is_changed_and_tells_where_a_template_fails(issue: Desk, browser: Browser) -> None:
    settings = issue.folder / "newsletter.toml"
    with served(issue) as address, opened(browser, address) as page:
        retell(settings, 'name = "Harbour Brief"', 'name = "Quay Letter"')
        expect(page.frame_locator("#mail").locator("h1")).to_have_text("Quay Letter", timeout=15_000)
        broken = issue.folder / "templates" / "briefing" / "issue.txt.j2"
        broken.parent.mkdir(parents=True)
        broken.write_text("one\n{{ nothing.at_all }}\n", "utf-8")
        expect(page.locator("#told")).to_contain_text(f"{broken}:2", timeout=15_000)
        expect(page.locator("#findings")).to_contain_text("email.template")
        expect(page.locator("#board")).to_be_hidden()
        broken.unlink()
        expect(page.frame_locator("#mail").locator("h1")).to_have_text("Quay Letter", timeout=15_000)
        retell(settings, "[publication]", "[publication")
        expect(page.locator("#told")).to_contain_text("newsletter.toml", timeout=15_000)
        retell(settings, "[publication", "[publication]")
        issue.run("issues", "freeze", "1", "--as", "mara")
        expect(page.locator("#title")).to_have_text("Issue 1, frozen", timeout=15_000)
