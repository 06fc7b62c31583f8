"""The send: claim a batch, send its messages, record what became of them, until nobody is due.

Only this loop opens several transactions. Between two of them the journal knows how far each copy got, so that the
process may die anywhere and the same call goes on from there.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from newsletter import audit, db
from newsletter.delivery import journal, ledger, message, planning, readers, recovery, report, results, single
from newsletter.delivery.interruption import Interruption, interruptible
from newsletter.delivery.journal import Journal
from newsletter.delivery.ledger import Batch, Hold
from newsletter.delivery.message import Envelope, Masthead
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.planning import PlanView
from newsletter.delivery.reader import Reader
from newsletter.delivery.readers import Lookup
from newsletter.delivery.relay import Relay
from newsletter.delivery.replies import Fault, Kind, Outcome, lost
from newsletter.delivery.report import Status
from newsletter.delivery.results import Change
from newsletter.editorial import briefings
from newsletter.errors import BadInput, DatabaseError, NewsletterError, Refused, RelayError
from newsletter.issues import contents, issues
from newsletter.rendering import compiled, press
from newsletter.rendering.compiled import Compiled
from newsletter.settings import Settings
from subscribers.tokens import Keyring

#: How often a sender says that it lives, in seconds: well within the lease.
HEARTBEAT = 20
#: After so many refusals in a row of what the message says, the fault is the issue's and not the readers'.
CONTENT_LIMIT = 3
#: How long a sender waits for another writer of SQLite, in seconds: a large import has an end.
PATIENCE = 300

Result = TypeVar("Result")
Clock = Callable[[], datetime]
#: Called with how many of the audience are accounted for, and with the audience's size.
Progress = Callable[[int, int], None]


def utc_now() -> datetime:
    """Return the moment."""
    return datetime.now(UTC)


def plan(
    engine: Engine,
    settings: Settings,
    issue_id: int,
    *,
    lists: Sequence[str] = (),
    segments: Sequence[str] = (),
    actor: str,
    now: datetime,
) -> PlanView:
    """Take the issue into sending with its audience planned, its texts and its rendering checked once more."""
    with db.transaction(engine) as session:
        press.load(session, issue_id)
        return _plan(session, settings, issue_id, lists=lists, segments=segments, actor=actor, now=now)


def _plan(
    session: Session,
    settings: Settings,
    issue_id: int,
    *,
    lists: Sequence[str],
    segments: Sequence[str],
    rehearsed: bool = False,
    actor: str,
    now: datetime,
) -> PlanView:
    settings.require("publication.postal_address", "a send")
    texts = issues.get(session, issue_id).items
    briefings.refresh(session, settings.briefings, actor=actor, now=now, only=texts)  # an edit a moment ago counts too
    contents.begin_sending(session, issue_id, actor=actor, now=now)
    batch = settings.sending.batch
    planned = planning.plan(
        session, issue_id, lists=lists, segments=segments, batch=batch, rehearsed=rehearsed, actor=actor, now=now
    )
    if not planned.new:
        audit.append(session, "resumed", actor=actor, kind="issue", name=issue_id, now=now)
    return planned


def send(
    engine: Engine,
    settings: Settings,
    issue_id: int,
    *,
    keyring: Keyring,
    lists: Sequence[str] = (),
    segments: Sequence[str] = (),
    rehearsed: bool = False,
    actor: str = "desk",
    relay: Relay | None = None,
    clock: Clock = utc_now,
    tell: Callable[[PlanView], None] | None = None,
    progress: Progress | None = None,
) -> Status:
    """Send the issue to everyone who is due, or go on where an earlier send stopped; return how it stands.

    The issue is then `sent`, or `paused` with the reason in its note: readers whom the relay put off, or an
    interruption. Raises RelayError, with the issue paused, when the relay refuses for reasons of its own. `rehearsed`
    refuses an audience that no dry run counted; `tell` hears of the plan before the first message.
    """
    carrier = relay or single.relay(settings)
    now = clock()
    with db.transaction(engine) as session:
        rendered = press.load(session, issue_id)
        lookup = readers.lookup(session, rendered.personal.needs, now=now)
        planned = _plan(
            session, settings, issue_id, lists=lists, segments=segments, rehearsed=rehearsed, actor=actor, now=now
        )
        head = message.masthead(settings, issue_id, subject=rendered.subject, date=planned.planned_at, keyring=keyring)
        hold = ledger.take(session, issue_id, worker=ledger.this_worker(), now=now)
    body = compiled.compile(rendered.html, rendered.text, boundary=f"issue-{issue_id}", personal=rendered.personal)
    with _paused_by_errors(engine, hold, actor, clock):
        if tell:
            tell(planned)
        _recover(engine, settings, hold, actor=actor, now=clock())
        with interruptible() as interruption:
            run = _Run(engine, settings, hold, head, body, lookup, carrier, clock, interruption, progress)
            with run.in_good_order(actor):
                run.batches()
    with db.reading(engine) as session:
        return report.status(session, issue_id, now=clock())


def _recover(engine: Engine, settings: Settings, hold: Hold, *, actor: str, now: datetime) -> None:
    # After the fence has moved, and not with it: from here on the dead sender, should it live, begins no message.
    folder, policy = settings.path("journal"), results.policy(settings.sending)
    left = _patiently(
        engine, lambda session: recovery.recover(session, hold, folder, policy=policy, actor=actor, now=now)
    )
    for path in left:
        path.unlink(missing_ok=True)


class _Run:
    """One sender at work on one issue; it watches the relay's progress and keeps the journal."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        hold: Hold,
        masthead: Masthead,
        body: Compiled,
        lookup: Lookup,
        relay: Relay,
        clock: Clock,
        interruption: Interruption,
        progress: Progress | None,
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.policy = results.policy(settings.sending)
        self.hold = hold
        self.masthead = masthead
        self.body = body
        self.lookup = lookup
        self.relay = relay
        self.clock = clock
        self.interruption = interruption
        self.progress = progress
        self.journal = Journal(settings.path("journal"), hold.issue_id, fence=hold.fence)
        self.changes: dict[int, Change] = {}
        self.begun: set[int] = set()
        self.readers: dict[int, Reader] = {}
        self.refused_content: dict[int, Outcome] = {}
        with db.reading(engine) as session:
            counts = ledger.counts(session, hold.issue_id)
        self.audience = sum(counts.values())
        self.accounted = sum(count for state, count in counts.items() if state not in ledger.WAITING)

    @contextmanager
    def in_good_order(self, actor: str) -> Iterator[None]:
        """Keep the lease during the block, and leave the issue sent, or paused with the reason."""
        with _kept(self.engine, self.hold, self.clock):
            try:
                yield
            except RelayError as error:
                self._leave(actor, reason=str(error))
                raise
            finally:
                self.relay.close()
                self.journal.close()
            self._leave(actor, reason="stopped before its end" if self.interruption.asked else "")

    def _leave(self, actor: str, *, reason: str) -> None:
        waiting = _patiently(self.engine, lambda session: self._close_or_pause(session, actor, reason))
        self.journal.remove()
        if waiting == 0:
            journal.sweep(self.settings.path("journal"), self.hold.issue_id)

    def _close_or_pause(self, session: Session, actor: str, reason: str) -> int:
        issue_id = self.hold.issue_id
        counts = ledger.counts(session, issue_id)
        waiting = sum(counts[state] for state in ledger.WAITING)
        if waiting == 0:
            ledger.close(session, issue_id, actor=actor, now=self.clock())
        else:
            due = ledger.next_due(session, issue_id)
            contents.pause(session, issue_id, reason=reason or _waits(issue_id, waiting, due))
            audit.append(session, "paused", actor=actor, kind="issue", name=issue_id, now=self.clock(), waiting=waiting)
        # Last, as planning locks the issue before the audience too: the other order can end in a deadlock.
        ledger.release(session, self.hold)
        return waiting

    def batches(self) -> None:
        """Send batch after batch until nobody is due, or somebody asks to stop."""
        while not self.interruption.asked:
            batch = _patiently(self.engine, self._claim)
            if batch is None:
                return
            self._tell(batch.skipped)
            self._send(batch)

    def _claim(self, session: Session) -> Batch | None:
        batch = self.settings.sending.batch
        return ledger.claim(session, self.hold, batch=batch, lookup=self.lookup, now=self.clock())

    def _record(self, session: Session, batch_id: int) -> None:
        ledger.record(session, self.hold, batch_id, self.changes, now=self.clock())

    def _send(self, batch: Batch) -> None:
        """Send one batch and record it, whatever happens on the way."""
        self.changes, self.begun = {}, set()
        self.readers = {reader.delivery_id: reader for reader in batch.readers}
        try:
            for envelope, outcome in self.relay.send(self._envelopes(batch.readers), self):
                self._settle(self.readers[envelope.delivery_id], outcome)
        finally:
            for delivery_id in self.begun - self.changes.keys():  # stopped from within a message
                flying = lost("the sender was stopped while this message was on its way", after_dot=True)
                self.changes[delivery_id] = self._change(self.readers[delivery_id], flying)
            _patiently(self.engine, lambda session: self._record(session, batch.id))
            self.journal.clear()

    def _envelopes(self, readers: Sequence[Reader]) -> Iterator[Envelope]:
        for reader in readers:
            if self.interruption.asked:
                return
            try:
                message.wire_address(reader.email)
            except BadInput as error:
                self._note(reader.delivery_id, Change(DeliveryState.FAILED, Fault.ADDRESS, str(error), tried=True))
                continue
            if not self.body.personal.concerns(reader.traits):
                self._note(reader.delivery_id, results.skipped(results.UNMATCHED, resent=reader.resent))
                continue
            yield message.assemble(self.masthead, self.body, reader)

    def wanted(self, envelope: Envelope) -> bool:
        """Return whether the reader is still to get it: promise 6, for every message not yet on the wire."""
        with db.reading(self.engine) as session:
            reason = ledger.objection(session, self.hold, envelope.delivery_id, now=self.clock())
        if reason:
            self._note(envelope.delivery_id, results.skipped(reason, resent=self.readers[envelope.delivery_id].resent))
        return not reason

    def began(self, envelope: Envelope) -> None:
        """Write the message down as in flight."""
        self.journal.began(envelope.delivery_id)
        # A successor reads this journal after it has moved the fence: so either it finds the line, or we the fence.
        with db.reading(self.engine) as session:
            ledger.require(session, self.hold)
        self.begun.add(envelope.delivery_id)

    def _settle(self, reader: Reader, outcome: Outcome) -> None:
        self._note(reader.delivery_id, self._change(reader, outcome))
        if outcome.kind is not Kind.UNKNOWN:
            self.journal.done(reader.delivery_id, outcome)
        if outcome.kind is Kind.RELAY_REFUSED:
            self._refuse(outcome, reader)
        if outcome.kind is Kind.SENT:
            self.refused_content.clear()
        elif outcome.fault is Fault.CONTENT:
            self.refused_content[reader.delivery_id] = outcome
            if len(self.refused_content) >= CONTENT_LIMIT:
                self._take_back()
                self._refuse(outcome, reader)

    def _change(self, reader: Reader, outcome: Outcome) -> Change:
        return results.settle(
            outcome,
            attempts=reader.attempts,
            resent=reader.resent,
            policy=self.policy,
            now=self.clock(),
        )

    def _take_back(self) -> None:
        """Let the readers wait whose copies were refused for what they say, also those of batches before this one."""
        here = {key: outcome for key, outcome in self.refused_content.items() if key in self.changes}
        for delivery_id, outcome in here.items():
            instead = replace(outcome, kind=Kind.RELAY_REFUSED)
            self.changes[delivery_id] = self._change(self.readers[delivery_id], instead)
            self.journal.done(delivery_id, instead)  # the last word on a copy counts, should the sender die now
        earlier = self.refused_content.keys() - here.keys()
        if earlier:
            _patiently(self.engine, lambda session: ledger.take_back(session, self.hold, earlier, now=self.clock()))

    def _refuse(self, outcome: Outcome, reader: Reader) -> NoReturn:
        issue_id = self.hold.issue_id
        raise RelayError(
            f"{self.relay} refuses issue {issue_id}, not its readers: {outcome.reply} (at {reader.email}). Nobody was "
            f"marked as failed for it; see what it asks for, then go on: newsletter send {issue_id}. If it is about "
            f"that one address, leave it out first: newsletter suppressions add {reader.email}",
            temporary=400 <= outcome.code < 500,
        )

    def _note(self, delivery_id: int, change: Change) -> None:
        self.changes[delivery_id] = change
        if change.state not in ledger.WAITING:
            self._tell(1)

    def _tell(self, more: int) -> None:
        self.accounted += more
        if self.progress and more:
            self.progress(self.accounted, self.audience)


