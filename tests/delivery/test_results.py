"""What an outcome does to a delivery."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from newsletter.delivery import replies, results
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.replies import Fault, Kind, Moment, Outcome
from newsletter.delivery.results import Change
from newsletter.errors import BadInput
from newsletter.transport import Sending

GREYLISTED = replies.read(Moment.RCPT, 450, "4.2.0 come back")
FULL = replies.read(Moment.RCPT, 452, "4.2.2 over quota")
SENDING = Sending()
LOST = replies.lost("gone", after_dot=True)


def settled(
    outcome: Outcome, now: datetime, *, attempts: int = 0, waited: float = 0, resent: bool = False,
    sending: Sending = SENDING,
) -> Change:  # fmt: skip
    policy = results.policy(sending)
    return results.settle(outcome, attempts=attempts, waited=waited, resent=resent, policy=policy, now=now)


def minutes_until_expired(
    outcome: Outcome, now: datetime, sending: Sending = SENDING, *, after: Sequence[Outcome] = ()
) -> list[float]:
    """Return the waits of a copy that is put off by those outcomes, and from then on by one and the same."""
    waits: list[float] = []
    for attempts in range(100):
        each = after[attempts] if attempts < len(after) else outcome
        change = settled(each, now, attempts=attempts, waited=60 * sum(waits), sending=sending)
        if change.state is DeliveryState.FAILED:
            assert (change.reason, change.reply) == ("expired", outcome.reply)
            return waits
        assert change.due_at
        assert change.wait == (change.due_at - now).total_seconds()
        waits.append((change.due_at - now) / timedelta(minutes=1))
    raise AssertionError("tried for ever")


def test_the_waits_grow_and_end_with_the_deadline(now: datetime) -> None:
    waits = minutes_until_expired(GREYLISTED, now)
    assert waits[:7] == [5, 15, 30, 60, 120, 240, 240]
    assert 48 * 60 <= sum(waits) < 52 * 60


def test_a_full_mailbox_is_left_alone_for_longer(now: datetime) -> None:
    waits = minutes_until_expired(FULL, now)
    assert waits[:4] == [60, 240, 720, 720]
    assert 48 * 60 <= sum(waits) < 60 * 60


@pytest.mark.parametrize(("first", "then"), [(GREYLISTED, FULL), (FULL, GREYLISTED)])
def test_the_deadline_counts_the_waits_that_were_whatever_each_was_for(
    first: Outcome, then: Outcome, now: datetime
) -> None:
    waits = minutes_until_expired(then, now, after=[first] * 6)
    assert waits[:6] == minutes_until_expired(first, now)[:6]
    assert sum(waits[:-1]) < 48 * 60 <= sum(waits)


def test_the_desk_sets_both_schedules_and_the_deadline(now: datetime) -> None:
    sending = Sending(retry=(0.5, 2), retry_full=(30,), deadline=1)
    assert minutes_until_expired(GREYLISTED, now, sending)[:3] == [0.5, 2, 2]
    assert minutes_until_expired(FULL, now, sending) == [30, 30]


def test_a_slow_lane_hands_a_copy_back_without_an_attempt(now: datetime) -> None:
    change = results.slow("lane: gmail.com", now)
    assert (change.state, change.due_at, change.tried) == (DeliveryState.DEFERRED, now, False)


def test_a_copy_that_may_be_the_second_says_so_wherever_it_stops(now: datetime) -> None:
    slow = results.slow("slow: gmail.com", now, resent=True)
    assert (slow.state, slow.reason, slow.reply, slow.due_at) == (
        DeliveryState.DEFERRED, "resent", "slow: gmail.com", now,
    )  # fmt: skip
    error = BadInput("no address")
    stopped = [results.unwritable(error, resent=resent) for resent in (False, True)]
    assert [(each.reason, each.reply) for each in stopped] == [
        ("address", "no address"), ("address; may have a copy", "no address"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [Kind.SENT, Kind.DEFERRED, Kind.FAILED])
def test_a_copy_that_may_be_the_second_keeps_saying_so_until_it_failed(kind: Kind, now: datetime) -> None:
    change = settled(Outcome(kind, 1, "", Fault.TRANSIENT), now, resent=True)
    assert (change.reason == "resent") is (kind is not Kind.FAILED)


def test_what_is_unknown_is_sent_again_at_once_and_then_on_the_schedule(now: datetime) -> None:
    assert settled(LOST, now) == Change(DeliveryState.PENDING, "resent", "gone", tried=True)
    again = settled(LOST, now, attempts=1, resent=True)
    assert (again.state, again.due_at) == (DeliveryState.DEFERRED, now + timedelta(minutes=15))


def test_what_is_unknown_is_held_where_the_desk_says_so(now: datetime) -> None:
    assert settled(LOST, now, sending=Sending(on_unknown="hold")) == Change(
        DeliveryState.UNKNOWN, "lost", "gone", tried=True
    )


def test_a_refusal_by_the_relay_costs_the_reader_nothing(now: datetime) -> None:
    change = settled(replies.read(Moment.MAIL, 550, "5.7.1 no"), now)
    assert change == Change(DeliveryState.PENDING, "policy", "550 5.7.1 no")
    assert not change.tried
