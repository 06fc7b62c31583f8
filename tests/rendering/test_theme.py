"""The shipped themes in a real browser."""

import re
from itertools import pairwise
from typing import Literal

import pytest
from playwright.sync_api import Browser

from newsletter.issues.content import IssueContent
from newsletter.rendering import press, slots
from newsletter.rendering.press import Rendered
from newsletter.settings import Settings
from tests.rendering import samples
from tests.support import browser as browsers

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def printed(content: IssueContent, themed: Settings) -> Rendered:
    """Return the issue in each theme."""
    return press.render(content, themed, samples.LINKS, dated=samples.DATED)


@pytest.mark.parametrize("width", [375, 640, 1200])
def test_the_issue_fits_reads_well_and_asks_nobody_for_anything(
    browser: Browser, printed: Rendered, width: int
) -> None:
    with browsers.page(browser, width=width, scheme="light") as page:
        asked = browsers.show(page, slots.fill_html(printed.html, samples.VALUES))
        assert asked == []
        assert page.evaluate("document.compatMode") == "CSS1Compat"
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            contrast = page.evaluate(browsers.FAINT_TEXT)
            assert contrast["seen"] > 30
            assert contrast["faint"] == [], scheme


def test_the_night_is_dark_all_over(browser: Browser, printed: Rendered) -> None:
    places = "body, .page, .sheet, .sheet > table, .panel, .button a, .colophon"
    with browsers.page(browser, width=640, scheme="dark") as page:
        browsers.show(page, printed.html)
        colours = page.eval_on_selector_all(places, "all => all.map(each => getComputedStyle(each).backgroundColor)")
        assert len(colours) > 6
        assert max(int(part) for colour in colours for part in re.findall(r"\d+", colour)[:3]) < 60


def test_what_a_finger_is_to_hit_is_high_enough(browser: Browser, rendered: Rendered) -> None:
    with browsers.page(browser, width=375, scheme="light") as page:
        browsers.show(page, rendered.html)
        heights = page.eval_on_selector_all(".button a", "all => all.map(each => each.getBoundingClientRect().height)")
        assert len(heights) == 3
        assert min(heights) >= 44


def test_headings_go_down_step_by_step_from_one_h1(browser: Browser, printed: Rendered) -> None:
    with browsers.page(browser, width=640, scheme="light") as page:
        browsers.show(page, printed.html)
        levels = page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "all => all.map(each => Number(each.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert levels.count(2) == 4  # three items, and the sources
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_preheader_is_hidden_without_white_text(browser: Browser, printed: Rendered, themed: Settings) -> None:
    with browsers.page(browser, width=375, scheme="light") as page:
        browsers.show(page, printed.html)
        element = page.locator(".preheader")
        assert element.text_content() == printed.preheader
        assert not element.is_visible()
        red, green, blue = (int(themed.look().light.quiet[start : start + 2], 16) for start in (1, 3, 5))
        assert element.evaluate("each => getComputedStyle(each).color") == f"rgb({red}, {green}, {blue})"


def test_no_colour_stands_in_a_template_but_by_its_name() -> None:
    for theme in (*samples.THEMES, "shared"):
        for file in (samples.TEMPLATES / theme).rglob("*.[cj]*"):
            assert not re.search(r"(?<!&)#[0-9a-fA-F]{3,6}\b", file.read_text("utf-8")), file
