"""The briefing: its text comes from a file; its state, and every text that it once had, stand in the database.

An approval holds only while the briefing is in the state that it brought, with the hash that it names. So an edit
ends it for good: putting the old words back makes a draft with the old hash, which needs a new yes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from newsletter import audit
from newsletter.editorial import edits, files, format, gate, people, reports, standings
from newsletter.editorial.document import Citation, Document
from newsletter.editorial.edits import BriefingProblem
from newsletter.editorial.history import HistoryEntry, history
from newsletter.editorial.models import Briefing, BriefingState
from newsletter.editorial.names import BRIEFING
from newsletter.editorial.standings import Standing, all, get, text_at
from newsletter.errors import Blocked, Refused
from newsletter.rights import Right

__all__ = [
    "BriefingProblem", "HistoryEntry", "Standing", "adopt", "all", "get", "history", "import_file",
    "keep_reports", "mark_sent", "new", "public", "refresh", "submit", "text_at",
]  # fmt: skip


def new(
    session: Session, id: str, *, title: str = "", sources: Sequence[Citation] = (), topics: Sequence[str] = (),
    folder: Path, author: str, now: datetime,
) -> Path:  # fmt: skip
    """Start a briefing as a file with every section; return the file's path."""
    path = files.of(folder, id)
    begun = Document(id=id, title=title, introduction="", author=author, sources=tuple(sources), topics=tuple(topics))
    text = format.dump(begun)
    document = format.parse(text, where=f"{path}, as it would be")
    if session.get(Briefing, id) or path.exists():
        raise Refused(f"briefing {id} is there already; edit {path}, or take another id")
    files.place(session, path, text.encode())
    edits.register(session, document, text, "begun", actor=author, now=now)
    return path


def import_file(session: Session, path: Path, *, folder: Path, actor: str, now: datetime) -> Standing:
    """Copy a file into the folder as it is, and return the briefing that it makes."""
    text = files.read(path)
    return _take(session, format.parse(text, where=str(path)), text, folder=folder, actor=actor, now=now)


def adopt(session: Session, document: Document, *, folder: Path, actor: str, now: datetime) -> Standing:
    """Write a file for a document from elsewhere; until it names an author, who takes it in answers for it."""
    text = format.dump(replace(document, author=document.author or actor))
    read = format.parse(text, where=f"{document.id}.md, as it would be")
    return _take(session, read, text, folder=folder, actor=actor, now=now)


def _take(session: Session, document: Document, text: str, *, folder: Path, actor: str, now: datetime) -> Standing:
    files.place(session, files.of(folder, document.id), text.encode())
    if session.get(Briefing, document.id) is None:
        edits.register(session, document, text, "imported", actor=actor, now=now)
    for problem in refresh(session, folder, actor=actor, now=now, only=[document.id]):
        raise Refused(problem.message)
    return get(session, document.id)


def refresh(
    session: Session, folder: Path, *, actor: str, now: datetime, only: Iterable[str] | None = None
) -> list[BriefingProblem]:
    """Take over what was edited in the folder, in all files or those of the named briefings; return the problems.

    An unknown file becomes a draft; a changed text becomes a draft and its approval void; where a file is gone, the
    text in the database stands.
    """
    if only is None:
        paths = sorted(path for path in folder.glob("*.md") if path.is_file())
    else:
        paths = [path for id in only if BRIEFING.fits(id) and (path := files.of(folder, id)).is_file()]
    known = edits.stored(session)
    found = [edits.take(session, path, known=known.get(path.stem), actor=actor, now=now) for path in paths]
    return [problem for problem in found if problem]


def submit(
    session: Session, id: str, *, actor: str, block: Collection[str] = (), rights: Sequence[Right] = (), now: datetime
) -> Standing:
    """Hand a draft over for somebody else's yes; Blocked when the gate finds what must be mended first."""
    standing = get(session, id)
    if standing.state != BriefingState.DRAFT:
        raise standings.refusal(standing)
    people.require(session, actor)
    if standing.author:
        people.get(session, standing.author)
    report = reports.run(session, standing, block=block, rights=rights, now=now)
    if report.blocking:
        raise Blocked(f"briefing {id} cannot be submitted as it stands; mend what blocks:", report.blocking)
    report = reports.keep(session, report, person=actor)
    standings.move(session, standing, BriefingState.IN_REVIEW, since=(BriefingState.DRAFT,), now=now)
    audit.append(
        session, "submitted", actor=actor, kind="briefing", name=id, now=now,
        revision=standing.revision, sha256=standing.sha256, warnings=len(gate.warns(report.findings)),
        report=report.id,
    )  # fmt: skip
    return get(session, id)


def public(document: Document, now: datetime) -> bool:
    """Return whether a text may be read now: its embargo is over, and it is not out of date."""
    return (document.embargo is None or document.embargo <= now) and (
        document.expires is None or document.expires > now
    )


def keep_reports(session: Session, ids: Sequence[str], *, actor: str, now: datetime) -> dict[str, int]:
    """Hold texts against what is asked of an issue's, keep a report on each, and return their numbers by briefing."""
    kept = {}
    for id in ids:
        found = reports.run(session, get(session, id), stage=gate.Stage.ISSUE, now=now)
        report = reports.keep(session, found, person=actor)
        assert report.id is not None
        kept[id] = report.id
    return kept


def mark_sent(session: Session, ids: Sequence[str], *, issue_id: int, actor: str, now: datetime) -> dict[str, int]:
    """Mark approved briefings as sent with an issue, and return the numbers of the reports that are kept on them.

    Those that were sent before stay so, and the record has both.
    """
    kept = keep_reports(session, ids, actor=actor, now=now)
    for id in ids:
        standing = get(session, id)
        if standing.state not in (BriefingState.SENT, BriefingState.CORRECTED):
            standings.move(session, standing, BriefingState.SENT, since=(BriefingState.APPROVED,), now=now)
        audit.append(
            session,
            "sent",
            actor=actor,
            kind="briefing",
            name=id,
            now=now,
            issue=issue_id,
            sha256=standing.sha256,
            report=kept[id],
        )
    return kept
