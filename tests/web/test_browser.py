"""The pages in a real browser: forms without scripts, a style that the policy lets in, light and dark."""

import pytest
from playwright.sync_api import Page

from subscribers.tokens import Purpose
from tests.support import browser
from tests.support.browser import FAINT_TEXT
from tests.web.conftest import Desk, served


def complaints(page: Page) -> list[str]:
    """Return what the browser complains of from now on: a blocked style or form stands in the console."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def test_a_reader_leaves_comes_back_and_chooses_topics_with_the_keyboard_alone(desk: Desk) -> None:
    with (
        served(desk.settings, desk.engine) as address,
        browser.launch() as chromium,
        browser.page(chromium, width=375, scheme="light") as page,
    ):
        said = complaints(page)
        page.goto(address + desk.leave(desk.ana, desk.weekly))
        page.get_by_role("button", name="Leave The Weekly Tide").press("Enter")
        assert page.get_by_role("heading", level=1).inner_text() == "You have left The Weekly Tide"
        assert desk.states(desk.ana)["weekly"] == "unsubscribed"
        page.get_by_role("button", name="Undo").press("Enter")
        assert desk.states(desk.ana)["weekly"] == "confirmed"
        page.goto(address + desk.link(Purpose.PREFERENCES, desk.ana))
        page.get_by_label("tariffs").press("Space")
        page.get_by_role("button", name="Save my choices").press("Enter")
        assert page.get_by_role("status").inner_text() == "Saved. You chose fuel, tariffs."
        assert said == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # how a page looks is not the database's affair
def test_pages_fit_a_phone_and_can_be_read_by_day_and_by_night(desk: Desk) -> None:
    paths = [
        "/",
        "/standards",
        "/about-links",
        desk.leave(desk.ana, desk.weekly),
        desk.link(Purpose.PREFERENCES, desk.ana),
    ]
    with served(desk.settings, desk.engine) as address, browser.launch() as chromium:
        for width, scheme in ((375, "light"), (1200, "light"), (375, "dark"), (1200, "dark")):
            with browser.page(chromium, width=width, scheme=scheme) as page:  # type: ignore[arg-type]
                said = complaints(page)
                for path in paths:
                    page.goto(address + path)
                    found = page.evaluate(FAINT_TEXT)
                    assert found["seen"] > 3
                    assert found["faint"] == []
                    assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.evaluate("getComputedStyle(document.querySelector('.masthead')).textAlign") == "center"
                assert said == []
