"""The tables of what came back."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from subscribers.columns import BigKey, one_of


class EventKind(StrEnum):
    """What came back about a copy or a reader."""

    #: a mail system said that the copy did not arrive
    BOUNCED = "bounced"
    #: the reader called it spam
    COMPLAINED = "complained"
    #: the message was displayed, by a person or a machine
    OPENED = "opened"
    #: a link was followed, by a person or a machine
    CLICKED = "clicked"
    #: the reader left a list
    UNSUBSCRIBED = "unsubscribed"
    #: a machine answered in the reader's place
    AUTO_REPLIED = "auto_replied"


class Event(SQLModel, table=True):
    """A fact that came back: rows are added, never changed."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_subscriber_id_kind", "subscriber_id", "kind"),
        Index("ix_event_kind_at_subscriber_id", "kind", "at", "subscriber_id"),
        Index("ix_event_kind_issue_id_subscriber_id", "kind", "issue_id", "subscriber_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    kind: EventKind = Field(sa_type=one_of(EventKind))
    issue_id: int | None = Field(default=None, foreign_key="issue.id", index=True)
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", ondelete="SET NULL")
    list_id: int | None = Field(default=None, foreign_key="list.id")
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    at: datetime


class ClickBy(StrEnum):
    """Who followed a link, as far as its signs tell."""

    #: nothing speaks against a person
    HUMAN = "human"
    #: a scanner, a preview, a browser that fetches ahead
    MACHINE = "machine"
    #: the signs do not decide
    UNKNOWN = "unknown"


class Click(SQLModel, table=True):
    """A link that was followed: `number` is the link's in the issue, 0 the one that no person sees.

    `why` is the rule that said by whom. `visitor` is a keyed hash of where it came from, emptied after some days;
    until then it can still turn out that a machine came.
    """

    __tablename__ = "click"
    __table_args__ = (
        Index("ix_click_issue_id_by_subscriber_id", "issue_id", "by", "subscriber_id"),
        Index("ix_click_by_at_subscriber_id", "by", "at", "subscriber_id"),
        Index("ix_click_subscriber_id_issue_id_at", "subscriber_id", "issue_id", "at"),
        Index("ix_click_visitor", "visitor", "at", sqlite_where=text("visitor <> ''"),
              postgresql_where=text("visitor <> ''")),
    )  # fmt: skip

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    issue_id: int = Field(foreign_key="issue.id")
    subscriber_id: int | None = Field(foreign_key="subscriber.id", ondelete="SET NULL")
    number: int
    by: ClickBy = Field(sa_type=one_of(ClickBy))
    why: str = Field(max_length=200)
    visitor: str = Field(default="", max_length=64)
    at: datetime
