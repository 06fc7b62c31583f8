"""Figures: what became of an issue, counted, with every rate beside what it is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from newsletter.delivery import report
from newsletter.delivery.report import Status
from newsletter.errors import Refused
from newsletter.feedback import tallies
from newsletter.feedback.models import ClickBy, EventKind
from newsletter.feedback.rates import Rate
from newsletter.issues import issues
from newsletter.issues.models import IssueState
from newsletter.rendering import tracked

#: The states of a copy, in the order of a report.
STATES = ("sent", "failed", "skipped", "deferred", "unknown", "pending", "sending")
_BINS = 24


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of the issue, and how many readers' copies it was followed from, by whom."""

    number: int
    url: str
    by: Mapping[ClickBy, int]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of time after the first copy went out: who followed a first link in it, and who left."""

    label: str
    clicked: int
    left: int


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One subject of the issue, numbered from 1."""

    number: int
    subject: str
    clicked: Rate
    left: Rate


@dataclass(frozen=True, kw_only=True)
class Domain:
    """What became of the copies to one domain."""

    domain: str
    audience: int
    sent: int
    failed: int
    skipped: int
    deferred: int
    bounced: int
    clicked: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What became of an issue. `counted` is how many readers have it with links that are counted."""

    issue: int
    subject: str
    status: Status
    counted: int
    bounced: Rate
    complained: Rate
    left: Rate
    clicked: Rate
    clicks: Mapping[ClickBy, tuple[int, int]]
    links: Sequence[Link]
    spans: Sequence[Span]
    variants: Sequence[Variant]
    domains: Sequence[Domain]
    at: datetime

    @property
    def counts(self) -> dict[str, int]:
        """Return the copies by state, in the order of a report."""
        return {state: getattr(self.status, state) for state in STATES}

    def as_json(self) -> dict[str, Any]:
        """Return the figures in the words of the command line's JSON."""
        return {
            "issue": self.issue, "subject": self.subject, "state": self.status.state, "at": self.at,
            "started": self.status.started, "finished": self.status.finished, "audience": self.status.audience,
            **self.counts, "reasons": self.status.reasons, "bounced": self.bounced.as_json(),
            "complained": self.complained.as_json(), "unsubscribed": self.left.as_json(),
            "clicks_counted_for": self.counted, "clicked": self.clicked.as_json(),
            "clicks": {by.value: {"readers": readers, "times": times} for by, (readers, times) in self.clicks.items()},
            "links": [
                {"number": each.number, "url": each.url, **{by.value: each.by[by] for by in ClickBy}}
                for each in self.links
            ],
            "over_time": [vars(each) for each in self.spans],
            "subjects": [
                {"number": each.number, "subject": each.subject, "clicked": each.clicked.as_json(),
                 "unsubscribed": each.left.as_json()}
                for each in self.variants
            ],
            "domains": [vars(each) for each in self.domains],
        }  # fmt: skip


def of(session: Session, issue_id: int, *, now: datetime) -> Figures:
    """Return what became of an issue so far; Refused before anybody was sent it."""
    issue, status = issues.get(session, issue_id), report.status(session, issue_id, now=now)
    if status.started is None:
        raise Refused(f"issue {issue_id} is {issue.state}: there is nothing to report. {issues.next_step(issue)}")
    clicks, leavings = tallies.clicks(session, issue_id), tallies.leavings(session, issue_id)
    counted, sent = tallies.counted(session, issue_id), status.sent
    human = clicks[ClickBy.HUMAN][0]
    return Figures(
        issue=issue_id, subject=issue.subject, status=status, counted=counted,
        bounced=Rate(tallies.happened(session, issue_id, EventKind.BOUNCED), sent),
        complained=Rate(tallies.happened(session, issue_id, EventKind.COMPLAINED), sent),
        left=Rate(len(leavings), sent),
        # A list that counts no more had its clicks while it did.
        clicked=Rate(human, max(counted, human)),
        clicks=clicks, links=_links(session, issue_id),
        spans=spans(status.started, tallies.moments(session, issue_id), [at for at, _ in leavings]),
        variants=_variants(session, issue_id, issue.subjects, [variant for _, variant in leavings]),
        domains=[Domain(**row._mapping) for row in tallies.domains(session, issue_id)], at=now,
    )  # fmt: skip


def newest(session: Session, *, last: int, now: datetime) -> list[Figures]:
    """Return the figures of the issues that went out last, newest first."""
    gone = [each.id for each in issues.all(session) if each.state in (IssueState.SENT, IssueState.SENDING)]
    return [of(session, number, now=now) for number in sorted(gone, reverse=True)[:last]]


def spans(start: datetime, clicked: Sequence[datetime], left: Sequence[datetime]) -> list[Span]:
    """Return both by the hour where all of it is of the first day, else by the day; empty where there is neither."""
    whole = [*clicked, *left]
    if not whole:
        return []
    step, unit = (timedelta(hours=1), "hour") if max(whole) - start <= timedelta(days=1) else (timedelta(1), "day")
    last = min(int((max(whole) - start) / step), _BINS - 1)

    def place(at: datetime) -> int:
        return min(max(int((at - start) / step), 0), last)

    bins = range(last + 1)
    one, other = [place(at) for at in clicked], [place(at) for at in left]
    later = max(whole) - start >= step * _BINS
    return [
        Span(
            label=f"{unit} {number + 1}{' and later' if later and number == last else ''}", clicked=one.count(number),
            left=other.count(number),
        )
        for number in bins
    ]  # fmt: skip


def _links(session: Session, issue_id: int) -> list[Link]:
    followed, urls = tallies.links(session, issue_id), tracked.all(session, issue_id)
    none = dict.fromkeys(ClickBy, 0)
    made = [Link(number=number, url=url, by=followed.get(number, none)) for number, url in urls.items()]
    return sorted(made, key=lambda link: (-link.by[ClickBy.HUMAN], link.number))


def _variants(session: Session, issue_id: int, subjects: Sequence[str], left: Sequence[int]) -> list[Variant]:
    sent = tallies.variants(session, issue_id)
    return [
        Variant(
            number=number + 1, subject=subject, clicked=Rate(sent.get(number, (0, 0))[1], sent.get(number, (0, 0))[0]),
            left=Rate(left.count(number), sent.get(number, (0, 0))[0]),
        )
        for number, subject in enumerate(subjects)
    ]  # fmt: skip
