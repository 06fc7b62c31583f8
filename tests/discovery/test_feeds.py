"""Feeds: what documents of the world really hold, read into source items that are safe to show."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from newsletter import db
from newsletter.demo import samples
from newsletter.discovery import feeds, inbox
from newsletter.discovery.models import Feed, ItemState, SourceItem
from newsletter.errors import BadInput

URL = "https://wire.example.org/feed.xml"


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with db.transaction(engine) as session:
        yield session


def rss(*items: str, head: str = "<title>The wire</title>") -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>{head}{body}</channel></rss>".encode()


def read(session: Session, data: bytes, now: datetime, **more: str) -> feeds.FeedRead:
    return feeds.read(session, data, now=now, **{"url": URL, **more})


def only(session: Session) -> SourceItem:
    return session.exec(select(SourceItem)).one()


def link(number: int) -> str:
    guid = f"<guid isPermaLink='false'>g{number}</guid>"
    return f"<title>Story {number}</title><link>https://example.com/{number}</link>{guid}"


def test_a_feed_is_read_once_and_then_finds_nothing_new(session: Session, now: datetime) -> None:
    data = samples.feed(now)
    first = read(session, data, now, name="Sample wire")
    assert first == feeds.FeedRead(feed="Sample wire", found=8, new=8, already=0)
    assert read(session, data, now, name="Sample wire") == feeds.FeedRead(feed="Sample wire", found=8, new=0, already=8)
    assert len(session.exec(select(SourceItem)).all()) == 8
    assert [(feed.name, feed.url, feed.items, feed.read_at) for feed in feeds.all(session)] == [
        ("Sample wire", URL, 8, now)
    ]


def test_an_item_that_was_dismissed_or_used_does_not_return(session: Session, now: datetime) -> None:
    read(session, rss(link(1), link(2)), now)
    session.execute(update(SourceItem).where(col(SourceItem.identity) == "g1").values(state=ItemState.DISMISSED))
    assert inbox.use(session, ["https://example.com/2"], "some-briefing") == 1
    again = read(session, rss(link(1), link(2).replace("Story", "Changed story"), link(3)), now)
    assert (again.new, again.already) == (1, 2)
    states = {item.identity: item.state for item in session.exec(select(SourceItem))}
    assert states == {"g1": ItemState.DISMISSED, "g2": ItemState.USED, "g3": ItemState.NEW}


def test_a_feed_s_name_is_given_or_its_title_or_its_host(session: Session, now: datetime) -> None:
    assert read(session, rss(link(1)), now).feed == "The wire"
    assert read(session, rss(link(1)), now, name="Our wire").feed == "Our wire"
    assert read(session, rss(link(1)), now).feed == "Our wire"
    assert read(session, rss(link(1), head=""), now, url="https://other.example/rss").feed == "other.example"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"hello", b"<html><head><title>A page</title></head><body>no feed</body></html>", b"{}", b"\x00\xff\xfe",
        b"/etc/passwd", b"https://example.com/feed",
    ],
)  # fmt: skip
def test_what_is_no_feed_is_refused_and_leaves_nothing(session: Session, now: datetime, data: bytes) -> None:
    with pytest.raises(BadInput, match="no RSS or Atom feed"):
        read(session, data, now)
    assert feeds.all(session) == []


def test_bytes_that_name_a_file_are_not_opened(session: Session, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_bytes(rss(link(1)))
    with pytest.raises(BadInput):
        read(session, str(path).encode(), now)


@pytest.mark.parametrize(
    "url", ["", "feed.xml", "file:///etc/passwd", "javascript:alert(1)", "https://[x", "http://a b/"]
)
def test_an_address_that_is_none_is_refused(session: Session, now: datetime, url: str) -> None:
    with pytest.raises(BadInput, match="is no feed's address"):
        read(session, rss(link(1)), now, url=url)


def test_a_document_that_is_too_large_is_refused(session: Session, now: datetime) -> None:
    with pytest.raises(BadInput, match="may have 8388608"):
        read(session, b" " * (feeds.LARGEST + 1), now)


def test_only_the_first_five_hundred_entries_are_taken(session: Session, now: datetime) -> None:
    result = read(session, rss(*(link(number) for number in range(510))), now)
    assert (result.found, result.new) == (500, 500)


def test_a_feed_that_breaks_off_is_read_as_far_as_it_goes_and_says_so(session: Session, now: datetime) -> None:
    whole = rss(*(link(number) for number in range(10)))
    result = read(session, whole[: whole.index(b"Story 6")], now)
    assert result.degraded
    assert result.new == 6 or result.found >= 6
    assert read(session, whole, now).new == 10 - result.new


def test_a_guessed_encoding_is_no_fault(session: Session, now: datetime) -> None:
    assert read(session, rss(link(1)), now).degraded == ""


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Prices &amp;amp; dates", "Prices & dates"),
        ("&lt;b&gt;Bold&lt;/b&gt; news", "Bold news"),
        ("News &lt;script&gt;alert(1)&lt;/script&gt;today", "News today"),
        ("<![CDATA[A <em>close</em> look]]>", "A close look"),
        ("Two\n   lines\tand &#x202e;more", "Two lines and more"),
        ("Line&#x2028;separator", "Line separator"),
        ("1 &lt; 2 and 3 &gt; 2", "1 < 2 and 3 > 2"),
        ("x" * 600, "x" * 499 + "…"),
    ],
)
def test_a_title_is_plain_text_of_one_line(session: Session, now: datetime, title: str, shown: str) -> None:
    read(session, rss(f"<title>{title}</title><link>https://example.com/1</link>"), now)
    assert only(session).title == shown


def test_a_summary_is_plain_text_and_keeps_its_words_apart(session: Session, now: datetime) -> None:
    html = "&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;br&gt;Three &lt;a href='javascript:x'&gt;four&lt;/a&gt;&lt;/p&gt;"
    read(session, rss(f"{link(1)}<description>{html}</description>"), now)
    assert only(session).summary == "One Two Three four"


def test_a_long_summary_is_cut(session: Session, now: datetime) -> None:
    read(session, rss(f"{link(1)}<description>{'word ' * 10_000}</description>"), now)
    assert len(only(session).summary) <= 20_000


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "ftp://example.com/a", "h" * 3000])
def test_a_link_that_is_no_web_address_is_left_out(session: Session, now: datetime, address: str) -> None:
    assert (
        read(session, rss(f"<title>Story</title><link>{address}</link><guid isPermaLink='false'>g</guid>"), now).new
        == 1
    )
    found = only(session).url
    assert found == "" or found.startswith("https://wire.example.org/")


def test_a_relative_link_is_taken_from_the_feed_s_address(session: Session, now: datetime) -> None:
    read(session, rss("<title>Story</title><link>/story/1</link>"), now)
    assert only(session).url == "https://wire.example.org/story/1"


def test_an_entry_without_title_and_link_is_counted_as_unusable(session: Session, now: datetime) -> None:
    result = read(session, rss("<description>words</description>", link(1)), now)
    assert (result.found, result.new, result.unusable) == (2, 1, 1)


def test_entries_that_share_an_id_are_kept_apart_by_their_link(session: Session, now: datetime) -> None:
    items = [link(number).replace(f"g{number}", "same") for number in (1, 2)]
    assert read(session, rss(*items, items[0]), now).new == 2
    assert read(session, rss(*items), now).new == 0


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("Mon, 26 Oct 2026 08:30:00 +0100", datetime(2026, 10, 26, 7, 30, tzinfo=UTC)),
        ("2099-01-01T00:00:00Z", datetime(2026, 11, 2, 9, tzinfo=UTC)),
        ("1767225600", None),
        ("soon", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("", None),
    ],
)
def test_a_date_is_sane_or_unknown_and_kept_as_given(
    session: Session, now: datetime, given: str, stored: datetime | None
) -> None:
    read(session, rss(f"{link(1)}<pubDate>{given}</pubDate>"), now)
    item = only(session)
    assert (item.published, item.published_as_given, item.found_at) == (stored, given, now)


def test_an_atom_entry_that_only_says_updated_has_that_date(session: Session, now: datetime) -> None:
    entry = "<entry><id>a</id><title>A</title><updated>2026-10-30T10:00:00Z</updated></entry>"
    read(session, f"<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{entry}</feed>".encode(), now)
    assert only(session).published == datetime(2026, 10, 30, 10, tzinfo=UTC)


def test_an_entity_that_names_a_file_is_not_resolved(session: Session, now: datetime) -> None:
    doctype = b"<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    head, _, rest = rss("<title>A &x; B</title><link>https://example.com/1</link>").partition(b"?>")
    read(session, head + b"?>" + doctype + rest, now)
    assert "root:" not in only(session).title


def test_two_feeds_may_bring_the_same_story(session: Session, now: datetime) -> None:
    read(session, rss(link(1)), now)
    assert read(session, rss(link(1)), now, url="https://other.example/rss").new == 1
    assert len(session.exec(select(Feed)).all()) == 2
