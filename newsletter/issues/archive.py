"""The archive: what lists, feeds and searches name of what was sent to everybody who wanted it."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import briefings
from newsletter.editorial.document import Document
from newsletter.editorial.models import Briefing, BriefingState
from newsletter.errors import NewsletterError
from newsletter.issues import corrections, wording
from newsletter.issues.models import Correction, Issue, IssueKind, IssueState, Item, Visibility
from subscribers import upsert

_log = logging.getLogger(__name__)
_ENTRY = upsert.table(audit.AuditEntry)
_NEWEST = core_select(_ENTRY.c.id, _ENTRY.c.sha256, _ENTRY.c.at).order_by(_ENTRY.c.id.desc()).limit(1)


@dataclass(frozen=True, kw_only=True)
class ListedBriefing:
    """A briefing as lists name it: in the text of the newest issue that brought it to everybody."""

    id: str
    title: str
    introduction: str
    language: str
    topics: tuple[str, ...]
    sha256: str
    #: the newest issue that carries it
    issue: int
    #: when the first issue that carries it went out
    published: datetime
    #: when the desk last said something of it
    changed: datetime


@dataclass(frozen=True, kw_only=True)
class ListedIssue:
    """An issue as lists name it; `items` are its briefings in order, without those that were withdrawn."""

    id: int
    title: str
    preheader: str
    intro: str
    sent: datetime
    changed: datetime
    items: tuple[ListedBriefing, ...]

    @property
    def topics(self) -> frozenset[str]:
        """Return what its briefings are about."""
        return frozenset(topic for item in self.items for topic in item.topics)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Everything that is listed, newest first."""

    issues: tuple[ListedIssue, ...] = ()
    briefings: tuple[ListedBriefing, ...] = ()
    by_id: Mapping[str, ListedBriefing] = field(default_factory=dict)

    def issue(self, number: int) -> ListedIssue | None:
        """Return one of its issues, None where it does not list it."""
        return next((each for each in self.issues if each.id == number), None)

    def beside(self, number: int) -> tuple[ListedIssue | None, ListedIssue | None]:
        """Return the issue before one, and the one after it."""
        numbers = [each.id for each in self.issues]
        if number not in numbers:
            return None, None
        place = numbers.index(number)
        older = self.issues[place + 1] if place + 1 < len(numbers) else None
        return older, self.issues[place - 1] if place else None

    def years(self) -> list[int]:
        """Return the years in which something was sent, newest first."""
        return sorted({each.sent.year for each in self.issues}, reverse=True)

    def topics(self) -> dict[str, int]:
        """Return the topics with how many briefings each has, by name."""
        counts: dict[str, int] = {}
        for each in self.briefings:
            for topic in each.topics:
                counts[topic] = counts.get(topic, 0) + 1
        return dict(sorted(counts.items()))


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A briefing's place in an issue that is listed."""

    issue: int
    briefing: str
    sha256: str
    state: BriefingState
    changed: datetime


def version(connection: Connection) -> tuple[int, str, datetime | None]:
    """Return what changes whenever the desk does something on record: its newest entry, and when that was made."""
    found = connection.execute(_NEWEST).first()
    return (found.id, found.sha256, found.at) if found else (0, "", None)


def read(session: Session, *, default: str) -> Archive:
    """Return what is listed; `default` is the visibility of issues of which nothing else was said."""
    sent = _sent(session)
    listed = [each for each in sent if (each.visibility or Visibility(default)) is Visibility.PUBLIC]
    places = _places(session, sent)
    found = _briefings(session, places, {each.id: each for each in sent if each.id}, {each.id for each in listed})
    made = tuple(_issue(each, places, found) for each in listed)
    newest = sorted(found.values(), key=lambda each: (each.published, each.id), reverse=True)
    return Archive(issues=made, briefings=tuple(newest), by_id=found)


def _sent(session: Session) -> list[Issue]:
    """Return the issues that every reader has, newest first."""
    query = select(Issue).where(
        Issue.state == IssueState.SENT, Issue.kind == IssueKind.DIGEST, col(Issue.sent_at).is_not(None)
    )
    return list(session.exec(query.order_by(col(Issue.sent_at).desc(), col(Issue.id).desc())))


