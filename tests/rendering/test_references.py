"""Each link of the plain text stands once, and every number that a reader meets has its address."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from newsletter.issues.content import IssueContent, Terms
from newsletter.issues.traits import Traits
from newsletter.rendering import press, references
from newsletter.rendering.press import Rendered
from newsletter.settings import Settings
from tests.rendering import samples

GRID = "https://grid.example/register"


def item(**said: object) -> SimpleNamespace:
    """Return an item that says so little that its links are told by hand."""
    words = {"introduction": "", "key_points": (), "why_it_matters": "", "buyer_relevance": "", "related": ()}
    return SimpleNamespace(**{**words, "url": "https://a.example/1", "original": "https://s.example/1", **said})


def test_an_address_has_one_number_and_is_told_once() -> None:
    refer = references.of({})
    assert [refer.mark(GRID), refer.mark("https://b.example"), refer.mark(GRID)] == ["[1]", "[2]", "[1]"]
    assert [(each.number, each.url) for each in refer.here()] == [(1, GRID), (2, "https://b.example")]
    assert refer.here() == refer.rest() == []


def test_what_two_items_link_to_and_every_source_are_told_at_the_end() -> None:
    one, other = item(introduction=f"[grid]({GRID})"), item(url="https://a.example/2", buyer_relevance=f"<{GRID}>")
    refer = references.of({"items": [one, other], "credits": [SimpleNamespace(url="https://s.example/1")]})
    for url in (GRID, one.url, one.original):
        refer.mark(url)
    assert [each.url for each in refer.here()] == [one.url]
    assert refer.entry("Some journal", one.original) == "[3] Some journal\n    https://s.example/1"
    assert [each.url for each in refer.rest()] == [GRID]


@pytest.mark.parametrize(
    ("words", "url", "said"),
    [
        ("the register", GRID, "the register [1]"),
        ("", GRID, "grid.example/register [1]"),
        ("", f"{GRID}/{'long/' * 20}", "grid.example [1]"),
        ("", "desk@grid.example", "desk@grid.example [1]"),
    ],
)
def test_a_link_is_its_words_and_a_number(words: str, url: str, said: str) -> None:
    assert references.of({}).link(words, url) == said


def test_a_finished_text_is_read_back() -> None:
    text = (
        "See [9].\n\n[2] https://a.example/x\n[10] A long name\n    of a source\n    https://b.example\n\n[3] words\nno"
    )
    assert references.read(text) == {2: "https://a.example/x", 10: "https://b.example"}


@pytest.mark.parametrize("items", [1, 3, 12])
def test_every_number_has_its_address_and_every_address_of_the_html_one_number(desk: Settings, items: int) -> None:
    made = press.render(samples.issue(items), desk, samples.LINKS, dated=samples.DATED)
    told = references.read(made.text)
    assert {int(number) for number in re.findall(r"\[(\d+)\]", made.text)} == set(told) == set(range(1, len(told) + 1))
    hrefs = {url.replace("&amp;", "&") for url in re.findall(r'href="([^"]+)"', made.html)}
    assert set(told.values()) == {re.sub(r"^mailto:([^?]*).*", r"\1", url) for url in hrefs}
    for url in told.values():
        assert len(re.findall(re.escape(url) + r"(?![\w/?-])", made.text)) == 1


def test_an_issue_of_two_items_that_link_to_one_page_tells_it_at_the_end(
    desk: Settings, content: IssueContent, rendered: Rendered
) -> None:
    both = replace(samples.COLD, buyer_relevance=f"See the [register]({GRID}).")
    items = (samples.item(1, samples.CRANES), samples.item(2, both))
    text = press.render(replace(content, items=items), desk, samples.LINKS).text
    end = text.index("SOURCES OF THIS ISSUE")
    assert text.index(GRID + "\n") > end
    assert rendered.text.index(GRID + "\n") < rendered.text.index("SOURCES OF THIS ISSUE")


@pytest.mark.parametrize("topics", [(), ("ports",), ("cold chain",), ("routes",), ("ports", "routes")])
@pytest.mark.parametrize("audience", ["", "buyer"])
def test_whatever_a_reader_is_shown_no_number_is_without_its_address(
    themed: Settings, topics: tuple[str, ...], audience: str
) -> None:
    grid = f"See the [register]({GRID})."
    told = (
        replace(samples.CRANES, topics=("ports",), audience=("buyer",), buyer_relevance=grid),
        replace(samples.COLD, topics=("cold chain",), why_it_matters=grid, sources=samples.CRANES.sources),
        replace(samples.FEES, topics=("routes",), audience=("engineer",)),
    )
    items = tuple(samples.item(place, each) for place, each in enumerate(told, start=1))
    content = replace(samples.issue(0), items=items, terms=Terms(by_topic=True, by_audience=True))
    traits = Traits(email="ada@reader.example", topics=topics, audience=audience)
    text = press.render(content, themed, samples.LINKS).own(samples.VALUES, traits).text
    told_here = references.read(text)
    met = {int(number) for number in re.findall(r"(?<!^)\[(\d+)\]", text, re.MULTILINE)}
    assert met
    assert met <= set(told_here)
    assert len(set(told_here.values())) == len(told_here)
