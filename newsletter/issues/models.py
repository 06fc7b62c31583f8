"""The tables of the issue: the digest, and the place of each briefing in it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from subscribers.columns import one_of

#: The issue has a column named list, beside which the word means nothing else.
Texts = list[str]


class IssueState(StrEnum):
    """How far an issue has come."""

    #: items and words can still change
    ASSEMBLING = "assembling"
    #: the rendering is fixed
    FROZEN = "frozen"
    #: signed off by somebody who did not assemble it
    CLEARED = "cleared"
    #: its audience is planned; messages are leaving or about to
    SENDING = "sending"
    #: stopped with readers still waiting
    PAUSED = "paused"
    #: every reader of the audience is accounted for
    SENT = "sent"
    #: will never be sent
    CANCELLED = "cancelled"


class IssueKind(StrEnum):
    """What an issue brings."""

    #: briefings, to whoever is on its lists
    DIGEST = "digest"
    #: one correction, to those who have the briefing
    CORRECTION = "correction"


class CorrectionKind(StrEnum):
    """What a correction says of a briefing that readers have."""

    #: it was wrong, and this is right
    CORRECTION = "correction"
    #: it was right, and could be misread
    CLARIFICATION = "clarification"
    #: it was right, and something happened since
    UPDATE = "update"
    #: it should not have gone out, and is withdrawn
    KILL = "kill"


class CorrectionState(StrEnum):
    """How far a correction has come."""

    #: its words wait for somebody else's yes
    DRAFTED = "drafted"
    #: these exact words were approved; they stand on the pages, and are to be sent
    APPROVED = "approved"
    #: its issue began to go out and is not done; stored as sent, and told apart by that issue's state
    SENDING = "sending"
    #: its issue went out, as far as it will
    SENT = "sent"
    #: it stands on the pages, and nobody is told by mail
    NOTED = "noted"
    #: given up
    WITHDRAWN = "withdrawn"


class Unmatched(StrEnum):
    """What a reader gets who chose topics, none of which is in the issue."""

    #: the lead items
    LEAD = "lead"
    #: no copy; it is skipped, with the reason
    SKIP = "skip"


class Step(StrEnum):
    """When the gate reported on an issue."""

    #: its words were fixed
    FREEZE = "freeze"
    #: the first copies were about to leave
    SEND = "send"


class Visibility(StrEnum):
    """Who can see an issue online once it went out."""

    #: everybody; it is listed
    PUBLIC = "public"
    #: whoever has its address; no list and no index has it
    UNLISTED = "unlisted"
    #: its readers, by the link in their mail
    SUBSCRIBERS = "subscribers"


class Issue(SQLModel, table=True):
    """One digest. It is the same for every reader unless `by_topic` or `by_audience` says otherwise."""

    __tablename__ = "issue"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    kind: IssueKind = Field(default=IssueKind.DIGEST, sa_type=one_of(IssueKind))
    state: IssueState = Field(default=IssueState.ASSEMBLING, sa_type=one_of(IssueState), index=True)
    subject: str = Field(max_length=400)
    #: the name of the list that it is composed for; empty for whichever it is sent to
    list: str = Field(default="", max_length=63, index=True)
    #: other subjects to try on a part of the readers
    alternatives: Texts = Field(default_factory=Texts, sa_type=JSON)
    preheader: str = Field(default="", max_length=400)
    intro: str = Field(default="", max_length=20000)
    by_topic: bool = Field(default=False)
    by_audience: bool = Field(default=False)
    leads: int = Field(default=1)
    unmatched: Unmatched = Field(default=Unmatched.LEAD, sa_type=one_of(Unmatched))
    rendering: str = Field(default="", max_length=64)
    note: str = Field(default="", max_length=2000)
    composed_at: datetime
    composed_by: str = Field(max_length=80)
    frozen_at: datetime | None = Field(default=None)
    sent_at: datetime | None = Field(default=None)
    #: None: as `[archive] visibility` says
    visibility: Visibility | None = Field(default=None, sa_type=one_of(Visibility))


class SearchText(SQLModel, table=True):
    """A published text as the search reads it: made of what it names by hash, and made again where that has changed."""

    __tablename__ = "search_text"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=24)
    name: str = Field(max_length=80)
    sha256: str = Field(max_length=64)
    title: str = Field(max_length=500)
    text: str


class Item(SQLModel, table=True):
    """A briefing's place in an issue, bound to the text that was approved when it was composed."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("issue_id", "position"), UniqueConstraint("issue_id", "briefing_id"))

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id")
    position: int
    briefing_id: str = Field(foreign_key="briefing.id", max_length=80, index=True)
    sha256: str = Field(max_length=64)
    related: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class Rank(SQLModel, table=True):
    """What a briefing weighs when an issue is composed of what waits; one without a row has no score and no place."""

    __tablename__ = "rank"

    briefing_id: str = Field(foreign_key="briefing.id", primary_key=True, max_length=80)
    #: from 0 to 100; the highest comes first
    score: int | None = Field(default=None)
    #: the place that it has whatever its score, counted from 1
    place: int | None = Field(default=None)
    person: str = Field(max_length=80)
    at: datetime


class Clearance(SQLModel, table=True):
    """A person's yes to one exact rendering of an issue. Rows are added, never changed; an unfreeze voids them."""

    __tablename__ = "clearance"

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id", index=True)
    rendering: str = Field(max_length=64)
    person: str = Field(max_length=80)
    #: the same person assembled or froze it
    solo: bool = Field(default=False)
    note: str = Field(default="", max_length=2000)
    at: datetime


class IssueReport(SQLModel, table=True):
    """What the gate found in an issue as a whole. Rows are added, never changed."""

    __tablename__ = "issue_report"

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id", index=True)
    step: Step = Field(sa_type=one_of(Step))
    person: str = Field(max_length=80)
    at: datetime
    #: the version of the rules, and those that the desk's settings made graver
    rules: str = Field(max_length=16)
    block: list[str] = Field(default_factory=list, sa_type=JSON)
    #: by briefing the number of the report on its text
    texts: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class IssueWaiver(SQLModel, table=True):
    """A reason to let a warning about an issue as it reads stand. Rows are added, never changed; an edit voids them."""

    __tablename__ = "issue_waiver"

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id", index=True)
    sha256: str = Field(max_length=64)
    person: str = Field(max_length=80)
    at: datetime
    rule: str = Field(max_length=40)
    reason: str = Field(max_length=2000)
    solo: bool = Field(default=False)


class Correction(SQLModel, table=True):
    """What readers are told about a briefing that they have, and who wrote it; a changed word voids the approval."""

    __tablename__ = "correction"

    id: int | None = Field(default=None, primary_key=True)
    briefing_id: str = Field(foreign_key="briefing.id", max_length=80, index=True)
    #: the text that it is about
    sha256: str = Field(max_length=64)
    kind: CorrectionKind = Field(default=CorrectionKind.CORRECTION, sa_type=one_of(CorrectionKind))
    state: CorrectionState = Field(default=CorrectionState.DRAFTED, sa_type=one_of(CorrectionState), index=True)
    wrong: str = Field(max_length=2000)
    right: str = Field(default="", max_length=2000)
    #: who wrote it, by short name; none of them may approve it
    hands: list[str] = Field(default_factory=list, sa_type=JSON)
    at: datetime
    approved_by: str = Field(default="", max_length=80)
    approved_at: datetime | None = Field(default=None)
    solo: bool = Field(default=False)
    #: the issue that carries it
    issue_id: int | None = Field(default=None, foreign_key="issue.id", unique=True)
