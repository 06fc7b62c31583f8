"""The table of what came back."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index
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
