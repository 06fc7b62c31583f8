"""Selecting: what an issue has room for, and what is said of the rest."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from newsletter.editorial import format
from newsletter.editorial.document import Document
from newsletter.issues import choosing, issues, selecting
from newsletter.issues.issues import Words
from newsletter.issues.selecting import Room
from tests.issues.conftest import Approve
from tests.support.texts import briefing


def document(id: str, *, topics: str = "networks", longer: int = 1) -> Document:
    text = briefing(id).replace("topics: [networks]", f"topics: [{topics}]")
    return format.parse(
        text.replace("What to watch next\n", "What to watch next\n" + "\nAnother word. " * longer), where=id
    )


SHORT = [document("cranes"), document("grid", topics="energy"), document("ferries"), document("tugs", topics="law")]


@pytest.mark.parametrize(
    ("room", "left"),
    [
        (Room(), {}),
        (Room(items=2), {"ferries": "full (--limit 2)", "tugs": "full (--limit 2)"}),
        (Room(per_topic=1), {"ferries": "1 about networks already"}),
        (Room(per_topic=1, items=2), {"ferries": "full (--limit 2)", "tugs": "full (--limit 2)"}),
    ],
)
def test_what_has_no_room_is_named_with_the_reason(room: Room, left: dict[str, str]) -> None:
    selection = selecting.fit(SHORT, room)
    assert list(selection.left) == list(left)
    assert all(why in selection.left[name] for name, why in left.items())
    assert list(selection.picks) == [each.id for each in SHORT if each.id not in left]


def test_a_short_briefing_may_fit_after_a_long_one_and_the_first_always_does() -> None:
    one = selecting.reading(document("cranes"))
    long = document("dredging", longer=2_000)
    assert selecting.reading(long) == pytest.approx(one + 2 * 1_999 / 238, abs=0.1)
    selection = selecting.fit([document("cranes"), long, document("tugs")], Room(minutes=round(3 * one)))
    assert selection.picks == ("cranes", "tugs")
    assert "minutes to read (--max-minutes)" in selection.left["dredging"]
    assert selecting.fit([long, document("tugs")], Room(minutes=1)).picks == ("dredging",)


def test_what_waits_for_something_else_is_named_too(session: Session, approve: Approve, now: datetime) -> None:
    approve("taken"), approve("free"), approve("old", at=now - timedelta(days=9))
    approve("secret", extra=f"embargo: {(now + timedelta(hours=1)).isoformat()}\n")
    issue = issues.compose(session, ["taken"], words=Words(), actor="mara", now=now).id
    selection = choosing.choose(session, since=now - timedelta(days=2), now=now)
    assert selection.picks == ("free",)
    assert selection.left["taken"] == f"it is in issue {issue}"
    assert "embargo" in selection.left["secret"]
    assert set(selection.left) == {"taken", "secret"}
