"""The shipped theme in a real browser, and its colours by arithmetic."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.rendering import slots
from newsletter.rendering.press import Rendered
from tests.rendering import samples
from tests.support import browser as browsers

THEME = Path(__file__).parents[2] / "templates" / "briefing"


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


@pytest.mark.parametrize("selector", ["body", ".paper", ".sheet", ".sheet > table", ".panel", ".button a", ".colophon"])
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


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


DAY = {"inks": ["#1d1b18", "#5c564d", "#7a2618"], "grounds": ["#fffefb", "#f6f2e9", "#efeadf"]}
NIGHT = {"inks": ["#ece7dd", "#b1a99b", "#efa28f"], "grounds": ["#1d1b19", "#282521", "#131210"]}


@pytest.mark.parametrize("palette", [DAY, NIGHT])
def test_every_ink_of_the_palette_reads_on_every_ground(palette: dict[str, list[str]]) -> None:
    pairs = [(ink, ground) for ink in palette["inks"] for ground in palette["grounds"]]
    assert [pair for pair in pairs if _contrast(*pair) < 4.5] == []


def test_the_theme_uses_no_colour_outside_the_palette() -> None:
    lines = {"#cfc7b6", "#8f877a", "#4a453e"}  # rules between texts, which carry no meaning of their own
    known = {colour for palette in (DAY, NIGHT) for colours in palette.values() for colour in colours} | lines
    used = {
        colour for file in THEME.iterdir() for colour in re.findall(r"(?<!&)#[0-9a-f]{6}\b", file.read_text("utf-8"))
    }
    assert used - known == set()
