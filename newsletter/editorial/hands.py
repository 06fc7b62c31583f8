"""Whose hand is in a text: who wrote, edited or submitted it may neither approve it nor waive what is said of it."""

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import standings
from newsletter.editorial.models import Revision
from newsletter.editorial.standings import Standing
from newsletter.errors import Refused


def of(session: Session, standing: Standing, person: str) -> str:
    """Return how a person had a hand in the text since its last approval, the empty string where not at all."""
    if person == standing.author:
        return "they are its author"
    newest = standings.newest_approval(session, standing.id)
    query = select(Revision).where(Revision.briefing_id == standing.id, Revision.actor == person)
    edited = session.exec(query.order_by(col(Revision.number).desc()).limit(1)).first()
    if edited and edited.number > (newest.revision if newest else 0):
        return f"revision {edited.number} of {edited.at:%Y-%m-%d %H:%M} is recorded under their name"
    submitted = [entry for entry in audit.entries(session, "briefing", standing.id) if entry.action == "submitted"]
    if submitted and submitted[-1].actor == person:
        return "they submitted it"
    return ""


def require_none(session: Session, standing: Standing, person: str, step: str, *, solo: bool) -> bool:
    """Return whether a person had a hand in the text; Refused if so, unless the desk says `solo`."""
    hand = of(session, standing, person)
    if hand and not solo:
        raise Refused(f"{person} cannot {step}: {hand}; ask somebody else, or say solo = true in newsletter.toml")
    return bool(hand)
