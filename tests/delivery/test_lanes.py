"""The lanes: never more than is allowed, slower in trouble, and back to full speed after it."""

import math
import time
from collections import deque
from operator import itemgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter import transport
from newsletter.delivery import lanes
from newsletter.delivery.lanes import PAUSE, PAUSE_AFTER, Lane, Lanes
from newsletter.delivery.pacing import BURST, Window
from newsletter.delivery.replies import Fault, Kind, Outcome, lost

SENT = Outcome(Kind.SENT, 250, "2.0.0 queued")
BUSY = Outcome(Kind.DEFERRED, 451, "4.3.2 too busy", Fault.TRANSIENT)
GREY = Outcome(Kind.DEFERRED, 450, "4.2.0 <x@example.com>: Recipient address rejected: Greylisted", Fault.TRANSIENT)
FULL = Outcome(Kind.DEFERRED, 452, "4.2.2 mailbox full", Fault.MAILBOX_FULL)
CLOSING = Outcome(Kind.DEFERRED, 421, "4.3.2 shutting down", Fault.TRANSIENT)
DEAD = Outcome(Kind.FAILED, 550, "5.1.1 no such user", Fault.ADDRESS)
POLICY = Outcome(Kind.RELAY_REFUSED, 550, "5.7.1 blocked", Fault.POLICY)
LOST = lost("the connection ended", after_dot=False)


def relay(**terms: object) -> transport.Relay:
    return transport.Relay.model_validate({"name": "main", "host": "127.0.0.1", "in_flight": 1, **terms})


def lane(limit: int = 10, **terms: object) -> Lane:
    return Lane("main", transport.Lane.model_validate(terms), limit=limit)


def rounds(tried: Lane, outcome: Outcome, count: int, *, now: float = 0.0) -> None:
    for _ in range(count):
        tried.began(now)
        tried.ended(now, outcome)


def test_no_more_messages_are_under_way_than_the_limit() -> None:
    tried = lane(3)
    for _ in range(3):
        assert tried.ready(0.0) == 0
        tried.began(0.0)
    assert tried.ready(0.0) == math.inf
    tried.ended(0.0, SENT)
    assert tried.ready(0.0) == 0


def test_a_rate_spaces_messages_out() -> None:
    tried = lane(rate=2)
    rounds(tried, SENT, 1, now=100.0)
    assert tried.ready(100.0) == pytest.approx(0.5)
    assert tried.ready(100.5) == 0


def test_a_window_opens_again_when_its_oldest_messages_have_left_it() -> None:
    tried = lane(window="3/10m")
    for moment in (0.0, 100.0, 200.0):
        assert tried.ready(moment) == 0
        rounds(tried, SENT, 1, now=moment)
    assert tried.ready(250.0) == pytest.approx(350.0)
    assert tried.ready(600.0) == 0


def test_a_window_knows_what_earlier_runs_sent() -> None:
    tried = lane(window="3/10m")
    assert tried.stretch == 600
    tried.seed([30.0, 590.0, 700.0, 10.0], now=1000.0)
    assert tried.ready(1000.0) == pytest.approx(10.0)
    assert tried.ready(1010.0) == 0


def test_a_window_of_a_million_remembers_a_thousand_groups() -> None:
    window = Window(1_000_000, 86400.0)
    for number in range(200_000):
        window.took(number * 0.1)
    assert len(window._groups) <= 1001
    assert window._count == 200_000


def test_a_burst_of_put_offs_halves_what_is_allowed_once() -> None:
    tried = lane(10)
    for _ in range(10):
        tried.began(0.0)
    for _ in range(4):
        tried.ended(0.0, CLOSING)
    assert tried.allowed == 5
    for _ in range(3):
        tried.ended(0.0, LOST)
    assert tried.allowed == 5


def test_a_second_burst_halves_again_and_never_below_one() -> None:
    tried = lane(4)
    for expected in (2.0, 1.0, 1.0):
        while tried.ready(0.0) == 0:
            tried.began(0.0)
        while tried.under_way:
            tried.ended(0.0, CLOSING)
        assert tried.allowed == expected


