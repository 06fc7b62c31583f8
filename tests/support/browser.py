"""A real browser: the machine's own Chromium, driven by Playwright, cut off from every network."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.lacking import lacking

_QUIET = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

#: Every visible text whose contrast with what lies behind it is under 4.5 to 1 (WCAG 2.2, 1.4.3), as text and ratio.
FAINT_TEXT = """() => {
  const channel = value => value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility()) continue;
    seen++;
    const pair = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) faint.push([text.slice(0, 60), Math.round(ratio * 100) / 100]);
  }
  return {seen, faint};
}"""


def find() -> str | None:
    """Return the path of the machine's Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def launch() -> Iterator[Browser]:
    """Open a browser, or skip the test for want of one; the one that is open already is given again.

    Playwright runs once in a process.
    """
    if _open:
        yield _open[0]
        return
    path = find()
    if path is None:
        lacking("Chromium")
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        _open.append(playwright.chromium.launch(executable_path=path, args=[*root, *_QUIET]))
        try:
            yield _open[0]
        finally:
            _open.pop().close()


_open: list[Browser] = []


@contextmanager
def page(browser: Browser, *, width: int, scheme: Literal["light", "dark"], height: int = 800) -> Iterator[Page]:
    """Open a page as wide as a device, by day or by night."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def show(page: Page, html: str) -> list[str]:
    """Show the HTML, let nothing through to any server, and return the addresses that it asked for."""
    asked: list[str] = []

    def refuse(route: Any) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("**/*", refuse)
    page.set_content(html, wait_until="load")
    return asked