def _patiently(engine: Engine, act: Callable[[Session], Result]) -> Result:
    """Return what a transaction comes to, and begin it again while another writer has the database."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with db.transaction(engine) as session:
                return act(session)
        except DatabaseError as error:
            if "database is locked" not in str(error) or time.monotonic() >= until:
                raise
        time.sleep(0.1)


@contextmanager
def _paused_by_errors(engine: Engine, hold: Hold, actor: str, clock: Clock) -> Iterator[None]:
    """Leave the issue paused and free when the block ends by any error, unless another sender has it by then.

    The journal stays: the next send reads what the ledger did not hear.
    """
    try:
        yield
    except BaseException as error:
        reason = "stopped before its end" if isinstance(error, KeyboardInterrupt) else str(error) or repr(error)
        with suppress(NewsletterError, SQLAlchemyError), db.transaction(engine) as session:
            contents.pause(session, hold.issue_id, reason=reason)
            ledger.release(session, hold)
            audit.append(session, "paused", actor=actor, kind="issue", name=hold.issue_id, now=clock())
        raise


@contextmanager
def _kept(engine: Engine, hold: Hold, clock: Clock) -> Iterator[None]:
    """Renew the lease during the block, however long a relay takes over one reply."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT):
            try:
                with db.transaction(engine) as session:
                    ledger.renew(session, hold, now=clock())
            except DatabaseError:  # another writer has it, or it restarts: there is time for a few more tries
                continue
            except Refused:  # the sender itself finds out at its next message
                return

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _waits(issue_id: int, waiting: int, due: datetime | None) -> str:
    when = f", the first from {due:%Y-%m-%d %H:%M} UTC" if due else ""
    who = "1 reader waits" if waiting == 1 else f"{waiting} readers wait"
    return f"{who} for another attempt{when}; then run: newsletter send {issue_id}"
