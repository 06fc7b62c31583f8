"""Every theme with what editors and the world put into it."""

import re
from dataclasses import replace
from typing import Any

import lxml.html
import pytest
from playwright.sync_api import Browser

from newsletter.editorial.document import Document
from newsletter.issues.content import IssueContent
from newsletter.rendering import checks, press, references, slots
from newsletter.rendering.rendered import Rendered
from newsletter.rendering.slots import strip_controls
from newsletter.settings import Settings
from tests.rendering import samples
from tests.support import browser as browsers

LONG = "https://quayside.example/" + "archive-of-the-whole-year/" * 10 + "x" * 16
HARD = {
    "long words": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
    "emoji": "❤️ 👩‍🚀 👨‍👩‍👧‍👦 🇳🇴 👍🏽 ☎︎",
    "Hindi": "बंदरगाहों की बिजली क्रेनें तैयार हैं, पर ग्रिड नहीं",
    "Thai": "ท่าเรือขนาดกลางเปลี่ยนมาใช้เครนไฟฟ้าแต่โครงข่ายไฟฟ้ายังไม่พร้อมรองรับความต้องการที่เพิ่มขึ้น",
    "Arabic": "موانئ متوسطة تنتقل إلى رافعات كهربائية، والشبكة هي الجزء الصعب",
    "Hebrew": "נמלים בינוניים עוברים למנופים חשמליים, והרשת היא החלק הקשה",
    "Chinese": "中型港口改用电动岸桥，而电网才是难点。" * 4,
    "end of a sheet": "a </style><script>x</script> b",
    "template": "a {{ 7 * 7 }} {% raw %} b",
    "end of a section": "a ]]> b <![CDATA[ c",
    "NUL": "a\x00b\x0bc\ufffed",
    "markup": "a & b < c > d \" e ' f \\ g",
}
TONGUES = {"Hindi": "hi", "Thai": "th", "Arabic": "ar", "Hebrew": "he", "Chinese": "zh"}


def hard(text: str, language: str = "en") -> Document:
    """Return a briefing that says it in every place."""
    return replace(
        samples.CRANES, title=text, introduction=text, key_points=(text,) * 3, why_it_matters=text, language=language,
        buyer_relevance=f"{text} [link]({LONG})", desk=strip_controls(text)[:30],
        sources=(replace(samples.CRANES.sources[0], name=strip_controls(text), url=LONG, title=text),),
    )  # fmt: skip


def blocking(content: IssueContent, made: Rendered, desk: Settings) -> list[str]:
    """Return the rules that keep the issue from being frozen."""
    return [finding.rule for finding in checks.check(content, made, desk) if checks.blocks(finding)]


@pytest.mark.parametrize("kind", HARD)
def test_whatever_a_briefing_says_stands_in_both_parts(themed: Settings, kind: str) -> None:
    intro = HARD[kind] if kind != "template" else ""  # there it is an expression, and refused with its place
    content = samples.one(hard(HARD[kind], TONGUES.get(kind, "en")), intro=intro)
    made = press.render(content, themed, samples.LINKS, dated=samples.DATED)
    assert set(blocking(content, made, themed)) == ({"email.leftover"} if kind == "template" else set())
    tree: Any = lxml.html.document_fromstring(made.html)
    said = strip_controls(HARD[kind]).split()
    assert "".join(next(tree.iter("h2")).text_content().split()) == "".join(said)
    assert "".join(said) in "".join(made.text.split())
    assert tree.find(".//script") is None
    assert LONG in references.read(made.text).values()
    assert not re.search(r"\\u\{|[\x00-\x08]", made.html + made.text)


@pytest.mark.parametrize("kind", ["long words", "Thai", "Chinese", "Arabic"])
def test_no_text_makes_a_phone_scroll_sideways(browser: Browser, themed: Settings, kind: str) -> None:
    made = press.render(samples.one(hard(HARD[kind]), intro=HARD[kind]), themed, samples.LINKS)
    with browsers.page(browser, width=375, scheme="light") as page:
        browsers.show(page, slots.fill_html(made.html, samples.VALUES))
        assert page.evaluate("document.documentElement.scrollWidth") == 375


@pytest.mark.parametrize("items", [1, 12])
def test_an_issue_of_one_or_many_items_has_nothing_against_it(themed: Settings, items: int) -> None:
    content = samples.issue(items)
    assert checks.check(content, press.render(content, themed, samples.LINKS, dated=samples.DATED), themed) == []


def test_thirty_items_are_too_much_for_gmail_but_in_the_digest(themed: Settings) -> None:
    content = samples.issue(30)
    found = blocking(content, press.render(content, themed, samples.LINKS), themed)
    assert found == ([] if themed.publication.theme == "digest" else ["email.clipped"])


#: How far the text and the marker of each list begin from the edge of what holds them, on the side where its lines do.
BEGINNINGS = """rtl => [...document.querySelectorAll('ul')].map(list => {
  const box = list.getBoundingClientRect(), style = getComputedStyle(list);
  return [style.direction, style[rtl ? 'paddingRight' : 'paddingLeft'], style[rtl ? 'paddingLeft' : 'paddingRight']];
})"""


