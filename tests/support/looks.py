"""How a page looks to everybody: axe-core, contrast, and nothing wider than the device, in every view."""

from typing import Literal

from playwright.sync_api import Page

from tests.support import judges
from tests.support.browser import FAINT_TEXT

_AXE = "async () => (await axe.run(document)).violations.map(rule => [rule.id, rule.nodes.map(node => node.html)])"
_WIDE = "document.documentElement.scrollWidth"
#: A phone and a desktop, by day and by night.
VIEWS: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (390, "light"), (390, "dark"), (1280, "dark"), (1280, "light"),
)  # fmt: skip


def faults(page: Page) -> list[object]:
    """Return what is wrong with the page that is open, with the view in which it is."""
    page.evaluate(judges.source("axe-core", "axe.min.js"))
    found: list[object] = []
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        wrong = [*page.evaluate(_AXE), *page.evaluate(FAINT_TEXT)["faint"]]
        if page.evaluate(_WIDE) > width:
            wrong.append("it is wider than the device")
        found += [(width, scheme, each) for each in wrong]
    return found
