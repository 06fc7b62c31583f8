"""Invitations: a link by which one person, without a terminal, decides on one exact text.

The token in the link is random and only its hash is kept: who reads the database cannot answer for anybody. A link
ends with its answer, its date, its revocation, or an edit of the text, whichever comes first.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, select, update

from newsletter import audit
from newsletter.editorial import approvals, comments, decisions, hands, people, roles, standings
from newsletter.editorial.comments import CommentView
from newsletter.editorial.models import BriefingState, Invitation, Person, Role
from newsletter.editorial.people import PersonView
from newsletter.editorial.standings import Standing
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.rights import Right

#: Whose yes counts.
APPROVERS = (Role.EDITOR, Role.STANDARDS)
#: For how long a link lasts unless somebody says otherwise, and at most.
LASTS, LONGEST = timedelta(days=3), timedelta(days=30)


class InvitationState(StrEnum):
    """What a link is good for."""

    #: its person can decide
    OPEN = "open"
    #: its person has decided
    ANSWERED = "answered"
    #: the desk took it back
    REVOKED = "revoked"
    #: its date has passed
    EXPIRED = "expired"
    #: the text was edited, or decided on otherwise, since it was made
    VOID = "void"


@dataclass(frozen=True, kw_only=True)
class InvitationView:
    """A link without its token: to whom it went, for which text, and what became of it."""

    id: int
    briefing: str
    revision: int
    sha256: str
    person: str
    invited_by: str
    state: InvitationState
    answer: str
    at: datetime
    expires_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Invited:
    """A new invitation; `token` is told here once and never again."""

    token: str
    invitation: InvitationView


def invite(
    session: Session, id: str, *, to: str, actor: str, lasts: timedelta = LASTS, solo: bool = False, now: datetime
) -> Invited:
    """Make a link for a person, by short name or address, who could approve the briefing as it stands in review."""
    here = standings.get(session, id)
    if here.state != BriefingState.IN_REVIEW:
        raise standings.refusal(here)
    if not timedelta() < lasts <= LONGEST:
        raise BadInput(f"a link lasts for more than nothing and for {LONGEST.days} days at most; give it with --for")
    people.require(session, actor)
    person = _reviewer(session, to)
    roles.require(session, person.handle, *APPROVERS)
    hands.require_none(session, here, person.handle, f"approve briefing {id}", solo=solo)
    token = secrets.token_urlsafe(32)
    made = Invitation(
        briefing_id=id, revision=here.revision, sha256=here.sha256, person=person.handle, invited_by=actor,
        token_sha256=_digest(token), at=now, expires_at=now + lasts,
    )  # fmt: skip
    session.add(made)
    session.flush()
    _record(session, "invited", made, actor=actor, now=now, expires=made.expires_at.isoformat())
    return Invited(token=token, invitation=_view(made, here, now))


def of(session: Session, id: str, *, now: datetime) -> list[InvitationView]:
    """Return the invitations to decide on a briefing, oldest first."""
    here = standings.get(session, id)
    query = select(Invitation).where(Invitation.briefing_id == id).order_by(col(Invitation.id))
    return [_view(made, here, now) for made in session.exec(query)]


def revoke(session: Session, id: str, *, to: str = "", actor: str, now: datetime) -> list[InvitationView]:
    """Take back the open links to a briefing, all or one person's, and return them; NotFound when there is none."""
    here = standings.get(session, id)
    people.require(session, actor)
    handle = _reviewer(session, to).handle if to else ""
    query = select(Invitation).where(Invitation.briefing_id == id).order_by(col(Invitation.id)).with_for_update()
    fitting = [made for made in session.exec(query) if _state(made, here, now) == InvitationState.OPEN]
    fitting = [made for made in fitting if handle in ("", made.person)]
    if not fitting:
        whose = f" to {handle}" if handle else ""
        raise NotFound(f"no open link{whose} leads to briefing {id}; see: newsletter briefings invite {id} --list")
    for made in fitting:
        made.revoked_at = now
        session.add(made)
        _record(session, "uninvited", made, actor=actor, now=now)
    session.flush()
    return [_view(made, here, now) for made in fitting]


def look(session: Session, token: str, *, now: datetime) -> InvitationView | None:
    """Return what a link is good for, None for a token that was never given out; nothing changes."""
    made = _find(session, token)
    return None if made is None else _view(made, standings.get(session, made.briefing_id), now)


