"""The settings of what carries mail: the relays and their lanes, what a send does about trouble, the signature."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from newsletter.sections import Section
from subscribers import addresses
from subscribers.errors import BadAddress

#: What a DKIM selector may be: labels of a DNS name (RFC 6376 3.1).
SELECTOR = re.compile(r"(?=.{1,63}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_WINDOW = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)?([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Tls(StrEnum):
    """How the conversation with a relay is protected."""

    #: STARTTLS with a checked certificate, or nothing is sent
    REQUIRE = "require"
    #: STARTTLS when the relay offers it
    OPPORTUNISTIC = "opportunistic"
    #: TLS from the first byte, with a checked certificate
    IMPLICIT = "implicit"
    #: none: for loopback, or a network that is trusted on purpose
    NONE = "none"


class Auth(StrEnum):
    """How the desk logs in at a relay (RFC 4954)."""

    #: by the first of these that the relay offers
    AUTO = "auto"
    #: name and password in one step (RFC 4616)
    PLAIN = "plain"
    #: name and password in two steps, for servers that know no better
    LOGIN = "login"
    #: a token, which `token_command` prints
    XOAUTH2 = "xoauth2"


class Lane(Section):
    """How much mail may go one way at once: to a relay, or by it to one domain."""

    #: how many messages are under way at once; 0 leaves that to the relay
    connections: int = Field(default=0, ge=0, le=1000)
    #: messages a second; 0 is as fast as it goes
    rate: float = Field(default=0, ge=0)
    #: messages within a stretch of time that slides along, such as 10000/1h or 500/10m; empty is no such limit
    window: str = ""

    @field_validator("window")
    @classmethod
    def sound(cls, value: str) -> str:
        """Refuse what is no number and stretch."""
        if value and not _WINDOW.fullmatch(value):
            raise ValueError(f"{value!r} is no window; write messages/stretch, such as 10000/1h or 500/10m")
        return value

    @property
    def sliding(self) -> tuple[int, timedelta] | None:
        """Return how many messages may go within which stretch of time, None where that is not limited."""
        found = _WINDOW.fullmatch(self.window)
        if found is None:
            return None
        return int(found[1]), timedelta(**{_UNITS[found[3]]: int(found[2] or 1)})


class Relay(Lane):
    """An SMTP server that takes mail from this desk."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")
    host: str = Field(min_length=1)
    port: int = Field(default=25, ge=1, le=65535)
    tls: Tls = Tls.REQUIRE
    auth: Auth = Auth.AUTO
    username: str = ""
    password: str = Field(default="", repr=False)
    password_file: str = ""
    #: a program and its arguments that prints an access token, for auth = "xoauth2"
    token_command: tuple[str, ...] = ()
    connections: int = Field(default=10, ge=1, le=1000)
    #: after so many a connection is closed and another opened; 0 keeps it as long as it stands
    messages_per_connection: int = Field(default=0, ge=0)
    #: how many messages a connection may have on their way at once, where the relay takes them so (RFC 3030)
    in_flight: int = Field(default=8, ge=1, le=100)
    #: this relay's part of the mail, beside the weights of the others of its order
    weight: int = Field(default=1, ge=1, le=1000)
    #: relays of a higher order carry mail only while all of the lower ones are paused
    order: int = Field(default=1, ge=1)
    #: limits of its own for each domain that readers have their addresses at
    domains: dict[str, Lane] = Field(default_factory=dict)

    @field_validator("domains")
    @classmethod
    def ascii(cls, value: dict[str, Lane]) -> dict[str, Lane]:
        """Return the domains as addresses are compared by."""
        try:
            return {addresses.domain(domain.strip().rstrip(".")): lane for domain, lane in value.items()}
        except BadAddress as error:
            raise ValueError(f"{error}; name a domain that readers have, such as gmail.com") from error

    @model_validator(mode="after")
    def credentials(self) -> Self:
        """Refuse a way of logging in that lacks what it needs."""
        if self.auth is Auth.XOAUTH2 and not (self.username and self.token_command):
            raise ValueError('auth = "xoauth2" needs username, and token_command = ["PROGRAM", "ARGUMENT"]')
        return self


class Sending(Section):
    """How a send treats what it cannot know, what passes, and what goes wrong too often."""

    batch: int = Field(default=100, ge=1, le=10000)
    #: a copy in flight when the process died: send it again under the same Message-ID, or hold it as unknown
    on_unknown: Literal["resend", "hold"] = "resend"
    #: minutes to wait after each attempt that a relay put off; the last repeats
    retry: tuple[float, ...] = Field(default=(5, 15, 30, 60, 120, 240), min_length=1)
    #: the same where a mailbox is full, which takes its owner and not a moment
    retry_full: tuple[float, ...] = Field(default=(60, 240, 720), min_length=1)
    #: hours of such waiting after which a copy has failed: news that is two days late is none
    deadline: float = Field(default=48, gt=0)
    #: the share of dead addresses among the newest results that stops an issue; 0 never does
    hard_failures: float = Field(default=0.05, ge=0, le=1)
    #: the share of readers who call a sent issue spam that stops it; 0 never does
    complaints: float = Field(default=0.003, ge=0, le=1)
    #: so many refusals in a row of what a message says, and the fault is the issue's
    content_refusals: int = Field(default=3, ge=1)
    #: how many processes send an issue, each over a part of the connections; one alone where a rate, a window or the
    #: lane of a domain is to be kept
    processes: int = Field(default=1, ge=1, le=64)
    #: hours after its time within which a scheduled send still begins by itself
    late: float = Field(default=6, ge=0)


class Dkim(Section):
    """The signature on each message (RFC 6376); the second one, by Ed25519 (RFC 8463), is for who wants both."""

    domain: str = Field(min_length=1)
    selector: str = Field(min_length=1)
    key: str = Field(min_length=1)
    ed25519_selector: str = ""
    ed25519_key: str = ""

    @field_validator("domain")
    @classmethod
    def ascii(cls, value: str) -> str:
        """Return the domain as DNS has it."""
        try:
            return addresses.domain(value)
        except BadAddress as error:
            raise ValueError(f"{value!r} is no domain that mail can come from; write it as news.example.com") from error

    @field_validator("selector", "ed25519_selector")
    @classmethod
    def label(cls, value: str) -> str:
        """Refuse what cannot be a name in DNS (RFC 6376 3.1)."""
        if value and not SELECTOR.fullmatch(value):
            raise ValueError(f"{value!r} is no selector; write letters, digits and hyphens, such as s1")
        return value

    @model_validator(mode="after")
    def pairs(self) -> Self:
        """Refuse half a second signature, and two keys under one name."""
        if bool(self.ed25519_selector) != bool(self.ed25519_key):
            raise ValueError("ed25519_selector and ed25519_key go together; set both or neither")
        if self.ed25519_selector.lower() == self.selector.lower():
            raise ValueError("selector and ed25519_selector are one name, and each key needs its own record in DNS")
        return self
