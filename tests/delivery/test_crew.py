"""Several processes at one issue: every copy once, one word stops all of them, and none outlives the first."""

import asyncio
import os
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from newsletter import db
from newsletter.delivery import crew, report
from newsletter.delivery.answers import Answers
from newsletter.delivery.lanes import LaneView, together
from newsletter.delivery.models import Stop
from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.delivery.report import Status
from newsletter.errors import NewsletterError
from newsletter.settings import Settings
from newsletter.transport import Lane, Relay
from tests.delivery import desk, logbook, sender
from tests.delivery.desk import email
from tests.delivery.sender import Order
from tests.delivery.soak import Soak
from tests.support.smtp import Server, accept

READERS = 320


@dataclass
class Boat:
    """A publication whose issue two processes send, over four connections."""

    engine: Engine
    settings: Settings
    server: Server
    issue: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    def start(self) -> BaseProcess:
        return sender.start(Order(self.settings.folder, self.issue, self.environ))

    def two(self) -> tuple[BaseProcess, int]:
        """Start a sender; return it with the process that sends beside it, when some messages are out."""
        process, before = self.start(), len(self.server.accepted)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        until = time.monotonic() + 30
        while len(self.server.accepted) < before + 20 or not children.read_text():
            assert time.monotonic() < until
            time.sleep(0.002)
        return process, int(children.read_text())

    @property
    def status(self) -> Status:
        with db.reading(self.engine) as session:
            return report.status(session, self.issue)

    @property
    def said(self) -> str:
        return (self.settings.folder / "said.txt").read_text()

    def finish(self) -> None:
        """Send the rest; only who was under way when somebody died has it twice."""
        process = self.start()
        process.join(60)
        assert process.exitcode == 0
        self.check()

    def check(self) -> None:
        """See that everybody has the issue."""
        copies = Counter(self.server.recipients)
        assert set(copies) == {email(number) for number in range(1, READERS + 1)}
        status = self.status
        assert (status.state, status.sent) == ("sent", READERS)
        assert sum(copies.values()) - READERS <= status.resent <= 4
        assert list(self.settings.path("journal").iterdir()) == []


@pytest.fixture
def boat(engine: Engine, settings: Settings, server: Server) -> Boat:
    environ = {
        "NEWSLETTER_RELAY_MAIN_PORT": str(server.port), "NEWSLETTER_RELAY_MAIN_CONNECTIONS": "4",
        "NEWSLETTER_SENDING_PROCESSES": "2", "NEWSLETTER_SENDING_BATCH": "20",
    }  # fmt: skip
    issue = desk.make(engine, datetime.now(UTC), READERS)
    return Boat(engine=engine, settings=settings, server=server, issue=issue, environ=environ)


def gone(pid: int) -> bool:
    """Return whether a process is no more, or only waits to be asked for its end; the kernel may need a moment."""
    until = time.monotonic() + 2
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_two_processes_send_every_copy_once(boat: Boat) -> None:
    process, mate = boat.two()
    process.join(60)
    assert process.exitcode == 0
    assert gone(mate)
    boat.check()
    assert len(boat.server.accepted) == READERS


def test_an_interrupted_crew_finishes_what_is_under_way_and_goes_on_later(boat: Boat) -> None:
    process, mate = boat.two()
    os.kill(mate, signal.SIGINT)  # a terminal sends it to all of them
    os.kill(process.pid or 0, signal.SIGINT)
    process.join(60)
    assert process.exitcode == 0
    assert gone(mate)
    status = boat.status
    assert (status.state, status.note) == ("paused", "stopped before its end")
    assert 0 < status.sent == len(boat.server.accepted) < READERS
    boat.finish()
    assert len(boat.server.accepted) == READERS


def test_a_crew_whose_first_dies_is_gone_with_it(boat: Boat) -> None:
    process, mate = boat.two()
    process.kill()
    process.join()
    assert gone(mate)
    boat.finish()


def test_a_crew_of_which_one_dies_stops_and_says_so(boat: Boat) -> None:
    process, mate = boat.two()
    os.kill(mate, signal.SIGKILL)
    process.join(60)
    assert process.exitcode == 1
    assert f"process {mate}, which sent beside this one, died" in boat.said
    assert boat.status.state == "paused"
    boat.finish()


def test_what_the_breaker_hears_in_one_process_stops_all(boat: Boat) -> None:
    accepted = boat.server.accepted
    boat.server.data = lambda _to: "554 5.6.0 What it says is refused" if len(accepted) > 100 else None
    process = boat.start()
    process.join(60)
    assert process.exitcode == 1
    assert "refused 3 times in a row" in boat.said
    status = boat.status
    assert (status.state, status.failed) == ("paused", 0)
    boat.server.data = accept
    boat.finish()


