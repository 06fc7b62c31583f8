"""Arranging an issue: what is dropped, what is added, what comes first, and what its words make of that."""

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import audit, db
from newsletter.editorial import approvals, briefings, people
from newsletter.errors import BadInput, NewsletterError, NotFound, Refused
from newsletter.issues import arranging, contents, issues
from newsletter.issues.arranging import Arrangement
from newsletter.issues.issues import Words
from tests.issues.conftest import Approve, approved

ITEMS = ("cranes", "ferries", "tugs")


def arrange(
    session: Session, issue: int, now: datetime, *, words: dict[str, object] | None = None, **wish: Sequence[str]
) -> issues.IssueView:
    arrangement = Arrangement(**{name: tuple(given) for name, given in wish.items()})
    return issues.edit(session, issue, changes=words or {}, arrangement=arrangement, actor="mara", now=now)


@pytest.fixture
def issue(session: Session, approve: Approve, now: datetime) -> int:
    """Return an issue of three briefings, whose titles are their ids."""
    for name in ITEMS:
        approve(name, title=name.capitalize())
    return issues.compose(session, ITEMS, words=Words(), actor="mara", now=now).id


@pytest.mark.parametrize(
    ("wish", "result"),
    [
        (Arrangement(order=("3", "1", "2")), ("tugs", "cranes", "ferries")),
        (Arrangement(order=("tugs",)), ("tugs", "cranes", "ferries")),
        (Arrangement(drop=("2",), order=("3",)), ("tugs", "cranes")),
        (Arrangement(drop=("cranes", "ferries")), ("tugs",)),
        (Arrangement(add=("wharf",), drop=("1",)), ("ferries", "tugs", "wharf")),
        (Arrangement(add=("wharf",), order=("wharf", "2")), ("wharf", "ferries", "cranes", "tugs")),
        (Arrangement(drop=("1",), add=("cranes",), order=("1",)), ("cranes", "ferries", "tugs")),
    ],
)
def test_items_are_dropped_then_added_then_put_first(wish: Arrangement, result: tuple[str, ...]) -> None:
    assert tuple(arranging.arranged(ITEMS, wish, issue=7)) == result


def test_a_briefing_called_as_a_number_is_meant_before_the_number() -> None:
    assert arranging.arranged(["cranes", "ferries", "1"], Arrangement(order=("1",)), issue=7) == [
        "1", "cranes", "ferries"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "error", "said"),
    [
        (Arrangement(order=("4",)), NotFound, "issue 7 has no item '4'; it has: 1 cranes, 2 ferries, 3 tugs"),
        (Arrangement(order=("0",)), NotFound, "no item '0'"),
        (Arrangement(order=("",)), NotFound, "no item ''"),
        (Arrangement(order=("²",)), NotFound, "no item '²'"),
        (Arrangement(drop=("wharf",)), NotFound, "no item 'wharf'"),
        (Arrangement(drop=("2",), order=("2",)), NotFound, "no item '2'; it has: 1 cranes, 3 tugs"),
        (Arrangement(order=("1", "cranes")), BadInput, "--order names cranes twice"),
        (Arrangement(add=("tugs",)), Refused, "tugs is in issue 7 already; .*--order"),
        (Arrangement(drop=("1", "2", "3")), Refused, "newsletter issues cancel 7"),
    ],
)
def test_what_cannot_be_arranged_is_refused_by_name(wish: Arrangement, error: type[NewsletterError], said: str) -> None:
    with pytest.raises(error, match=said):
        arranging.arranged(ITEMS, wish, issue=7)


def test_an_arranged_issue_keeps_the_approved_hashes(session: Session, issue: int, now: datetime) -> None:
    assert arrange(session, issue, now, order=["3", "1"]).items == ("tugs", "cranes", "ferries")
    assert [(item.position, item.briefing_id, item.sha256) for item in issues.items(session, issue)] == [
        (position, name, briefings.get(session, name).approved_sha256)
        for position, name in enumerate(("tugs", "cranes", "ferries"), start=1)
    ]
    entry = audit.entries(session, "issue", issue)[-1]
    assert (entry.action, entry.detail["items"]) == ("edited", ["tugs", "cranes", "ferries"])


