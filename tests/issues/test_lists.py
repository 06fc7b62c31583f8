"""Issues that are for a list: what one may take that another list had, and whom it goes to."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from newsletter import audit
from newsletter.delivery import planning
from newsletter.editorial import briefings, decisions
from newsletter.errors import Refused
from newsletter.issues import choosing, contents, issues
from newsletter.issues.issues import Words
from newsletter.issues.models import IssueState
from subscribers import lists
from subscribers.errors import NotFound
from tests.issues.conftest import Approve

WEEKLY, DAILY = "weekly", "daily"


@pytest.fixture(autouse=True)
def _two_lists(session: Session, now: datetime) -> None:
    for name in (WEEKLY, DAILY):
        lists.create(session, name, now=now)


def compose(session: Session, now: datetime, *picks: str, to: str = "") -> int:
    return issues.compose(session, picks, words=Words(), list_name=to, actor="mara", now=now).id


def sent(session: Session, now: datetime, issue: int) -> None:
    """Bring an issue to where readers have it."""
    content = contents.read(session, issue, now=now)
    contents.freeze(session, content, rendering="a" * 64, actor="mara", now=now)
    contents.begin_sending(session, issue, actor="mara", now=now)
    contents.close(session, issue, actor="mara", now=now)


def test_a_briefing_is_in_one_issue_of_each_list(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes"), approve("ferries")
    first = compose(session, now, "cranes", to=WEEKLY)
    second = compose(session, now, "cranes", to=DAILY)
    assert (issues.get(session, second).list, issues.get(session, second).as_json()["list"]) == (DAILY, DAILY)
    with pytest.raises(Refused, match=f"already in issue {first} for weekly .assembling.; pick another, or cancel"):
        compose(session, now, "cranes", to=WEEKLY)
    with pytest.raises(Refused, match="name the list that yours is for: --list LIST"):
        compose(session, now, "cranes")  # for all lists, so also for these
    everyone = compose(session, now, "ferries")
    with pytest.raises(Refused, match=f"already in issue {everyone} .assembling"):
        compose(session, now, "ferries", to=DAILY)
    with pytest.raises(NotFound, match="weekli.*weekly"):
        compose(session, now, "ferries", to="weekli")
    assert [entry.detail.get("list") for entry in audit.entries(session, "issue", second)] == [DAILY]


def test_what_another_list_had_is_news_to_a_list_that_had_it_not(
    session: Session, approve: Approve, now: datetime
) -> None:
    approve("old", at=now - timedelta(days=40)), approve("cranes", at=now - timedelta(days=3))
    sent(session, now - timedelta(days=2), compose(session, now, "cranes", "old", to=WEEKLY))
    approve("ferries", at=now - timedelta(days=1)), approve("tugs")
    waiting = compose(session, now, "tugs", to=DAILY)
    chosen = choosing.choose(session, list_name=DAILY, now=now)
    assert (chosen.picks, chosen.left) == (("ferries", "cranes"), {"tugs": f"it is in issue {waiting}"})
    assert choosing.choose(session, list_name=DAILY, since=now - timedelta(days=2), now=now).picks == ("ferries",)
    assert choosing.choose(session, list_name=DAILY, since=now - timedelta(days=50), now=now).picks == (
        "ferries", "cranes", "old",
    )  # fmt: skip
    assert choosing.choose(session, list_name=WEEKLY, now=now).picks == ("tugs", "ferries")
    assert choosing.choose(session, now=now).picks == ("ferries",)
    assert choosing.choose(session, list_name=DAILY, topic="energy", now=now).picks == ()


def test_a_text_that_readers_of_one_list_have_goes_to_another_without_a_new_yes(
    session: Session, approve: Approve, now: datetime, tmp_path: Path
) -> None:
    approve("cranes")
    first = compose(session, now, "cranes", to=WEEKLY)
    second = compose(session, now, "cranes", to=DAILY)
    sent(session, now, first)
    file = tmp_path / "briefings" / "cranes.md"
    file.write_text(file.read_text("utf-8").replace("surprised", "pleased"), "utf-8")
    found = briefings.refresh(session, tmp_path / "briefings", actor="mara", now=now)
    assert "other words than readers were given" in found[0].message
    sent(session, now, second)
    items = [issues.items(session, number)[0].sha256 for number in (first, second)]
    assert items == [briefings.get(session, "cranes").approved_sha256] * 2
    entries = [entry for entry in audit.entries(session, "briefing", "cranes") if entry.action == "sent"]
    assert [entry.detail["issue"] for entry in entries] == [first, second]


@pytest.mark.parametrize(("decide", "said"), [(decisions.correct, "found wrong"), (decisions.kill, "it is killed")])
def test_what_was_found_wrong_goes_to_no_other_list(
    session: Session, approve: Approve, now: datetime, decide: object, said: str
) -> None:
    approve("cranes"), approve("tugs")
    waiting = compose(session, now, "cranes", to=DAILY)
    sent(session, now, compose(session, now, "cranes", to=WEEKLY))
    decide(session, "cranes", reason="It was a fourth.", actor="jonas", now=now)  # type: ignore[operator]
    with pytest.raises(Refused, match=f"issue {waiting} cannot go on: briefing cranes.*{said}"):
        issues.verify(session, waiting, now=now)
    issues.cancel(session, waiting, actor="mara", now=now)
    with pytest.raises(Refused, match=said):
        compose(session, now, "cranes", to=DAILY)
    assert choosing.choose(session, list_name=DAILY, now=now).picks == ("tugs",)


def test_an_issue_changes_its_list_only_where_nobody_has_its_items(
    session: Session, approve: Approve, now: datetime
) -> None:
    approve("cranes"), approve("tugs")
    first, second = compose(session, now, "cranes", to=WEEKLY), compose(session, now, "cranes", to=DAILY)
    for name in (WEEKLY, ""):
        with pytest.raises(Refused, match=f"already in issue {first}"):
            issues.edit(session, second, changes={"list": name}, actor="mara", now=now)
    issues.cancel(session, first, actor="mara", now=now)
    assert issues.edit(session, second, changes={"list": WEEKLY}, actor="mara", now=now).list == WEEKLY
    with pytest.raises(NotFound):
        issues.edit(session, second, changes={"list": "weekli"}, actor="mara", now=now)
    assert issues.edit(session, second, changes={"list": ""}, actor="mara", now=now).list == ""


def test_an_issue_goes_to_its_list_and_to_no_other(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes")
    issue = compose(session, now, "cranes", to=WEEKLY)
    assert issues.lists_of(session, issue, []) == issues.lists_of(session, issue, [WEEKLY, WEEKLY]) == (WEEKLY,)
    with pytest.raises(Refused, match="composed for the list weekly, and cannot go to daily.*compose --list daily"):
        planning.plan(session, issue, lists=[WEEKLY, DAILY], segments=(), batch=10, actor="mara", now=now)
    assert issues.get(session, issue).state is IssueState.ASSEMBLING
    assert planning.find(session, issue) is None
