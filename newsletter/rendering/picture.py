"""An issue as a picture: desktop and phone, by day and by night, on one labelled sheet, by an installed Chromium."""

import os
import shutil
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from newsletter.errors import Refused

#: The most of a page that is shown, in pixels.
LONGEST = 2600
_GAP, _MARGIN = 40, 48
_HOW = "install both: pip install playwright, then apt-get install chromium (or: playwright install chromium)"
_QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")
_SHEET = """<!doctype html><meta charset="utf-8"><style>
  body {{ margin: 0; padding: {margin}px; background: #d9dde1; color: #20262c; }}
  body {{ font: 15px/1.4 Helvetica, Arial, sans-serif; }}
  h1 {{ margin: 0 0 28px; font-size: 22px; }}
  main {{ display: flex; gap: {gap}px; align-items: flex-start; }}
  figure {{ margin: 0; }}
  figcaption {{ margin: 0 0 10px; }}
  figcaption b {{ display: block; }}
  img {{ display: block; border-radius: 8px; box-shadow: 0 1px 2px #0003, 0 10px 30px #00000024; }}
</style><h1>{title}</h1><main>{figures}</main>"""


@dataclass(frozen=True)
class Device:
    """What the issue is shown on."""

    name: str
    width: int
    scheme: Literal["light", "dark"]


DEVICES = (
    Device("Desktop", 800, "light"), Device("Phone", 375, "light"),
    Device("Phone", 375, "dark"), Device("Desktop", 800, "dark"),
)  # fmt: skip


def draw(html: str, *, title: str) -> bytes:
    """Return the sheet as a PNG; Refused where no browser can be had, with what to install."""
    return _with_browser(lambda browser: _sheet(browser, [_figure(browser, html, each) for each in DEVICES], title))


def page(html: str, *, width: int) -> bytes:
    """Return a page by itself as a PNG, by day and as long as it is; Refused like the sheet."""

    def shot(browser: Any) -> bytes:
        opened = browser.new_page(viewport={"width": width, "height": 600}, device_scale_factor=2)
        opened.route("**/*", lambda route: route.abort())
        opened.set_content(html, wait_until="load")
        made: bytes = opened.screenshot(full_page=True)
        return made

    return _with_browser(shot)


def _with_browser(work: Callable[[Any], bytes]) -> bytes:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise Refused(f"a picture needs Playwright and Chromium; {_HOW}") from error
    root = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []  # Chromium refuses its sandbox there
    try:
        with sync_playwright() as playwright:
            # Without a Chromium of the system's, Playwright looks for its own.
            browser = playwright.chromium.launch(executable_path=_chromium(), args=[*root, *_QUIET])
            return work(browser)
    except Error as error:
        said = str(error).strip().splitlines()[0]
        raise Refused(f"no picture can be drawn here ({said}); {_HOW}") from error


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def _figure(browser: Any, html: str, device: Device) -> str:
    context = browser.new_context(viewport={"width": device.width, "height": 800}, color_scheme=device.scheme)
    page = context.new_page()
    page.route("**/*", lambda route: route.continue_() if route.request.resource_type == "image" else route.abort())
    page.set_content(html, wait_until="load")
    whole = page.evaluate("document.documentElement.scrollHeight")
    height = min(whole, LONGEST)
    page.set_viewport_size({"width": device.width, "height": height})
    shot = b64encode(page.screenshot()).decode()
    context.close()
    part = f"the first {height:,} of {whole:,} pixels" if whole > height else ""
    caption = f"<b>{device.name}, {device.scheme}</b> {device.width} pixels wide{', ' if part else ''}{part}"
    return (
        f'<figure><figcaption>{caption}</figcaption><img width="{device.width}" height="{height}" alt="" '
        f'src="data:image/png;base64,{shot}"></figure>'
    )


def _sheet(browser: Any, figures: list[str], title: str) -> bytes:
    width = sum(device.width for device in DEVICES) + _GAP * (len(DEVICES) - 1) + 2 * _MARGIN
    page = browser.new_page(viewport={"width": width, "height": 600})
    page.set_content(_SHEET.format(margin=_MARGIN, gap=_GAP, title=escape(title), figures="".join(figures)))
    made: bytes = page.screenshot(full_page=True)
    return made
