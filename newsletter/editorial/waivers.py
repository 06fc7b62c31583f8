"""The waiver: a reason to let a warning about one exact text stand, from somebody who had no hand in the text."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import gate, hands, people, reports, standings
from newsletter.editorial.models import Waiver
from newsletter.editorial.reports import Report
from newsletter.editorial.standings import Standing
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.rights import Right
from subscribers.words import line


@dataclass(frozen=True, kw_only=True)
class WaiverView:
    """A reason to let the warnings of one rule about one text stand, and whose it is."""

    briefing: str
    revision: int
    sha256: str
    rule: str
    reason: str
    person: str
    solo: bool
    at: datetime


def waive(
    session: Session, id: str, rule: str, *, reason: str, actor: str, solo: bool, block: Collection[str] = (),
    rights: Sequence[Right] = (), now: datetime,
) -> WaiverView:  # fmt: skip
    """Let what a rule warns of in the text as it stands be; an edit voids it. What blocks by itself is Refused."""
    reason = line("--reason", reason, 2000)
    if not reason:
        raise BadInput(f"a waiver needs a reason: newsletter briefings waive {id} {rule} --reason WHY")
    _require_waivable(rule)
    here = standings.get(session, id)
    if here.state not in standings.OPEN:
        raise Refused(f"briefing {id} is {here.state}; its text is settled, and there is nothing to waive")
    people.require(session, actor)
    hand = hands.require_none(session, here, actor, f"waive {rule} for briefing {id}", solo=solo)
    _require_found(here, rule, block, reports.run(session, here, block=block, rights=rights, now=now))
    waiver = Waiver(
        briefing_id=id, revision=here.revision, sha256=here.sha256, person=actor, at=now, rule=rule, reason=reason,
        solo=hand,
    )  # fmt: skip
    session.add(waiver)
    session.flush()
    audit.append(
        session, "waived", actor=actor, kind="briefing", name=id, now=now,
        revision=here.revision, sha256=here.sha256, rule=rule, reason=reason, solo=hand,
    )  # fmt: skip
    return _view(waiver)


def all(session: Session, id: str) -> list[WaiverView]:
    """Return the waivers that hold for a briefing's text as it stands, oldest first."""
    here = standings.get(session, id)
    same = select(Waiver).where(Waiver.briefing_id == id, Waiver.sha256 == here.sha256)
    return [_view(waiver) for waiver in session.exec(same.order_by(col(Waiver.id)))]


def _require_waivable(rule: str) -> None:
    severities = [each.severity for each in gate.RULES if each.id == rule]
    if not severities:
        near = get_close_matches(rule.upper(), [each.id for each in gate.RULES], n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/briefing-format.md lists them"
        raise NotFound(f"the gate has no rule {rule!r}; {hint}")
    if gate.Severity.WARN not in severities:
        raise Refused(f"rule {rule} never warns: what it finds cannot be waived; mend the text")


def _require_found(here: Standing, rule: str, block: Collection[str], report: Report) -> None:
    found = [each for each in report.findings if each.rule == rule]
    own = [each for each in found if not each.waived]
    if own and all_block(own, rule, block):
        raise Refused(f"what {rule} finds in briefing {here.id} blocks and cannot be waived; mend it: {own[0].message}")
    if not own:
        told = f"it is waived already, by {found[0].waived}" if found else "it finds nothing there"
        raise Refused(f"there is nothing to waive of rule {rule} in briefing {here.id}: {told}")


def all_block(found: Collection[gate.Finding], rule: str, block: Collection[str]) -> bool:
    """Return whether each finding blocks by the rule itself, and not because the desk's settings made it graver."""
    return rule not in block and not gate.warns(found)


def _view(waiver: Waiver) -> WaiverView:
    return WaiverView(
        briefing=waiver.briefing_id, revision=waiver.revision, sha256=waiver.sha256, rule=waiver.rule,
        reason=waiver.reason, person=waiver.person, solo=waiver.solo, at=waiver.at,
    )  # fmt: skip