def test_successes_bring_a_lane_back_to_its_limit() -> None:
    tried = lane(10)
    rounds(tried, CLOSING, 1)
    assert tried.allowed == 1
    rounds(tried, SENT, 60)
    assert tried.allowed == 10
    assert tried.recovered


def test_a_lane_pauses_after_put_offs_in_a_row_then_sends_one_probe_and_waits_twice_as_long() -> None:
    tried = lane(10)
    rounds(tried, BUSY, PAUSE_AFTER)
    assert tried.ready(0.0) == PAUSE
    assert tried.ready(PAUSE) == 0
    tried.began(PAUSE)
    assert tried.ready(PAUSE) == math.inf  # one probe at a time
    tried.ended(PAUSE, BUSY)
    assert tried.ready(PAUSE) == 2 * PAUSE
    moment = PAUSE
    for _ in range(10):
        moment += tried.ready(moment)
        rounds(tried, BUSY, 1, now=moment)
    assert tried.ready(moment) == lanes.LONGEST
    moment += lanes.LONGEST
    rounds(tried, SENT, 60, now=moment)
    assert tried.recovered


def test_a_lane_of_one_message_recovers_from_a_pause() -> None:
    tried = lane(1)
    rounds(tried, BUSY, PAUSE_AFTER)
    rounds(tried, SENT, 1, now=PAUSE)
    assert tried.recovered
    assert tried.ready(PAUSE) == 0


@pytest.mark.parametrize("outcome", [GREY, FULL, DEAD, POLICY])
def test_what_is_a_readers_own_or_no_matter_of_speed_does_not_slow_a_lane(outcome: Outcome) -> None:
    tried = lane(10)
    rounds(tried, outcome, 50)
    assert (tried.allowed, tried.ready(0.0)) == (10, 0)


def test_single_put_offs_among_successes_do_not_slow_a_lane() -> None:
    tried = lane(10)
    for _ in range(200):
        rounds(tried, SENT, 9)
        rounds(tried, BUSY, 1)
    assert tried.allowed == 10


def test_a_message_that_comes_back_untried_says_nothing() -> None:
    tried = lane(2)
    tried.began(0.0)
    tried.ended(0.0, None)
    assert (tried.under_way, tried.done, tried.allowed) == (0, 0, 2)


def send(tried: Lanes, domain: str, outcome: Outcome | None, *, now: float = 0.0) -> None:
    tried.began(domain, now)
    tried.ended(domain, now, outcome)


def test_a_domain_has_the_limits_of_its_settings() -> None:
    tried = Lanes(relay(domains={"Slow.example": {"connections": 1}}))
    tried.began("slow.example", 0.0)
    assert tried.ready("slow.example", 0.0) == math.inf
    assert tried.ready("other.example", 0.0) == 0


def test_a_domain_in_trouble_does_not_hold_up_the_relays_other_mail() -> None:
    tried = Lanes(relay())
    for _ in range(PAUSE_AFTER):
        send(tried, "busy.example", BUSY)
        send(tried, "fine.example", SENT)
    assert tried.ready("busy.example", 0.0) == PAUSE
    assert tried.ready("fine.example", 0.0) == 0
    assert tried.own.allowed == 10


def test_a_domain_that_takes_nothing_at_all_is_not_the_relays_trouble() -> None:
    tried = Lanes(relay())
    for _ in range(PAUSE_AFTER):
        send(tried, "busy.example", BUSY)
    assert tried.ready("busy.example", 0.0) == PAUSE
    assert (tried.ready("fine.example", 0.0), tried.own.allowed) == (0, 10)


def test_a_domain_that_recovered_has_no_lane_any_more() -> None:
    tried = Lanes(relay())
    for _ in range(PAUSE_AFTER):
        send(tried, "busy.example", BUSY)
    assert [each.name for each in tried.shown(0.0)] == ["main", "main busy.example"]
    for _ in range(80):
        send(tried, "busy.example", SENT, now=PAUSE)
    assert [each.name for each in tried.shown(PAUSE)] == ["main"]


