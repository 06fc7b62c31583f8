"""Following feeds: by address, by the page that names one, by an OPML document; and how they do."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter import db
from newsletter.discovery import feeds, health, outlines, pages, parsing
from newsletter.discovery.health import Health
from newsletter.discovery.models import FeedState
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.fetching import Client
from tests.discovery.publisher import Publisher, Reply, item, rss

PAGE = b"""<!doctype html><html><head><title>Site</title>
<link rel="stylesheet" href="/style.css"><link rel="alternate" hreflang="de" href="/de">
<link rel="Alternate" type="application/rss+xml; charset=utf-8" title="News &amp; more" href="/rss.xml">
%s</head></html>"""
MORE = b"<link rel='alternate' type='application/feed+json' href='/feed.json' title='JSON'>"


def find(url: str, client: Client) -> pages.Found:
    return pages.find(url, client=client, parsers=parsing.shared())


def test_the_feed_of_a_page_is_the_one_that_the_page_names(publisher: Publisher, client: Client) -> None:
    publisher.replies |= {"/": Reply(PAGE % b""), "/rss.xml": Reply(rss(item(1)))}
    assert find(publisher.url, client) == pages.Found(url=f"{publisher.url}/rss.xml", title="The wire")
    assert find(f"{publisher.url}/rss.xml", client).url == f"{publisher.url}/rss.xml"


def test_a_page_that_names_several_feeds_leaves_the_choice(publisher: Publisher, client: Client) -> None:
    publisher.replies["/"] = Reply(PAGE % MORE)
    with pytest.raises(Refused) as caught:
        find(publisher.url, client)
    assert f"{publisher.url}/rss.xml  News & more\n  {publisher.url}/feed.json  JSON" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"plain words", b"<html></html>", b"<link rel=alternate href=/x>"])
def test_a_page_that_names_none_is_refused(publisher: Publisher, client: Client, body: bytes) -> None:
    publisher.replies["/"] = Reply(body)
    with pytest.raises(BadInput, match="names none"):
        find(publisher.url, client)


def test_a_page_that_does_not_answer_is_refused(publisher: Publisher, client: Client) -> None:
    with pytest.raises(BadInput, match="answers 404"):
        find(f"{publisher.url}/none", client)
    with pytest.raises(BadInput, match="not on the public internet"):
        find(publisher.url, Client(ports=None))


def test_a_feed_is_followed_once_and_can_be_changed_paused_and_removed(engine: Engine, now: datetime) -> None:
    with db.transaction(engine) as session:
        made = feeds.add(session, "https://a.example/feed", now=now)
        assert (made.name, made.state, made.due_at) == ("a.example", FeedState.FOLLOWED, now)
        with pytest.raises(Refused, match="followed already"):
            feeds.add(session, "https://a.example/feed", now=now)
        feeds.read(session, rss(item(1)), url="https://a.example/feed", now=now)
        changed = feeds.edit(session, made.id, name="A", every=90, state=FeedState.PAUSED, now=now)
        assert (changed.name, changed.every, changed.state) == ("A", 90, FeedState.PAUSED)
        assert feeds.due(session, now=now) == []
        with pytest.raises(BadInput, match="every 5 minutes is not offered"):
            feeds.edit(session, made.id, every=5, now=now)
        moved = feeds.edit(session, made.id, url="https://b.example/feed", now=now)
        assert (moved.url, moved.state, moved.items) == ("https://b.example/feed", FeedState.FOLLOWED, 1)
        assert feeds.remove(session, made.id, now=now) == 1
        assert feeds.all(session) == []
        with pytest.raises(NotFound):
            feeds.get(session, made.id)
        again = feeds.add(session, "https://b.example/feed", now=now)
        assert (again.id, again.items) == (made.id, 1)


def test_feeds_go_out_as_opml_and_come_back(engine: Engine, now: datetime) -> None:
    with db.transaction(engine) as session:
        for name in ("Æ & <b>", "Second"):
            feeds.add(session, f"https://{name[0].lower().replace('æ', 'a')}.example/?a=1&b=2", name=name, now=now)
        kept = [(each.name, each.url) for each in feeds.all(session)]
        written = outlines.write(feeds.all(session), title="Harbour Brief", now=now)
        for each in feeds.all(session):
            feeds.remove(session, each.id, now=now)
        assert outlines.read(session, written, now=now) == outlines.Imported(added=2, already=0, unusable=())
        assert outlines.read(session, written, now=now) == outlines.Imported(added=0, already=2, unusable=())
        assert sorted((each.name, each.url) for each in feeds.all(session)) == sorted(kept)


def test_an_outline_in_folders_is_read_and_what_is_no_address_is_named(engine: Engine, now: datetime) -> None:
    text = b"""<opml version='1.0'><body><outline text='News'><outline text='A' xmlUrl='https://a.example/rss'/>
    <outline text='B' xmlUrl='javascript:alert(1)'/><outline text='no feed'/></outline></body></opml>"""
    with db.transaction(engine) as session:
        result = outlines.read(session, text, now=now)
        assert (result.added, result.unusable) == (1, ("javascript:alert(1)",))


@pytest.mark.parametrize(
    "data", [b"", b"words", b"<rss/>", b"<opml>", b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"]
)
def test_what_is_no_opml_is_refused(engine: Engine, now: datetime, data: bytes) -> None:
    with db.transaction(engine) as session, pytest.raises(BadInput, match="no OPML"):
        outlines.read(session, data, now=now)


def test_an_entity_of_an_outline_names_no_file(engine: Engine, now: datetime) -> None:
    text = b"""<!DOCTYPE opml [<!ENTITY a SYSTEM 'file:///etc/hostname'>]><opml><body>
    <outline text='x' xmlUrl='https://a.example/'>&a;</outline></body></opml>"""
    with db.transaction(engine) as session:
        outlines.read(session, text, now=now)
        assert [each.name for each in feeds.all(session)] == ["x"]


def test_a_feed_that_nobody_polls_is_told(engine: Engine, now: datetime) -> None:
    with db.transaction(engine) as session:
        made = feeds.add(session, "https://a.example/feed", now=now)
        assert [each.health for each in health.all(session, now=now)] == [Health.NEW]
        feeds.edit(session, made.id, state=FeedState.PAUSED, now=now)
        assert health.all(session, now=now + timedelta(days=9))[0].health is Health.PAUSED
