"""What an attempt's outcome does to its delivery: the schedule, the deadline, and what is done with the unknown."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.replies import Kind, Outcome

#: How long after each attempt the next one is due; the last repeats. A greylist wants five minutes first.
SCHEDULE = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240))
#: News that is two days late is none: when the schedule's waits come to this, the delivery has failed.
DEADLINE = timedelta(hours=48)
#: The reason of a copy that may be a second one: its first attempt was in flight when the connection or process died.
RESENT = "resent"
#: Ends the reason of a copy that stopped there after an attempt in flight: the reader may have it all the same.
MAY_HAVE_IT = "; may have a copy"
#: The reason of a copy whose reader chose topics, none of which is in the issue, when the issue says to leave it out.
UNMATCHED = "nothing about their topics"
#: The reason of a copy that the relay put off until the deadline.
EXPIRED = "expired"

OnUnknown = Literal["resend", "hold"]


@dataclass(frozen=True, slots=True)
class Change:
    """What the ledger is to write for one delivery; `tried` counts an attempt, `suppress` proves the address dead."""

    state: DeliveryState
    reason: str = ""
    reply: str = ""
    due_at: datetime | None = None
    tried: bool = False
    suppress: bool = False


def skipped(reason: str, *, resent: bool) -> Change:
    """Return the change for a copy that must not go out after all."""
    return Change(DeliveryState.SKIPPED, _doubted(reason, resent))


def _doubted(reason: str, resent: bool) -> str:
    return reason + MAY_HAVE_IT if resent else reason


def settle(outcome: Outcome, *, attempts: int, resent: bool, on_unknown: OnUnknown, now: datetime) -> Change:
    """Return what an outcome means for a delivery that had `attempts` before."""
    fault = outcome.fault.value if outcome.fault else ""
    match outcome.kind:
        case Kind.SENT:
            return Change(DeliveryState.SENT, RESENT if resent else "", outcome.reply, tried=True)
        case Kind.FAILED:
            return Change(
                DeliveryState.FAILED, _doubted(fault, resent), outcome.reply, tried=True, suppress=outcome.suppresses
            )
        case Kind.DEFERRED:
            return _put_off(outcome, fault, attempts, now, resent=resent)
        case Kind.RELAY_REFUSED:
            return Change(DeliveryState.PENDING, RESENT if resent else fault, outcome.reply)
    if on_unknown == "hold":
        return Change(DeliveryState.UNKNOWN, fault, outcome.reply, tried=True)
    if attempts == 0:
        return Change(DeliveryState.PENDING, RESENT, outcome.reply, tried=True)
    return _put_off(outcome, fault, attempts, now, resent=True)  # it happened before: a relay in trouble gets time


def _put_off(outcome: Outcome, reason: str, attempts: int, now: datetime, *, resent: bool) -> Change:
    waited = sum((wait(each) for each in range(attempts)), timedelta())
    if waited >= DEADLINE:
        return Change(DeliveryState.FAILED, _doubted(EXPIRED, resent), outcome.reply, tried=True)
    why = RESENT if resent else reason
    return Change(DeliveryState.DEFERRED, why, outcome.reply, due_at=now + wait(attempts), tried=True)


def wait(attempts: int) -> timedelta:
    """Return how long to wait after the attempt that had `attempts` before it."""
    return SCHEDULE[min(attempts, len(SCHEDULE) - 1)]
