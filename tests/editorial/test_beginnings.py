"""Beginnings: what a briefing takes over from the stories that it begins from."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db
from newsletter.discovery import feeds, inbox
from newsletter.discovery.models import ItemState
from newsletter.editorial import beginnings, briefings, format
from newsletter.editorial.document import Citation, Role
from newsletter.errors import BadInput, Refused
from tests.discovery.publisher import item, rss
from tests.support.texts import briefing

FERRY = "Ferry company orders four hydrogen ships from Danish yard for northern islands"
AGAIN = "Danish yard to build four hydrogen ships for northern islands ferry company"
THIRD = "Danish yard wins order for four hydrogen ships of northern islands ferry company"
UPSTREAM = "<source url='https://yard.example/news.xml'>The Yard</source>"
DATE = "<pubDate>Mon, 02 Nov 2026 06:00:00 GMT</pubDate>"


@pytest.fixture
def session(engine: Engine, now: datetime) -> Iterator[Session]:
    """Return an open transaction on a desk whose wire and post tell the story of item 1, and whose wire has another."""
    with db.transaction(engine) as session:
        first = item(1, title=FERRY, more=f"{DATE}{UPSTREAM}").replace("com/1", "com/1?utm_source=feed&amp;page=2")
        read(session, "wire", first, item(2, title="Bakers bake less bread"), now=now)
        read(session, "post", item(3, title=AGAIN, more="<source url='https://wire.example/f'>Wire</source>"), now=now)
        yield session


def read(session: Session, name: str, *items: str, now: datetime) -> None:
    """Take in a document of a feed."""
    feeds.read(session, rss(*items), url=f"https://{name}.example/feed", name=name, now=now)


def test_every_source_of_a_story_is_credited_and_who_told_it_first(session: Session, now: datetime) -> None:
    found = beginnings.credits([inbox.story(session, 3), inbox.story(session, 2)])
    assert [(source.name, source.url, source.role) for source in found] == [
        ("post", "https://example.com/3", Role.DISCOVERY),
        ("wire", "https://example.com/1?page=2", Role.SECONDARY),
        ("wire", "https://example.com/2", Role.DISCOVERY),
        ("The Yard", "https://yard.example/news.xml", Role.PRIMARY),
    ]
    post, wire, _, yard = found
    assert (wire.title, wire.published, wire.retrieved) == (FERRY, now - timedelta(hours=3), now)
    assert (post.published, yard.title, yard.retrieved) == (None, "", None)


def test_one_page_in_two_feeds_is_one_source(session: Session, now: datetime) -> None:
    read(session, "copy", item(1, title=THIRD).replace("com/1", "com/1?page=2#top"), now=now)
    pages = [source.url for source in beginnings.credits([inbox.story(session, 1)]) if source.role is not Role.PRIMARY]
    assert pages == ["https://example.com/1?page=2", "https://example.com/3"]


def test_a_briefing_begins_with_its_sources_its_topics_and_its_claim(
    session: Session, tmp_path: Path, now: datetime
) -> None:
    words = briefing("ships", now=now).replace("[networks]", "[hydrogen]").replace("harbours", "hydrogen ships ferry")
    briefings.adopt(session, format.parse(words, where="ships"), folder=tmp_path, actor="mara", now=now)
    begun = beginnings.begin(session, [1, 3, 1], folder=tmp_path, author="mara", now=now)
    document = briefings.get(session, "ferry-company-orders-four-hydrogen-ships").document
    assert (begun.id, begun.path.name) == (document.id, f"{document.id}.md")
    assert (document.author, document.title, document.topics) == ("mara", "", ("hydrogen",))
    assert document.sources == begun.sources
    assert begun.unread == (Citation(name="The Yard", url="https://yard.example/news.xml", role=Role.PRIMARY),)
    for number in (1, 3):
        held = inbox.get(session, number)
        assert (held.state, held.by, held.briefing) == (ItemState.CLAIMED, "mara", document.id)
    assert inbox.get(session, 2).state is ItemState.NEW


def test_nobody_begins_from_what_another_has_claimed(session: Session, tmp_path: Path, now: datetime) -> None:
    beginnings.begin(session, [1], id="ferries", folder=tmp_path, author="mara", now=now)
    read(session, "late", item(9, title=THIRD), now=now)
    with pytest.raises(Refused, match="is claimed by mara for ferries.*newsletter inbox shortlist"):
        beginnings.begin(session, [4], id="ships", folder=tmp_path, author="jonas", now=now)


@pytest.mark.parametrize(
    ("title", "made"),
    [
        ("Łódź & Zürich: what's new in 2026?", "odz-zurich-whats-new-in-2026"),
        ("A " + "verylongword" * 12, ("a-" + "verylongword" * 12)[:80]),
    ],
)
def test_a_title_makes_an_id(title: str, made: str) -> None:
    assert beginnings.word(title) == made


def test_a_title_without_latin_letters_makes_none() -> None:
    with pytest.raises(BadInput, match="give one before --from"):
        beginnings.word("国产芯片完成预训练")