def test_a_lane_made_in_the_middle_knows_what_is_under_way() -> None:
    tried = Lanes(relay(connections=4))
    for _ in range(4):
        tried.began("busy.example", 0.0)
    for _ in range(3):
        tried.ended("busy.example", 0.0, BUSY)
    assert tried.ready("busy.example", 0.0) == math.inf  # one is under way still, and one is what is allowed
    tried.ended("busy.example", 0.0, SENT)
    assert tried.ready("busy.example", 0.0) == 0


def test_many_domains_that_put_off_in_turn_are_the_relays_trouble() -> None:
    tried = Lanes(relay())
    for number in range(PAUSE_AFTER):
        send(tried, f"d{number}.example", BUSY)
    assert tried.ready("new.example", 0.0) == PAUSE


def test_a_cut_connection_is_the_relays_trouble_at_once() -> None:
    tried = Lanes(relay(connections=8))
    for _ in range(8):
        tried.began("a.example", 0.0)
    tried.ended("a.example", 0.0, CLOSING)
    assert tried.own.allowed == 4


def test_lanes_show_their_speed_since_the_last_look() -> None:
    tried = Lanes(relay(domains={"a.example": {"connections": 2}, "b.example": {"connections": 2}}))
    tried.shown(0.0)
    for _ in range(20):
        send(tried, "a.example", SENT, now=1.0)
    own, domain = tried.shown(2.0)
    assert (own.name, own.allowed, own.limit, own.rate, own.done) == ("main", 10, 10, 10.0, 20)
    assert (domain.name, domain.limit, domain.paused_for) == ("main a.example", 2, 0.0)


def test_a_relays_limit_is_its_connections_with_their_windows() -> None:
    assert Lanes(relay(connections=3, in_flight=4)).limit == 12


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(1, 12),
    rate=st.sampled_from([0.0, 0.5, 7.0, 200.0]),
    window=st.sampled_from(["", "5/10s", "40/1m"]),
    script=st.lists(st.sampled_from([SENT, SENT, SENT, BUSY, CLOSING, LOST, GREY, DEAD, None]), max_size=120),
    takes=st.lists(st.floats(0.001, 20.0), min_size=1, max_size=7),
)
def test_a_lane_keeps_its_limits_whatever_the_relay_answers_and_always_goes_on(
    limit: int, rate: float, window: str, script: list[Outcome | None], takes: list[float]
) -> None:
    tried = lane(limit, rate=rate, window=window)
    now, begun = 0.0, list[float]()
    flying: deque[tuple[float, Outcome | None]] = deque()
    answers = [*script, *[SENT] * 80]
    while answers or flying:
        wait = tried.ready(now) if answers else math.inf
        assert wait != math.inf or flying, "it waits for a message to end, and none is under way"
        if wait == 0:
            tried.began(now)
            begun.append(now)
            flying.append((now + takes[len(begun) % len(takes)], answers.pop(0)))
            assert len(flying) <= limit
        elif not flying or now + wait < min(flying, key=itemgetter(0))[0]:
            now += wait
        else:
            first = min(flying, key=itemgetter(0))
            flying.remove(first)
            now = max(now, first[0])
            tried.ended(now, first[1])
    _within(begun, rate, window)
    for _ in range(200):  # and a relay that is well again gets all that it can take
        now += max(tried.ready(now), 0.001)
        rounds(tried, SENT, 1, now=now)
    assert tried.recovered


def _within(begun: list[float], rate: float, window: str) -> None:
    if rate:
        burst = max(rate * BURST, 1.0)
        for first in range(0, len(begun), 7):
            for last in range(first, len(begun)):
                assert last - first + 1 <= burst + rate * (begun[last] - begun[first]) + 1e-6
    if window:
        found = lane(window=window)._paces[-1]
        assert isinstance(found, Window)
        for first in range(len(begun) - found._limit):
            assert begun[first + found._limit] - begun[first] >= found.stretch - 1e-6


def test_a_message_costs_next_to_nothing_where_there_are_no_limits() -> None:
    tried, count = Lanes(relay()), 20_000
    costs = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(count):
            tried.ready("example.com", 1.0)
            tried.began("example.com", 1.0)
            tried.ended("example.com", 1.0, SENT)
        costs.append((time.process_time() - start) / count)
    assert min(costs) < 6e-6  # measured: 2.2e-6; the machines of others may be slower
