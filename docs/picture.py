"""Make a picture of an issue, as a desktop and two phones show it: python docs/picture.py ISSUE.html docs/issue.png."""

import argparse
import os
import shutil
import sys
from base64 import b64encode
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

#: Width, colour scheme, and whether the shot shows the end of the issue.
DEVICES: tuple[tuple[int, Literal["light", "dark"], bool], ...] = (
    (720, "light", False),
    (375, "light", False),
    (375, "dark", True),
)
HEIGHT = 1240
SHEET = """<!doctype html><style>
  body {{ margin: 0; padding: 44px; display: flex; gap: 36px; justify-content: center; background: #d9dde1; }}
  img {{ display: block; border-radius: 10px; box-shadow: 0 1px 2px #0003, 0 14px 40px #0000002b; }}
</style>{shots}"""


def main() -> int:
    """Write the picture and return how the program ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("issue", type=Path, help="the HTML: newsletter preview N --html FILE")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.stderr.write("Chromium is not installed; install it: apt-get install chromium\n")
        return 1
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*root, "--disable-gpu"])
        shots = [shoot(browser, given.issue, *device) for device in DEVICES]
        given.picture.write_bytes(compose(browser, shots))
        browser.close()
    sys.stdout.write(f"{given.picture}: {given.picture.stat().st_size:,} bytes\n")
    return 0


def shoot(browser: Browser, issue: Path, width: int, scheme: Literal["light", "dark"], end: bool) -> bytes:
    """Return the top or the end of the issue as a device of that width shows it; nothing is fetched for it."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, device_scale_factor=1.5, offline=True
    )
    page = context.new_page()
    page.set_content(issue.read_text("utf-8"))
    if end:
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    shot = page.screenshot()
    context.close()
    return shot


def compose(browser: Browser, shots: list[bytes]) -> bytes:
    """Return the sheet: the shots side by side."""
    images = "".join(
        f'<img width="{width}" height="{HEIGHT}" alt="" src="data:image/png;base64,{b64encode(shot).decode()}">'
        for shot, (width, _, _) in zip(shots, DEVICES, strict=True)
    )
    total = sum(width for width, _, _ in DEVICES) + 36 * (len(DEVICES) - 1) + 88
    page = browser.new_page(viewport={"width": total, "height": HEIGHT + 88}, device_scale_factor=1.0)
    page.set_content(SHEET.format(shots=images))
    return page.screenshot()


if __name__ == "__main__":
    sys.exit(main())
