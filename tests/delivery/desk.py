"""Readers, lists and a frozen issue, written straight into the tables: other rooms have tests of their own."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, insert, select, update
from sqlmodel import Session

from newsletter import db
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.reader import Reader
from newsletter.delivery.tables import DELIVERY, LIST, SUBSCRIBER, SUBSCRIPTION
from newsletter.issues.models import Issue, IssueState
from newsletter.rendering.models import Rendering
from newsletter.rendering.rendered import Rendered
from subscribers.models import Frequency, OptIn, SubscriptionState
from subscribers.tokens import Keyring

KEYRING = Keyring.parse("1:" + "5a" * 32)
HTML = (
    "<!doctype html><html><body><p>.dots\n. and more — für [[email]]</p>\n.\n"
    '<p><a href="[[unsubscribe_url]]">Leave [[list_title]]</a> <a href="[[preferences_url]]">Choose</a></p>'
    "</body></html>"
)
TEXT = ".\n..\nHello [[email]],\n.\nleave [[list_title]]: [[unsubscribe_url]]\nchoose: [[preferences_url]]\n"
RENDERED = Rendered(subject="What is new — this week", preheader="", html=HTML, text=TEXT, theme="briefing")
READER = Reader(7, 42, "reader@example.com", 3, "weekly", "The weekly — für alle")


def email(number: int) -> str:
    """Return the address of the reader with that number, from 1 on."""
    return f"reader{number}@example.com"


def make_list(session: Session, now: datetime, count: int, *, name: str = "weekly") -> int:
    """Make a list of `count` confirmed readers, new or already known; return its id."""
    values = {"name": name, "title": f"The {name}", "opt_in": OptIn.DOUBLE, "public": True, "created_at": now}
    list_id: int = session.execute(insert(LIST).values(**values).returning(LIST.c.id)).scalar_one()
    known = set(session.execute(select(SUBSCRIBER.c.email)).scalars())
    fresh = [email(number) for number in range(1, count + 1) if email(number) not in known]
    people = [{"email": each, "email_key": each, "attributes": {}, "joined_at": now} for each in fresh]
    if people:
        session.execute(insert(SUBSCRIBER), people)
    ids = session.execute(select(SUBSCRIBER.c.id).order_by(SUBSCRIBER.c.id).limit(count)).scalars()
    standing = {"list_id": list_id, "state": SubscriptionState.CONFIRMED, "changed_at": now}
    session.execute(insert(SUBSCRIPTION), [{"subscriber_id": each, **standing} for each in ids])
    return list_id


def make_issue(session: Session, now: datetime, *, rendered: Rendered = RENDERED) -> int:
    """Make a frozen issue with that rendering; return its number."""
    sha256 = rendered.sha256([])
    issue = Issue(
        state=IssueState.FROZEN, subject=rendered.subject, rendering=sha256, composed_at=now, composed_by="mara",
        frozen_at=now,
    )  # fmt: skip
    session.add(issue)
    session.flush()
    assert issue.id
    row = Rendering(
        sha256=sha256, issue_id=issue.id, theme=rendered.theme, subject=rendered.subject, html=rendered.html,
        text=rendered.text, personal=rendered.personal.as_json(), at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return issue.id


def make(engine: Engine, now: datetime, count: int) -> int:
    """Make the list `weekly` of so many readers and a frozen issue for it; return the issue's number."""
    with db.transaction(engine) as session:
        make_list(session, now, count)
        return make_issue(session, now)


def leave(session: Session, number: int, now: datetime) -> None:
    """Let a reader leave every list."""
    _stand(session, number, SubscriptionState.UNSUBSCRIBED, now)


def come_back(session: Session, number: int, now: datetime) -> None:
    """Let a reader return to every list."""
    _stand(session, number, SubscriptionState.CONFIRMED, now)


def _stand(session: Session, number: int, state: SubscriptionState, now: datetime) -> None:
    who = select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.email == email(number)).scalar_subquery()
    stands = update(SUBSCRIPTION).where(SUBSCRIPTION.c.subscriber_id == who)
    session.execute(stands.values(state=state, changed_at=now))


def join(session: Session, number: int, now: datetime) -> None:
    """Let somebody new join the first list."""
    person = {"email": email(number), "email_key": email(number), "attributes": {}, "joined_at": now}
    made = session.execute(insert(SUBSCRIBER).values(**person).returning(SUBSCRIBER.c.id)).scalar_one()
    standing = {"list_id": 1, "state": SubscriptionState.CONFIRMED, "changed_at": now}
    session.execute(insert(SUBSCRIPTION).values(subscriber_id=made, **standing))


def wants(session: Session, number: int, frequency: Frequency) -> None:
    """Let a reader ask for so many mails."""
    session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.email == email(number)).values(frequency=frequency))


def had(session: Session, number: int, at: datetime, *, state: DeliveryState = DeliveryState.SENT) -> None:
    """Let a reader have a copy of an issue of its own in that state since then."""
    issue = Issue(state=IssueState.SENDING, subject="Another", composed_at=at, composed_by="mara")
    session.add(issue)
    session.flush()
    who = select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.email == email(number)).scalar_subquery()
    row = {"issue_id": issue.id, "list_id": 1, "state": state, "changed_at": at}
    session.execute(insert(DELIVERY).values(subscriber_id=who, reason="", reply="", attempts=1, **row))


def states(engine: Engine, issue_id: int) -> dict[str, tuple[DeliveryState, str]]:
    """Return state and reason of each delivery, by address."""
    query = (
        select(SUBSCRIBER.c.email, DELIVERY.c.state, DELIVERY.c.reason)
        .join(SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
        .where(DELIVERY.c.issue_id == issue_id)
    )
    with db.reading(engine) as session:
        return {address: (state, reason) for address, state, reason in session.execute(query)}


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **length: float) -> None:
        """Move on."""
        self.now += timedelta(**length)
