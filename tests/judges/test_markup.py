"""Second opinions on the markup: html-validate on HTML, css-inline on inlining, the reference MJML on the picture."""

import re
from base64 import b64encode
from typing import Any

import css_inline
import lxml.html
import pytest
from playwright.sync_api import Browser

from newsletter.rendering import mjml
from tests.judges.conftest import Sheet, inlined
from tests.support import browser as browsers
from tests.support import judges

#: How many pixels of a hundred thousand may look otherwise than the reference implementation draws them.
TOLERANCE = 10

#: The share of pixels, of 100,000, in which two pictures differ by more than 16 of 255 in a channel.
DIFFERENCE = """async ([one, other]) => {
  const pixels = async source => {
    const image = new Image();
    image.src = 'data:image/png;base64,' + source;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    return [image.width, image.height, pen.getImageData(0, 0, image.width, image.height).data];
  };
  const [width, height, first] = await pixels(one), [otherWidth, otherHeight, second] = await pixels(other);
  if (width !== otherWidth || height !== otherHeight) return 100000;
  let different = 0;
  for (let at = 0; at < first.length; at += 4)
    if ([0, 1, 2].some(channel => Math.abs(first[at + channel] - second[at + channel]) > 16)) different++;
  return different / (width * height) * 100000;
}"""


def test_the_html_is_valid_but_for_what_mail_needs(sheets: dict[str, Sheet]) -> None:
    found = judges.ask("validate.cjs", {"mail": True, "pages": {name: sheet.html for name, sheet in sheets.items()}})
    assert found == {name: [] for name in sheets}


def test_the_validator_finds_what_is_wrong(sheets: dict[str, Sheet]) -> None:
    broken = sheets["letter"].html.replace("<h2", "<p><div></div></p><h2", 1)
    assert judges.ask("validate.cjs", {"mail": True, "pages": {"broken": broken}})["broken"] != []


def test_another_inliner_writes_the_same_styles(sheet: Sheet) -> None:
    html = mjml.to_html(sheet.source, lambda offset: sheet.name)
    marked = re.sub(r"<style(?=[\s>])", '<style data-css-inline="ignore"', html)
    other = css_inline.CSSInliner(extra_css=sheet.css, load_remote_stylesheets=False).inline(marked)
    assert styles(inlined(html, sheet.css)) == styles(other)


def styles(html: str) -> list[tuple[str, dict[str, str]]]:
    """Return every element of the body with what its style attribute says, the last word on each property."""
    body = lxml.html.document_fromstring(html).find("body")
    assert body is not None
    return [(str(element.tag), declared(element.get("style") or "")) for element in body.iter("*")]


def declared(style: str) -> dict[str, str]:
    """Return the declarations of a style attribute in one way of writing them."""
    pairs = (each.partition(":") for each in style.split(";") if each.strip())
    return {name.strip(): _plain(value) for name, _, value in pairs}


def _plain(value: str) -> str:
    value = re.sub(r"\s*,\s*", ",", " ".join(value.split())).replace('"', "'")
    return re.sub(r"\b0px\b", "0", value)


@pytest.fixture(scope="session")
def references(sheets: dict[str, Sheet]) -> Any:
    """Return what the reference implementation makes of each theme's MJML."""
    return judges.ask("mjml.cjs", {name: sheet.source for name, sheet in sheets.items()})


@pytest.mark.parametrize("width", [375, 640])
@pytest.mark.parametrize("name", ["briefing", "digest", "letter", "briefing in Arabic"])
def test_the_reference_compiler_draws_the_same_picture(
    browser: Browser, sheets: dict[str, Sheet], references: Any, name: str, width: int
) -> None:
    sheet = sheets[name]
    reference = references[sheet.name]
    assert reference["errors"] == []
    ours = inlined(mjml.to_html(sheet.source, lambda offset: sheet.name), sheet.css)
    with browsers.page(browser, width=width, scheme="light") as page:
        pictures = []
        for html in (ours, inlined(reference["html"], sheet.css)):
            page.set_content(html)
            pictures.append(b64encode(page.screenshot(full_page=True)).decode())
        assert page.evaluate(DIFFERENCE, pictures) <= TOLERANCE
        page.set_content(ours.replace("View online", "View there", 1))
        assert page.evaluate(DIFFERENCE, [pictures[0], b64encode(page.screenshot(full_page=True)).decode()]) > 0
