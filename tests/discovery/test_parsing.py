"""Documents of the world, parsed in a child process that may die of them."""

import json
import os
from datetime import UTC, datetime

import pytest

from newsletter.discovery import parsing
from newsletter.discovery.documents import Entry
from newsletter.discovery.parsing import Parsers
from newsletter.errors import BadInput
from tests.discovery.publisher import item, rss

URL = "https://wire.example.org/feed"


@pytest.fixture
def parsers() -> Parsers:
    return parsing.shared()


def test_a_document_of_each_kind_is_read_into_one_shape(parsers: Parsers) -> None:
    told = {"title": "A &amp; B", "link": "https://example.com/1"}
    atom = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><entry><id>1</id><title>A &amp; B</title>"
        "<link href='/1'/><updated>2026-10-30T10:00:00Z</updated><source><title>Up</title>"
        "<link href='https://up.example/'/></source></entry></feed>"
    )
    rdf = (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
        "<channel><title>F</title></channel>"
        f"<item><title>{told['title']}</title><link>{told['link']}</link></item></rdf:RDF>"
    )
    feed = {
        "version": "https://jsonfeed.org/version/1.1", "title": "F", "home_page_url": "https://example.com/",
        "items": [{"id": 1, "url": told["link"], "title": "A & B", "date_published": "2026-10-30T12:00:00+02:00",
                   "content_html": "<p>Words</p><script>x</script>"}],
    }  # fmt: skip
    for data in (atom, rdf, json.dumps(feed), rss(f"<title>{told['title']}</title><link>{told['link']}</link>")):
        document = parsers.parse(data.encode() if isinstance(data, str) else data, url="https://example.com/feed")
        (entry,) = document.entries
        assert (entry.title, entry.url, document.complaint) == ("A & B", told["link"], "")
    of_json = parsers.parse(json.dumps(feed).encode(), url=URL).entries[0]
    assert of_json == Entry(
        guid="1", url=told["link"], title="A & B", summary="Words",
        published=datetime(2026, 10, 30, 10, tzinfo=UTC), published_as_given="2026-10-30T12:00:00+02:00",
    )  # fmt: skip
    of_atom = parsers.parse(atom.encode(), url=URL).entries[0]
    assert (of_atom.upstream_name, of_atom.upstream_url) == ("Up", "https://up.example/")


def test_what_the_publisher_asks_for_is_read(parsers: Parsers) -> None:
    head = (
        "<title>F</title><ttl>90</ttl><skipHours><hour>0</hour><hour>24</hour></skipHours>"
        "<skipDays><day>Sunday</day><day>Someday</day></skipDays>"
    )
    assert parsers.parse(rss(item(1), head=head), url=URL).hints == {"ttl": [90], "hours": [0], "days": [6]}


@pytest.mark.parametrize("data", [b'{"version": "1"}', b'{"version"', b"{" * 9000, b"[1]", b'{"items": 4}'])
def test_json_that_is_no_feed_is_refused(parsers: Parsers, data: bytes) -> None:
    with pytest.raises(BadInput, match="no RSS or Atom feed"):
        parsers.parse(data, url=URL)


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16", "windows-1251"])
def test_a_charset_is_taken_from_the_document_whatever_the_server_says(parsers: Parsers, encoding: str) -> None:
    words = "Новости" if encoding == "windows-1251" else "Zürich, Ærø"
    data = rss(item(1, title=words)).decode().replace("utf-8", encoding).encode(encoding)
    document = parsers.parse(data, url=URL, content_type="text/xml")
    assert document.entries[0].title == words


def test_entities_that_grow_do_not_fill_the_memory(parsers: Parsers) -> None:
    layers = "".join(f"<!ENTITY x{n} '{f'&x{n - 1};' * 10}'>" for n in range(1, 10))
    doctype = f"<!DOCTYPE rss [<!ENTITY x0 'lol'>{layers}]>"
    data = rss(item(1, title="&x9;")).decode().replace("?>", f"?>{doctype}", 1).encode()
    try:
        assert len(parsers.parse(data, url=URL).entries[0].title) <= 500
    except BadInput as error:
        assert "cannot be read" in str(error)  # noqa: PT017


def test_an_author_that_stalls_the_parser_costs_a_child_and_nothing_else() -> None:
    alone = Parsers(most=1, cpu=1)
    stalls = rss(item(1, more=f"<author>{'a' * 120_000}</author>"))  # its pattern for addresses takes quadratic time
    with pytest.raises(BadInput, match="cannot be read within 1 seconds"):
        alone.parse(stalls, url=URL)
    assert len(alone.parse(rss(item(1)), url=URL).entries) == 1
    alone.close()


def test_a_child_that_is_killed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "WALL", 0.05)
    alone = Parsers(most=1)
    with pytest.raises(BadInput, match="cannot be read within"):
        alone.parse(rss(item(1)), url=URL)  # it takes longer than that to start
    monkeypatch.undo()
    assert len(alone.parse(rss(item(1)), url=URL).entries) == 1
    alone.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limits for a process")
def test_a_child_has_its_limits(parsers: Parsers) -> None:
    alone = Parsers(most=1)
    alone.parse(rss(item(1)), url=URL)
    child = alone._idle.get()
    assert child is not None
    limits = open(f"/proc/{child._process.pid}/limits").read()  # noqa: SIM115
    assert f"Max address space         {parsing.MEMORY}" in limits
    assert f"Max open files            {parsing.FILES}" in limits
    child.end()


def test_ten_thousand_entries_are_cut_to_the_newest(parsers: Parsers) -> None:
    document = parsers.parse(rss(*(item(number) for number in range(10_000))), url=URL)
    assert (len(document.entries), document.entries[0].title) == (500, "Story 0")
