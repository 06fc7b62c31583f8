"""The edit: a file's words taken over into the database, as a new briefing or as the next revision of a known one."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from newsletter import audit
from newsletter.editorial import files, format, standings
from newsletter.editorial.document import Document
from newsletter.editorial.models import Briefing, BriefingState, Revision
from newsletter.errors import BadInput, NewsletterError, Refused


@dataclass(frozen=True, kw_only=True)
class BriefingProblem:
    """A file that could not be taken as a briefing's text; `message` says why, and what to do."""

    id: str
    path: Path
    message: str


def stored(session: Session) -> dict[str, str]:
    """Return the newest text of every briefing, so that a file that says the same need not be read."""
    newest = (col(Revision.briefing_id) == Briefing.id) & (col(Revision.number) == Briefing.revision)
    return dict(session.exec(select(Briefing.id, Revision.text).join(Revision, newest)).all())


def take(session: Session, path: Path, *, known: str | None, actor: str, now: datetime) -> BriefingProblem | None:
    """Take over what a file says, where it differs from the `known` text; return the problem when that cannot be."""
    try:
        text = files.read(path)
        if text == known:
            return None
        document = format.parse(text, where=str(path))
        if document.id != path.stem:
            raise BadInput(f"{path} says id: {document.id}; call the file {document.id}.md, or correct the id")
        if known is None:
            register(session, document, text, "found", actor=actor, now=now)
        else:
            _record(session, document, text, actor=actor, now=now)
    except NewsletterError as error:
        if known is not None:
            _reopen(session, path.stem, actor=actor, now=now, reason=f"the file cannot be taken: {error}")
        return BriefingProblem(id=path.stem, path=path, message=str(error))
    return None


def register(session: Session, document: Document, text: str, action: str, *, actor: str, now: datetime) -> None:
    """Make a draft of a document that the desk does not know yet."""
    id, sha256 = document.id, format.sha256(document)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {
        "id": id, "title": document.title, "state": BriefingState.DRAFT, "revision": 1, "sha256": sha256,
        "created_at": now, "changed_at": now,
    }  # fmt: skip
    made = insert(Briefing).values(row).on_conflict_do_nothing().returning(col(Briefing.id))
    if session.execute(made).first():  # else another command has just found the same file
        _add(session, id, number=1, sha256=sha256, text=text, action=action, actor=actor, now=now)


def _record(session: Session, document: Document, text: str, *, actor: str, now: datetime) -> None:
    """Record the next revision: the briefing is a draft again, and its approval void."""
    briefing = session.get_one(Briefing, document.id, populate_existing=True, with_for_update=True)
    sha256 = format.sha256(document)
    if sha256 == briefing.sha256:
        return
    if briefing.state == BriefingState.SPIKED:
        raise standings.refusal(standings.get(session, briefing.id))
    if briefing.state not in standings.OPEN:
        raise Refused(
            f"briefing {briefing.id} is already {briefing.state}, and its file has other words than readers were "
            "given; put them back, and write a new briefing: newsletter briefings new ID"
        )
    number = briefing.revision + 1
    _reopen(session, briefing.id, actor=actor, now=now, reason="the text was edited")
    values = {"revision": number, "sha256": sha256, "title": document.title, "changed_at": now}
    session.execute(update(Briefing).where(col(Briefing.id) == briefing.id).values(**values))
    _add(session, briefing.id, number=number, sha256=sha256, text=text, action="edited", actor=actor, now=now)


def _add(
    session: Session, id: str, *, number: int, sha256: str, text: str, action: str, actor: str, now: datetime
) -> None:
    session.add(Revision(briefing_id=id, number=number, sha256=sha256, text=text, actor=actor, at=now))
    audit.append(
        session, action, actor=actor, kind="briefing", name=id, now=now, revision=number, sha256=sha256
    )  # fmt: skip


def _reopen(session: Session, id: str, *, actor: str, now: datetime, reason: str) -> None:
    """Make a draft of a briefing that was handed over; a yes that it had does not hold any more."""
    standing = standings.get(session, id)
    handed_over = (BriefingState.IN_REVIEW, BriefingState.APPROVED)
    if standing.state not in handed_over:
        return
    standings.move(session, standing, BriefingState.DRAFT, since=handed_over, now=now)
    action = "voided" if standing.approved_by else "withdrawn"
    approval = {"approved_by": ", ".join(standing.approved_by)} if standing.approved_by else {}
    audit.append(session, action, actor=actor, kind="briefing", name=id, now=now, reason=reason, **approval)
