"""The shipped theme in a real browser."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Browser

from newsletter.rendering import slots
from newsletter.rendering.press import Rendered
from tests.rendering import samples
from tests.support import browser as browsers


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 640])
def test_the_issue_fits_reads_well_and_asks_nobody_for_anything(
    browser: Browser, rendered: Rendered, width: int, scheme: str
) -> None:
    with browsers.page(browser, width=width, scheme=scheme) as page:  # type: ignore[arg-type]
        asked = browsers.show(page, slots.fill_html(rendered.html, samples.VALUES))
        assert asked == []
        assert page.evaluate("document.compatMode") == "CSS1Compat"
        assert page.evaluate("document.documentElement.scrollWidth") == width
        contrast = page.evaluate(browsers.FAINT_TEXT)
        assert contrast["seen"] > 60
        assert contrast["faint"] == []


@pytest.mark.parametrize("selector", ["body", ".page", ".sheet", ".sheet > table", ".panel", ".button a", ".colophon"])
def test_the_night_is_dark_all_over(browser: Browser, rendered: Rendered, selector: str) -> None:
    with browsers.page(browser, width=640, scheme="dark") as page:
        browsers.show(page, rendered.html)
        colour = page.eval_on_selector(selector, "each => getComputedStyle(each).backgroundColor")
        assert max(int(part) for part in re.findall(r"\d+", colour)[:3]) < 60


def test_buttons_are_high_enough_for_a_finger(browser: Browser, rendered: Rendered) -> None:
    with browsers.page(browser, width=375, scheme="light") as page:
        browsers.show(page, rendered.html)
        heights = page.eval_on_selector_all(".button a", "all => all.map(each => each.getBoundingClientRect().height)")
        assert len(heights) == 3
        assert min(heights) >= 44


def test_headings_go_down_step_by_step_from_one_h1(browser: Browser, rendered: Rendered) -> None:
    with browsers.page(browser, width=640, scheme="light") as page:
        browsers.show(page, rendered.html)
        levels = page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "all => all.map(each => Number(each.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert levels.count(2) == 4  # three items, and the sources
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_preheader_is_hidden_without_white_text(browser: Browser, rendered: Rendered) -> None:
    with browsers.page(browser, width=375, scheme="light") as page:
        browsers.show(page, rendered.html)
        element = page.locator(".preheader")
        assert element.text_content() == rendered.preheader
        assert not element.is_visible()
        assert element.evaluate("each => getComputedStyle(each).color") == "rgb(92, 86, 77)"
