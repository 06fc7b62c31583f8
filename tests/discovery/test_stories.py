"""Stories: what several sources tell is one line of the inbox, ranked, and decided of as one."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from newsletter import db
from newsletter.discovery import cleaning, feeds, inbox, ranking
from newsletter.discovery.memory import Memory, Past
from newsletter.discovery.models import ItemState, SourceItem
from newsletter.errors import BadInput, Refused
from tests.discovery.publisher import rss

FERRY = "Ferry company orders four hydrogen ships from Danish yard for northern islands"
AGAIN = "Danish yard to build four hydrogen ships for northern islands ferry company"
OTHER = "Parliament postpones vote about harbour fees until spring session"


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with db.transaction(engine) as session:
        yield session


def tell(session: Session, now: datetime, feed: str, *titles: str, link: str = "") -> None:
    entries = (f"<title>{each}</title><link>{link or f'https://{feed}/{hash(each)}'}</link>" for each in titles)
    feeds.read(session, rss(*entries), url=f"https://{feed}/feed", name=feed, now=now)


def stories(session: Session, now: datetime, *past: Past) -> list[ranking.Story]:
    return ranking.rank(inbox.waiting(session, now=now), Memory(past), now=now)


def test_one_story_of_two_sources_is_one_line_with_both(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", FERRY, OTHER)
    tell(session, now, "b.example", AGAIN)
    tell(session, now, "c.example", f"{FERRY} - report")
    found = {story.sources: story.title for story in stories(session, now)}
    assert found == {("a.example", "b.example", "c.example"): FERRY, ("a.example",): OTHER}


def test_one_page_in_two_feeds_is_one_story_whatever_the_titles(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", "One title", link="https://page.example/1?utm_source=a#top")
    tell(session, now, "b.example", "Quite another", link="https://PAGE.example/1?utm_source=b")
    (story,) = stories(session, now)
    assert story.sources == ("a.example", "b.example")


def test_two_stories_of_one_feed_stay_two(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", FERRY, AGAIN)
    assert len(stories(session, now)) == 2


def test_what_was_told_four_days_ago_is_another_story(session: Session, now: datetime) -> None:
    tell(session, now - timedelta(days=4), "a.example", FERRY)
    tell(session, now, "b.example", AGAIN)
    assert len(stories(session, now)) == 2


def test_two_clusters_that_meet_become_one(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", FERRY, OTHER)
    tell(session, now, "b.example", FERRY)
    tell(session, now, "c.example", OTHER)
    tell(session, now, "d.example", f"{FERRY} {OTHER}")
    clusters = {item.cluster_id for item in session.exec(select(SourceItem)) if item.title != OTHER}
    assert len(clusters) == 1


def test_fresh_stories_of_several_sources_come_first_and_told_ones_last(session: Session, now: datetime) -> None:
    tell(session, now - timedelta(hours=60), "a.example", "Old words from a harbour long ago nobody minds")
    tell(session, now, "b.example", OTHER)
    tell(session, now, "c.example", FERRY)
    tell(session, now, "d.example", AGAIN)
    told = Past(id="harbour-fees", topics=("ports",), title=OTHER, words=f"{OTHER}. The fees stay as they are.")
    found = stories(session, now, told)
    assert [story.title[:5] for story in found] == ["Ferry", "Old w", "Parli"]
    assert [story.covered for story in found] == ["", "", "harbour-fees"]


def test_topics_are_guessed_from_words_that_the_desk_used(session: Session) -> None:
    ships = Past(id="a", topics=("shipping",), title="Ferry lines buy ships", words="Ferry islands yard hydrogen ships")
    law = Past(id="b", topics=("law",), title="Parliament votes", words="Parliament vote spring session fees bill")
    memory = Memory([ships, law])
    assert memory.topics(FERRY) == ("shipping",)
    assert memory.topics(OTHER) == ("law",)
    assert memory.topics("Bakers of the town bake bread") == ()
    assert Memory([]).topics(FERRY) == ()


def test_a_decision_is_one_about_every_source_of_the_story(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", FERRY, OTHER)
    tell(session, now, "b.example", AGAIN)
    first = next(story for story in stories(session, now) if len(story.items) == 2)
    assert inbox.dismiss(session, [first.id], reason="not ours", actor="mara", now=now) == 2
    assert [story.title for story in stories(session, now)] == [OTHER]
    gone = inbox.get(session, first.items[1])
    assert (gone.state, gone.reason) == (ItemState.DISMISSED, "not ours")
    assert inbox.shortlist(session, [first.id], actor="mara", now=now) == 2
    assert stories(session, now)[0].state is ItemState.SHORTLISTED
    assert inbox.get(session, first.id).reason == ""


def test_a_snoozed_story_comes_back_when_its_time_has_come(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", FERRY)
    inbox.snooze(session, [1], until=now + timedelta(days=3), actor="mara", now=now)
    assert stories(session, now + timedelta(days=2)) == []
    assert [story.id for story in stories(session, now + timedelta(days=3))] == [1]


def test_what_nobody_looked_at_for_three_weeks_leaves(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", FERRY, OTHER)
    inbox.shortlist(session, [2], actor="mara", now=now)
    assert inbox.expire(session, now=now + timedelta(days=20)) == 0
    assert inbox.expire(session, now=now + timedelta(days=22)) == 1
    assert [story.id for story in stories(session, now)] == [2]


def test_a_decision_that_makes_no_sense_is_refused(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", FERRY)
    with pytest.raises(BadInput, match="needs its reason"):
        inbox.dismiss(session, [1], reason=" ", actor="mara", now=now)
    with pytest.raises(BadInput, match="is over"):
        inbox.snooze(session, [1], until=now, actor="mara", now=now)
    inbox.use(session, [inbox.get(session, 1).url], "ferries")
    with pytest.raises(Refused, match="item 1 is used by briefing ferries"):
        inbox.shortlist(session, [1], actor="mara", now=now)


def test_a_briefing_uses_the_page_that_it_cites_with_or_without_trackers(session: Session, now: datetime) -> None:
    tell(session, now, "a.example", FERRY, link="https://a.example/1?utm_source=rss")
    assert inbox.use(session, ["https://A.example/1#part"], "ferries") == 1


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("HTTPS://Example.COM:443/a?utm_source=x&b=2&a=1&fbclid=z#top", "https://example.com/a?b=2&a=1"),
        ("http://example.com", "http://example.com/"), ("http://example.com:8080/x", "http://example.com:8080/x"),
        ("https://example.com/?reference=1", "https://example.com/?reference=1"), ("javascript:x", ""),
        ("https://example.com:99999/", ""),
    ],
)  # fmt: skip
def test_two_links_to_one_page_have_one_canonical_address(given: str, canonical: str) -> None:
    assert cleaning.canonical(given) == canonical
