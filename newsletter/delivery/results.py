"""What an attempt's outcome does to its delivery: the schedule, the deadline, and what is done with the unknown."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.errors import NewsletterError
from newsletter.transport import Sending

#: The reason of a copy that may be a second one: its first attempt was in flight when the connection or process died.
RESENT = "resent"
#: Ends the reason of a copy that stopped there after an attempt in flight: the reader may have it all the same.
MAY_HAVE_IT = "; may have a copy"
#: The reason of a copy whose reader chose topics, none of which is in the issue, when the issue says to leave it out.
UNMATCHED = "nothing about their topics"
#: The reason of a copy that the relay put off until the deadline.
EXPIRED = "expired"

OnUnknown = Literal["resend", "hold"]


class Change(NamedTuple):
    """What the ledger is to write for one delivery; `tried` counts an attempt, `suppress` proves the address dead.

    `wait` is how many seconds the schedule adds to the waits that count against the deadline.
    """

    state: DeliveryState
    reason: str = ""
    reply: str = ""
    due_at: datetime | None = None
    tried: bool = False
    suppress: bool = False
    wait: float = 0.0


def skipped(reason: str, *, resent: bool) -> Change:
    """Return the change for a copy that must not go out after all."""
    return Change(DeliveryState.SKIPPED, _doubted(reason, resent))


def _doubted(reason: str, resent: bool) -> str:
    return reason + MAY_HAVE_IT if resent else reason


def unwritable(error: NewsletterError, *, resent: bool) -> Change:
    """Return the change for a copy whose address cannot go on the wire."""
    return Change(DeliveryState.FAILED, _doubted(Fault.ADDRESS.value, resent), str(error), tried=True)


def slow(reason: str, due_at: datetime, *, resent: bool = False) -> Change:
    """Return the change for a copy that a slow lane hands back untried; it waits until then, and no attempt counts.

    One that may be a second copy keeps saying so, and has the lane's words for its reply.
    """
    if resent:
        return Change(DeliveryState.DEFERRED, RESENT, reason, due_at=due_at)
    return Change(DeliveryState.DEFERRED, reason, due_at=due_at)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How often a copy is tried, and what becomes of one in flight, as `[sending]` says."""

    on_unknown: OnUnknown
    #: how long after each attempt the next one is due; the last repeats
    retry: tuple[timedelta, ...]
    #: the same for a mailbox without room
    retry_full: tuple[timedelta, ...]
    #: when the waits have come to this, the delivery has failed
    deadline: timedelta

    def wait(self, attempts: int, fault: Fault | None) -> timedelta:
        """Return how long to wait after the attempt that had `attempts` before it and was put off for that fault."""
        waits = self.retry_full if fault is Fault.MAILBOX_FULL else self.retry
        return waits[min(attempts, len(waits) - 1)]


def policy(sending: Sending) -> Policy:
    """Return what the settings say of trouble that may pass."""
    return Policy(
        on_unknown=sending.on_unknown,
        retry=tuple(timedelta(minutes=minutes) for minutes in sending.retry),
        retry_full=tuple(timedelta(minutes=minutes) for minutes in sending.retry_full),
        deadline=timedelta(hours=sending.deadline),
    )


def settle(
    outcome: Outcome, *, attempts: int, resent: bool, policy: Policy, now: datetime, waited: float = 0.0
) -> Change:
    """Return what an outcome means for a delivery that had `attempts` before, and `waited` so many seconds for them."""
    fault = outcome.fault.value if outcome.fault else ""
    match outcome.kind:
        case Kind.SENT:
            return Change(DeliveryState.SENT, RESENT if resent else "", outcome.reply, tried=True)
        case Kind.FAILED:
            return Change(
                DeliveryState.FAILED, _doubted(fault, resent), outcome.reply, tried=True, suppress=outcome.suppresses
            )
        case Kind.DEFERRED:
            return _put_off(outcome, attempts, waited, policy, now, resent=resent)
        case Kind.RELAY_REFUSED:
            return Change(DeliveryState.PENDING, RESENT if resent else fault, outcome.reply)
    if policy.on_unknown == "hold":
        return Change(DeliveryState.UNKNOWN, fault, outcome.reply, tried=True)
    if attempts == 0:
        return Change(DeliveryState.PENDING, RESENT, outcome.reply, tried=True)
    return _put_off(outcome, attempts, waited, policy, now, resent=True)  # again: a relay in trouble gets time


def _put_off(outcome: Outcome, attempts: int, waited: float, policy: Policy, now: datetime, *, resent: bool) -> Change:
    if waited >= policy.deadline.total_seconds():
        return Change(DeliveryState.FAILED, _doubted(EXPIRED, resent), outcome.reply, tried=True)
    why = RESENT if resent else outcome.fault.value if outcome.fault else ""
    wait = policy.wait(attempts, outcome.fault)
    return Change(DeliveryState.DEFERRED, why, outcome.reply, now + wait, tried=True, wait=wait.total_seconds())
