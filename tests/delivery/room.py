"""A publication with readers, a frozen issue, and a server that takes its mail."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select, update

from newsletter import db
from newsletter.delivery import report, sending
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.planning import PlanView
from newsletter.delivery.pulse import Progress
from newsletter.delivery.report import Status
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import AUDIENCE, SUBSCRIBER
from newsletter.settings import Settings
from newsletter.transport import Relay
from tests.delivery import desk
from tests.delivery.desk import KEYRING, Clock, email
from tests.support.smtp import Server


class Room:
    """What a test of a send works with."""

    def __init__(self, engine: Engine, settings: Settings, server: Server, now: datetime) -> None:
        self.engine = engine
        self.settings = at_port(settings, server.port)
        self.server = server
        self.clock = Clock(now)
        self.issue = 0

    def make(self, count: int) -> int:
        self.issue = desk.make(self.engine, self.clock(), count)
        return self.issue

    def send(
        self, *, progress: Progress | None = None, tell: Callable[[PlanView], None] | None = None, **more: Any
    ) -> Status:
        more.setdefault("lists", ["weekly"] if not self.planned() else [])
        return sending.send(
            self.engine, self.settings, self.issue, Order(**more), keyring=KEYRING, actor="mara", clock=self.clock,
            progress=progress, tell=tell,
        )  # fmt: skip

    def move(self, domain: str, numbers: Iterable[int]) -> list[str]:
        """Let readers have their addresses elsewhere; return those."""
        there = [email(number) for number in numbers]
        elsewhere = func.replace(SUBSCRIBER.c.email, "example.com", domain)
        moved = update(SUBSCRIBER).where(SUBSCRIBER.c.email.in_(there))
        with db.transaction(self.engine) as session:
            session.execute(moved.values(email=elsewhere, email_key=elsewhere))
        return [each.replace("example.com", domain) for each in there]

    def relay(self, **words: Any) -> None:
        """Set something else of the relay."""
        self.settings = with_relays(self.settings, self.settings.relay[0].model_copy(update=words))

    def sending(self, **words: Any) -> None:
        folder = self.settings.folder
        section = self.settings.sending.model_copy(update=words)
        self.settings = self.settings.model_copy(update={"sending": section})
        self.settings._folder = folder

    def planned(self) -> bool:
        with db.reading(self.engine) as session:
            return session.execute(select(AUDIENCE.c.size)).first() is not None

    def status(self) -> Status:
        with db.reading(self.engine) as session:
            return report.status(session, self.issue, now=self.clock())

    def who(self, state: str) -> list[report.Standing]:
        with db.reading(self.engine) as session:
            return report.who(session, self.issue, state)

    @property
    def states(self) -> dict[str, tuple[DeliveryState, str]]:
        return desk.states(self.engine, self.issue)


def at_port(settings: Settings, port: int) -> Settings:
    """Return the settings with the relay there; it takes one message after the other, so that their order is known."""
    return with_relays(settings, settings.relay[0].model_copy(update={"port": port, "connections": 1}))


def with_relays(settings: Settings, *relays: Relay) -> Settings:
    made = settings.model_copy(update={"relay": relays})
    made._folder = settings.folder
    return made


def add_relay(room: Room, port: int, *, first: dict[str, Any] | None = None, **words: Any) -> None:
    """Let the room have a second relay there, called `other`, and set something else of the first."""
    main = room.settings.relay[0]
    other = Relay.model_validate({**main.model_dump(), "name": "other", "port": port, **words})
    room.settings = with_relays(room.settings, main.model_copy(update=first or {}), other)


def everyone(count: int) -> list[str]:
    """Return the addresses of so many readers."""
    return [email(number) for number in range(1, count + 1)]
