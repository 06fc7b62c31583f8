"""The approval: a person's yes to one exact text, from somebody who had no hand in it."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.discovery import inbox
from newsletter.editorial import gate, people, standings
from newsletter.editorial.models import Approval, BriefingState, Revision
from newsletter.editorial.standings import HELD, Standing
from newsletter.errors import Blocked, Refused


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


def approve(session: Session, id: str, *, actor: str, solo: bool, note: str = "", now: datetime) -> ApprovalView:
    """Record the yes of a person to a briefing in review; Refused to whoever had a hand in it, unless `solo`."""
    here = standings.get(session, id)
    if here.state != BriefingState.IN_REVIEW:
        raise standings.refusal(here)
    people.require(session, actor)
    hand = _hand_in(session, here, actor)
    if hand and not solo:
        raise Refused(
            f"{actor} cannot approve briefing {id}: {hand}; ask somebody else, or say solo = true in newsletter.toml"
        )
    findings = gate.blocking(here.document, now=now)
    if findings:
        raise Blocked(f"briefing {id} cannot be approved as it stands; mend what blocks:", findings)
    standings.move(session, here, BriefingState.APPROVED, since=(BriefingState.IN_REVIEW,), now=now)
    approval = Approval(
        briefing_id=id, revision=here.revision, sha256=here.sha256, person=actor, solo=bool(hand), note=note[:2000],
        at=now,
    )  # fmt: skip
    session.add(approval)
    session.flush()
    audit.append(
        session, "approved", actor=actor, kind="briefing", name=id, now=now,
        revision=here.revision, sha256=here.sha256, solo=approval.solo, note=approval.note,
    )  # fmt: skip
    for source in here.document.sources:
        inbox.use(session, source.url, id)
    return _view(approval)


def standing(session: Session, id: str) -> ApprovalView | None:
    """Return the approval that holds for a briefing's text, None where there is none."""
    here, newest = standings.get(session, id), _newest(session, id)
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
    document = standings.text_at(session, id, held.sha256)
    findings = gate.blocking(document, now=now, stage=gate.Stage.ISSUE) if now else []
    if findings:
        raise Refused(f"briefing {id} cannot go out: " + "; ".join(f"{each.message}; {each.next}" for each in findings))
    return held


def _hand_in(session: Session, standing: Standing, person: str) -> str:
    """Return how a person had a hand in the text since its last approval, the empty string where not at all."""
    if person == standing.author:
        return "they are its author"
    newest = _newest(session, standing.id)
    query = select(Revision).where(Revision.briefing_id == standing.id, Revision.actor == person)
    edited = session.exec(query.order_by(col(Revision.number).desc()).limit(1)).first()
    if edited and edited.number > (newest.revision if newest else 0):
        return f"revision {edited.number} of {edited.at:%Y-%m-%d %H:%M} is recorded under their name"
    submitted = [entry for entry in audit.entries(session, "briefing", standing.id) if entry.action == "submitted"]
    if submitted and submitted[-1].actor == person:
        return "they submitted it"
    return ""


def _why_not(session: Session, here: Standing) -> str:
    newest = _newest(session, here.id)
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


def _newest(session: Session, id: str) -> Approval | None:
    query = select(Approval).where(Approval.briefing_id == id).order_by(col(Approval.id).desc())
    return session.exec(query.limit(1)).first()


def _view(approval: Approval) -> ApprovalView:
    return ApprovalView(
        briefing=approval.briefing_id, revision=approval.revision, sha256=approval.sha256, person=approval.person,
        solo=approval.solo, note=approval.note, at=approval.at,
    )  # fmt: skip
