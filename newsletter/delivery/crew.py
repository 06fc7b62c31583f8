"""The crew: processes that send an issue beside the first, each over its part of the connections.

They hold the issue by one fence, and what one has claimed is its own. The first one leads: it plans, recovers, hears
signals, tells of progress and closes the issue. No other outlives it: whoever finds it dead finds all of them dead.
"""

import asyncio
import gc
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Engine

from newsletter import errors
from newsletter.delivery import children
from newsletter.delivery.answers import Answers
from newsletter.delivery.lanes import LaneView
from newsletter.delivery.models import Stop
from newsletter.delivery.pulse import Tally
from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.errors import DatabaseError, NewsletterError, RelayError
from newsletter.transport import Relay

#: How long processes have to end, in seconds, that are told to end at once.
GRACE = 5.0

#: How many bytes are taken off a line at once.
HEARD = 65536

#: What one process says to another: a JSON object on a line.
Word = dict[str, Any]


class _Ear:
    """Makes words of what comes over a line, however it is cut."""

    def __init__(self) -> None:
        self._rest = b""

    def words(self, data: bytes) -> list[Word]:
        """Return the words that are whole with these bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]


@dataclass(kw_only=True, eq=False)
class Mate:
    """A process beside the leader, as the leader knows it."""

    pid: int
    line: socket.socket
    ended: bool = False

    def say(self, **word: object) -> None:
        """Tell it something; it may be gone."""
        with suppress(OSError):
            self.line.send(_written(word))


@dataclass(kw_only=True)
class Crew:
    """The leader's side: who sends beside it; `came_back` says that somebody waits again who was theirs."""

    mates: Sequence[Mate] = ()
    came_back: bool = False
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        """Let them send."""
        for mate in self.mates:
            mate.say(begin=True)

    def halt(self, doubted: Outcome | None) -> None:
        """Let them begin no further message; who failed for the fault in doubt is to wait."""
        for mate in self.mates:
            mate.say(halt=True, doubted=_outcome_written(doubted))

    async def listen(self, mate: Mate, answers: Answers, tally: Tally) -> None:
        """Hear what a mate has to tell until it ends; a reason to stop counts for all."""
        mate.line.setblocking(False)
        ear, in_order = _Ear(), False
        while data := await asyncio.get_running_loop().sock_recv(mate.line, HEARD):
            for word in ear.words(data):
                if "accounted" in word:
                    _count(tally, mate, word)
                elif "stop" in word:
                    answers.heed(Stop(word["stop"]), word["reason"], _error(word["error"]), _outcome(word["doubted"]))
                else:
                    self.came_back |= word["came_back"]
                    in_order = True
        mate.ended = True
        if not in_order:
            answers.heed(Stop.INTERRUPTED, "a process of the send died", DatabaseError(_died(mate)), None)
        self._heard.set()

    async def joined(self) -> None:
        """Wait until all of them have ended."""
        while not all(mate.ended for mate in self.mates):
            self._heard.clear()
            await self._heard.wait()


def size(wanted: int, relays: Sequence[Relay], *, limited: bool, engine: Engine, alone: bool) -> int:
    """Return how many processes are to send: as many as are wanted, if each has a connection to every relay.

    One alone keeps to a rate, to a window, to the lanes of domains, and to a number of copies. A connection to the
    database that is in use cannot be divided either.
    """
    paced = any(each.rate or each.window or each.domains for each in relays)
    in_use = engine.pool.checkedout()  # type: ignore[attr-defined]
    if limited or paced or in_use or not alone:
        return 1
    return min(wanted, *(each.connections for each in relays))


@contextmanager
def beside(engine: Engine, count: int, serve: Callable[[int, "Post"], None]) -> Iterator[Crew]:
    """Have so many processes more, numbered from 1, for the length of the block; each waits for `begin`.

    `serve` is what a mate does. None of them is left when the block ends.
    """
    crew = Crew(mates=_raised(engine, count, serve))
    try:
        yield crew
    finally:
        _end(crew.mates)


def _raised(engine: Engine, count: int, serve: Callable[[int, "Post"], None]) -> list[Mate]:
    mates: list[Mate] = []
    if count:
        engine.dispose()  # SQLite's connections must not be carried over a fork
        gc.freeze()  # so that the pages of what is there stay shared
    for number in range(1, count + 1):
        ours, theirs = socket.socketpair()
        others = (ours, *(mate.line for mate in mates))
        pid = children.fork(partial(_serve, Post(theirs), others, partial(serve, number)))
        theirs.close()
        mates.append(Mate(pid=pid, line=ours))
    return mates


