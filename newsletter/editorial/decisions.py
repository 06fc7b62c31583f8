"""Decisions on a briefing besides the yes: sent back, put aside, taken up again, corrected, withdrawn; with reasons."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from newsletter import audit
from newsletter.discovery import inbox
from newsletter.editorial import people, standings
from newsletter.editorial.models import BriefingState
from newsletter.editorial.standings import Standing
from newsletter.errors import BadInput, Refused
from subscribers.words import line

_READ = (BriefingState.SENT, BriefingState.CORRECTED)


def reject(session: Session, id: str, *, note: str, actor: str, now: datetime) -> Standing:
    """Send a briefing back to its writer, from review or after an approval; the note says what is missing."""
    here = standings.get(session, id)
    since = (BriefingState.IN_REVIEW, BriefingState.APPROVED)
    if here.state not in since:
        raise _refused(here, "sent back", "only what is in review or approved is")
    approval = {"approved_by": ", ".join(here.approved_by)} if here.approved_by else {}
    return _decide(session, here, BriefingState.DRAFT, "rejected", since, "note", note, actor, now, **approval)


def spike(session: Session, id: str, *, reason: str, actor: str, now: datetime) -> Standing:
    """Put aside a briefing that was not sent, and release its source items; no approval comes back with it."""
    here = standings.get(session, id)
    if here.state not in standings.OPEN:
        hint = "it is put aside already" if here.state == BriefingState.SPIKED else "readers have it"
        raise _refused(here, "spiked", hint)
    inbox.release(session, id)
    return _decide(session, here, BriefingState.SPIKED, "spiked", standings.OPEN, "reason", reason, actor, now)


def restore(session: Session, id: str, *, actor: str, now: datetime) -> Standing:
    """Take up again, as a draft, what was put aside."""
    here = standings.get(session, id)
    if here.state != BriefingState.SPIKED:
        raise _refused(here, "restored", "only what is spiked is")
    return _decide(session, here, BriefingState.DRAFT, "restored", (BriefingState.SPIKED,), "", "", actor, now)


def correct(session: Session, id: str, *, reason: str, actor: str, now: datetime) -> Standing:
    """Record that a briefing which readers have was wrong, and in what; it can be found wrong again."""
    here = standings.get(session, id)
    if here.state not in _READ:
        raise _refused(here, "corrected", _unread(here))
    return _decide(session, here, BriefingState.CORRECTED, "corrected", _READ, "reason", reason, actor, now)


def kill(session: Session, id: str, *, reason: str, actor: str, now: datetime) -> Standing:
    """Withdraw a briefing that readers have: no issue takes it any more, and nothing brings it back."""
    here = standings.get(session, id)
    if here.state not in _READ:
        raise _refused(here, "killed", _unread(here))
    return _decide(session, here, BriefingState.KILLED, "killed", _READ, "reason", reason, actor, now)


def _unread(here: Standing) -> str:
    if here.state in standings.OPEN:
        return f"readers do not have it; edit it, or put it aside: newsletter briefings spike {here.id}"
    return "readers do not have it" if here.state == BriefingState.SPIKED else "that is the end of it"


def _refused(here: Standing, done: str, hint: str) -> Refused:
    return Refused(f"briefing {here.id} is {here.state} and cannot be {done}: {hint}")


def _decide(
    session: Session, here: Standing, to: BriefingState, action: str, since: Sequence[BriefingState], asked: str,
    words: str, actor: str, now: datetime, **detail: str,
) -> Standing:  # fmt: skip
    """Move the briefing, and write down who did it to which text, and why."""
    people.require(session, actor)
    said = line(f"--{asked}", words, 2000) if asked else ""
    if asked and not said:
        raise BadInput(f"say why, for whoever reads the record: --{asked} WORDS")
    standings.move(session, here, to, since=since, now=now)
    audit.append(
        session, action, actor=actor, kind="briefing", name=here.id, now=now,
        revision=here.revision, sha256=here.sha256, **({asked: said} if asked else {}), **detail,
    )  # fmt: skip
    return standings.get(session, here.id)
