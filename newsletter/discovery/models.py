"""The tables of discovery: feeds, the source items found in them, and what those said before they were edited."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, UniqueConstraint
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


class FeedState(StrEnum):
    """Whether a feed is polled. How well that goes is computed from what its last polls said."""

    #: polled whenever it is due
    FOLLOWED = "followed"
    #: left alone until somebody says otherwise
    PAUSED = "paused"
    #: its server said that it will not come back (410)
    GONE = "gone"
    #: the desk does not follow it any more; its items stay as a record
    REMOVED = "removed"


class Identity(StrEnum):
    """What makes an entry of a feed the same entry at the next poll. A feed only ever moves down this list."""

    #: the entry's own id
    GUID = "guid"
    #: its address
    LINK = "link"
    #: its address and its date
    LINK_DATE = "link_date"
    #: its address and its title
    LINK_TITLE = "link_title"


class Feed(SQLModel, table=True):
    """A source of stories: an RSS, Atom, RDF or JSON document at an address, and how polling it goes."""

    __tablename__ = "feed"

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(max_length=2000, unique=True)
    name: str = Field(max_length=200)
    site: str = Field(default="", max_length=2000)
    state: FeedState = Field(default=FeedState.FOLLOWED, sa_type=one_of(FeedState))
    identity: Identity = Field(default=Identity.GUID, sa_type=one_of(Identity))
    added_at: datetime
    #: when a document of it was last stored, and when it was last asked
    read_at: datetime | None = Field(default=None)
    polled_at: datetime | None = Field(default=None)
    due_at: datetime | None = Field(default=None, index=True)
    #: minutes between polls that the desk fixed; 0 lets the feed's own rhythm decide
    every: int = Field(default=0)
    #: seconds between its items, usually, and when the newest came
    gap: int | None = Field(default=None)
    newest_at: datetime | None = Field(default=None)
    #: what the server said of the body that is stored, byte for byte
    etag: str = Field(default="", max_length=1000)
    last_modified: str = Field(default="", max_length=200)
    body_sha256: str = Field(default="", max_length=64)
    validates: bool = Field(default=False)
    #: polls in a row that brought the same body although nothing was asked conditionally
    unchanged: int = Field(default=0)
    #: what the document asks for: minutes between polls, hours (UTC) and days to leave out
    hints: dict[str, list[int]] = Field(default_factory=dict, sa_type=JSON)
    #: polls in a row that failed, since when, with which HTTP status (0: none), and why
    failures: int = Field(default=0)
    failing_since: datetime | None = Field(default=None)
    status: int = Field(default=0)
    fault: str = Field(default="", max_length=500)
    #: what was wrong with a document that was read all the same
    degraded: str = Field(default="", max_length=500)
    #: where permanent redirects lead, how many polls in a row were led there, and since when
    moved_to: str = Field(default="", max_length=2000)
    moved_hits: int = Field(default=0)
    moved_since: datetime | None = Field(default=None)


class SourceItem(SQLModel, table=True):
    """One entry of a feed; `identity` keeps it the same item when the feed is read again."""

    __tablename__ = "source_item"
    __table_args__ = (UniqueConstraint("feed_id", "identity"),)

    id: int | None = Field(default=None, primary_key=True)
    feed_id: int = Field(foreign_key="feed.id")
    identity: str = Field(max_length=2000)
    url: str = Field(default="", max_length=2000, index=True)
    #: the address without what only tracks readers
    canonical: str = Field(default="", max_length=2000, index=True)
    title: str = Field(max_length=500)
    summary: str = Field(default="", max_length=20000)
    published: datetime | None = Field(default=None)
    published_as_given: str = Field(default="", max_length=100)
    #: who told the story first, where the feed only passes it on
    upstream_name: str = Field(default="", max_length=200)
    upstream_url: str = Field(default="", max_length=2000)
    found_at: datetime = Field(index=True)
    revision: int = Field(default=1)
    changed_at: datetime | None = Field(default=None)
    #: the first item of the same story, where several sources tell it
    cluster_id: int | None = Field(default=None, index=True)
    state: ItemState = Field(default=ItemState.NEW, sa_type=one_of(ItemState), index=True)
    snoozed_until: datetime | None = Field(default=None)
    reason: str = Field(default="", max_length=400)
    handled_by: str = Field(default="", max_length=80)
    handled_at: datetime | None = Field(default=None)
    briefing_id: str = Field(default="", max_length=80)


class SourceRevision(SQLModel, table=True):
    """What a source item said before its publisher edited it."""

    __tablename__ = "source_revision"
    __table_args__ = (UniqueConstraint("item_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="source_item.id")
    number: int
    url: str = Field(max_length=2000)
    title: str = Field(max_length=500)
    summary: str = Field(max_length=20000)
    replaced_at: datetime


class SourceLook(SQLModel, table=True):
    """What stood at a source's address when somebody looked. Rows are added; only the words are discarded in time."""

    __tablename__ = "source_look"

    id: int | None = Field(default=None, primary_key=True)
    #: the address without what only tracks readers
    url: str = Field(max_length=2000, index=True)
    at: datetime = Field(index=True)
    #: what was answered (0: nothing), and why there is no page to compare with, or no words of it
    status: int = Field(default=0)
    trouble: str = Field(default="", max_length=500)
    title: str = Field(default="", max_length=500)
    #: the fingerprint of title and paragraphs, empty where there was no page, and one of each paragraph
    sha256: str = Field(default="", max_length=64)
    paragraphs: list[str] = Field(default_factory=list, sa_type=JSON)
    #: how often the page speaks of a correction
    corrections: int = Field(default=0)
    #: the article's words, where full text is switched on; discarded after 30 days
    text: str = Field(default="", max_length=200000)
