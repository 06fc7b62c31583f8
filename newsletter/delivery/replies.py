"""What a relay's reply means: the table, as data, and the outcome of one attempt."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Moment(StrEnum):
    """The step of the mail transaction that a reply answers."""

    #: MAIL FROM: who we are
    MAIL = "mail"
    #: RCPT TO: whom it is for
    RCPT = "rcpt"
    #: DATA, or the dot that ends the message text
    TEXT = "text"


class Kind(StrEnum):
    """What the attempt came to."""

    #: the relay took responsibility
    SENT = "sent"
    #: come back later
    DEFERRED = "deferred"
    #: never, for a fault of this address or this message
    FAILED = "failed"
    #: the connection ended after the final dot and before the reply
    UNKNOWN = "unknown"
    #: the relay refuses for reasons of its own; the reader is not at fault and keeps waiting
    RELAY_REFUSED = "relay_refused"


class Fault(StrEnum):
    """Where the fault lies; the word that a delivery keeps as its reason."""

    #: there is no such mailbox
    ADDRESS = "address"
    #: the mailbox has no room
    MAILBOX_FULL = "mailbox_full"
    #: the mailbox exists and takes nothing
    MAILBOX = "mailbox"
    #: who we are, or what we are taken for
    POLICY = "policy"
    #: what the message says or how big it is
    CONTENT = "content"
    #: the address needs SMTPUTF8 (RFC 6531), which the relay does not have
    UNSUPPORTED_ADDRESS = "unsupported_address"
    #: something that passes
    TRANSIENT = "transient"
    #: the connection ended too early
    LOST = "lost"
    #: refused, and the reply does not say why
    REFUSED = "refused"


class Outcome(NamedTuple):
    """One attempt's end; `text` is the relay's own, verbatim, and `code` is 0 where it said nothing."""

    kind: Kind
    code: int = 0
    text: str = ""
    fault: Fault | None = None
    #: what the reply answered; None where there was none, or it is not known any more
    moment: Moment | None = None

    @property
    def enhanced(self) -> str:
        """Return the enhanced status code that the text begins with (RFC 2034), or nothing."""
        found = _ENHANCED.match(self.text)
        return found[0] if found else ""

    @property
    def reply(self) -> str:
        """Return the reply as it was given, code first."""
        return f"{self.code} {self.text}" if self.code else self.text

    @property
    def suppresses(self) -> bool:
        """Return whether the address is proven dead: both codes are permanent, or the only one is."""
        return self.fault is Fault.ADDRESS and self.kind is Kind.FAILED and not self.enhanced.startswith("4")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: where all of its patterns match, this is what the reply means."""

    kind: Kind
    fault: Fault | None
    moments: tuple[Moment, ...] = tuple(Moment)
    code: str = "..."
    detail: str = ""
    words: str = ""
    _patterns: tuple[re.Pattern[str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        patterns = (re.compile(self.code), re.compile(self.detail), re.compile(self.words, re.IGNORECASE))
        object.__setattr__(self, "_patterns", patterns)

    def matches(self, moment: Moment, code: str, detail: str, text: str) -> bool:
        """Return whether the row speaks of this reply."""
        codes, details, words = self._patterns
        return (
            moment in self.moments
            and codes.fullmatch(code) is not None
            and (not self.detail or details.fullmatch(detail) is not None)
            and (not self.words or words.search(text) is not None)
        )


_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
_TO = (Moment.RCPT,)
_LATER = (Moment.RCPT, Moment.TEXT)
_VAGUE = r"|0\.0|1\.0"  # no enhanced code, or one that says nothing (RFC 3463 3.1)
# Postfix keeps what it has against client and sender until RCPT (smtpd_delay_reject).
_US = r"sender address rejected|client host|helo command|relay(ing)? (access )?denied|unable to relay"
_SUSPECT = (
    r"spam|junk|block(ed|ing|list)|black ?list|deny ?list|denied|policy|reputation|dmarc|dkim|\bspf\b|"
    r"banned|not (permitted|allowed|authorized)|authenticat|too many|rate limit"
)
_NOBODY = (
    r"(user|recipient|mailbox|address|account|alias)\b.{0,60}\b(unknown|not found|does ?n.t exist|not exist)|"
    r"(no such|unknown|invalid|nonexistent|non-existent) (\w+ )?(user|recipient|mailbox|address|account|person)|"
    r"no mailbox (here )?by that name"
)

#: Read from the top; the first row that matches counts. `code` is the basic reply, whose first digit decides on
#: trying again (RFC 5321 4.3.2); `detail` is the enhanced code without its class, which only tells the reason.
TABLE: tuple[Row, ...] = (
    Row(Kind.SENT, None, moments=(Moment.TEXT,), code="2.."),
    Row(Kind.FAILED, Fault.UNSUPPORTED_ADDRESS, code="5..", detail=r"6\.7"),
    Row(Kind.RELAY_REFUSED, Fault.TRANSIENT, moments=(Moment.MAIL,), code="4.."),
    Row(Kind.RELAY_REFUSED, Fault.POLICY, moments=(Moment.MAIL,)),
    Row(Kind.DEFERRED, Fault.MAILBOX_FULL, code="4..", detail=r"2\.2"),
    Row(Kind.DEFERRED, Fault.TRANSIENT, code="4.."),
    Row(Kind.RELAY_REFUSED, Fault.POLICY, code="50[0234]|521|53[0-9]"),
    Row(Kind.RELAY_REFUSED, Fault.POLICY, moments=_TO, code="5..", detail=r"1\.[78]"),
    Row(Kind.RELAY_REFUSED, Fault.POLICY, moments=_TO, code="5..", words=_US),
    Row(Kind.FAILED, Fault.ADDRESS, code="5..", detail=r"1\.([1236]|10)"),
    Row(Kind.FAILED, Fault.ADDRESS, code="556"),
    Row(Kind.FAILED, Fault.MAILBOX_FULL, code="5..", detail=r"2\.2"),
    Row(Kind.FAILED, Fault.MAILBOX, code="5..", detail=r"2\.[014]"),
    Row(Kind.RELAY_REFUSED, Fault.POLICY, code="5..", detail=r"7\.\d+"),
    Row(Kind.FAILED, Fault.CONTENT, code="5..", detail=r"[26]\.\d+|3\.4"),
    Row(Kind.FAILED, Fault.MAILBOX_FULL, moments=_TO, code="552", detail=_VAGUE),
    Row(Kind.FAILED, Fault.ADDRESS, moments=_TO, code="5..", detail=_VAGUE, words=_NOBODY),
    Row(Kind.RELAY_REFUSED, Fault.POLICY, code="5..", detail=_VAGUE, words=_SUSPECT),
    Row(Kind.FAILED, Fault.REFUSED, moments=_TO, code="5.."),
    Row(Kind.FAILED, Fault.CONTENT, moments=(Moment.TEXT,), code="5.."),
    Row(Kind.DEFERRED, Fault.TRANSIENT),
)


def read(moment: Moment, code: int, text: str) -> Outcome:
    """Return what a reply means at that moment."""
    if moment is Moment.TEXT and 200 <= code < 300:  # the table's first row, and nearly every reply
        return Outcome(Kind.SENT, code, text, None, moment)
    found = _ENHANCED.match(text)
    detail = found[0].partition(".")[2] if found else ""
    row = next(row for row in TABLE if row.matches(moment, f"{code:03}", detail, text))
    return Outcome(row.kind, code, text, row.fault, moment)


def lost(reason: str, *, after_dot: bool) -> Outcome:
    """Return what a connection that ended means: nothing is known once the final dot was sent (RFC 5321 3.8)."""
    return Outcome(Kind.UNKNOWN if after_dot else Kind.DEFERRED, 0, reason, Fault.LOST)
