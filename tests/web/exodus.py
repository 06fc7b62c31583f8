"""Readers who leave by one click while their issue is on its way, and what became of them."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2
from sqlalchemy import Engine, select

from newsletter import db, publication
from newsletter.delivery import report
from newsletter.delivery.report import Status
from newsletter.delivery.tables import LIST, SUBSCRIBER, SUBSCRIPTION
from newsletter.settings import Settings
from subscribers import tokens
from subscribers.models import SubscriptionState
from subscribers.tokens import Purpose
from tests.delivery import desk, sender
from tests.delivery.sender import Order
from tests.support.smtp import Server
from tests.web.conftest import served

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
#: So many leave at one moment.
AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Exodus:
    """What came of it, of `leavers` who were told that they are out; `seconds` is how long all of them took."""

    status: Status
    leavers: set[str]
    refused: int
    #: who is still on the list
    lost: set[str]
    #: who got the issue, and how many seconds after the page's answer it came
    sent: dict[str, float]
    seconds: float


def leave(engine: Engine, settings: Settings, server: Server, *, readers: int, leavers: int, rate: float) -> Exodus:
    """Send an issue at a rate, and let readers leave meanwhile, the last of the issue first."""
    came: dict[str, float] = {}
    told: dict[str, float] = {}
    server.data = lambda address: came.update({address: time.monotonic()})
    issue = desk.make(engine, datetime.now(UTC), readers)
    environ = {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port), "NEWSLETTER_RELAY_MAIN_RATE": str(rate)}
    with db.reading(engine) as session:
        (list_id,) = session.scalars(select(LIST.c.id))
        people = {row.email: row.id for row in session.execute(select(SUBSCRIBER.c.email, SUBSCRIBER.c.id))}
    gone = sorted(people, key=lambda email: people[email])[-1 : -leavers - 1 : -1]
    keyring = publication.keyring(settings)
    with (
        served(settings, engine) as address,
        httpx2.Client(timeout=60, limits=httpx2.Limits(max_connections=AT_ONCE)) as client,
        ThreadPoolExecutor(AT_ONCE) as crowd,
    ):

        def click(email: str) -> int:
            token = tokens.sign(keyring, Purpose.UNSUBSCRIBE, people[email], list_id)
            status = client.post(f"{address}/u/{token}", data=ONE_CLICK).status_code
            told[email] = time.monotonic()
            return status

        process = sender.start(Order(settings.folder, issue, environ))
        while not came:
            time.sleep(0.005)
        begun = time.monotonic()
        answers = list(crowd.map(click, gone))
        seconds = time.monotonic() - begun
        process.join()
    with db.reading(engine) as session:
        status = report.status(session, issue)
        left = select(SUBSCRIPTION.c.subscriber_id).where(SUBSCRIPTION.c.state == SubscriptionState.UNSUBSCRIBED)
        out = set(session.scalars(left))
    return Exodus(
        status=status, leavers=set(gone), refused=sum(answer != 200 for answer in answers),
        lost={email for email in gone if people[email] not in out},
        sent={email: came[email] - told[email] for email in gone if email in came}, seconds=seconds,
    )  # fmt: skip
