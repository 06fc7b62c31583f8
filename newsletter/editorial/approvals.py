"""The approval: a person's yes to one exact text, from somebody who had no hand in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from newsletter import audit
from newsletter.discovery import inbox
from newsletter.editorial import gate, hands, people, reports, standings
from newsletter.editorial.models import Approval, BriefingState
from newsletter.editorial.standings import HELD, Standing
from newsletter.errors import Blocked, Refused
from newsletter.rights import Right


@dataclass(frozen=True, kw_only=True)
class ApprovalView:
    """A yes: who gave it to which text; `solo` says that the same person had a hand in the text."""

    briefing: str
    revision: int
    sha256: str
    person: str
    solo: bool
    note: str
    at: datetime
    report: int | None


def approve(
    session: Session, id: str, *, actor: str, solo: bool, note: str = "", block: Collection[str] = (),
    rights: Sequence[Right] = (), now: datetime,
) -> ApprovalView:  # fmt: skip
    """Record the yes of a person to a briefing in review; Refused to whoever had a hand in it, unless `solo`.

    The gate's report on the text is kept with it; `block` names rules whose warnings block here, `rights` is the
    desk's table of what sources let it take.
    """
    here = standings.get(session, id)
    if here.state != BriefingState.IN_REVIEW:
        raise standings.refusal(here)
    people.require(session, actor)
    hand = hands.require_none(session, here, actor, f"approve briefing {id}", solo=solo)
    report = reports.run(session, here, block=block, rights=rights, now=now)
    if report.blocking:
        raise Blocked(f"briefing {id} cannot be approved as it stands; mend what blocks:", report.blocking)
    report = reports.keep(session, report, person=actor)
    standings.move(session, here, BriefingState.APPROVED, since=(BriefingState.IN_REVIEW,), now=now)
    approval = Approval(
        briefing_id=id, revision=here.revision, sha256=here.sha256, person=actor, solo=hand, note=note[:2000],
        at=now, report=report.id,
    )  # fmt: skip
    session.add(approval)
    session.flush()
    audit.append(
        session, "approved", actor=actor, kind="briefing", name=id, now=now,
        revision=here.revision, sha256=here.sha256, solo=approval.solo, note=approval.note,
        report=report.id, warnings=len(gate.warns(report.findings)),
    )  # fmt: skip
    inbox.use(session, [source.url for source in here.document.sources], id)
    return _view(approval)


def standing(session: Session, id: str) -> ApprovalView | None:
    """Return the approval that holds for a briefing's text, None where there is none."""
    here, newest = standings.get(session, id), standings.newest_approval(session, id)
    if newest and newest.sha256 == here.sha256 and here.state in HELD:
        return _view(newest)
    return None


def require(session: Session, id: str, *, sha256: str = "", now: datetime | None = None) -> ApprovalView:
    """Return the approval that holds, or Refused with the reason why none does.

    With `sha256`, the approved text must be that very one; with `now`, it must be publishable at that moment.
    """
    here = standings.get(session, id)
    held = standing(session, id)
    if held is None:
        raise Refused(f"briefing {id} is not approved: {_why_not(session, here)}")
    if sha256 and held.sha256 != sha256:
        raise Refused(
            f"briefing {id} was approved again with other words ({held.sha256[:12]}, not {sha256[:12]}) since the "
            "issue took it; cancel the issue and compose it anew: newsletter compose"
        )
    if here.state == BriefingState.APPROVED and not people.get(session, held.person).active:
        raise Refused(
            f"briefing {id} was approved by {held.person}, who works here no more; somebody else approves it anew: "
            f"newsletter briefings reject {id} --note WHY"
        )
    document = standings.text_at(session, id, held.sha256)
    findings = reports.pending(session, replace(here, document=document), report=held.report, now=now) if now else []
    if findings:
        raise Refused(f"briefing {id} cannot go out: " + "; ".join(f"{each.message}; {each.next}" for each in findings))
    return held


def _why_not(session: Session, here: Standing) -> str:
    newest = standings.newest_approval(session, here.id)
    if here.state == BriefingState.IN_REVIEW:
        way_on = f"another person approves it: newsletter briefings approve {here.id}"
    elif here.state == BriefingState.DRAFT:
        way_on = f"newsletter briefings submit {here.id}, and another person approves it"
    else:
        return f"it is {here.state}; leave it out"
    if newest is None:
        return f"nobody has said yes to it; {way_on}"
    changed = "it was changed" if newest.sha256 != here.sha256 else "its file was changed"
    return f"{changed} after {newest.person} approved it on {newest.at:%Y-%m-%d %H:%M}; {way_on}"


def _view(approval: Approval) -> ApprovalView:
    return ApprovalView(
        briefing=approval.briefing_id, revision=approval.revision, sha256=approval.sha256, person=approval.person,
        solo=approval.solo, note=approval.note, at=approval.at, report=approval.report,
    )  # fmt: skip