def test_crews_killed_at_random_skip_nobody(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    with logbook.serving(tmp_path / "log") as book:
        chance = random.Random(seed)
        toll = Soak(
            engine=engine, settings=settings, book=book, recipients=1500, kills=3, processes=2, chance=chance
        ).run()
    assert toll.broken(hold=False) == [], f"seed {seed}"


def test_one_process_alone_keeps_to_every_pace(tmp_path: Path) -> None:
    engine, relay = create_engine(f"sqlite:///{tmp_path}/desk.db"), Relay(name="main", host="localhost", connections=3)
    slow = relay.model_copy(update={"rate": 5.0})
    domains = relay.model_copy(update={"domains": {"example.com": Lane(connections=1)}})

    def size(wanted: int, *relays: Relay, limited: bool = False) -> int:
        return crew.size(wanted, relays, limited=limited, engine=engine, alone=True)

    assert size(2, relay) == 2
    assert size(8, relay) == 3, "each needs a connection"
    assert size(1, relay) == size(2, relay, slow) == size(2, domains) == size(2, relay, limited=True) == 1
    with engine.connect():
        assert size(2, relay) == 1
    assert crew.size(2, [relay], limited=False, engine=engine, alone=False) == 1


def test_lanes_of_several_processes_are_shown_as_one() -> None:
    one = LaneView(name="main", allowed=4, limit=8, rate=10.0, paused_for=0.0, done=5)
    other = LaneView(name="main", allowed=3, limit=8, rate=11.0, paused_for=2.0, done=7)
    slow = LaneView(name="main example.com", allowed=1, limit=8, rate=1.0, paused_for=0.0, done=1)
    both = LaneView(name="main", allowed=7, limit=16, rate=21.0, paused_for=2.0, done=12)
    assert together([one, slow, other]) == [both, slow]


class Listener(Answers):
    """Hears what a process is told, and does nothing about it."""

    def __init__(self) -> None:
        self.told: list[tuple[Stop, Outcome | None]] = []

    def heed(self, stop: Stop, reason: str, error: NewsletterError | None, doubted: Outcome | None) -> None:
        self.told.append((stop, doubted))


@pytest.fixture
def pair() -> Iterator[tuple[crew.Mate, crew.Post]]:
    """Return both ends of the line between the leader and another process, which is this one too."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield crew.Mate(pid=1, line=ours), crew.Post(theirs)


def heeded(post: crew.Post, say: Callable[[], None] = lambda: None) -> list[tuple[Stop, Outcome | None]]:
    """Return what the process heeds that is told so meanwhile."""
    listener, faults = Listener(), list[object]()

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context))
        with post.heeding(listener):
            say()
            for _ in range(100):
                if listener.told:
                    break
                await asyncio.sleep(0.01)

    asyncio.run(work())
    assert faults == []
    return listener.told


@pytest.mark.parametrize("doubted", [None, Outcome(Kind.FAILED, 554, "5.6.0 refused", Fault.CONTENT)])
def test_a_halt_that_comes_with_the_word_to_begin_is_heeded(
    pair: tuple[crew.Mate, crew.Post], doubted: Outcome | None
) -> None:
    mate, post = pair
    leader = crew.Crew(mates=[mate])
    leader.begin()
    leader.halt(doubted)
    assert post.begun()
    assert heeded(post) == [(Stop.INTERRUPTED, doubted)]


def test_a_halt_for_a_long_reply_is_heeded_whole(pair: tuple[crew.Mate, crew.Post]) -> None:
    mate, post = pair
    leader, doubted = crew.Crew(mates=[mate]), Outcome(Kind.FAILED, 554, "5.6.0 " + "x" * 16_000, Fault.CONTENT)
    leader.begin()
    assert post.begun()
    assert heeded(post, lambda: leader.halt(doubted)) == [(Stop.INTERRUPTED, doubted)]


def test_words_that_come_in_pieces_are_heard_once_they_are_whole(pair: tuple[crew.Mate, crew.Post]) -> None:
    mate, post = pair
    words = b'{"begin": true}\n{"halt": true, "doubted": null}\n'

    def say() -> None:
        for number in range(len(words)):
            mate.line.send(words[number : number + 1])
            time.sleep(0.001)

    with ThreadPoolExecutor(1) as beside:
        saying = beside.submit(say)
        assert post.begun()
        assert heeded(post) == [(Stop.INTERRUPTED, None)]
        saying.result()


def test_who_is_told_to_end_or_hears_nothing_does_not_begin(pair: tuple[crew.Mate, crew.Post]) -> None:
    mate, post = pair
    mate.say(end=True)
    assert not post.begun()
    mate.line.close()
    assert not post.begun()
