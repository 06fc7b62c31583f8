"""The tables of the editors' room: people, briefings, their revisions, and what was said of each text."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from subscribers.columns import one_of


class BriefingState(StrEnum):
    """How far a briefing has come. Its text can change until it is sent."""

    #: being written
    DRAFT = "draft"
    #: submitted, and waiting for somebody else's yes
    IN_REVIEW = "in_review"
    #: this exact text was approved; any edit makes it a draft again
    APPROVED = "approved"
    #: readers have it
    SENT = "sent"
    #: readers have it, and a correction followed
    CORRECTED = "corrected"
    #: withdrawn after sending
    KILLED = "killed"
    #: put aside before sending
    SPIKED = "spiked"


class Role(StrEnum):
    """What somebody may do at the desk; `editorial.roles` says which role includes which."""

    #: follows feeds and sorts the inbox
    SCOUT = "scout"
    #: writes briefings and hands them in
    WRITER = "writer"
    #: approves, composes, freezes
    EDITOR = "editor"
    #: answers for the standards: approves, and waives what the gate warns of
    STANDARDS = "standards"
    #: sends issues
    SENDER = "sender"
    #: keeps lists, subscribers, suppressions and people
    ADMIN = "admin"


class Stage(StrEnum):
    """When a rule of the gate is held against a text."""

    #: when it is checked, submitted and approved
    CONTENT = "content"
    #: when an issue takes it, is frozen and is sent
    ISSUE = "issue"


class Person(SQLModel, table=True):
    """Somebody who works at the desk, by the short name that commands and records use."""

    __tablename__ = "person"

    id: int | None = Field(default=None, primary_key=True)
    handle: str = Field(max_length=80, unique=True)
    name: str = Field(max_length=200)
    email: str = Field(default="", max_length=320)
    roles: list[str] = Field(default_factory=list, sa_type=JSON)
    active: bool = Field(default=True)
    added_at: datetime


class Briefing(SQLModel, table=True):
    """An editorial text, by its stable word. What it says stands in its newest revision."""

    __tablename__ = "briefing"

    id: str = Field(primary_key=True, max_length=80)
    title: str = Field(default="", max_length=500)
    state: BriefingState = Field(default=BriefingState.DRAFT, sa_type=one_of(BriefingState), index=True)
    revision: int
    sha256: str = Field(max_length=64)
    created_at: datetime
    changed_at: datetime


class Revision(SQLModel, table=True):
    """One text that a briefing once had: the file's words as they stood, and the hash of their canonical form."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("briefing_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    briefing_id: str = Field(foreign_key="briefing.id", max_length=80)
    number: int
    sha256: str = Field(max_length=64)
    text: str
    actor: str = Field(max_length=80)
    at: datetime


class Approval(SQLModel, table=True):
    """A person's yes to one exact text. Rows are added, never changed; it holds while the hash does."""

    __tablename__ = "approval"

    id: int | None = Field(default=None, primary_key=True)
    briefing_id: str = Field(foreign_key="briefing.id", max_length=80, index=True)
    revision: int
    sha256: str = Field(max_length=64)
    person: str = Field(max_length=80)
    solo: bool = Field(default=False)
    note: str = Field(default="", max_length=2000)
    at: datetime
    #: the gate's report on this text that the person had before them; None where approvals had none yet
    report: int | None = Field(default=None)


class GateReport(SQLModel, table=True):
    """What the gate found in one exact text. Rows are added, never changed."""

    __tablename__ = "gate_report"

    id: int | None = Field(default=None, primary_key=True)
    briefing_id: str = Field(foreign_key="briefing.id", max_length=80, index=True)
    revision: int
    sha256: str = Field(max_length=64)
    person: str = Field(max_length=80)
    at: datetime
    stage: Stage = Field(sa_type=one_of(Stage))
    #: the version of the rules, and those that the desk's settings made graver
    rules: str = Field(max_length=16)
    block: list[str] = Field(default_factory=list, sa_type=JSON)
    #: with how many words of which sources the text was compared
    words: int
    sources: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class Waiver(SQLModel, table=True):
    """A reason to let a warning about one exact text stand. Rows are added, never changed; an edit voids them."""

    __tablename__ = "waiver"

    id: int | None = Field(default=None, primary_key=True)
    briefing_id: str = Field(foreign_key="briefing.id", max_length=80, index=True)
    revision: int
    sha256: str = Field(max_length=64)
    person: str = Field(max_length=80)
    at: datetime
    rule: str = Field(max_length=40)
    reason: str = Field(max_length=2000)
    solo: bool = Field(default=False)


class Comment(SQLModel, table=True):
    """What somebody says of a text, or of one place in it. Rows are added, never changed."""

    __tablename__ = "comment"

    id: int | None = Field(default=None, primary_key=True)
    briefing_id: str = Field(foreign_key="briefing.id", max_length=80, index=True)
    revision: int
    sha256: str = Field(max_length=64)
    person: str = Field(max_length=80)
    at: datetime
    place: str = Field(default="", max_length=80)
    text: str = Field(max_length=4000)


class Invitation(SQLModel, table=True):
    """A link by which one person may decide on one exact text; of its token only the hash is kept."""

    __tablename__ = "invitation"

    id: int | None = Field(default=None, primary_key=True)
    briefing_id: str = Field(foreign_key="briefing.id", max_length=80, index=True)
    revision: int
    sha256: str = Field(max_length=64)
    person: str = Field(max_length=80)
    invited_by: str = Field(max_length=80)
    token_sha256: str = Field(max_length=64, unique=True)
    at: datetime
    expires_at: datetime
    answered_at: datetime | None = Field(default=None)
    #: what the person decided, in the words of the audit trail
    answer: str = Field(default="", max_length=24)
    revoked_at: datetime | None = Field(default=None)


class LoginLink(SQLModel, table=True):
    """A link that lets one person in, once; of its token only the hash is kept."""

    __tablename__ = "login_link"

    id: int | None = Field(default=None, primary_key=True)
    person: str = Field(max_length=80, index=True)
    token_sha256: str = Field(max_length=64, unique=True)
    at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(default=None)


class DeskSession(SQLModel, table=True):
    """A browser in which somebody is in; of its token only the hash is kept. The row goes when the session ends."""

    __tablename__ = "desk_session"

    id: int | None = Field(default=None, primary_key=True)
    person: str = Field(max_length=80, index=True)
    token_sha256: str = Field(max_length=64, unique=True)
    #: what the browser calls itself
    agent: str = Field(default="", max_length=200)
    began_at: datetime
    seen_at: datetime
