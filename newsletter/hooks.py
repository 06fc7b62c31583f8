"""The settings of webhooks: receivers that are told of facts, and how they know that it is us."""

from base64 import b64decode
from binascii import Error
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from newsletter.sections import Section

#: What every secret begins with (Standard Webhooks, "Signature scheme").
PREFIX = "whsec_"
#: How long a secret is, in bytes.
SHORTEST, LONGEST = 24, 64


class Event(StrEnum):
    """What a receiver can be told of."""

    #: a reader is on a list by their own act
    CONFIRMED = "subscriber.confirmed"
    #: a reader left a list
    UNSUBSCRIBED = "subscriber.unsubscribed"
    #: an address must not be mailed any more
    SUPPRESSED = "suppression.added"
    #: an issue went to everybody of its audience
    SENT = "issue.sent"


class Webhook(Section):
    """A receiver."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")
    url: str
    secret: str = Field(default="", repr=False)
    secret_file: str = ""
    events: tuple[Event, ...] = tuple(Event)
    #: whether it may stand inside the house, at an address that is not on the public internet, and be asked without TLS
    private: bool = False

    @model_validator(mode="after")
    def reachable(self) -> Self:
        """Refuse an address that nothing can be sent to, or that everybody on the way could read."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname or not self.url.isascii():
            raise ValueError(f"{self.url!r} is no web address; write it as https://example.com/hook")
        if parts.username or parts.password or parts.fragment:
            raise ValueError("url holds a user name or a fragment; the signature tells the receiver who asks")
        if parts.scheme == "http" and not self.private:
            raise ValueError("url must be https; only a receiver with private = true may be asked without TLS")
        if bool(self.secret) == bool(self.secret_file):
            raise ValueError("a webhook needs secret_file, or NEWSLETTER_WEBHOOK_NAME_SECRET in the environment")
        return self


def key(secret: str) -> bytes:
    """Return the key that a secret stands for; ValueError where it is none."""
    try:
        found = b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except Error as error:
        raise ValueError("it is not base64") from error
    if not secret.startswith(PREFIX) or not SHORTEST <= len(found) <= LONGEST:
        raise ValueError(f"it is not {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64")
    return found
