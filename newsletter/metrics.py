"""What a desk is doing, as numbers for machines that watch it: Prometheus' text format, version 0.0.4. No addresses."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from newsletter import __version__
from newsletter.delivery import ledger, letterbox, relays
from newsletter.feedback import webhooks
from newsletter.issues.models import Issue, IssueState
from newsletter.settings import Settings
from subscribers import lists, suppressions, upsert
from subscribers.models import Subscriber, SubscriptionState

TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: States of an issue that readers are getting.
_UNDER_WAY = (IssueState.SENDING, IssueState.PAUSED)
_ISSUE, _PERSON = upsert.table(Issue), upsert.table(Subscriber)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True)
class Family:
    """Numbers of one kind, each under its labels."""

    name: str
    help: str
    samples: Iterable[tuple[Mapping[str, object], int]]

    def __str__(self) -> str:
        """Return the family as the format has it."""
        head = f"# HELP newsletter_{self.name} {self.help}\n# TYPE newsletter_{self.name} gauge\n"
        return head + "".join(f"newsletter_{self.name}{_labels(named)} {value}\n" for named, value in self.samples)


def text(session: Session, settings: Settings, *, now: datetime) -> str:
    """Return every number as one document."""
    return "".join(map(str, _families(session, settings, now)))


def _families(session: Session, settings: Settings, now: datetime) -> Iterator[Family]:
    yield Family("info", "The program, always 1.", [({"version": __version__}, 1)])
    issues = dict(session.execute(select(_ISSUE.c.state, func.count()).group_by(_ISSUE.c.state)).all())
    yield Family("issues", "Issues by state.", [({"state": each}, issues.get(each, 0)) for each in IssueState])
    yield Family("copies", "Copies of issues under way, by state.", _copies(session))
    yield from _audience(session, now)
    letters = letterbox.counts(session).items()
    yield Family("letters", "Letters that ask to confirm, by state.", [({"state": k}, n) for k, n in letters])
    notices = webhooks.counts(session).items()
    yield Family("notices", "What receivers are to be told, by state.", [({"state": k}, n) for k, n in notices])
    paused = relays.troubles(session)
    there = [({"relay": each.name}, int(each.name in paused)) for each in settings.relay]
    yield Family("relay_paused", "Whether a relay is paused for reasons of its own.", there)


def _copies(session: Session) -> Iterator[tuple[Mapping[str, object], int]]:
    for issue in session.scalars(select(_ISSUE.c.id).where(_ISSUE.c.state.in_(_UNDER_WAY)).order_by(_ISSUE.c.id)):
        for state, count in ledger.counts(session, issue).items():
            yield {"issue": issue, "state": state}, count


def _audience(session: Session, now: datetime) -> Iterator[Family]:
    people = session.scalar(select(func.count()).select_from(_PERSON)) or 0
    resting = session.scalar(select(func.count()).where(_PERSON.c.paused_until > now)) or 0
    yield Family("subscribers", "Everybody who is known.", [({}, people)])
    yield Family("subscribers_paused", "Who wants no mail until some day.", [({}, resting)])
    standing = [
        ({"list": each.name, "state": state}, int(getattr(each, state.value)))
        for each in lists.all(session)
        for state in SubscriptionState
    ]
    yield Family("subscriptions", "Subscribers of each list, by state.", standing)
    barred = suppressions.counts(session).items()
    yield Family(
        "suppressions", "Addresses that must not be mailed, by reason.", [({"reason": k}, n) for k, n in barred]
    )


def _labels(named: Mapping[str, object]) -> str:
    if not named:
        return ""
    return "{" + ",".join(f'{name}="{str(value).translate(_ESCAPES)}"' for name, value in named.items()) + "}"
