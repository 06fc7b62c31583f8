"""Triage: decisions of what was seen, and the way back from each."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db
from newsletter.discovery import feeds, inbox, ranking, triage
from newsletter.discovery.memory import Memory
from newsletter.discovery.models import ItemState
from newsletter.errors import Refused
from tests.discovery.publisher import item, rss


@pytest.fixture
def session(engine: Engine, now: datetime) -> Iterator[Session]:
    """Return an open transaction at a desk with three stories, the first of them on two feeds' pages."""
    with db.transaction(engine) as session:
        for name, numbers in (("wire", (1, 2, 3)), ("post", (1,))):
            read = rss(*(item(number) for number in numbers))
            feeds.read(session, read, url=f"https://{name}.example/f", name=name, now=now)
        yield session


def decide(session: Session, story: int, to: ItemState, *, now: datetime, **more: str) -> triage.Decision:
    seen, until = triage.held(session, story), now + timedelta(days=1)
    return triage.decide(session, story, to, seen=seen, until=until, actor="mara", now=now, **more)


def test_undoing_every_decision_leaves_the_inbox_as_it_was(session: Session, now: datetime) -> None:
    inbox.snooze(session, [2], until=now + timedelta(days=3), actor="jonas", now=now)
    before = [triage.held(session, story) for story in (1, 2, 3)]
    assert [each.id for each in before[0]] == [1, 4]
    made = [
        decide(session, 1, ItemState.SNOOZED, now=now),
        decide(session, 1, ItemState.DISMISSED, now=now, reason="old"),
        decide(session, 2, ItemState.DISMISSED, now=now, reason="old"),
        decide(session, 2, ItemState.SHORTLISTED, now=now),
        decide(session, 3, ItemState.DISMISSED, now=now, reason="thin"),
    ]
    assert triage.reasons(session)[:3] == ("old", "thin", "not our subject")
    assert {each.state for each in inbox.all(session)} == {ItemState.DISMISSED, ItemState.SHORTLISTED}
    assert [triage.undo(session, each) for each in reversed(made)] == [1, 1, 1, 2, 2]
    assert [triage.held(session, story) for story in (1, 2, 3)] == before


def test_what_another_decided_meanwhile_stands(session: Session, now: datetime) -> None:
    seen = triage.held(session, 1)
    inbox.shortlist(session, [1], actor="jonas", now=now)
    with pytest.raises(triage.Overtaken, match="item 1 was shortlisted by jonas meanwhile"):
        triage.decide(session, 1, ItemState.DISMISSED, seen=seen, reason="old", actor="mara", now=now)
    made = decide(session, 1, ItemState.DISMISSED, now=now, reason="old")
    inbox.shortlist(session, [1], actor="jonas", now=now)
    with pytest.raises(Refused, match="item 1 is shortlisted by jonas since; it is left so"):
        triage.undo(session, made)
    assert {each.handled_by for each in triage.held(session, 1)} == {"jonas"}


def test_a_walk_counts_the_last_decision_of_each_story(session: Session, now: datetime) -> None:
    walk = triage.Walk(ranking.rank(inbox.waiting(session, now=now), Memory([]), now=now))
    assert walk.told() == "0 seen"
    walk.seen.update(story.id for story in walk.stories)
    assert walk.told() == "3 seen: 3 left"
    first = walk.current
    assert first is not None
    for to in (ItemState.SHORTLISTED, ItemState.SNOOZED):
        walk.place = 0
        walk.keep(decide(session, first.id, to, now=now))
    assert (walk.place, walk.told()) == (1, "3 seen: 1 snoozed, 2 left")
    for _ in range(3):
        walk.forward()
    assert walk.place == 3
    walk.retrace(walk.decisions[-1])
    assert walk.current == first
    assert walk.told() == "3 seen: 1 shortlisted, 2 left"
    walk.back()
    assert walk.place == 0
