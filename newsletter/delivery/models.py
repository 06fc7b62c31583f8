"""The ledger: one row for each reader of an issue, moved in batches.

An issue may close only when ``audience = sent + failed + skipped + unknown``.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from subscribers.columns import BigKey, one_of


class DeliveryState(StrEnum):
    """What became of one reader's copy."""

    #: planned; no byte of it has left
    PENDING = "pending"
    #: claimed by a sender, who says in its journal how far it got
    SENDING = "sending"
    #: the relay took responsibility for it
    SENT = "sent"
    #: the relay asked to come back later
    DEFERRED = "deferred"
    #: refused for good, for a fault of this address or this message
    FAILED = "failed"
    #: not sent on purpose; the reason says why
    SKIPPED = "skipped"
    #: the connection or process died after the final dot and before the reply, and the desk holds such copies
    UNKNOWN = "unknown"


class BatchState(StrEnum):
    """Where a batch of deliveries stands."""

    #: waits for a sender
    OPEN = "open"
    #: one sender works on it
    LEASED = "leased"
    #: each of its deliveries has a result
    DONE = "done"


class Stop(StrEnum):
    """Why an issue is paused, so that what goes on by itself can tell what it may take up again."""

    #: nothing stopped it, or what did is not known any more
    NONE = ""
    #: readers wait for another attempt, or their share of the audience was done
    WAITING = "waiting"
    #: a share of the audience was asked for, and has it; the rest waits for a word
    PART = "part"
    #: a person asked
    ASKED = "asked"
    #: the sender was interrupted, or ended by an error
    INTERRUPTED = "interrupted"
    #: every relay refuses for reasons of its own
    RELAY = "relay"
    #: too much went wrong: dead addresses, refused content or complaints
    BREAKER = "breaker"


class Ask(StrEnum):
    """What a person asks of a running sender, who looks for it several times a second."""

    #: nothing
    NONE = ""
    #: stop in good order, with readers still waiting
    PAUSE = "pause"
    #: stop in good order; whoever still waits gets nothing
    CANCEL = "cancel"


class LetterState(StrEnum):
    """What became of a letter to one reader, outside every issue."""

    #: a relay is to take it
    WAITING = "waiting"
    #: one sender has it now
    SENDING = "sending"
    #: a relay took it
    SENT = "sent"
    #: refused for good, for a fault of the address or of the letter
    REFUSED = "refused"
    #: no relay took it within a day, or nothing was left to ask
    EXPIRED = "expired"
    #: its sender died with it, or the relay hung up after the final dot; it is not sent again
    UNKNOWN = "unknown"


class Letter(SQLModel, table=True):
    """A letter that asks a reader to confirm; `confirmation_id` is the first of its questions."""

    __tablename__ = "letter"
    __table_args__ = (Index("ix_letter_state_due_at", "state", "due_at"),)

    id: int | None = Field(default=None, primary_key=True)
    confirmation_id: int = Field(foreign_key="confirmation.id", ondelete="CASCADE", unique=True)
    state: LetterState = Field(default=LetterState.WAITING, sa_type=one_of(LetterState))
    attempts: int = Field(default=0)
    reason: str = Field(default="", max_length=400)
    created_at: datetime
    changed_at: datetime
    due_at: datetime


class Audience(SQLModel, table=True):
    """Whom an issue goes to, counted once when it was planned; `fence` lets only the newest sender record."""

    __tablename__ = "audience"

    issue_id: int = Field(foreign_key="issue.id", primary_key=True)
    lists: list[str] = Field(default_factory=list, sa_type=JSON)
    segments: list[str] = Field(default_factory=list, sa_type=JSON)
    size: int
    planned_at: datetime
    planned_by: str = Field(max_length=80)
    fence: int = Field(default=0)
    worker: str = Field(default="", max_length=200)
    lease_until: datetime | None = Field(default=None)
    stop: Stop = Field(default=Stop.NONE, sa_type=one_of(Stop))
    ask: Ask = Field(default=Ask.NONE, sa_type=one_of(Ask))
    asked_by: str = Field(default="", max_length=80)


class Schedule(SQLModel, table=True):
    """A send that is to begin later; `missed` says that its hour passed while nothing looked, and a person decides."""

    __tablename__ = "schedule"

    issue_id: int = Field(foreign_key="issue.id", primary_key=True)
    at: datetime = Field(index=True)
    zone: str = Field(max_length=80)
    terms: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    missed: bool = Field(default=False)
    actor: str = Field(max_length=80)
    made_at: datetime