def test_words_that_nobody_wrote_follow_the_items(session: Session, issue: int, now: datetime) -> None:
    begins = "The story of {} begins with a tender that two harbours published together.".format
    assert issues.get(session, issue).preheader == begins("cranes")
    moved = arrange(session, issue, now, order=["tugs"])
    assert (moved.subject, moved.preheader) == ("Tugs", begins("tugs"))
    written = arrange(session, issue, now, drop=["tugs"], words={"subject": "The week in ports"})
    assert (written.subject, written.preheader) == ("The week in ports", begins("cranes"))
    assert arrange(session, issue, now, order=["ferries"]).subject == "The week in ports"


def test_a_briefing_is_added_only_when_it_is_approved_and_free(
    session: Session, issue: int, approve: Approve, now: datetime, tmp_path: Path
) -> None:
    approve("wharf"), approve("quay")
    other = issues.compose(session, ["quay"], words=Words(), actor="mara", now=now).id
    assert arrange(session, issue, now, add=["wharf"]).items == (*ITEMS, "wharf")
    briefings.new(session, "pier", folder=tmp_path / "briefings", author="mara", now=now)
    for name, error, said in (
        ("quay", Refused, f"already in issue {other}"), ("pier", Refused, "not approved"), ("dock", NotFound, "dock"),
    ):  # fmt: skip
        with pytest.raises(error, match=said):
            arrange(session, issue, now, add=[name])
    assert issues.get(session, issue).items == (*ITEMS, "wharf")
    arrange(session, issue, now, drop=["wharf"])
    assert issues.compose(session, ["wharf"], words=Words(), actor="mara", now=now).items == ("wharf",)


def test_a_text_that_was_approved_anew_comes_in_by_dropping_and_adding_it(
    session: Session, issue: int, now: datetime, tmp_path: Path
) -> None:
    file = tmp_path / "briefings" / "cranes.md"
    file.write_text(
        file.read_text("utf-8").replace("surprised", "pleased").replace("# Cranes", "# Cranes pay"), "utf-8"
    )
    briefings.refresh(session, tmp_path / "briefings", actor="mara", now=now)
    briefings.submit(session, "cranes", actor="mara", now=now)
    approvals.approve(session, "cranes", actor="jonas", solo=False, now=now)
    assert arrange(session, issue, now, order=["2", "1"]).subject == "Ferries"
    assert arrange(session, issue, now, order=["cranes"]).subject == "Cranes"  # the text that it took
    with pytest.raises(Refused, match="approved again with other words"):
        issues.verify(session, issue, now=now)
    view = arrange(session, issue, now, drop=["cranes"], add=["cranes"], order=["cranes"])
    assert (view.subject, view.items) == ("Cranes pay", ("cranes", "ferries", "tugs"))
    issues.verify(session, issue, now=now)


def test_no_more_items_may_lead_than_are_left(session: Session, issue: int, now: datetime) -> None:
    issues.edit(session, issue, changes={"by_topic": True, "leads": 3}, actor="mara", now=now)
    with pytest.raises(BadInput, match="--leads 2"), session.begin_nested():
        arrange(session, issue, now, drop=["1"])
    assert arrange(session, issue, now, drop=["1"], words={"leads": 2}).items == ("ferries", "tugs")


def test_a_frozen_issue_keeps_its_items(session: Session, issue: int, now: datetime) -> None:
    contents.freeze(session, contents.read(session, issue, now=now), rendering="a" * 64, actor="mara", now=now)
    with pytest.raises(Refused, match=f"issue {issue} is frozen and says what it says"):
        arrange(session, issue, now, order=["3"])


def test_an_editor_waits_while_another_step_looks_at_the_issue(engine: Engine, now: datetime, tmp_path: Path) -> None:
    with db.transaction(engine) as session:
        issue = _composed(session, tmp_path, now)
    seen: list[tuple[str, ...]] = []

    def drop() -> None:
        with db.transaction(engine) as session:
            seen.append(arrange(session, issue, now, drop=["tugs"]).items)

    editor = threading.Thread(target=drop)
    with db.transaction(engine) as session:
        issues.verify(session, issue, now=now)
        editor.start()
        editor.join(0.3)
        assert not seen
        assert issues.get(session, issue).items == ITEMS
    editor.join(10)
    assert seen == [ITEMS[:2]]


def _composed(session: Session, tmp_path: Path, now: datetime) -> int:
    for handle in ("mara", "jonas"):
        people.add(session, handle, now=now)
    for name in ITEMS:
        approved(session, tmp_path / "briefings", name, at=now)
    return issues.compose(session, ITEMS, words=Words(), actor="mara", now=now).id
