"""Reports: what the gate finds with the sources' words at hand, kept with each step as evidence."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from newsletter.editorial import approvals, briefings, gate, reports
from newsletter.editorial.gate import Severity, Stage
from newsletter.editorial.models import Approval, GateReport
from newsletter.editorial.reports import Report
from newsletter.errors import Blocked, NotFound, Refused
from tests.editorial.conftest import GOOD, Room
from tests.editorial.evidence import FIRST, PLAIN, SECOND, bring

LONG = " ".join(GOOD.what_happened.split()[:30])


def run(room: Room, **more: Any) -> Report:
    return reports.run(room.session, room.get(), now=room.now, **more)


def found(room: Room, **more: Any) -> set[tuple[str, str]]:
    return {(finding.rule, finding.severity.value) for finding in run(room, **more).findings}


def approve(room: Room, **more: Any) -> approvals.ApprovalView:
    return approvals.approve(room.session, "memory-prices", actor="jonas", solo=False, now=room.now, **more)


def test_a_text_without_its_sources_words_is_never_called_checked(room: Room) -> None:
    report = run(room)
    assert [(each.rule, each.severity) for each in report.findings] == [("O0", Severity.INFO)]
    assert report.findings[0].message.startswith("checked against 0 words of 0 of 2 sources; only a teaser or nothing")
    assert report.against == "checked against 0 words of 0 of 2 sources"


def test_with_all_words_at_hand_it_says_how_many(room: Room) -> None:
    bring(room.session, PLAIN)
    bring(room.session, PLAIN, url=SECOND.url)
    report = run(room)
    assert "O0" not in {each.rule for each in report.findings}
    assert report.words > 2 * 200
    assert report.against == f"checked against {report.words} words of 2 of 2 sources"


@pytest.mark.parametrize(("words", "finding"), [(10, None), (14, ("O1", "warn")), (28, ("O1", "block"))])
def test_copied_words_warn_and_then_block(room: Room, words: int, finding: tuple[str, str] | None) -> None:
    bring(room.session, " ".join(LONG.split()[:words]) + " and so on.")
    assert {each for each in found(room) if each[0] == "O1"} == ({finding} if finding else set())


def test_a_copied_section_blocks_as_a_share_of_the_text_and_of_its_sentences(room: Room) -> None:
    bring(room.session, f"{GOOD.what_happened} {GOOD.why_it_matters}")
    assert found(room) >= {("O1", "block"), ("O2", "block"), ("O3", "block")}


def test_a_copied_sentence_warns(room: Room) -> None:
    bring(room.session, "One-year contracts can still be had, at the price of the list.")
    assert ("O3", "warn") not in found(room)
    near = (
        "One-year contracts, which were the rule until now, remain possible at list price and without a guaranteed day."
    )
    bring(room.session, near, title="Another")
    assert ("O3", "warn") in found(room)


def test_what_no_source_says_is_listed(room: Room) -> None:
    bring(room.session, PLAIN)
    room.write(what_happened=f"{GOOD.what_happened} “We will never sell by the year again,” says Kestrel, in 47 words.")
    room.refresh()
    told = {each.where: each.message for each in run(room).findings if each.rule in ("N1", "O4")}
    assert "47" in told["numbers"]
    assert "Kestrel" in told["names"]
    assert "We will never sell" in told["What happened"]


def test_the_first_teller_of_a_story_is_credited(room: Room) -> None:
    item = bring(room.session, PLAIN)
    item.upstream_name, item.upstream_url = "Harbour Post", "https://post.example.net/a"
    room.session.add(item)
    room.session.flush()
    assert ("A4", "warn") in found(room)
    credit = replace(SECOND, name="The Post", url="https://post.example.net/a")
    room.write(sources=(FIRST, SECOND, credit))
    room.refresh()
    assert ("A4", "warn") not in found(room)


def test_a_link_with_a_tracking_mark_still_finds_its_source(room: Room) -> None:
    room.write(sources=(replace(FIRST, url=f"{FIRST.url}?utm_source=rss"), SECOND))
    room.refresh()
    bring(room.session, PLAIN)
    report = run(room)
    assert report.sources[0]["words"] > 200
    assert ("A3", "warn") in found(room)


def test_an_item_with_a_tracking_mark_is_found_by_its_clean_address(room: Room) -> None:
    item = bring(room.session, PLAIN, url=f"{FIRST.url}?utm_source=rss")
    assert run(room).sources[0]["words"] == 0
    item.canonical = FIRST.url
    room.session.add(item)
    room.session.flush()
    assert run(room).sources[0]["words"] > 200


def test_a_story_that_was_sent_lately_is_told(room: Room) -> None:
    room.write(id="memory-again", related_pin=())
    room.refresh()
    approve(room)
    briefings.mark_sent(room.session, ["memory-prices"], issue_id=1, actor="ines", now=room.now)
    again = reports.run(room.session, room.get("memory-again"), now=room.now)
    told = {each.rule: each.message for each in again.findings}
    assert "stands behind briefing memory-prices too, sent on 2026-11-02" in told["X1"]
    assert "briefing memory-prices, sent on 2026-11-02, is nearly this text (1.00)" in told["X2"]
    later = reports.run(room.session, room.get("memory-again"), now=room.now + timedelta(days=181))
    assert {"X1", "X2"}.isdisjoint({each.rule for each in later.findings})


def test_submitting_approving_and_sending_keep_a_report(room: Room) -> None:
    view = approve(room)
    briefings.mark_sent(room.session, ["memory-prices"], issue_id=1, actor="ines", now=room.now)
    rows = room.session.exec(select(GateReport).order_by(GateReport.id)).all()  # type: ignore[arg-type]
    assert [(row.person, row.stage, row.rules) for row in rows] == [
        ("mara", Stage.CONTENT, gate.VERSION), ("jonas", Stage.CONTENT, gate.VERSION),
        ("ines", Stage.ISSUE, gate.VERSION),
    ]  # fmt: skip
    assert {row.sha256 for row in rows} == {view.sha256}
    assert room.session.exec(select(Approval.report)).one() == view.report == rows[1].id
    assert reports.newest(room.session, "memory-prices").id == rows[2].id
    kept = reports.of(room.session, "memory-prices", rows[1].id or 0)
    assert (kept.findings, kept.sources, kept.against) == (run(room).findings, run(room).sources, run(room).against)
    details = [entry.detail.get("report") for entry in briefings.history(room.session, "memory-prices")]
    assert details[1:] == [rows[0].id, rows[1].id, rows[2].id]


def test_a_report_is_only_found_under_its_own_briefing(room: Room) -> None:
    room.write(id="memory-again")
    room.refresh()
    with pytest.raises(NotFound, match="no report on briefing memory-again was kept yet"):
        reports.newest(room.session, "memory-again")
    with pytest.raises(NotFound, match=r"there is no report 1 on memory-again"):
        reports.of(room.session, "memory-again", 1)


def test_a_warning_that_the_desk_made_graver_blocks_until_it_is_sent(room: Room) -> None:
    item = bring(room.session, PLAIN)
    assert ("N1", "block") in found(room, block=("N1", "X3"))
    with pytest.raises(Blocked, match="block N1"):
        approve(room, block=("N1",))
    approve(room, block=("X3",))
    assert approvals.require(room.session, "memory-prices", now=room.now)
    item.summary = f"{PLAIN} None of it was true."
    room.session.add(item)
    room.session.flush()
    with pytest.raises(Refused, match="cannot go out: .* reads otherwise since the approval"):
        approvals.require(room.session, "memory-prices", now=room.now)


def test_a_source_that_changed_since_the_approval_warns(room: Room) -> None:
    item = bring(room.session, PLAIN)
    assert "X3" not in {rule for rule, _ in found(room)}
    approve(room)
    assert "X3" not in {rule for rule, _ in found(room)}
    item.title = "Correction: as the wire had it"
    room.session.add(item)
    room.session.flush()
    (drift,) = [each for each in run(room).findings if each.rule == "X3"]
    assert (drift.severity, drift.where) == (Severity.WARN, "sources 1")
    assert "was corrected by its publisher since the approval" in drift.message
    assert approvals.require(room.session, "memory-prices", now=room.now)


def test_a_text_approved_by_other_rules_is_held_against_todays(room: Room) -> None:
    view = approve(room)
    bring(room.session, GOOD.what_happened)
    assert approvals.require(room.session, "memory-prices", now=room.now) == view
    (row,) = room.session.exec(select(GateReport).where(GateReport.id == view.report)).all()
    row.rules = "older"
    room.session.add(row)
    room.session.flush()
    with pytest.raises(Refused, match="words in a row are source 1's"):
        approvals.require(room.session, "memory-prices", now=room.now)


def test_an_issue_tells_what_was_found_at_the_approval_and_what_changed_since(room: Room) -> None:
    item = bring(room.session, PLAIN)
    view = approve(room)

    def told() -> set[str]:
        found = reports.at_issue(room.session, "memory-prices", view.sha256, now=room.now)
        return {each.rule for each in found if each.severity is not Severity.INFO}

    assert told() == {"N1"}
    item.summary = GOOD.what_happened
    room.session.add(item)
    room.session.flush()
    assert told() == {"N1", "X3"}
