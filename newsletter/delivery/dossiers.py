"""The evidence of an issue, for a stranger: what went out, who reviewed it and when, and what the record has of it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from newsletter import __version__, audit, dossier
from newsletter.delivery import planning, report
from newsletter.editorial import format, standings
from newsletter.editorial.models import Approval, Comment, GateReport, Revision, Waiver
from newsletter.errors import Refused
from newsletter.issues import clearing, contents, corrections, issues, reports, waivers
from newsletter.issues.content import IssueContent, ItemContent
from newsletter.rendering import templates
from newsletter.rendering.models import Rendering
from newsletter.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text as it was approved and went out: who wrote it, who said yes to it, and what was said against it."""

    position: int
    id: str
    title: str
    author: str
    assistance: str
    sha256: str
    sources: tuple[str, ...]
    approvals: tuple[Mapping[str, Any], ...]
    waivers: tuple[Mapping[str, Any], ...]
    reports: tuple[Mapping[str, Any], ...]

    @property
    def folder(self) -> str:
        """Return where its files lie."""
        return f"briefings/{self.id}"


def export(
    session: Session, issue_id: int, folder: Path, settings: Settings, *, actor: str, now: datetime
) -> dict[str, Any]:
    """Write the evidence of a frozen or sent issue into a new folder; return what it holds, with the manifest's hash.

    Refused while the record does not fit, for then it proves nothing. The record gets an entry with the hash.
    """
    found = issues.get(session, issue_id)
    if not found.rendering:
        raise Refused(f"issue {issue_id} is {found.state} and fixed to nothing yet. {issues.next_step(found)}")
    length = audit.verify(session)
    content = contents.read(session, issue_id, now=now)
    texts = [_text(session, item) for item in content.items]
    facts = _facts(session, issue_id, content, texts, now)
    files = {f"{name}.json": dossier.document(facts[name]) for name in facts if name != "entries"}
    for text in texts:
        files |= _files(session, text)
    files |= _rendering(session, found.rendering)
    files |= dossier.record(facts["entries"], audit.chain(session))
    about = {"issue": issue_id, "publication": settings.publication.name, "made_at": now.isoformat(), "made_by": actor,
             "program": f"newsletter {__version__}", "record": length}  # fmt: skip
    values = {**facts, "about": about, "texts": texts, "found": found, "files": sorted(files)}
    jinja = templates.environment(settings)
    for name in ("README.txt", "index.html"):
        files[name] = jinja.get_template(f"audit/{name}.j2").render(values).encode()
    sha256 = dossier.write(folder, files, about)
    audit.append(session, "exported", actor=actor, kind="issue", name=issue_id, now=now, manifest=sha256)
    return {"issue": issue_id, "folder": folder, "files": len(files), "entries": len(facts["entries"]),
            "manifest": sha256}  # fmt: skip


def _text(session: Session, item: ItemContent) -> Text:
    document = item.document
    return Text(
        position=item.position, id=document.id, title=document.title, author=document.author,
        assistance=document.assistance.value, sha256=item.sha256,
        sources=tuple(f"{source.name}: {source.url}" for source in document.sources),
        approvals=_rows(session, Approval, document.id), waivers=_rows(session, Waiver, document.id),
        reports=_rows(session, GateReport, document.id),
    )  # fmt: skip


def _facts(
    session: Session, issue_id: int, content: IssueContent, texts: Iterable[Text], now: datetime
) -> dict[str, Any]:
    """Return what is told in the folder's own files, by their names; `entries` are those of the record."""
    status = report.status(session, issue_id, now=now)
    plan = planning.find(session, issue_id)
    told = [each for each in corrections.all(session) if each.briefing in {text.id for text in texts}]
    cleared = clearing.standing(session, issue_id)
    names = [
        ("issue", issue_id),
        *(("briefing", text.id) for text in texts),
        *(("correction", each.id) for each in told),
    ]
    entries = [entry for kind, name in names for entry in audit.entries(session, kind, name)]
    return {
        "issue": issues.get(session, issue_id).as_json() | {"intro": content.intro},
        "clearance": cleared.as_json() if cleared else None,
        "reports": [each.as_json() for each in reports.all(session, issue_id)],
        "waivers": [asdict(each) for each in waivers.all(session, issue_id, now=now)],
        "approvals": [dict(each) for text in texts for each in text.approvals],
        "corrections": [each.as_json() for each in told],
        "deliveries": {
            "lists": plan.lists if plan else (), "segments": plan.segments if plan else (),
            **{name: getattr(status, name) for name in (
                "audience", "sent", "failed", "skipped", "unknown", "deferred", "pending", "resent", "reasons",
                "started", "finished",
            )},
        },
        "entries": [audit.written(each) for each in sorted(entries, key=lambda entry: entry.id or 0)],
    }  # fmt: skip


def _files(session: Session, text: Text) -> dict[str, bytes]:
    """Return the files of one text: as it was approved, every revision that it had, and what was said of it."""
    document = standings.text_at(session, text.id, text.sha256)
    revisions = select(Revision).where(Revision.briefing_id == text.id).order_by(col(Revision.number))
    comments = _rows(session, Comment, text.id)
    return {
        f"{text.folder}/approved.md": format.dump(document).encode(),
        f"{text.folder}/approved.canonical": format.canonical(document),
        f"{text.folder}/approvals.json": dossier.document(text.approvals),
        f"{text.folder}/waivers.json": dossier.document(text.waivers),
        f"{text.folder}/reports.json": dossier.document(text.reports),
        f"{text.folder}/comments.json": dossier.document(comments),
        **{f"{text.folder}/revision-{row.number}.md": row.text.encode() for row in session.exec(revisions)},
        f"{text.folder}/revisions.json": dossier.document(
            [row.model_dump(mode="json", exclude={"text", "id"}) for row in session.exec(revisions)]
        ),
    }


def _rendering(session: Session, sha256: str) -> dict[str, bytes]:
    row = session.get(Rendering, sha256, populate_existing=True)
    if row is None:
        raise Refused("the rendering is gone from the database; restore it from a backup")
    told = row.model_dump(mode="json", exclude={"html", "text"})
    return {
        "rendering/issue.html": row.html.encode(), "rendering/issue.txt": row.text.encode(),
        "rendering/rendering.json": dossier.document(told),
    }  # fmt: skip


def _rows(session: Session, table: type[SQLModel], briefing: str) -> tuple[Mapping[str, Any], ...]:
    """Return the rows of a table about a briefing, oldest first, as JSON has them."""
    column = table.__table__.c  # type: ignore[attr-defined]
    rows = session.exec(select(table).where(column.briefing_id == briefing).order_by(column.id))
    return tuple(row.model_dump(mode="json") for row in rows)