class Made(StrEnum):
    """What became of one moment of a recurring issue."""

    #: somebody composes it now
    BEGUN = "begun"
    #: an issue was composed, and frozen
    ISSUE = "issue"
    #: nothing that was approved waited
    NOTHING = "nothing"
    #: it could not be composed or frozen; a person looks
    REFUSED = "refused"
    #: its hour passed while nothing looked
    MISSED = "missed"


class Edition(SQLModel, table=True):
    """One moment of a recurring issue, taken up once whoever looks, and what became of it."""

    __tablename__ = "edition"
    __table_args__ = (UniqueConstraint("name", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    #: the name of the [[schedule]] in newsletter.toml
    name: str = Field(max_length=63)
    at: datetime
    made: Made = Field(default=Made.BEGUN, sa_type=one_of(Made))
    issue_id: int | None = Field(default=None, foreign_key="issue.id", index=True)
    #: whether it is sent by itself once it may be
    sends: bool = Field(default=False)
    note: str = Field(default="", max_length=2000)
    made_at: datetime


class SubjectTest(SQLModel, table=True):
    """A trial of an issue's subjects on a share of its audience; the winner, counted from 0, goes to the rest."""

    __tablename__ = "subject_test"

    issue_id: int = Field(foreign_key="issue.id", primary_key=True)
    share: float
    decide: str = Field(max_length=24)
    hours: float
    sampled_at: datetime | None = Field(default=None)
    winner: int | None = Field(default=None)
    decided_at: datetime | None = Field(default=None)
    decided_by: str = Field(default="", max_length=80)


class RelayState(SQLModel, table=True):
    """A relay that refused for reasons of its own, in its words; one without a row gave no trouble."""

    __tablename__ = "relay_state"

    name: str = Field(primary_key=True, max_length=80)
    reason: str = Field(max_length=2000)
    temporary: bool = Field(default=False)
    changed_at: datetime


class Rehearsal(SQLModel, table=True):
    """The newest dry run of an issue: for whom it was, so that a send can tell what is different now."""

    __tablename__ = "rehearsal"

    issue_id: int = Field(foreign_key="issue.id", primary_key=True)
    lists: list[str] = Field(default_factory=list, sa_type=JSON)
    segments: list[str] = Field(default_factory=list, sa_type=JSON)
    size: int
    at: datetime
    actor: str = Field(max_length=80)


class RehearsalReader(SQLModel, table=True):
    """One reader whom the newest dry run of an issue counted."""

    __tablename__ = "rehearsal_reader"

    issue_id: int = Field(foreign_key="rehearsal.issue_id", ondelete="CASCADE", primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE", primary_key=True, index=True)


class DeliveryBatch(SQLModel, table=True):
    """A run of deliveries that one sender claims, sends and records together."""

    __tablename__ = "delivery_batch"
    __table_args__ = (Index("ix_delivery_batch_issue_id_state", "issue_id", "state"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    issue_id: int = Field(foreign_key="issue.id")
    state: BatchState = Field(default=BatchState.OPEN, sa_type=one_of(BatchState))
    fence: int = Field(default=0)
    worker: str = Field(default="", max_length=200)
    #: 1 for the share of the audience that goes first, else 0
    part: int = Field(default=0)


_IN_A_BATCH = text("batch_id IS NOT NULL")


class Delivery(SQLModel, table=True):
    """One issue to one subscriber, by way of one list."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        Index("ix_delivery_issue_id_state", "issue_id", "state"),
        # Not of the state too, which changes twice for each copy; and of those alone that are in a batch, so that what
        # SQLite knows of the table is of batches, and not of all who were in none when it looked.
        Index("ix_delivery_batch_id", "batch_id", sqlite_where=_IN_A_BATCH, postgresql_where=_IN_A_BATCH),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    issue_id: int = Field(foreign_key="issue.id")
    subscriber_id: int | None = Field(foreign_key="subscriber.id", ondelete="SET NULL", index=True)
    list_id: int = Field(foreign_key="list.id")
    batch_id: int | None = Field(default=None, foreign_key="delivery_batch.id", sa_type=BigKey)
    state: DeliveryState = Field(default=DeliveryState.PENDING, sa_type=one_of(DeliveryState))
    reason: str = Field(default="", max_length=80)
    reply: str = Field(default="", max_length=1000)
    attempts: int = Field(default=0)
    #: how many seconds the schedule of attempts has had it wait so far; the deadline counts them
    waited: float = Field(default=0.0)
    changed_at: datetime
    due_at: datetime | None = Field(default=None)
    relay: str = Field(default="", max_length=80)
    #: 1 for the share of the audience that goes first, else 0
    part: int = Field(default=0)
    #: which of the issue's subjects it carries, counted from 0
    variant: int = Field(default=0)
