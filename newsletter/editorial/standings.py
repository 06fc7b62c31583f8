"""Where briefings stand: the newest text of each, its state, and the approval of that very text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from sqlmodel import Session, col, select, update

from newsletter.editorial import format
from newsletter.editorial.document import Document
from newsletter.editorial.models import Approval, Briefing, BriefingState, Revision
from newsletter.errors import NotFound, Refused

#: States in which the text may still change.
OPEN = (BriefingState.DRAFT, BriefingState.IN_REVIEW, BriefingState.APPROVED)
#: States in which an approval of the very text holds.
HELD = (BriefingState.APPROVED, BriefingState.SENT, BriefingState.CORRECTED)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A briefing as it stands; the approval's fields are empty unless one holds for this text."""

    id: str
    title: str
    state: BriefingState
    revision: int
    sha256: str
    document: Document
    author: str
    approved_by: tuple[str, ...]
    approved_sha256: str
    changed_at: datetime


def get(session: Session, id: str) -> Standing:
    """Return one briefing; NotFound names one that is called nearly so."""
    found = _find(session, col(Briefing.id) == id)
    if not found:
        near = get_close_matches(id, session.exec(select(Briefing.id)).all(), n=1)
        hint = f"did you mean {near[0]}?" if near else "see them: newsletter briefings list"
        raise NotFound(f"there is no briefing {id!r}; {hint}")
    return found[0]


def all(session: Session, *, state: BriefingState | None = None) -> list[Standing]:
    """Return the briefings by id, all or those in one state."""
    return _find(session, *([] if state is None else [col(Briefing.state) == state]))


def newest_approval(session: Session, id: str) -> Approval | None:
    """Return the last yes that a briefing had, whether it holds or not."""
    query = select(Approval).where(Approval.briefing_id == id).order_by(col(Approval.id).desc())
    return session.exec(query.limit(1)).first()


@lru_cache(maxsize=1024)
def parsed(text: str, id: str) -> Document:
    """Return a text that the database has as a document."""
    return format.parse(text, where=f"the stored text of {id}")


def text_at(session: Session, id: str, sha256: str) -> Document:
    """Return the text that a briefing had under a hash; Refused when what is stored is not that text."""
    query = select(Revision).where(Revision.briefing_id == id, Revision.sha256 == sha256)
    revision = session.exec(query.order_by(col(Revision.number).desc()).limit(1)).first()
    if revision is None:
        raise NotFound(f"briefing {id} never had a text {sha256[:12]}; see: newsletter briefings history {id}")
    document = parsed(revision.text, id)
    if format.sha256(document) != sha256:
        raise Refused(
            f"the stored text of briefing {id} is not the one with the hash {sha256[:12]}: the database was changed "
            "by another hand; compare with a backup"
        )
    return document


def move(
    session: Session, standing: Standing, to: BriefingState, *, since: Sequence[BriefingState], now: datetime
) -> None:
    """Move a briefing that still stands as it did, and in one of the states `since`; else Refused with the way on."""
    same = (
        col(Briefing.id) == standing.id, col(Briefing.revision) == standing.revision, col(Briefing.state).in_(since),
    )  # fmt: skip
    guarded = update(Briefing).where(*same).values(state=to, changed_at=now)
    if session.execute(guarded).rowcount != 1:  # type: ignore[attr-defined]
        raise refusal(get(session, standing.id))


def refusal(standing: Standing) -> Refused:
    """Return the error for a step that a briefing's state does not allow; it says the way on from there."""
    id = standing.id
    ways_on = {
        BriefingState.DRAFT: f"is a draft; hand it over first: newsletter briefings submit {id}",
        BriefingState.IN_REVIEW: f"is in review; another person approves it: newsletter briefings approve {id}",
        BriefingState.APPROVED: f"is approved already; put it into an issue: newsletter compose --pick {id}",
    }
    ways_on[BriefingState.SPIKED] = f"is spiked; take it up again: newsletter briefings restore {id}"
    fixed = f"is {standing.state}; its text cannot change; write another: newsletter briefings new ID"
    return Refused(f"briefing {id} {ways_on.get(standing.state, fixed)}")


def _find(session: Session, *conditions: Any) -> list[Standing]:
    newest = (col(Revision.briefing_id) == Briefing.id) & (col(Revision.number) == Briefing.revision)
    query = select(Briefing, Revision).join(Revision, newest).where(*conditions).order_by(col(Briefing.id))
    same = (col(Approval.briefing_id) == Briefing.id) & (col(Approval.sha256) == Briefing.sha256)
    approvals = (
        select(Approval.briefing_id, Approval.person).join(Briefing, same)
        .where(col(Briefing.state).in_(HELD), *conditions).order_by(col(Approval.id))
    )  # fmt: skip
    approved = dict(session.exec(approvals).all())  # the newest of each comes last
    rows = session.exec(query.execution_options(populate_existing=True)).all()
    return [_standing(briefing, revision, approved.get(briefing.id, "")) for briefing, revision in rows]


def _standing(briefing: Briefing, revision: Revision, approved_by: str) -> Standing:
    document = parsed(revision.text, briefing.id)
    return Standing(
        id=briefing.id, title=briefing.title, state=briefing.state, revision=briefing.revision,
        sha256=briefing.sha256, document=document, author=document.author,
        approved_by=(approved_by,) if approved_by else (), approved_sha256=briefing.sha256 if approved_by else "",
        changed_at=briefing.changed_at,
    )  # fmt: skip
