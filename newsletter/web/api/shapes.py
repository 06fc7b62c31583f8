"""The shapes of what programs send and are told: these, and never a row of the database."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from newsletter.delivery.report import Status
from newsletter.issues.issues import IssueView
from newsletter.issues.models import IssueState
from subscribers.lists import ListView
from subscribers.models import Frequency, OptIn, SuppressionReason
from subscribers.signups import Outcome
from subscribers.subscribers import SubscriberView
from subscribers.suppressions import SuppressionView

#: The largest number that a database keeps for a row.
LARGEST = 2**31 - 1


def _plain(text: str) -> str:
    if any(not (mark.isprintable() or mark in "\n\t") for mark in text):
        raise ValueError("it holds control characters")
    return text


Text = Annotated[str, AfterValidator(_plain)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Email = Annotated[str, Field(max_length=320, examples=["reader@example.com"])]
Value = str | int | float | bool | None


class Given(BaseModel):
    """What a program sends: a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class Asked(Given):
    """The word of a reader who wants to join, as their program passes it on."""

    words: Text = Field(min_length=1, max_length=4000, description="The exact words that the reader agreed to.")
    form: Text = Field(default="", max_length=80, description="The version of the form that showed them.")
    ip: Text = Field(default="", max_length=45, description="The reader's address on the network.")
    user_agent: Text = Field(default="", max_length=400, description="The reader's browser.")


class NewSubscriber(Given):
    """A reader who wants to join lists."""

    email: Email
    lists: list[Name] = Field(min_length=1, max_length=20)
    consent: Asked
    name: Text = Field(default="", max_length=200)
    language: Text = Field(default="", max_length=20)
    topics: list[Text] = Field(default=[], max_length=50)
    frequency: Frequency = Frequency.EVERY_ISSUE
    attributes: dict[str, Value] = Field(default={}, max_length=50)


class Change(Given):
    """What is to be different of a subscriber; what is left out stays."""

    name: Text | None = Field(default=None, max_length=200)
    language: Text | None = Field(default=None, max_length=20)
    country: Text | None = Field(default=None, max_length=2)
    audience: Text | None = Field(default=None, max_length=80)
    frequency: Frequency | None = None
    topics: list[Text] | None = Field(default=None, max_length=50, description="The whole choice from now on.")
    attributes: dict[str, Value] = Field(default={}, max_length=50, description="Null forgets one.")


class Leaving(Given):
    """Which list a reader leaves."""

    list: Name | None = Field(default=None, description="Left out: every list.")


class NewSuppression(Given):
    """An address that must not be mailed."""

    email: Email
    list: Name | None = Field(default=None, description="Left out: everywhere.")
    reason: SuppressionReason = SuppressionReason.MANUAL
    source: Text = Field(default="", max_length=300, description="Where this comes from.")


class ListOut(BaseModel):
    """A list, with how many subscribers stand where on it."""

    name: str
    title: str
    description: str
    opt_in: OptIn
    public: bool
    track_clicks: bool
    pending: int
    confirmed: int
    unsubscribed: int
    created_at: datetime


class SubscriberOut(BaseModel):
    """A subscriber; `lists` says where they stand on each, `suppressed` why no mail goes there, null where it may."""

    id: int
    email: str
    name: str
    language: str
    country: str
    audience: str
    frequency: Frequency
    topics: list[str]
    attributes: dict[str, Any]
    lists: dict[str, str]
    suppressed: str | None
    paused_until: datetime | None
    joined_at: datetime


class SignedUp(BaseModel):
    """What a sign-up came to on each list, and who it is."""

    outcomes: dict[str, Outcome]
    subscriber: SubscriberOut


class IssueOut(BaseModel):
    """An issue."""

    id: int
    state: IssueState
    briefings: list[str]
    list: str | None
    subject: str
    composed_at: datetime
    frozen_at: datetime | None
    sent_at: datetime | None


class StatusOut(BaseModel):
    """How a send stands: the counts of `newsletter status --json`."""

    issue: int
    state: IssueState
    audience: int
    sent: int
    failed: int
    skipped: int
    deferred: int
    unknown: int
    pending: int
    sending: int
    reasons: dict[str, dict[str, int]]
    rate: float
    started: datetime | None
    finished: datetime | None
    next_due: datetime | None


class SuppressionOut(BaseModel):
    """A standing suppression; `list` is null for one that holds everywhere."""

    id: int
    email: str
    list: str | None
    reason: SuppressionReason
    source: str
    at: datetime


class Suppressed(BaseModel):
    """What suppressing an address came to: `new` is false where it was suppressed so already."""

    list: str | None
    reason: SuppressionReason
    new: bool


def of_list(each: ListView) -> ListOut:
    """Return a list as it is told."""
    return ListOut.model_validate({name: getattr(each, name) for name in ListOut.model_fields})


def of_subscriber(each: SubscriberView) -> SubscriberOut:
    """Return a subscriber as they are told."""
    known = {name: getattr(each, name) for name in SubscriberOut.model_fields if name not in ("lists", "suppressed")}
    return SubscriberOut.model_validate({**known, "lists": each.subscriptions, "suppressed": each.suppressed or None})


def of_issue(each: IssueView) -> IssueOut:
    """Return an issue as it is told."""
    known = {name: getattr(each, name) for name in IssueOut.model_fields if name not in ("briefings", "list")}
    return IssueOut.model_validate({**known, "briefings": list(each.items), "list": each.list or None})


def of_status(each: Status) -> StatusOut:
    """Return the counts of a send as they are told."""
    return StatusOut.model_validate({name: getattr(each, name) for name in StatusOut.model_fields})


def of_suppression(each: SuppressionView) -> SuppressionOut:
    """Return a suppression as it is told."""
    known = {name: getattr(each, name) for name in SuppressionOut.model_fields if name != "list"}
    return SuppressionOut.model_validate({**known, "list": each.list or None})
