"""The desk page in a real browser: from the mailed link to the preview of an issue, by keys; and how it looks."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page

from newsletter import db
from newsletter.delivery import controls
from newsletter.discovery import feeds
from newsletter.editorial import people, sessions
from newsletter.settings import load
from tests.discovery.publisher import item, rss
from tests.editorial.evidence import PLAIN, bring
from tests.support import browser as browsers
from tests.support import judges, looks, smtp
from tests.web.conftest import Desk, served
from tests.web.test_browser import complaints
from tests.web.test_desk import items, state, submit
from tests.web.test_reading import PILOTS, SOURCE, TUGS, approve, compose, staff
from tests.web.test_signup import parsed

assert staff  # the fixture that brings ann and ben
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a browser asks no database


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """Return a desk with stories, a text in review that shares words with its source, and two for an issue."""
    approve(desk, TUGS, replace(TUGS, id="tolls-rise", title="Tolls rise at both locks"))
    submit(desk, replace(PILOTS, related_pin=()))
    with db.transaction(desk.engine) as session:
        people.edit(session, "ben", name="Ben Ahoy", email="ben@quay.example", actor="ann", now=desk.now)
        bring(session, f"{PLAIN} In the guild's view the schools train half as many as before.", url=SOURCE.url)
        feeds.read(session, rss(*map(item, (1, 2, 3))), url="https://wire.example/f", name="wire", now=desk.now)
    return desk


def enter(desk: Desk, page: Page, address: str) -> None:
    """Put somebody's cookie into the browser, as the door does."""
    with db.transaction(desk.engine) as session:
        token = sessions.begin(session, "ben", now=desk.now)
    page.context.add_cookies([{"name": "desk", "value": token, "url": f"{address}/desk"}])


def test_an_editor_comes_in_by_mail_and_works_by_the_keyboard(busy: Desk) -> None:
    desk = busy
    with smtp.serving() as server:
        environ = {
            "NEWSLETTER_RELAY_MAIN_PORT": str(server.port),
            "NEWSLETTER_PUBLICATION_PUBLIC_URL": "http://127.0.0.1",
        }
        settings = load(desk.settings.folder, environ)
        with served(settings, desk.engine, at=desk.now) as address, browsers.launch() as chromium:
            with browsers.page(chromium, width=1200, scheme="light") as page:
                said = complaints(page)
                page.goto(f"{address}/desk")
                page.get_by_label("Your address").fill("ben@quay.example")
                page.get_by_label("Your address").press("Enter")
                page.get_by_role("heading", name="Look into your mailbox").wait_for()
                while not server.accepted:  # the letter leaves after the answer
                    page.wait_for_timeout(20)
                text = parsed(server.accepted[0].data).get_body(("plain",))
                assert text
                found = re.search(r"http://127\.0\.0\.1(/desk/login/[\w-]{43})\s", text.get_content())
                assert found
                page.goto(address + found[1])
                page.get_by_role("button", name="Come in").press("Enter")
                page.get_by_role("heading", name="What waits").wait_for()
                _triage(desk, page)
                _approve(desk, page)
                _compose(page)
                assert said == []


def _triage(desk: Desk, page: Page) -> None:
    page.get_by_role("link", name="Inbox").first.click()
    page.locator(".stories li.here h2").wait_for()
    before, told = items(desk), page.locator("#told")
    page.keyboard.press("s")
    told.get_by_text("is shortlisted now").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.keyboard.type("thin")
    page.keyboard.press("Enter")
    told.get_by_text("is dismissed now").wait_for()
    assert page.locator(".stories > li").count() == 2
    page.keyboard.press("u")
    told.get_by_text("is no longer dismissed").wait_for()
    assert sorted(items(desk).values()) == ["new", "new", "new", "shortlisted"]
    page.keyboard.press("u")
    told.get_by_text("is no longer shortlisted").wait_for()
    assert items(desk) == before


def _approve(desk: Desk, page: Page) -> None:
    page.get_by_role("link", name="Harbour Brief desk").click()
    page.get_by_role("link", name=PILOTS.title).click()
    assert page.locator(".text-and-source mark").count() == 2
    page.get_by_label("A comment, or what is missing").fill("read twice")
    page.get_by_role("button", name="Approve this text").press("Enter")
    page.locator("#told").get_by_text("You approved this text.").wait_for()
    assert state(desk) == "approved"


def _compose(page: Page) -> None:
    page.get_by_role("link", name="Issues").first.click()
    page.get_by_role("button", name="Compose").click()
    page.get_by_role("heading", name="Items").wait_for()
    rows = page.locator(".items li")

    def order() -> list[str]:
        return [row.get_attribute("data-item") or "" for row in rows.all()]

    first = order()
    assert len(first) == 3
    rows.nth(2).drag_to(rows.nth(0))
    page.locator("#told").get_by_text("new order").wait_for()
    assert order() == [first[2], *first[:2]]
    rows.nth(0).get_by_role("link").focus()
    page.keyboard.press("Shift+J")
    page.locator("#told").get_by_text("is moved").wait_for()
    assert order() == [first[0], first[2], first[1]]
    page.keyboard.press("Shift+K")  # the item that was moved still has the keyboard
    page.locator(f".items li:first-child[data-item='{first[2]}']").wait_for()
    page.keyboard.press("Shift+J")
    page.locator(f".items li:first-child[data-item='{first[0]}']").wait_for()
    page.get_by_label("Introduction").fill("**Hello** from the quay.")
    page.frame_locator("iframe.wide[name]").get_by_text("from the quay.").wait_for()
    page.get_by_label("Subject").fill("Pilots are few")
    page.get_by_role("button", name="Keep these words").click()
    page.get_by_role("heading", name="Pilots are few", level=1).wait_for()
    phone = page.frame_locator("iframe.phone:not([hidden])")
    phone.get_by_text(TUGS.title).first.wait_for()
    assert page.locator("iframe.phone:not([hidden])").bounding_box()["width"] == 390  # type: ignore[index]
    page.wait_for_timeout(700)
    assert page.locator("iframe[name]").count() == 0  # no preview of words in typing comes after they are kept


def test_the_pages_are_valid_accessible_and_fit_a_phone(busy: Desk) -> None:
    desk = busy
    compose(desk, [TUGS.id], frozen=False)
    compose(desk, ["tolls-rise"])
    ways = ("", "/inbox", "/briefings", f"/briefings/{PILOTS.id}", "/issues", "/issues/1", "/issues/2", "/login")
    pages: dict[str, str] = {}
    with served(desk.settings, desk.engine, at=desk.now) as address, browsers.launch() as chromium:
        with browsers.page(chromium, width=1280, scheme="dark") as page:
            enter(desk, page, address)
            for way in ways:
                answer = page.goto(f"{address}/desk{way}")
                assert answer
                pages[way] = answer.text()
                assert looks.faults(page) == [], way
            page.goto(f"{address}/desk/issues/2")
            with db.transaction(desk.engine) as session:
                controls.pause(session, 2, actor="ann", now=desk.now)
            page.get_by_role("button", name="Go on").wait_for()
    assert judges.ask("validate.cjs", {"mail": False, "pages": pages}) == {way: [] for way in ways}
