"""The tables of the audience: who reads, on which lists, about what, and who must not be mailed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from subscribers.columns import BigKey, one_of


class SubscriptionState(StrEnum):
    """Where a subscriber stands on one list."""

    #: asked for, not yet confirmed by the reader; never mailed an issue
    PENDING = "pending"
    #: the reader agreed, and a consent row says how
    CONFIRMED = "confirmed"
    #: the reader left; kept so that an import cannot bring them back
    UNSUBSCRIBED = "unsubscribed"


class OptIn(StrEnum):
    """What a list asks of a newcomer."""

    #: a confirmation mail must be answered
    DOUBLE = "double"
    #: the sign-up itself confirms
    SINGLE = "single"


class Frequency(StrEnum):
    """How often a reader wants an issue, whatever list brings it."""

    #: every issue that goes to their lists
    EVERY_ISSUE = "every issue"
    #: at most one in a week
    WEEKLY = "weekly"
    #: at most one in a month
    MONTHLY = "monthly"


class AttributeType(StrEnum):
    """What a declared attribute holds."""

    #: a line of text
    STR = "str"
    #: a whole number
    INT = "int"
    #: a number
    FLOAT = "float"
    #: yes or no
    BOOL = "bool"
    #: a day, YYYY-MM-DD
    DATE = "date"


class SuppressionReason(StrEnum):
    """Why an address must not be mailed."""

    #: its mail system said that the mailbox does not exist
    HARD_BOUNCE = "hard_bounce"
    #: its reader called a message spam
    COMPLAINT = "complaint"
    #: its reader left everything
    UNSUBSCRIBED = "unsubscribed"
    #: it cannot be a mailbox
    INVALID = "invalid"
    #: a person of the desk said so
    MANUAL = "manual"


class ConsentEvent(StrEnum):
    """What a reader agreed to or took back."""

    #: they asked to join
    REQUESTED = "requested"
    #: they confirmed, or an import vouches that they had
    CONFIRMED = "confirmed"
    #: they took their consent back
    WITHDRAWN = "withdrawn"


class Subscriber(SQLModel, table=True):
    """A person, by address. `email` is as given; `email_key` is what addresses are compared by.

    Keys are never used again (SQLite would reuse the highest): links in old mail name them.
    """

    __tablename__ = "subscriber"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=320)
    email_key: str = Field(max_length=320, unique=True)
    name: str = Field(default="", max_length=200)
    language: str = Field(default="", max_length=20)
    country: str = Field(default="", max_length=2, index=True)
    audience: str = Field(default="", max_length=80, index=True)
    frequency: Frequency = Field(default=Frequency.EVERY_ISSUE, sa_type=one_of(Frequency))
    attributes: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    smtputf8: bool = Field(default=False)
    role_account: bool = Field(default=False)
    disposable: bool = Field(default=False)
    joined_at: datetime = Field(index=True)
    paused_until: datetime | None = Field(default=None)
    #: they do not want their clicks counted
    uncounted: bool = Field(default=False)


class Attribute(SQLModel, table=True):
    """A declared attribute: what the desk may know of a subscriber beside the columns, and of which type."""

    __tablename__ = "attribute"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    type: AttributeType = Field(sa_type=one_of(AttributeType))
    description: str = Field(default="", max_length=400)
    created_at: datetime


class MailingList(SQLModel, table=True):
    """A named list. `name` is the stable word in commands; `identifier` stands in the List-Id (RFC 2919).

    Without an identifier of its own a list goes by its name and the sender's domain.
    """

    __tablename__ = "list"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=63, unique=True)
    title: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    identifier: str = Field(default="", max_length=255)
    opt_in: OptIn = Field(default=OptIn.DOUBLE, sa_type=one_of(OptIn))
    public: bool = Field(default=True)
    #: whether it is counted which links of its mail are followed
    track_clicks: bool = Field(default=False)
    created_at: datetime


class Subscription(SQLModel, table=True):
    """One subscriber on one list."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("list_id", "subscriber_id"),
        Index("ix_subscription_list_id_state_subscriber_id", "list_id", "state", "subscriber_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    list_id: int = Field(foreign_key="list.id")
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    state: SubscriptionState = Field(sa_type=one_of(SubscriptionState))
    changed_at: datetime


class Topic(SQLModel, table=True):
    """Something to read about: the word that briefings carry and subscribers choose."""

    __tablename__ = "topic"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    title: str = Field(default="", max_length=200)


class SubscriberTopic(SQLModel, table=True):
    """One topic that one subscriber chose."""

    __tablename__ = "subscriber_topic"
    __table_args__ = (Index("ix_subscriber_topic_topic_id_subscriber_id", "topic_id", "subscriber_id"),)

    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE", primary_key=True)
    topic_id: int = Field(foreign_key="topic.id", ondelete="CASCADE", primary_key=True)


class Segment(SQLModel, table=True):
    """A named condition over subscribers, kept as the text its author wrote."""

    __tablename__ = "segment"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    condition: str = Field(max_length=2000)
    created_at: datetime


class Consent(SQLModel, table=True):
    """Proof of what was agreed: rows are added, never changed."""

    __tablename__ = "consent"

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", ondelete="SET NULL", index=True)
    list_id: int | None = Field(default=None, foreign_key="list.id")
    event: ConsentEvent = Field(sa_type=one_of(ConsentEvent))
    method: str = Field(max_length=80)
    words: str = Field(default="", max_length=4000)
    words_sha256: str = Field(default="", max_length=64)
    form_version: str = Field(default="", max_length=80)
    message_id: str = Field(default="", max_length=255)
    ip: str = Field(default="", max_length=45)
    user_agent: str = Field(default="", max_length=400)
    at: datetime


class Confirmation(SQLModel, table=True):
    """A confirmation that was asked of a reader by mail; of its token, one for all lists, only the hash is kept."""

    __tablename__ = "confirmation"
    __table_args__ = (UniqueConstraint("token_sha256", "list_id"),)

    id: int | None = Field(default=None, primary_key=True)
    token_sha256: str = Field(max_length=64)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    list_id: int = Field(foreign_key="list.id")
    consent_id: int = Field(foreign_key="consent.id")
    message_id: str = Field(default="", max_length=255)
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(default=None)


def _standing(name: str, *columns: str, where: str) -> Index:
    """Return the index by which at most one such row stands."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


class Suppression(SQLModel, table=True):
    """An address that must not be mailed, on one list or (`list_id` empty) at all, until somebody lifts it.

    At most one stands for an address, and one for each of its lists. `event_id` is the event that it follows from.
    """

    __tablename__ = "suppression"
    __table_args__ = (
        _standing("uq_suppression_standing", "email_key", where="lifted_at IS NULL AND list_id IS NULL"),
        _standing(
            "uq_suppression_standing_list", "email_key", "list_id", where="lifted_at IS NULL AND list_id IS NOT NULL"
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    email_key: str = Field(max_length=320, index=True)
    list_id: int | None = Field(default=None, foreign_key="list.id")
    reason: SuppressionReason = Field(sa_type=one_of(SuppressionReason))
    source: str = Field(default="", max_length=400)
    event_id: int | None = Field(default=None, sa_type=BigKey)
    at: datetime
    lifted_at: datetime | None = Field(default=None)
    lifted_by: str = Field(default="", max_length=80)


class NoticeState(StrEnum):
    """What became of a notice."""

    #: its receiver is to be told
    WAITING = "waiting"
    #: its receiver took it
    TOLD = "told"
    #: given up: it was tried for days, or its receiver is gone
    DEAD = "dead"


class Notice(SQLModel, table=True):
    """A fact that one receiver is to be told; it names rows and holds no address."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_state_due_at", "state", "due_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    message_id: str = Field(max_length=60, unique=True)
    receiver: str = Field(max_length=80)
    fact: str = Field(max_length=60)
    state: NoticeState = Field(default=NoticeState.WAITING, sa_type=one_of(NoticeState))
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    list_id: int | None = Field(default=None, foreign_key="list.id")
    suppression_id: int | None = Field(default=None, foreign_key="suppression.id", ondelete="CASCADE", index=True)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    #: when it happened, and since when it is tried
    at: datetime
    since: datetime
    due_at: datetime
    changed_at: datetime
    attempts: int = Field(default=0)
    answer: str = Field(default="", max_length=400)


class Erasure(SQLModel, table=True):
    """What is left of an erased person: a keyed hash of their address, and the number of the key."""

    __tablename__ = "erasure"

    id: int | None = Field(default=None, primary_key=True)
    key_id: int
    digest: str = Field(max_length=64, unique=True)
    at: datetime


class ImportRun(SQLModel, table=True):
    """One import: which file, how it was read, and how far it came, so that the same command goes on from there."""

    __tablename__ = "import_run"

    id: int | None = Field(default=None, primary_key=True)
    file: str = Field(max_length=400)
    sha256: str = Field(max_length=64, index=True)
    terms: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    actor: str = Field(max_length=80)
    rows: int
    done: int = Field(default=0)
    counts: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    started_at: datetime
    changed_at: datetime
    finished_at: datetime | None = Field(default=None)


class Knock(SQLModel, table=True):
    """How often one network, address or link came to a form in one stretch of time, by a keyed hash of it."""

    __tablename__ = "knock"
    __table_args__ = (UniqueConstraint("who", "since"),)

    id: int | None = Field(default=None, primary_key=True)
    who: str = Field(max_length=64)
    since: datetime
    times: int
