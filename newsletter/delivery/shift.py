"""A shift: what one process does of a send, once the issue is taken and its readers are planned."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from sqlalchemy import Engine

from newsletter import db
from newsletter.delivery import carriers, children, crew, ledger, looping, pulse, results, signing
from newsletter.delivery.books import Books, Clock
from newsletter.delivery.breaker import Breaker
from newsletter.delivery.carriers import Carrier
from newsletter.delivery.crew import Crew, Post
from newsletter.delivery.interruption import Interruption
from newsletter.delivery.ledger import Hold
from newsletter.delivery.making import Make
from newsletter.delivery.pulse import Progress, Tally
from newsletter.delivery.readers import Lookup
from newsletter.delivery.run import Run
from newsletter.delivery.signing import Scribe
from newsletter.delivery.work import Work
from newsletter.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Shift:
    """What every process of a send has in hand: the issue, what makes its messages, and how much is to be sent now.

    `part` is the share of the audience that is meant, `limit` how many copies at most, 0 for all; `wait` stays for
    copies that relays put off.
    """

    engine: Engine
    settings: Settings
    hold: Hold
    make: Make
    lookup: Lookup
    part: int | None
    limit: int
    wait: bool
    clock: Clock

    def run(self, there: Sequence[Carrier], progress: Progress | None) -> Work:
        """Send over the relays, with as many processes as the settings say; return what came of it."""
        carriers.remember(self.engine, there, now=self.clock())
        with db.reading(self.engine) as session:
            counts = ledger.counts(session, self.hold.issue_id)
        waiting = sum(counts[state] for state in ledger.WAITING)
        tally = Tally(audience=sum(counts.values()), accounted=sum(counts.values()) - waiting)
        count = crew.size(
            self.settings.sending.processes, [each.relay for each in there], limited=self.limit > 0,
            engine=self.engine, alone=children.alone(),
        )  # fmt: skip
        if count == 1:
            return self._lead(there, tally, progress, Crew())
        parts = [carriers.part(there, number, count) for number in range(count)]
        with crew.beside(self.engine, count - 1, lambda number, post: self._help(parts[number], post, count)) as mates:
            mates.begin()
            return self._lead(parts[0], tally, progress, mates)

    def _lead(self, there: Sequence[Carrier], tally: Tally, progress: Progress | None, mates: Crew) -> Work:
        async def go(work: Work, scribes: Sequence[Scribe]) -> None:
            work.halted = lambda: mates.halt(work.doubted)
            run = Run(work, progress=progress, scribes=scribes, wait=self.wait, crew=mates)
            with Interruption() as interruption:
                await run.go(interruption)

        with self._working(there, tally, 1 + len(mates.mates)) as (work, scribes):
            with nullcontext() if mates.mates else looping.one_core():  # several would have to find a core for each
                looping.run(go(work, scribes))
        return work

    def _help(self, there: Sequence[Carrier], post: Post, senders: int) -> None:
        tally = Tally(audience=0, accounted=0)

        def tell(shown: pulse.Pulse) -> None:
            post.tell(tally, shown.lanes)

        async def go(work: Work, scribes: Sequence[Scribe]) -> None:
            work.halted = lambda: post.halted(work.stop, work.reason, work.error, work.doubted)
            run = Run(work, progress=tell, scribes=scribes)
            with post.heeding(run.answers):
                await run.go(None)

        with self._working(there, tally, senders) as (work, scribes):
            looping.run(go(work, scribes))
        post.close(tally)

    @contextmanager
    def _working(self, there: Sequence[Carrier], tally: Tally, senders: int) -> Iterator[tuple[Work, Sequence[Scribe]]]:
        """Yield the work of this process, with those who sign beside it."""
        with signing.scribes(self.make, senders) as scribes:
            books = Books(
                self.engine, self.hold, self.settings.path("journal"), lookup=self.lookup,
                batch=self.settings.sending.batch, part=self.part, clock=self.clock,
            )  # fmt: skip
            try:
                yield Work(
                    books, there, self.make, policy=results.policy(self.settings.sending),
                    breaker=Breaker(self.settings.sending), tally=tally, ahead=bool(scribes), limit=self.limit,
                ), scribes  # fmt: skip
            finally:
                books.close()
