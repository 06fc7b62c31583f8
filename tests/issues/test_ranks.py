"""Ranks: what comes first in an issue that is composed of what waits."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from newsletter import audit
from newsletter.editorial import decisions
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues import choosing, ranks
from newsletter.issues.ranks import RankView
from newsletter.issues.selecting import Room
from tests.issues.conftest import Approve


def test_what_has_a_place_comes_there_then_the_highest_score_then_the_newest(
    session: Session, approve: Approve, now: datetime
) -> None:
    for days, name in enumerate(("ferries", "tugs", "cranes", "quay", "wharf")):
        approve(name, at=now - timedelta(days=days))
    assert choosing.choose(session, now=now).picks == ("ferries", "tugs", "cranes", "quay", "wharf")
    ranks.set(session, "quay", score=40, actor="mara", now=now)
    ranks.set(session, "wharf", score=90, actor="mara", now=now)
    assert choosing.choose(session, now=now).picks == ("wharf", "quay", "ferries", "tugs", "cranes")
    ranks.set(session, "cranes", place=1, actor="mara", now=now)
    ranks.set(session, "ferries", place=3, actor="mara", now=now)
    assert choosing.choose(session, now=now).picks == ("cranes", "wharf", "ferries", "quay", "tugs")
    three = choosing.choose(session, room=Room(items=3), now=now)  # what has a place has room before all others
    assert (three.picks, set(three.left)) == (("cranes", "wharf", "ferries"), {"quay", "tugs"})
    assert choosing.choose(session, room=Room(items=2), now=now).picks == ("cranes", "ferries")
    assert ranks.clear(session, "cranes", actor="mara", now=now) == ranks.NONE
    assert choosing.choose(session, now=now).picks == ("wharf", "quay", "ferries", "tugs", "cranes")


def test_a_rank_is_changed_in_part_and_on_record(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes")
    ranks.set(session, "cranes", score=0, actor="mara", now=now)
    found = ranks.set(session, "cranes", place=1, actor="jonas", now=now)
    assert ranks.all(session) == {"cranes": RankView(score=0, place=1, person="jonas", at=now)}
    assert (str(found), found.as_json()) == ("the lead, score 0", {"score": 0, "place": 1})
    ranks.clear(session, "cranes", actor="mara", now=now)
    ranks.clear(session, "cranes", actor="mara", now=now)
    entries = [entry for entry in audit.entries(session, "briefing", "cranes") if entry.action == "ranked"]
    assert [(entry.actor, entry.detail) for entry in entries] == [
        ("mara", {"score": 0, "place": None}), ("jonas", {"score": 0, "place": 1}),
        ("mara", {"score": None, "place": None}),
    ]  # fmt: skip


def test_what_cannot_be_ranked_is_refused(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes")
    for score, place in ((101, None), (-1, None), (None, 0)):
        with pytest.raises(BadInput, match="from 0 to 100|the lead is 1"):
            ranks.set(session, "cranes", score=score, place=place, actor="mara", now=now)
    with pytest.raises(NotFound, match="did you mean cranes"):
        ranks.set(session, "crane", score=1, actor="mara", now=now)
    decisions.spike(session, "cranes", reason="Old.", actor="jonas", now=now)
    with pytest.raises(Refused, match="is spiked, and no issue takes it"):
        ranks.set(session, "cranes", score=1, actor="mara", now=now)
