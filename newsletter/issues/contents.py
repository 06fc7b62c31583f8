"""Reading an issue as values, fixing it, and remembering what it said."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from newsletter import audit
from newsletter.editorial import briefings, relations
from newsletter.editorial.document import Document
from newsletter.errors import Blocked
from newsletter.hooks import Event
from newsletter.issues import corrections, issues, proposing, reports, wording
from newsletter.issues.content import IssueContent, ItemContent, Related, Terms
from newsletter.issues.issues import Words
from newsletter.issues.models import IssueState, Step
from newsletter.issues.reports import Report
from subscribers import notices


def read(session: Session, issue_id: int, *, now: datetime) -> IssueContent:
    """Return what the issue says; related briefings are found now while it is assembled, and kept once it is frozen."""
    issue = issues.row(session, issue_id)
    if carried := corrections.carried(session, issue_id):
        return corrections.content(session, carried, issue_id)
    rows = issues.items(session, issue_id)
    texts = {item.briefing_id: briefings.text_at(session, item.briefing_id, item.sha256) for item in rows}
    if issue.state == IssueState.ASSEMBLING:
        related = _related(session, texts, now)
    else:
        related = {
            item.briefing_id: tuple(Related(**{**each, "terms": tuple(each["terms"])}) for each in item.related)
            for item in rows
        }
    return IssueContent(
        id=issue_id,
        subject=issue.subject,
        preheader=issue.preheader,
        intro=issue.intro,
        items=tuple(
            ItemContent(
                position=item.position,
                sha256=item.sha256,
                document=texts[item.briefing_id],
                related=related[item.briefing_id],
            )
            for item in rows
        ),
        terms=issues.terms(issue),
        alternatives=tuple(issue.alternatives),
    )


def draft(session: Session, picks: Sequence[str], *, words: Words, terms: Terms, now: datetime) -> IssueContent:
    """Return what an issue of the picked briefings would say, before there is one; nothing is kept."""
    found = {id: briefings.get(session, id) for id in picks}
    texts = {id: standing.document for id, standing in found.items()}
    related, lead = _related(session, texts, now), texts[picks[0]]
    return IssueContent(
        id=0,
        subject=words.subject or wording.literal(proposing.subject(lead)),
        preheader=words.preheader or wording.literal(proposing.preheader(lead)),
        intro=words.intro,
        items=tuple(
            ItemContent(position=position, sha256=found[id].sha256, document=texts[id], related=related[id])
            for position, id in enumerate(picks, start=1)
        ),
        terms=terms,
        alternatives=words.alternatives,
    )


def _related(session: Session, chosen: dict[str, Document], now: datetime) -> dict[str, tuple[Related, ...]]:
    found = relations.of(session, chosen, exclude=list(chosen), now=now)
    return {
        briefing: tuple(
            Related(
                briefing=each.briefing,
                title=each.title,
                sha256=each.sha256,
                score=round(each.cosine, 4),
                terms=each.terms,
            )
            for each in near
        )
        for briefing, near in found.items()
    }


def freeze(
    session: Session, content: IssueContent, *, rendering: str, report: int | None = None, actor: str, now: datetime
) -> None:
    """Fix the issue to a rendering and to the related briefings that it names; the record has the gate's report."""
    rows = issues.items(session, content.id)  # a correction's briefing is no item: other issues brought it
    for item, row in zip(() if content.correction else content.items, rows, strict=True):
        row.related = [
            {"briefing": each.briefing, "title": each.title, "sha256": each.sha256, "score": each.score,
             "terms": list(each.terms)}
            for each in item.related
        ]  # fmt: skip
        session.add(row)
    session.flush()
    issues.move(
        session, content.id, IssueState.FROZEN, since=(IssueState.ASSEMBLING,), rendering=rendering, frozen_at=now
    )
    audit.append(
        session, "frozen", actor=actor, kind="issue", name=content.id, now=now, rendering=rendering, report=report
    )


def begin_sending(session: Session, issue_id: int, *, actor: str, now: datetime) -> None:
    """Take the issue into sending: its texts are checked once more, and from now on count as sent."""
    issue = issues.row(session, issue_id)
    first = issue.state in (IssueState.FROZEN, IssueState.CLEARED)
    if first:
        issues.verify(session, issue_id, now=now)
        held = _held(session, issue_id, now)
    issues.move(session, issue_id, IssueState.SENDING, since=issues.SENDABLE, note="")
    if first:
        names = [item.briefing_id for item in issues.items(session, issue_id)]
        texts = briefings.mark_sent(session, names, issue_id=issue_id, actor=actor, now=now)
        report = reports.keep(session, held, texts=texts, person=actor)
        audit.append(session, "sending", actor=actor, kind="issue", name=issue_id, now=now, report=report.id)
        corrections.mark_sent(session, issue_id, actor=actor, now=now)


def _held(session: Session, issue_id: int, now: datetime) -> Report:
    """Return what the gate says of an issue that is about to be sent; Blocked when anything keeps it back."""
    content, block = read(session, issue_id, now=now), reports.graver(session, issue_id)
    report = reports.run(session, content, Step.SEND, block=block, now=now)
    if report.blocking:
        raise Blocked(f"issue {issue_id} cannot be sent; what blocks it:", report.blocking)
    return report


def pause(session: Session, issue_id: int, *, reason: str) -> None:
    """Stop the issue with readers still waiting, and keep the reason where `status` shows it."""
    issues.move(session, issue_id, IssueState.PAUSED, since=(IssueState.SENDING,), note=reason[:2000])


def close(session: Session, issue_id: int, *, actor: str, now: datetime) -> None:
    """Mark the issue as sent; the ledger has counted everyone before it asks."""
    issues.move(session, issue_id, IssueState.SENT, since=(IssueState.SENDING,), sent_at=now, note="")
    audit.append(session, "sent", actor=actor, kind="issue", name=issue_id, now=now)
    notices.tell(session, Event.SENT, data={"issue": issue_id}, now=now)
