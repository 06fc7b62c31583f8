"""The inbox: what waits for an editor, and what a briefing has used."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, col

from newsletter import db
from newsletter.demo import samples
from newsletter.discovery import feeds, inbox
from newsletter.discovery.models import ItemState, SourceItem
from newsletter.errors import NotFound, Refused

URL = "https://wire.example.org/cloud/nordhafen-drops-exit-fees"


@pytest.fixture
def session(engine: Engine, now: datetime) -> Iterator[Session]:
    """Return an open transaction on a desk that has read the sample feed."""
    with db.transaction(engine) as session:
        feeds.read(session, samples.feed(now), url="https://wire.example.org/feed.xml", name="Wire", now=now)
        yield session


def test_items_come_newest_first(session: Session) -> None:
    found = inbox.all(session)
    assert [item.published for item in found] == sorted(item.published for item in found if item.published)[::-1]
    assert len(found) == 8


def test_an_item_says_what_the_feed_said(session: Session, now: datetime) -> None:
    item = next(item for item in inbox.all(session) if item.url == URL)
    assert inbox.get(session, item.id) == item
    assert (item.feed, item.state, item.briefing, item.found_at) == ("Wire", ItemState.NEW, "", now)
    assert item.title == "Nordhafen Cloud to drop exit fees for customers who leave"
    assert item.summary.startswith("The new price list waives")
    assert item.published is not None
    assert datetime.fromisoformat(item.published_as_given).astimezone(UTC) == item.published


def test_a_used_item_waits_no_longer_and_names_its_briefing(session: Session) -> None:
    assert inbox.use(session, [URL], "cloud-exit-fees") == 1
    assert inbox.use(session, [URL], "another-one") == 0
    assert URL not in [item.url for item in inbox.all(session, states=[ItemState.NEW])]
    (used,) = inbox.all(session, states=[ItemState.USED])
    assert (used.url, used.briefing) == (URL, "cloud-exit-fees")


def test_an_empty_address_uses_nothing(session: Session) -> None:
    session.execute(update(SourceItem).where(col(SourceItem.url) == URL).values(url=""))
    assert inbox.use(session, [""], "cloud-exit-fees") == 0


def test_an_unknown_item_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="newsletter inbox"):
        inbox.get(session, 4711)


def test_a_claim_keeps_an_item_until_it_is_released(session: Session, now: datetime) -> None:
    assert inbox.claim(session, [1, 2], briefing="fees", actor="mara", now=now) == 2
    assert inbox.standing(inbox.get(session, 1)) == "claimed by mara for fees"
    assert {item.id for item in inbox.waiting(session, now=now)} >= {1, 2}
    refused = "item 1 is claimed by mara for fees .* newsletter inbox shortlist 1"
    with pytest.raises(Refused, match=refused):
        inbox.claim(session, [3, 1], briefing="other", actor="jonas", now=now)
    with pytest.raises(Refused, match=refused):
        inbox.dismiss(session, [1], reason="old", actor="jonas", now=now)
    with pytest.raises(Refused, match=refused):
        inbox.snooze(session, [1], until=now + timedelta(days=1), actor="jonas", now=now)
    assert inbox.get(session, 3).state is ItemState.NEW
    inbox.shortlist(session, [1], actor="jonas", now=now)
    freed = inbox.get(session, 1)
    assert (freed.state, freed.by, freed.briefing) == (ItemState.SHORTLISTED, "jonas", "")
    assert inbox.release(session, "fees") == 1
    assert inbox.get(session, 2).state is ItemState.SHORTLISTED


def test_what_a_briefing_does_not_cite_any_more_is_back_on_the_shortlist(session: Session, now: datetime) -> None:
    inbox.claim(session, [1, 2], briefing="fees", actor="mara", now=now)
    one, two = (inbox.get(session, id).url for id in (1, 2))
    assert inbox.use(session, [one], "fees") == 1
    assert [inbox.get(session, id).state for id in (1, 2)] == [ItemState.USED, ItemState.SHORTLISTED]
    assert inbox.use(session, [two], "fees") == 1
    assert [inbox.get(session, id).state for id in (1, 2)] == [ItemState.SHORTLISTED, ItemState.USED]
