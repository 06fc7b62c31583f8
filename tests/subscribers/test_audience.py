"""Whom an issue goes to, and the segments that narrow it."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from subscribers import audience, segments, subscribers, subscriptions, suppressions
from subscribers.errors import BadCondition, BadValue, NotFound, Refused
from subscribers.models import Subscription, SubscriptionState, SuppressionReason
from tests.support.keys import KEYRING


@pytest.fixture
def people(desk: Session, now: datetime) -> Session:
    """Return a transaction with six subscribers: 1 weekly, 2 both, 3 alerts, 4 left, 5 pending, 6 suppressed."""
    on = [["weekly"], ["weekly", "alerts"], ["alerts"], ["weekly"], ["weekly"], ["weekly", "alerts"]]
    for number, names in enumerate(on, 1):
        country = "DE" if number % 2 else "FR"
        subscribers.add(
            desk, f"r{number}@example.com", lists=names, country=country, topics=["energy"], keyring=KEYRING, now=now
        )
    subscriptions.unsubscribe(desk, subscriber_id=4, list_id=1, method="link", now=now)
    desk.exec(select(Subscription).where(col(Subscription.subscriber_id) == 5)).one().state = SubscriptionState.PENDING
    suppressions.add(desk, "r6@example.com", reason=SuppressionReason.COMPLAINT, source="", now=now)
    suppressions.add(desk, "r1@example.com", reason=SuppressionReason.MANUAL, source="", now=now)
    suppressions.lift(desk, "r1@example.com", by="kim", now=now)
    segments.create(desk, "german", "country = 'DE'", now=now)
    segments.create(desk, "french", "country = 'FR'", now=now)
    segments.create(desk, "alerted", "lists has 'alerts'", now=now)
    desk.flush()
    return desk


@pytest.mark.parametrize(
    ("lists", "chosen", "pairs"),
    [
        (["weekly"], [], [(1, 1), (2, 1)]),
        (["weekly", "alerts"], [], [(1, 1), (2, 1), (3, 2)]),
        (["alerts", "weekly"], [], [(1, 1), (2, 2), (3, 2)]),
        (["alerts", "weekly", "alerts"], ["german"], [(1, 1), (3, 2)]),
        (["weekly", "alerts"], ["german", "french"], [(1, 1), (2, 1), (3, 2)]),
        (["weekly"], ["alerted"], [(2, 1)]),
        (["alerts"], ["french"], [(2, 2)]),
    ],
)
def test_the_audience_is_each_confirmed_reader_once_by_the_first_list_named(
    people: Session, now: datetime, lists: Sequence[str], chosen: Sequence[str], pairs: list[tuple[int, int]]
) -> None:
    query = audience.choose(people, lists=lists, segments=chosen, now=now)
    assert sorted((row.subscriber_id, row.list_id) for row in people.execute(query)) == pairs


def test_whom_one_list_must_not_mail_gets_the_copy_by_the_next(people: Session, now: datetime) -> None:
    suppressions.add(people, "r2@example.com", reason=SuppressionReason.MANUAL, source="", list="weekly", now=now)
    suppressions.add(people, "r3@example.com", reason=SuppressionReason.MANUAL, source="", list="weekly", now=now)
    for lists, pairs in {("weekly",): [(1, 1)], ("weekly", "alerts"): [(1, 1), (2, 2), (3, 2)]}.items():
        query = audience.choose(people, lists=lists, now=now)
        assert sorted((row.subscriber_id, row.list_id) for row in people.execute(query)) == pairs


def test_unknown_names_are_not_found(people: Session, now: datetime) -> None:
    with pytest.raises(NotFound, match="no list 'weakly'; did you mean weekly"):
        audience.choose(people, lists=["weekly", "weakly"], segments=[], now=now)
    with pytest.raises(NotFound, match="no segment 'germen'; did you mean german"):
        audience.choose(people, lists=["weekly"], segments=["germen"], now=now)
    with pytest.raises(Refused, match="no list is named"):
        audience.choose(people, lists=[], segments=[], now=now)


def test_a_segment_is_kept_as_written_counted_and_forgotten(people: Session, now: datetime) -> None:
    made = segments.create(people, "germans-here", "  country = 'DE' and topics has 'energy' ", now=now)
    assert made.condition == "country = 'DE' and topics has 'energy'"
    assert segments.count(people, "germans-here", now) == 3
    assert [each.name for each in segments.all(people)] == ["alerted", "french", "german", "germans-here"]
    segments.delete(people, "germans-here")
    with pytest.raises(NotFound):
        segments.get(people, "germans-here")
    with pytest.raises(NotFound):
        segments.delete(people, "germans-here")


def test_a_bad_segment_is_not_kept(people: Session, now: datetime) -> None:
    before = segments.all(people)
    with pytest.raises(BadCondition, match="did you mean country"):
        segments.create(people, "new", "countri = 'DE'", now=now)
    with pytest.raises(BadValue, match="a segment's name"):
        segments.create(people, "New One", "country = 'DE'", now=now)
    with pytest.raises(Refused, match="german exists already"):
        segments.create(people, "german", "country = 'AT'", now=now)
    assert segments.all(people) == before