def approve(
    session: Session, token: str, *, note: str = "", solo: bool = False, block: Collection[str] = (),
    rights: Sequence[Right] = (), now: datetime,
) -> InvitationView:  # fmt: skip
    """Record the yes of the link's person to its text."""
    made = _take(session, token, "approved", now)
    approvals.approve(
        session, made.briefing_id, actor=made.person, solo=solo, note=note, block=block, rights=rights, now=now
    )
    return _answered(session, made, now)


def reject(session: Session, token: str, *, note: str, now: datetime) -> InvitationView:
    """Send the link's text back to its writer, with what is missing."""
    made = _take(session, token, "rejected", now)
    decisions.reject(session, made.briefing_id, note=note, actor=made.person, now=now)
    return _answered(session, made, now)


def comment(session: Session, token: str, said: str, *, place: str = "", now: datetime) -> CommentView:
    """Keep a comment of the link's person; the link stays open."""
    made = _open(session, token, now)
    return comments.add(session, made.briefing_id, said, place=place, actor=made.person, now=now)


def _take(session: Session, token: str, answer: str, now: datetime) -> Invitation:
    """Close the link with an answer. Guarded: of two answers at once one finds it closed."""
    made = _open(session, token, now)
    still = (col(Invitation.id) == made.id, col(Invitation.answered_at).is_(None), col(Invitation.revoked_at).is_(None))
    closed = update(Invitation).where(*still).values(answered_at=now, answer=answer)
    if session.execute(closed).rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(f"this link to briefing {made.briefing_id} was answered or taken back in the meantime")
    return made


def _open(session: Session, token: str, now: datetime) -> Invitation:
    """Return the row of a link by which its person may still act."""
    made = _find(session, token)
    if made is None:
        raise NotFound("there is no such link")
    state = _state(made, standings.get(session, made.briefing_id), now)
    if state != InvitationState.OPEN:
        raise Refused(f"this link to briefing {made.briefing_id} is {state}; ask the desk for another")
    roles.require(session, made.person, *APPROVERS)
    return made


def _answered(session: Session, made: Invitation, now: datetime) -> InvitationView:
    session.refresh(made)
    _record(session, "answered", made, actor=made.person, now=now, answer=made.answer)
    return _view(made, standings.get(session, made.briefing_id), now)


def _find(session: Session, token: str) -> Invitation | None:
    query = select(Invitation).where(Invitation.token_sha256 == _digest(token))
    return session.exec(query.execution_options(populate_existing=True)).first()


def _reviewer(session: Session, to: str) -> PersonView:
    """Return who goes by a short name or has an address; NotFound says how to add them."""
    if "@" not in to:
        return people.require(session, to)
    wanted = to.strip().casefold()
    active = select(Person).where(Person.active).order_by(col(Person.id))
    found = [person.handle for person in session.exec(active) if person.email.casefold() == wanted]
    if len(found) != 1:
        said = f"{', '.join(found)} have it; name one of them" if found else "nobody here has it; add who reviews"
        way = "--to PERSON" if found else f"newsletter people add HANDLE --email {to} --role standards"
        raise NotFound(f"no one person has the address {to}: {said}: {way}")
    return people.require(session, found[0])


def _state(made: Invitation, here: Standing, now: datetime) -> InvitationState:
    if made.answered_at:
        return InvitationState.ANSWERED
    if made.revoked_at:
        return InvitationState.REVOKED
    if made.expires_at <= now:
        return InvitationState.EXPIRED
    if here.state != BriefingState.IN_REVIEW or here.sha256 != made.sha256:
        return InvitationState.VOID
    return InvitationState.OPEN


def _view(made: Invitation, here: Standing, now: datetime) -> InvitationView:
    assert made.id is not None
    return InvitationView(
        id=made.id, briefing=made.briefing_id, revision=made.revision, sha256=made.sha256, person=made.person,
        invited_by=made.invited_by, state=_state(made, here, now), answer=made.answer, at=made.at,
        expires_at=made.expires_at, answered_at=made.answered_at,
    )  # fmt: skip


def _record(session: Session, action: str, made: Invitation, *, actor: str, now: datetime, **detail: str) -> None:
    audit.append(
        session, action, actor=actor, kind="briefing", name=made.briefing_id, now=now, revision=made.revision,
        sha256=made.sha256, invitation=made.id, person=made.person, **detail,
    )  # fmt: skip


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
