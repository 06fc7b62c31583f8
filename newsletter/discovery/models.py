"""The tables of discovery: feeds, and the source items found in them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from subscribers.columns import one_of


class ItemState(StrEnum):
    """How far the desk has got with a source item."""

    #: found, and nobody has looked
    NEW = "new"
    #: worth a briefing
    SHORTLISTED = "shortlisted"
    #: out of sight until a date
    SNOOZED = "snoozed"
    #: somebody is writing about it
    CLAIMED = "claimed"
    #: a briefing cites it
    USED = "used"
    #: not for this desk
    DISMISSED = "dismissed"
    #: another item tells the same story
    DUPLICATE = "duplicate"
    #: nobody looked in time
    EXPIRED = "expired"


class Feed(SQLModel, table=True):
    """A source of stories: an RSS or Atom document at an address."""

    __tablename__ = "feed"

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(max_length=2000, unique=True)
    name: str = Field(max_length=200)
    added_at: datetime
    read_at: datetime | None = Field(default=None)


class SourceItem(SQLModel, table=True):
    """One entry of a feed; `identity` keeps it the same item when the feed is read again."""

    __tablename__ = "source_item"
    __table_args__ = (UniqueConstraint("feed_id", "identity"),)

    id: int | None = Field(default=None, primary_key=True)
    feed_id: int = Field(foreign_key="feed.id")
    identity: str = Field(max_length=2000)
    url: str = Field(default="", max_length=2000, index=True)
    title: str = Field(max_length=500)
    summary: str = Field(default="", max_length=20000)
    published: datetime | None = Field(default=None)
    published_as_given: str = Field(default="", max_length=100)
    found_at: datetime
    state: ItemState = Field(default=ItemState.NEW, sa_type=one_of(ItemState), index=True)
    briefing_id: str = Field(default="", max_length=80)
