"""The breaker: what goes wrong too often stops the send, and costs nobody who was not at fault."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import breaker, replies
from newsletter.delivery.breaker import Breaker, Trip
from newsletter.delivery.replies import Fault, Kind, Moment, Outcome
from newsletter.transport import Sending

SENT = Outcome(Kind.SENT, 250, "2.0.0 queued")
BUSY = Outcome(Kind.DEFERRED, 451, "4.3.2 too busy", Fault.TRANSIENT)
CONTENT = Outcome(Kind.FAILED, 554, "5.6.0 not like this", Fault.CONTENT)
POLICY = Outcome(Kind.RELAY_REFUSED, 550, "5.7.1 blocked", Fault.POLICY)
DEAD = Outcome(Kind.FAILED, 550, "5.1.1 no such user", Fault.ADDRESS)
FULL = Outcome(Kind.FAILED, 552, "5.2.2 over quota", Fault.MAILBOX_FULL)


class Watched:
    """A breaker that is told one outcome after the other, with deliveries numbered from 1."""

    def __init__(self, **terms: object) -> None:
        self.breaker = Breaker(Sending.model_validate(terms))
        self.numbers = count(1)

    def saw(self, *outcomes: Outcome, relay: str = "main") -> list[Trip]:
        found = (self.breaker.saw(next(self.numbers), outcome, relay=relay) for outcome in outcomes)
        return [trip for trip in found if trip]


def test_content_refused_in_a_row_stops_the_issue_and_is_taken_back() -> None:
    trips = Watched().saw(CONTENT, BUSY, CONTENT, CONTENT)
    assert [(trip.relay, trip.take_back) for trip in trips] == [("", frozenset({1, 3, 4}))]
    assert "554 5.6.0 not like this" in trips[0].reason


def test_content_refused_now_and_then_stops_nothing() -> None:
    assert Watched().saw(*[CONTENT, CONTENT, SENT] * 20) == []


def test_the_desk_says_how_many_refusals_of_content_are_too_many() -> None:
    assert len(Watched(content_refusals=1).saw(CONTENT)) == 1


def test_one_policy_refusal_is_its_readers_and_three_in_a_row_are_the_relays() -> None:
    watched = Watched()
    assert watched.saw(POLICY, SENT, POLICY, POLICY, SENT) == []
    (trip,) = watched.saw(POLICY, POLICY, POLICY)
    assert (trip.relay, trip.take_back) == ("main", frozenset())
    assert "550 5.7.1 blocked" in trip.reason


def test_one_reader_refused_again_and_again_is_one() -> None:
    breaker = Watched().breaker
    assert [breaker.saw(number, POLICY, relay="main") for number in (7, 7, 7, 8, 7, 8)] == [None] * 6
    trip = breaker.saw(9, POLICY, relay="main")
    assert trip
    assert (trip.relay, trip.put_off) == ("main", frozenset({7, 8, 9}))


def test_a_relay_is_not_cleared_by_the_success_of_another() -> None:
    watched = Watched()
    assert watched.saw(POLICY, POLICY) == []
    watched.saw(SENT, relay="other")
    assert len(watched.saw(POLICY)) == 1


def test_a_relay_to_whom_everybody_is_unknown_kills_nobody() -> None:
    watched = Watched(hard_failures=0)
    assert watched.saw(SENT, *[DEAD] * 9, SENT) == []
    (trip,) = watched.saw(*[DEAD] * 10)
    assert (trip.relay, trip.take_back) == ("", frozenset(range(12, 22)))


@pytest.mark.parametrize(
    ("reply", "knows"),
    [
        (replies.read(Moment.RCPT, 450, "4.2.0 come again"), True),
        (replies.read(Moment.RCPT, 451, "4.7.1 Greylisting in action, please try later"), True),
        (replies.read(Moment.RCPT, 452, "4.2.2 over quota"), True),
        (replies.read(Moment.RCPT, 552, "over quota"), True),
        (replies.read(Moment.RCPT, 550, "5.2.1 takes nothing"), True),
        (replies.read(Moment.TEXT, 451, "4.3.2 too busy"), True),
        (replies.read(Moment.TEXT, 554, "5.6.0 not like this"), True),
        (replies.read(Moment.RCPT, 451, "4.3.2 too busy"), False),
        (replies.read(Moment.RCPT, 450, "4.1.1 user lookup failed"), False),
        (replies.read(Moment.RCPT, 550, "5.7.1 blocked"), False),
        (replies.lost("gone", after_dot=False), False),
    ],
)  # fmt: skip
def test_dead_addresses_are_in_a_row_until_the_relay_shows_that_it_knows_others(reply: Outcome, knows: bool) -> None:
    watched = Watched(hard_failures=0)
    trips = watched.saw(*[DEAD] * 5, reply, *[DEAD] * 5, relay="main")
    assert (trips == []) is knows
    assert watched.breaker.in_a_row(Fault.ADDRESS) == (frozenset(range(7, 12)) if knows else frozenset())
    assert len(watched.saw(*[DEAD] * 5, relay="main")) == knows


def test_too_large_a_share_of_dead_addresses_stops_the_issue_and_they_stay_dead() -> None:
    watched = Watched()
    assert watched.saw(*[*[SENT] * 19, DEAD] * 10) == []  # 5 of 100 are no more than 5 of 100
    (trip,) = watched.saw(SENT, DEAD, SENT, DEAD, SENT, DEAD)[:1]
    assert (trip.relay, trip.take_back) == ("", frozenset())
    assert "5.0%" in trip.reason


def test_a_few_results_say_nothing_of_a_list() -> None:
    assert Watched().saw(*[SENT, DEAD, DEAD] * 33) == []


def test_old_results_do_not_count_for_ever() -> None:
    watched = Watched()
    watched.saw(*[DEAD, SENT] * 9)
    assert watched.saw(*[SENT] * 200, *[DEAD, SENT] * 9) == []


def test_hard_failures_of_0_never_stop() -> None:
    assert Watched(hard_failures=0).saw(*[SENT, DEAD] * 200) == []


def test_a_full_mailbox_is_no_dead_address() -> None:
    assert Watched().saw(*[FULL] * 150) == []


@pytest.mark.parametrize(
    ("sent", "complained", "stops"), [(1000, 3, False), (1000, 4, True), (100, 2, False), (900, 3, True), (0, 3, True)]
)
def test_complaints_stop_an_issue_by_their_share(sent: int, complained: int, stops: bool) -> None:
    assert (Breaker(Sending()).complaints(sent, complained) is not None) == stops


def test_complaints_of_0_never_stop() -> None:
    assert Breaker(Sending(complaints=0)).complaints(10, 10) is None


@given(st.lists(st.sampled_from([SENT, BUSY, CONTENT, POLICY, DEAD, FULL]), max_size=400))
def test_the_share_of_the_dead_is_counted_exactly(outcomes: list[Outcome]) -> None:
    watched = Watched(hard_failures=0, content_refusals=1000)
    watched.saw(*outcomes)
    newest = [each is DEAD for each in outcomes if each.kind in (Kind.SENT, Kind.FAILED)][-breaker.NEWEST :]
    assert list(watched.breaker._newest) == newest
    assert watched.breaker._dead_of_newest == sum(newest)
