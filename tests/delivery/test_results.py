"""What an outcome does to a delivery."""

from datetime import datetime, timedelta

import pytest

from newsletter.delivery import replies, results
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.replies import Fault, Kind, Moment, Outcome
from newsletter.delivery.results import Change, OnUnknown

GREYLISTED = replies.read(Moment.RCPT, 450, "4.2.0 come back")
LOST = replies.lost("gone", after_dot=True)


def settled(
    outcome: Outcome, now: datetime, *, attempts: int = 0, resent: bool = False, hold: OnUnknown = "resend"
) -> Change:
    return results.settle(outcome, attempts=attempts, resent=resent, on_unknown=hold, now=now)


def test_the_waits_grow_and_end_with_the_deadline(now: datetime) -> None:
    waits = []
    for attempts in range(100):
        change = settled(GREYLISTED, now, attempts=attempts)
        if change.state is DeliveryState.FAILED:
            assert (change.reason, change.reply) == ("expired", "450 4.2.0 come back")
            break
        assert change.due_at
        waits.append((change.due_at - now) // timedelta(minutes=1))
    assert waits[:7] == [5, 15, 30, 60, 120, 240, 240]
    assert 48 * 60 <= sum(waits) < 52 * 60


@pytest.mark.parametrize("kind", [Kind.SENT, Kind.DEFERRED, Kind.FAILED])
def test_a_copy_that_may_be_the_second_keeps_saying_so_until_it_failed(kind: Kind, now: datetime) -> None:
    change = settled(Outcome(kind, 1, "", Fault.TRANSIENT), now, resent=True)
    assert (change.reason == "resent") is (kind is not Kind.FAILED)


def test_what_is_unknown_is_sent_again_at_once_and_then_on_the_schedule(now: datetime) -> None:
    assert settled(LOST, now) == Change(DeliveryState.PENDING, "resent", "gone", tried=True)
    again = settled(LOST, now, attempts=1, resent=True)
    assert (again.state, again.due_at) == (DeliveryState.DEFERRED, now + timedelta(minutes=15))


def test_what_is_unknown_is_held_where_the_desk_says_so(now: datetime) -> None:
    assert settled(LOST, now, hold="hold") == Change(DeliveryState.UNKNOWN, "lost", "gone", tried=True)


def test_a_refusal_by_the_relay_costs_the_reader_nothing(now: datetime) -> None:
    change = settled(replies.read(Moment.MAIL, 550, "5.7.1 no"), now)
    assert change == Change(DeliveryState.PENDING, "policy", "550 5.7.1 no")
    assert not change.tried
