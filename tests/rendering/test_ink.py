"""The cascade without a browser, held against Chromium's own; colours, media queries and selectors by themselves."""

from typing import Any, Literal

import lxml.html
import pytest
from playwright.sync_api import Browser

from newsletter.rendering import colours, css, ink, slots
from newsletter.rendering.colours import Colour
from newsletter.rendering.press import Rendered
from tests.rendering import samples
from tests.support import browser as browsers

Scheme = Literal["light", "dark"]

#: Every visible piece of text: words, colour, ground, size, weight, as the browser computes them.
COMPUTED = """() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const ground = element => {
    const layers = [];
    for (let each = element; each; each = each.parentElement)
      layers.push(parse(getComputedStyle(each).backgroundColor));
    let base = matchMedia('(prefers-color-scheme: dark)').matches
      && document.querySelector('meta[name=color-scheme][content*=dark]') ? [18, 18, 18] : [255, 255, 255];
    for (const [r, g, b, a = 1] of layers.reverse())
      base = [r, g, b].map((part, place) => part * a + base[place] * (1 - a));
    return base;
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || ['STYLE', 'SCRIPT'].includes(element.tagName) || !element.checkVisibility({checkVisibilityCSS: true}))
      continue;
    const style = getComputedStyle(element);
    found.push([text.split(/\\s+/).join(' '), parse(style.color).slice(0, 3), ground(element).map(Math.round),
                parseFloat(style.fontSize), Number(style.fontWeight) >= 600]);
  }
  return found;
}"""

AWKWARD = """<!DOCTYPE html><html lang="en"><head><meta name="color-scheme" content="light dark"><style>
  /* a { color: red } */ p { color: rgb(10, 20, 30); font-size: 1.25em } #one { color: hsl(120, 50%, 25%) }
  .a.b, td > p { color: #123 !important } p:hover { color: red } p::before { color: red } [title="x;y{"] { color: teal }
  @media print { p { color: red !important } } @media (max-width: 300px) { p { color: red !important } }
  @media screen and (min-width: 300px) { .wide { color: navy } }
  @media not all and (prefers-color-scheme: dark) { .day { color: maroon } }
  @media (prefers-color-scheme: dark) { .a { background: rgba(255, 255, 255, .5); color: #eee !important }
                                         a { color: lime } }
  @supports (display: grid) { .grid { color: purple; font: italic bold 12px/30px Georgia, serif } }
  @font-face { font-family: x; src: url(a.woff) } broken { color: ; } .gone { display: none }
  ul:not(.x) li { color: #456 }
  .unseen { visibility: hidden }
</style></head><body bgcolor="#ffeedd" style="font-size: 15px">loose
  <p>one <b>bold</b> and <a href="https://a.example/">link</a> <a>no link</a></p><p id="one" class="a">two</p>
  <p id="one" class="a b" style="color: red">three</p><p style="color: blue !important" class="a b">four</p>
  <table bgcolor="#000080" style="color: white"><tr><td>cell <p>in a cell</p></td><th>head</th></tr></table>
  <p class="wide">wide</p><p class="day">day</p><p class="grid">grid</p>
  <p class="gone">gone</p><p class="unseen">unseen</p>
  <div title="x;y{">titled</div><ul><li>item <small>small</small></li></ul><h1>large <sup>up</sup></h1><h4>h4</h4>
  <p style="background: url(x.png) no-repeat #abcdef; color: CurrentColor">layered</p>
  <p style="color: #1234">see through</p>
  <div style="background-color: rgb(0 0 0 / 50%)"><span style="color: inherit; font-size: 80%">mixed</span> tail</div>
  <div hidden>hidden</div><p style="font-size: large; font-weight: 700">words</p>
</body></html>"""


def ours(html: str, width: int, scheme: Scheme) -> list[list[Any]]:
    """Return what the cascade says, in the form of the browser's answer."""
    tree = lxml.html.document_fromstring(html)
    sheets = [css.sheet(sheet.text or "") for sheet in tree.iter("style")]
    return [
        [each.text, list(each.ink.colour[:3]), [*map(round, each.ink.ground[:3])], each.ink.size, each.ink.bold]
        for each in ink.texts(tree, sheets, css.Screen(width, scheme))
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["issue", "awkward"])
def test_text_is_set_as_chromium_sets_it(browser: Browser, rendered: Rendered, page: str, scheme: Scheme) -> None:
    html = slots.fill_html(rendered.html, samples.VALUES) if page == "issue" else AWKWARD
    with browsers.page(browser, width=640, scheme=scheme) as shown:
        browsers.show(shown, html)
        theirs = shown.evaluate(COMPUTED)
    mine = ours(html, 640, scheme)
    assert [each[0] for each in mine] == [each[0] for each in theirs]
    assert len(mine) > 20
    for one, other in zip(mine, theirs, strict=True):
        assert [round(part) for part in one[1]] == pytest.approx(other[1], abs=1), one
        assert one[2] == pytest.approx(other[2], abs=1), one
        assert one[3] == pytest.approx(other[3], abs=0.1), one
        assert one[4] == other[4], one


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#abc", Colour(170, 187, 204)), ("#AABBCC", Colour(170, 187, 204)), ("red", Colour(255, 0, 0)),
        ("rgb(1, 2, 3)", Colour(1, 2, 3)), ("rgba(1,2,3,.5)", Colour(1, 2, 3, 0.5)),
        ("rgb(100% 0% 0% / 50%)", Colour(255, 0, 0, 0.5)), ("hsl(0, 100%, 50%)", Colour(255, 0, 0)),
        ("transparent", Colour(0, 0, 0, 0)), ("#12", None), ("none", None), ("", None), ("var(--x)", None),
        ("rgb(1)", None),
    ],
)  # fmt: skip
def test_colours_are_read_as_css_writes_them(text: str, colour: Colour | None) -> None:
    assert colours.read(text) == colour


def test_contrast_is_that_of_the_standard_and_of_what_is_seen() -> None:
    assert ink.Ink(colours.BLACK, colours.WHITE).contrast == pytest.approx(21)
    assert ink.Ink(Colour(118, 118, 118), colours.WHITE).contrast == pytest.approx(4.54, abs=0.01)
    assert ink.Ink(Colour(0, 0, 0, 0.5), colours.WHITE).pair == ("#808080", "#ffffff")


@pytest.mark.parametrize(
    "text", ["", "}", "{", "@media", "@media {", "a { b", "a {;;:}", "/* open", '"', "@import url(x)", "a{b:c}}"]
)
def test_broken_sheets_are_read_as_far_as_they_go(text: str) -> None:
    css.sheet(text)
    css.declarations(text)


@pytest.mark.parametrize(
    "selector", ["", ">", "a >", "::", "p:unknown(", "a[b", "*|*", "a:has(b)", "p:is(.a, .b)", "é"]
)
def test_selectors_that_nobody_knows_match_nothing_or_something_but_never_fail(selector: str) -> None:
    tree = lxml.html.document_fromstring("<p>x</p>")
    for each in css.selectors(selector):
        each.find(tree)