def _serve(post: "Post", others: Sequence[socket.socket], act: Callable[["Post"], None]) -> None:
    """Be a mate, and nothing after that."""
    for other in others:
        other.close()
    try:
        if post.begun():
            act(post)
    except NewsletterError as error:
        post.fail(error)


def _end(mates: Sequence[Mate]) -> None:
    """End whoever still works; what it had under way stands in the journals."""
    until = time.monotonic() + GRACE
    for mate in mates:
        mate.say(end=True)
    for mate in mates:
        children.end(mate.pid, until=until)
        mate.line.close()


class Post:
    """A mate's own side: what the leader says, and what it is told."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._ear = _Ear()
        self._early: list[Word] = []  # said together with the word to begin
        self._told = (0, 0)

    def begun(self) -> bool:
        """Wait for the leader's word to begin; return whether it came."""
        while said := self._line.recv(HEARD):
            if words := self._ear.words(said):
                first, *self._early = words
                return "begin" in first
        return False

    @contextmanager
    def heeding(self, answers: Answers) -> Iterator[None]:
        """Do as the leader says while the block lasts, in an event loop."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def heed(words: Sequence[Word]) -> None:
            for word in words:
                if "end" in word and task:
                    task.cancel()
                elif "halt" in word:
                    answers.heed(Stop.INTERRUPTED, "stopped with the others", None, _outcome(word["doubted"]))

        def heard() -> None:
            said = self._line.recv(HEARD)
            if not said:
                os._exit(1)  # the leader is gone: what is under way stands in the journals
            heed(self._ear.words(said))

        heed(self._early)
        loop.add_reader(self._line, heard)
        try:
            yield
        finally:
            loop.remove_reader(self._line)

    def tell(self, tally: Tally, lanes: Sequence[LaneView]) -> None:
        """Tell the leader how far this process is."""
        accounted, sent = tally.accounted - self._told[0], tally.sent - self._told[1]
        self._told = tally.accounted, tally.sent
        self._say(accounted=accounted, sent=sent, lanes=[asdict(lane) for lane in lanes])

    def halted(self, stop: Stop, reason: str, error: NewsletterError | None, doubted: Outcome | None) -> None:
        """Tell the leader why no further message begins here."""
        self._say(stop=stop, reason=reason, error=_named(error), doubted=_outcome_written(doubted))

    def close(self, tally: Tally) -> None:
        """Tell the leader that this process ended in good order, and whether somebody waits again."""
        self.tell(tally, ())
        self._say(came_back=tally.came_back)

    def fail(self, error: NewsletterError) -> None:
        """Tell the leader of the error that ended this process."""
        self.halted(Stop.INTERRUPTED, str(error), error, None)
        self._say(came_back=False)

    def _say(self, **word: object) -> None:
        self._line.sendall(_written(word))


def _written(word: Word) -> bytes:
    return json.dumps(word).encode() + b"\n"


def _count(tally: Tally, mate: Mate, word: Word) -> None:
    tally.accounted += word["accounted"]
    tally.sent += word["sent"]
    if word["lanes"]:
        tally.beside[mate.pid] = [LaneView(**lane) for lane in word["lanes"]]


def _outcome_written(outcome: Outcome | None) -> Word | None:
    return (
        {"kind": outcome.kind, "code": outcome.code, "text": outcome.text, "fault": outcome.fault} if outcome else None
    )


def _outcome(word: Word | None) -> Outcome | None:
    if word is None:
        return None
    return Outcome(Kind(word["kind"]), word["code"], word["text"], Fault(word["fault"]) if word["fault"] else None)


def _named(error: NewsletterError | None) -> Word | None:
    if error is None:
        return None
    return {"kind": type(error).__name__, "words": str(error), "temporary": getattr(error, "temporary", False)}


def _error(word: Word | None) -> NewsletterError | None:
    if word is None:
        return None
    if word["kind"] == RelayError.__name__:
        return RelayError(word["words"], temporary=word["temporary"])
    made: NewsletterError = getattr(errors, word["kind"])(word["words"])
    return made


def _died(mate: Mate) -> str:
    return (
        f"process {mate.pid}, which sent beside this one, died; what it had under way stands in the journals. Run the "
        "same command again"
    )