def _places(session: Session, sent: Iterable[Issue]) -> list[_Place]:
    """Return the places of their briefings in order, oldest issue first."""
    query = (
        select(Item, Briefing.state, Briefing.changed_at)
        .join(Briefing, col(Briefing.id) == Item.briefing_id)
        .join(Issue, col(Issue.id) == Item.issue_id)
        .order_by(col(Issue.sent_at), col(Issue.id), col(Item.position))
    )
    wanted = {each.id for each in sent}
    return [
        _Place(
            issue=item.issue_id, briefing=item.briefing_id, sha256=item.sha256, state=BriefingState(state),
            changed=changed,
        )
        for item, state, changed in session.exec(query)
        if item.issue_id in wanted
    ]  # fmt: skip


def _briefings(
    session: Session, places: Iterable[_Place], sent: Mapping[int, Issue], listed: Collection[int | None]
) -> dict[str, ListedBriefing]:
    first: dict[str, datetime] = {}
    newest: dict[str, _Place] = {}
    for place in places:
        first.setdefault(place.briefing, _moment(sent[place.issue]))  # whoever could see it: a feed's ids rest on it
        if place.issue in listed and place.state is not BriefingState.KILLED:
            newest[place.briefing] = place
    said = _corrected(session)
    found = {}
    for name, place in newest.items():
        document, last = _text(session, place), _moment(sent[place.issue])
        if document is not None:
            changed = max(last, said.get(name, last))
            found[name] = _listed(document, place, published=first[name], changed=changed)
    return found


def _corrected(session: Session) -> dict[str, datetime]:
    """Return when the newest correction was made public of each briefing that has one."""
    public = select(Correction.briefing_id, Correction.approved_at, Correction.at)
    found: dict[str, datetime] = {}
    for briefing, approved, at in session.exec(public.where(col(Correction.state).in_(corrections.PUBLIC))):
        found[briefing] = max(found.get(briefing, at), approved or at)
    return found


def _moment(issue: Issue) -> datetime:
    assert issue.sent_at
    return issue.sent_at


def _text(session: Session, place: _Place) -> Document | None:
    known = _kept(place.sha256)
    if place.briefing not in known:
        try:
            known[place.briefing] = briefings.text_at(session, place.briefing, place.sha256)
        except NewsletterError as error:  # one bad row must not take the others off the pages
            _log.error("%s", error)
            return None
    return known[place.briefing]


@lru_cache(maxsize=20_000)
def _kept(_sha256: str) -> dict[str, Document]:
    """Return the memory for a text, which never changes under its hash."""
    return {}


def _listed(document: Document, place: _Place, *, published: datetime, changed: datetime) -> ListedBriefing:
    return ListedBriefing(
        id=place.briefing, title=document.title, introduction=document.introduction, language=document.language,
        topics=document.topics, sha256=place.sha256, issue=place.issue, published=published, changed=changed,
    )  # fmt: skip


def _issue(issue: Issue, places: Iterable[_Place], found: Mapping[str, ListedBriefing]) -> ListedIssue:
    assert issue.id
    mine = [place for place in places if place.issue == issue.id]
    killed = [place for place in mine if place.state is BriefingState.KILLED]
    items = tuple(found[place.briefing] for place in mine if place.briefing in found)
    said = [*(place.changed for place in killed), *(each.changed for each in items)]
    # The first words of an issue may be those of a text that the desk no longer stands by.
    return ListedIssue(
        id=issue.id,
        title=f"Issue {issue.id}" if killed else neutral(issue.subject, f"issue {issue.id}, subject"),
        preheader="" if killed else neutral(issue.preheader, f"issue {issue.id}, preheader"),
        intro=neutral(issue.intro, f"issue {issue.id}, introduction", blocks=True),
        sent=_moment(issue),
        changed=max([_moment(issue), *said]),
        items=items,
    )


def neutral(text: str, where: str, *, blocks: bool = False) -> str:
    """Return an issue's words as they read for nobody in particular."""
    return wording.neutral(wording.parts(text, where, blocks=blocks)).strip()
