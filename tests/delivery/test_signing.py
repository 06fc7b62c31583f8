"""Signing beside the loop: the same bytes as without, whoever dies meanwhile, and nobody left behind."""

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter import db
from newsletter.delivery import keys, looping, making, report, signing
from newsletter.delivery.keys import Record
from newsletter.delivery.making import Make
from newsletter.delivery.message import Envelope
from newsletter.delivery.results import Change
from newsletter.delivery.signing import Scribe
from newsletter.settings import Settings
from newsletter.transport import Dkim
from tests.conftest import NOW
from tests.delivery import desk, sender
from tests.delivery.desk import KEYRING, READER, email
from tests.delivery.sender import Order
from tests.delivery.test_crew import gone
from tests.delivery.test_dkim import verified
from tests.delivery.test_message import SETTINGS
from tests.support.smtp import Server

DOMAIN = "news.harbour.example"
READERS = 200
WITHIN = 60.0


@dataclass
class Desk:
    """A publication that signs by two keys, and an issue of it."""

    engine: Engine
    settings: Settings
    server: Server
    records: tuple[Record, ...]
    issue: int
    processes: int = 1

    def start(self) -> BaseProcess:
        """Start a sender in a process of its own."""
        environ = {
            "NEWSLETTER_RELAY_MAIN_PORT": str(self.server.port), "NEWSLETTER_RELAY_MAIN_CONNECTIONS": "4",
            "NEWSLETTER_SENDING_PROCESSES": str(self.processes), "NEWSLETTER_SENDING_BATCH": "50",
            "NEWSLETTER_DKIM_DOMAIN": DOMAIN, "NEWSLETTER_DKIM_SELECTOR": "s1", "NEWSLETTER_DKIM_KEY": "s1.pem",
            "NEWSLETTER_DKIM_ED25519_SELECTOR": "e1", "NEWSLETTER_DKIM_ED25519_KEY": "e1.pem",
        }  # fmt: skip
        return sender.start(Order(self.settings.folder, self.issue, environ))

    def under_way(self) -> tuple[BaseProcess, list[int]]:
        """Start a sender; return it with its children, when some messages are out."""
        process = self.start()
        until = time.monotonic() + WITHIN
        while len(self.server.accepted) < 20:
            assert time.monotonic() < until
            time.sleep(0.002)
        return process, offspring(process.pid or 0)

    def finish(self, process: BaseProcess) -> None:
        """Wait for the sender's end, and see that everybody has one copy, signed twice."""
        process.join(WITHIN)
        assert process.exitcode == 0
        with db.reading(self.engine) as session:
            status = report.status(session, self.issue)
        assert (status.state, status.sent) == ("sent", READERS)
        assert Counter(self.server.recipients) == {email(number): 1 for number in range(1, READERS + 1)}
        for each in self.server.accepted:
            assert verified(each.data, self.records) == [True, True]


@pytest.fixture
def signs(engine: Engine, settings: Settings, server: Server) -> Desk:
    folder = settings.folder
    rsa = keys.create(folder / "s1.pem", domain=DOMAIN, selector="s1")
    second = keys.create(folder / "e1.pem", domain=DOMAIN, selector="e1", ed25519=True)
    issue = desk.make(engine, datetime.now(UTC), READERS)
    return Desk(engine, settings, server, (rsa.record, second.record), issue)


def offspring(pid: int) -> list[int]:
    """Return the children of a process."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_children_sign_a_send_and_end_with_it(signs: Desk) -> None:
    process, scribes = signs.under_way()
    assert len(scribes) == min(os.cpu_count() or 1, signing.MOST)
    for each in scribes:
        there = [os.readlink(link) for link in Path(f"/proc/{each}/fd").iterdir() if int(link.name) > 2]
        assert len(there) == 1, "it has nothing open but its line"
        assert there[0].startswith("socket:")
    signs.finish(process)
    assert all(map(gone, scribes))


@pytest.mark.parametrize("survivors", [0, 1])
def test_a_send_goes_on_signed_when_those_who_sign_are_killed(signs: Desk, survivors: int) -> None:
    process, scribes = signs.under_way()
    for each in scribes[survivors:]:
        os.kill(each, signal.SIGKILL)
    signs.finish(process)


def test_those_who_sign_do_not_outlive_a_sender_that_is_killed(signs: Desk) -> None:
    process, scribes = signs.under_way()
    process.kill()
    process.join()
    assert all(map(gone, scribes))


def test_an_interrupted_send_ends_with_those_who_sign_and_goes_on_later(signs: Desk) -> None:
    process, scribes = signs.under_way()
    for each in (*scribes, process.pid or 0):  # a terminal sends it to all of them
        os.kill(each, signal.SIGINT)
    process.join(WITHIN)
    assert process.exitcode == 0
    assert all(map(gone, scribes))
    assert len(signs.server.accepted) < READERS
    signs.finish(signs.start())


def test_each_process_of_a_crew_has_others_that_sign(signs: Desk) -> None:
    signs.processes = 2
    process, children = signs.under_way()
    until = time.monotonic() + WITHIN
    while not (grandchildren := [each for pid in children for each in offspring(pid)]):
        assert time.monotonic() < until
    assert len(children) > 1, "the other sender, and whoever signs for the first"
    signs.finish(process)
    assert all(map(gone, (*children, *grandchildren)))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    keys.create(tmp_path / "s1.pem", domain=DOMAIN, selector="s1")
    keys.create(tmp_path / "e1.pem", domain=DOMAIN, selector="e1", ed25519=True)
    both = Dkim(
        domain=DOMAIN, selector="s1", key=str(tmp_path / "s1.pem"), ed25519_selector="e1",
        ed25519_key=str(tmp_path / "e1.pem"),
    )  # fmt: skip
    settings = SETTINGS.model_copy(update={"dkim": both})
    return making.make(settings, 9, desk.RENDERED, date=NOW, keyring=KEYRING)


def test_threads_sign_the_same_where_no_child_can_be_had(make: Make, server: Server) -> None:
    readers = [replace(READER, subscriber_id=number, email=f"r{number}@example.com") for number in range(40)]

    async def made(scribes: list[Scribe]) -> list[list[Envelope | Change]]:
        return await asyncio.gather(*(scribe.make(readers) for scribe in scribes))

    before = offspring(os.getpid())
    with signing.scribes(make, senders=1) as there:  # beside the server's thread
        assert offspring(os.getpid()) == before
        assert looping.run(made(there)) == [list(map(make, readers))] * len(there)
    assert "scribe" not in {thread.name for thread in threading.enumerate()}


def test_nothing_is_signed_for_who_can_get_no_copy(make: Make) -> None:
    wrong = replace(READER, email="two words@example.com")
    with signing.scribes(make, senders=signing.MOST) as (scribe,):
        some, none = looping.run(scribe.make([wrong, READER, wrong])), looping.run(scribe.make([wrong]))
    assert some == [make(wrong), make(READER), make(wrong)]
    assert none == [make(wrong)]
    assert isinstance(some[0], Change)


def test_hashes_that_come_in_pieces_are_answered_as_they_are_whole(make: Make) -> None:
    assert make.signer
    hashes = bytes(range(256))  # of four messages, two keys each
    with signing._thread(make.signer) as line:
        line.setblocking(True)
        for place in range(0, len(hashes), 50):
            line.sendall(hashes[place : place + 50])
            time.sleep(0.01)
        proofs = b""
        while len(proofs) < 4 * make.signer.given:
            proofs += line.recv(4096)
    assert proofs == make.signer.prove(hashes)
