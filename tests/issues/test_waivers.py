"""Waivers of issues: a reason to let a warning stand, for the issue as it reads; and what else an issue is held to."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from newsletter import audit
from newsletter.audit import AuditEntry
from newsletter.errors import Blocked, NotFound, Refused
from newsletter.issues import contents, corrections, issues, reports, waivers
from newsletter.issues.issues import Words
from newsletter.issues.models import Step
from tests.issues.conftest import Approve, approved


def compose(session: Session, now: datetime, *picks: str, actor: str = "mara") -> int:
    return issues.compose(session, picks, words=Words(), actor=actor, now=now).id


def freeze(session: Session, issue: int, now: datetime) -> None:
    contents.freeze(session, contents.read(session, issue, now=now), rendering="a" * 64, actor="mara", now=now)


def look(session: Session, issue: int, now: datetime, *, block: tuple[str, ...] = ()) -> dict[str, tuple[str, str]]:
    """Return severity and waiver by rule, as the start of a send sees them."""
    found = reports.run(session, contents.read(session, issue, now=now), Step.SEND, block=block, now=now).findings
    return {each.rule: (each.severity.value, each.waived) for each in found}


def sent(session: Session, folder: Path, now: datetime) -> None:
    """Let readers have the briefing older."""
    issue = compose(session, now, approved(session, folder, "older", at=now))
    freeze(session, issue, now)
    contents.begin_sending(session, issue, actor="mara", now=now)


def test_a_correction_that_waits_is_told_until_it_is_waived_or_sent(
    session: Session, approve: Approve, tmp_path: Path, now: datetime
) -> None:
    sent(session, tmp_path / "briefings", now)
    made = corrections.draft(session, "older", wrong="Two harbours.", right="Three.", actor="mara", now=now)
    issue = compose(session, now, approve("cranes"))
    assert "C1" not in look(session, issue, now)  # nobody said yes to it yet
    made = corrections.approve(session, made.id, solo=False, actor="jonas", now=now)
    assert look(session, issue, now) == {"C1": ("warn", "")}
    assert look(session, issue, now, block=("C1",)) == {"C1": ("block", "")}
    assert made.issue
    assert "C1" not in look(session, made.issue, now)  # the issue that carries it
    waiver = {"reason": "It goes out within the hour.", "now": now}
    for rule, person, told in (
        ("M2", "jonas", "rule M2 never warns"), ("T3", "jonas", "it finds nothing there"),
        ("C1", "mara", "they composed it"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=told):
            waivers.waive(session, issue, rule, actor=person, solo=False, **waiver)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="did you mean C1"):
        waivers.waive(session, issue, "c1", actor="jonas", solo=False, **waiver)  # type: ignore[arg-type]
    kept = waivers.waive(session, issue, "C1", actor="jonas", solo=False, **waiver)  # type: ignore[arg-type]
    pardon = "jonas: It goes out within the hour."
    assert (kept.solo, look(session, issue, now, block=("C1",))) == (False, {"C1": ("info", pardon)})
    with pytest.raises(Refused, match="waived already, by jonas"):
        waivers.waive(session, issue, "C1", actor="jonas", solo=False, **waiver)  # type: ignore[arg-type]
    assert audit.entries(session, "issue", issue)[-1].detail["rule"] == "C1"
    issues.edit(session, issue, changes={"preheader": "Other words"}, actor="mara", now=now)
    assert look(session, issue, now) == {"C1": ("warn", "")}
    assert [each.holds for each in waivers.all(session, issue, now=now)] == [False]
    alone = waivers.waive(session, issue, "C1", actor="mara", solo=True, **waiver)  # type: ignore[arg-type]
    assert alone.solo
    freeze(session, issue, now)
    contents.begin_sending(session, issue, actor="jonas", now=now)
    assert "waived: C1 (mara: It goes out within the hour.)" in str(reports.all(session, issue)[-1])
    with pytest.raises(Refused, match="nothing to waive any more"):
        waivers.waive(session, issue, "C1", actor="jonas", solo=False, **waiver)  # type: ignore[arg-type]


def test_nothing_is_sent_while_the_record_does_not_fit(session: Session, approve: Approve, now: datetime) -> None:
    issue = compose(session, now, approve("cranes"))
    freeze(session, issue, now)
    assert look(session, issue, now) == {}
    last = audit.entries(session, "issue", issue)[-1]
    session.add(  # by another hand, whose hash does not fit
        AuditEntry(
            at=now, actor="nobody", action="approved", kind="briefing", name="cranes", previous=last.sha256,
            sha256="f" * 64,
        )
    )  # fmt: skip
    session.flush()
    with pytest.raises(Blocked, match=r"block H1 audit: audit entry \d+ .* does not fit the chain"):
        contents.begin_sending(session, issue, actor="jonas", now=now)