@pytest.mark.parametrize(("language", "rtl"), [("ar", True), ("he", True), ("en", False)])
def test_a_publication_begins_its_lines_where_its_language_does(
    browser: Browser, themed: Settings, language: str, rtl: bool
) -> None:
    desk = samples.dress(themed, f'language = "{language}"')
    document = replace(samples.CRANES, language=language)
    made = press.render(samples.one(document), desk, samples.LINKS)
    with browsers.page(browser, width=700, scheme="light") as page:
        browsers.show(page, slots.fill_html(made.html, samples.VALUES))
        begun = page.evaluate(BEGINNINGS, rtl)
        assert {tuple(each) for each in begun} == {("rtl" if rtl else "ltr", "20px", "0px")}
        aligned = page.eval_on_selector_all(
            "h2, p.line, .intro p", "all => all.map(x => getComputedStyle(x).textAlign)"
        )
        assert set(aligned) == {"right" if rtl else "left"}


def test_one_arabic_item_in_an_english_issue_stands_on_its_own_side(browser: Browser, themed: Settings) -> None:
    items = (samples.item(1, hard(HARD["Arabic"], "ar")), samples.item(2, samples.COLD))
    made = press.render(replace(samples.issue(0), items=items), themed, samples.LINKS)
    with browsers.page(browser, width=700, scheme="light") as page:
        browsers.show(page, slots.fill_html(made.html, samples.VALUES))
        titles = page.eval_on_selector_all(
            "h2.title",
            "all => all.map(x => [x.lang || 'en', getComputedStyle(x).direction, getComputedStyle(x).textAlign])",
        )
        assert titles == [["ar", "rtl", "right"], ["en", "ltr", "left"]]
        spaced = page.eval_on_selector_all("[lang=ar]", "all => all.map(x => getComputedStyle(x).letterSpacing)")
        assert set(spaced) <= {"normal", "0px"}
        sides = page.eval_on_selector_all("ul", "all => all.map(x => getComputedStyle(x).direction)")
        assert sides[-1] == "ltr"


def test_the_colours_that_are_set_are_those_of_the_mail(themed: Settings) -> None:
    before = themed.look()
    path = themed.path("newsletter.toml")
    said = 'accent = "#5b2a86"\nink = "#101820"\nheadline = "#203040"\nfont = "Charter, serif"\nwidth = 520\n'
    said += 'page = "#dddddd"\n'
    path.write_text(f"{path.read_text('utf-8')}\n[theme]\n{said}[theme.dark]\npaper = '#222222'\n", "utf-8")
    made = press.render(samples.issue(1), samples.dress(themed), samples.LINKS).html
    for set_ in ("#5b2a86", "#101820", "#dddddd", "#222222", "Charter, serif", 'width="520"'):
        assert set_ in made
    for gone in (before.light.accent, before.light.ink, before.dark.accent):
        assert gone not in made


def test_a_logo_has_its_words_and_its_size_and_reads_without_images(browser: Browser, themed: Settings) -> None:
    path = themed.path("newsletter.toml")
    logo = '\n[theme.logo]\nurl = "https://a.example/l.png"\nalt = "The Harbour <Brief>"\nwidth = 240\nheight = 60\n'
    path.write_text(path.read_text("utf-8") + logo)
    desk = samples.dress(themed)
    content = samples.issue(1)
    made = press.render(content, desk, samples.LINKS)
    assert checks.check(content, made, desk) == []
    (image,) = lxml.html.fromstring(made.html).iter("img")
    assert (image.get("alt"), image.get("width"), image.get("height")) == ("The Harbour <Brief>", "240", "60")
    parent: Any = image.getparent()
    assert parent.tag == "h1"
    with browsers.page(browser, width=375, scheme="dark") as page:
        browsers.show(page, made.html)
        assert page.evaluate("document.documentElement.scrollWidth") == 375
        words, plate = page.eval_on_selector(
            ".logo", "each => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor]"
        )
        light = desk.look().light
        assert (_hex(words), _hex(plate)) == (
            light.headline,
            light.paper,
        )  # by night a logo stands on a plate of the day


def _hex(colour: str) -> str:
    """Return `rgb(...)` as #rrggbb."""
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


def test_outlook_has_a_table_of_its_own_around_every_part(themed: Settings) -> None:
    html = press.render(samples.issue(3), themed, samples.LINKS).html
    opened, closed = html.count("<!--[if"), html.count("<![endif]")
    assert opened == closed > 10
    width = themed.look().width
    assert f'width="{width}"' in html
    for branch in re.findall(r"<!--\[if mso[^\]]*\]>(.*?)<!\[endif\]-->", html, re.DOTALL):
        assert "{{" not in branch
        assert not re.search(r"[^\x00-\x7f]", branch)


def test_a_chinese_postal_address_may_be_broken_anywhere(themed: Settings) -> None:
    desk = samples.retell(themed, "Harbour Brief, 1 Quay Street, Port Ellen", "港口简报，埃伦港码头街一号，" * 5)
    content = samples.issue(1)
    assert checks.check(content, press.render(content, desk, samples.LINKS, dated=samples.DATED), desk) == []
