"""The breaker: what goes wrong too often is not the fault of those to whom it happens, and stops the send.

What a relay says to MAIL FROM or to a login is not for it: one such refusal is enough, and the loop pauses the relay.
"""

import re
from collections import deque
from dataclasses import dataclass

from newsletter.delivery.replies import Fault, Kind, Moment, Outcome
from newsletter.transport import Sending

#: So many readers in a row refused for who we are, and it is the relay that refuses, not one reader's mailbox.
POLICY_IN_A_ROW = 3
#: So many dead addresses in a row are no bad luck: the relay has lost its list of users, or the list is very old.
DEAD_IN_A_ROW = 10
#: How many of the newest results the share of dead addresses is taken of, and from how many on it says something.
NEWEST, ENOUGH = 200, 100
#: Fewer complaints than this say nothing, whatever their share.
FEW_COMPLAINTS = 3
# What is said of a mailbox that is there: a status of subject 2 (RFC 3463 3.3), or greylisting, which has none.
_OF_A_MAILBOX = re.compile(r"[245]\.2\.\d|.*gr[ae]y-?list", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A reason to stop, with the way on; `relay` is whom to stop sending by, empty for the whole issue.

    `take_back` are the deliveries whose recorded failure was not theirs: they are to wait again. `put_off` are those
    put off for what is now the relay's fault: they need not wait for their next attempt.
    """

    reason: str
    relay: str = ""
    take_back: frozenset[int] = frozenset()
    put_off: frozenset[int] = frozenset()


class Breaker:
    """One run's watch over its outcomes."""

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._content: set[int] = set()
        self._policy: dict[str, set[int]] = {}
        self._dead: dict[str, set[int]] = {}
        self._newest: deque[bool] = deque(maxlen=NEWEST)
        self._dead_of_newest = 0

    def saw(self, delivery_id: int, outcome: Outcome, *, relay: str) -> Trip | None:
        """Return why to stop now, None as long as nothing speaks against going on."""
        if outcome.kind is Kind.SENT:
            if self._content:
                self._content.clear()
            self._policy.pop(relay, None)
            self._dead.pop(relay, None)
            self._count(dead=False)
            return None
        if relay in self._dead and _knows_users(outcome):
            del self._dead[relay]
        if outcome.kind is Kind.RELAY_REFUSED:
            return self._refused(delivery_id, outcome, relay)
        if outcome.kind is not Kind.FAILED:
            return None
        dead = outcome.fault is Fault.ADDRESS
        self._count(dead=dead)
        if outcome.fault is Fault.CONTENT:
            return self._content_refused(delivery_id, outcome)
        return self._died(delivery_id, outcome, relay) if dead else None

    def in_a_row(self, fault: Fault) -> frozenset[int]:
        """Return the newest deliveries that failed for the fault, with nothing since that speaks against it."""
        if fault is Fault.CONTENT:
            return frozenset(self._content)
        return frozenset().union(*self._dead.values()) if fault is Fault.ADDRESS else frozenset()

    def _count(self, *, dead: bool) -> None:
        newest = self._newest
        self._dead_of_newest += dead - (newest[0] if len(newest) == NEWEST else False)
        newest.append(dead)

    def _refused(self, delivery_id: int, outcome: Outcome, relay: str) -> Trip | None:
        refused = self._policy.setdefault(relay, set())
        refused.add(delivery_id)
        if len(refused) < POLICY_IN_A_ROW:
            return None
        del self._policy[relay]
        return Trip(
            reason=f"{relay} refused {len(refused)} readers in a row for reasons of its own ({outcome.reply}); their "
            "copies wait. See what it asks for: newsletter relays test",
            relay=relay,
            put_off=frozenset(refused),
        )

    def _content_refused(self, delivery_id: int, outcome: Outcome) -> Trip | None:
        self._content.add(delivery_id)
        if len(self._content) < self._sending.content_refusals:
            return None
        count, taken = len(self._content), frozenset(self._content)
        self._content.clear()
        return Trip(
            reason=f"what the issue says was refused {count} times in a row ({outcome.reply}), which is not the "
            "readers' fault; they wait. See whether a test copy is taken: newsletter send ISSUE --test YOUR@ADDRESS",
            take_back=taken,
        )

    def _died(self, delivery_id: int, outcome: Outcome, relay: str) -> Trip | None:
        dead = self._dead.setdefault(relay, set())
        dead.add(delivery_id)
        if len(dead) >= DEAD_IN_A_ROW:
            del self._dead[relay]
            return Trip(
                reason=f"{relay} said of {len(dead)} addresses in a row that there is nobody there ({outcome.reply}): "
                "either it knows its users no more, or the list is very old. All of them wait. Look whether one that "
                "you know gets a copy: newsletter send ISSUE --test ADDRESS",
                take_back=frozenset(dead),
            )
        share, seen = self._sending.hard_failures, len(self._newest)
        if not share or seen < ENOUGH or self._dead_of_newest <= share * seen:
            return None
        return Trip(
            reason=f"{self._dead_of_newest} of the newest {seen} addresses are dead, more than the {share:.1%} that "
            "[sending] hard_failures allows: mailbox providers take such a list for a bought one. See who: newsletter "
            "status ISSUE --who failed; go on when the rest of the list is better, or allow more"
        )

    def complaints(self, sent: int, complained: int) -> Trip | None:
        """Return why to stop when so many of those who have the issue call it spam."""
        allowed = self._sending.complaints
        if not allowed or complained < FEW_COMPLAINTS or complained <= allowed * sent:
            return None
        return Trip(
            reason=f"{complained} of {sent} readers who have the issue call it spam, more than the {allowed:.1%} that "
            "[sending] complaints allows; providers block a sender for less. See how these readers came to be on the "
            "list before the others get it too"
        )


def _knows_users(outcome: Outcome) -> bool:
    """Return whether a reply shows that the relay knows whom it serves: it took the recipient, or knows the mailbox."""
    return outcome.fault is not Fault.ADDRESS and (
        outcome.moment is Moment.TEXT
        or outcome.fault in (Fault.MAILBOX, Fault.MAILBOX_FULL)
        or _OF_A_MAILBOX.match(outcome.text) is not None
    )
