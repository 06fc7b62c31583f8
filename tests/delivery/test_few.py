"""A few messages outside the ledger: each goes by the first relay that takes it, and what the others said is told."""

from collections.abc import Iterator

import pytest

from newsletter.delivery import few
from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.errors import RelayError
from newsletter.settings import Settings
from newsletter.transport import Relay
from tests.delivery.room import at_port, with_relays
from tests.support.smtp import DROP, Server, free_port, serving

TO = ["a@example.com", "b@example.com", "c@example.com"]


@pytest.fixture
def other() -> Iterator[Server]:
    """Return a second server."""
    with serving() as server:
        yield server


def two(settings: Settings, port: int, other: int) -> Settings:
    main = at_port(settings, port).relay[0]
    return with_relays(settings, main, main.model_copy(update={"name": "other", "port": other}))


def letter(to: str) -> Envelope:
    return Envelope("desk@example.com", to, 0, (b"Subject: a letter\r\n\r\nHello\r\n",))


def sent(settings: Settings, *to: str) -> list[Outcome]:
    """Send a letter to each, and return what became of them."""
    return [outcome for _, outcome in few.send(settings, [letter(each) for each in to])]


def at(relay: Relay) -> str:
    return f"relay {relay.name} at {relay.host}:{relay.port}"


@pytest.mark.parametrize("moment", ["mail", "rcpt"])
def test_what_the_first_relay_refuses_for_reasons_of_its_own_goes_by_the_next(
    settings: Settings, server: Server, other: Server, moment: str
) -> None:
    setattr(server, moment, lambda _address: "550 5.7.1 we do not know you")
    outcomes = sent(two(settings, server.port, other.port), *TO)
    assert [each.kind for each in outcomes] == [Kind.SENT] * 3
    assert (server.recipients, other.recipients) == ([], TO)


def test_what_a_relay_says_of_a_recipient_is_the_last_word(settings: Settings, server: Server, other: Server) -> None:
    server.rcpt = lambda address: {TO[0]: "550 5.1.1 unknown", TO[1]: "450 4.2.0 greylisted"}.get(address)
    outcomes = sent(two(settings, server.port, other.port), *TO)
    assert [each.kind for each in outcomes] == [Kind.FAILED, Kind.DEFERRED, Kind.SENT]
    assert (server.recipients, other.recipients) == ([TO[2]], [])


def test_when_none_takes_it_every_relay_is_named_with_its_reply(
    settings: Settings, server: Server, other: Server
) -> None:
    server.mail = lambda _address: "550 5.7.1 we do not know you"
    other.mail = lambda _address: "451 4.7.0 over quota"
    there = two(settings, server.port, other.port)
    (outcome,) = sent(there, TO[0])
    assert outcome.kind is Kind.RELAY_REFUSED
    main, spare = there.relay
    assert outcome.reply == f"451 4.7.0 over quota ({at(spare)}); {at(main)} said 550 5.7.1 we do not know you"
    (outcome,) = sent(at_port(settings, server.port), TO[0])
    assert outcome.reply == "550 5.7.1 we do not know you"


def test_a_relay_that_cannot_be_reached_does_not_hide_what_the_one_before_it_said_or_took(
    settings: Settings, server: Server
) -> None:
    server.mail = lambda _address: "550 5.7.1 we do not know you" if server.accepted else None
    there = two(settings, server.port, free_port())
    first, second = sent(there, *TO[:2])
    assert (first.kind, server.recipients) == (Kind.SENT, TO[:1])
    assert second.kind is Kind.RELAY_REFUSED
    assert f"{at(there.relay[1])} cannot be reached" in second.reply
    assert f"{at(there.relay[0])} said 550 5.7.1 we do not know you" in second.reply


@pytest.mark.parametrize("words", [DROP, "421 4.3.2 going down"])
def test_a_relay_that_hangs_up_leaves_the_letters_to_the_next(
    settings: Settings, server: Server, other: Server, words: str
) -> None:
    replies = iter([None])
    server.mail = lambda _address: next(replies, words)
    many = [*TO, "d@example.com", "e@example.com", "f@example.com"]
    outcomes = sent(two(settings, server.port, other.port), *many)
    assert [each.kind for each in outcomes] == [Kind.SENT] * 6
    assert (server.recipients, sorted(other.recipients)) == (TO[:1], many[1:])


def test_a_letter_goes_by_a_relay_that_has_what_it_needs(settings: Settings, server: Server) -> None:
    there = two(settings, server.port, free_port())
    (outcome,) = sent(there, "jürgen@example.com")
    assert outcome.kind is Kind.RELAY_REFUSED, "the one that is away may have it"
    assert f"{at(there.relay[0])} does not offer SMTPUTF8" in outcome.reply
    with serving(smtputf8=True) as able:
        (outcome,) = sent(two(settings, server.port, able.port), "jürgen@example.com")
    assert (outcome.kind, able.recipients) == (Kind.SENT, ["jürgen@example.com"])
    (outcome,) = sent(at_port(settings, server.port), "jürgen@example.com")
    assert (outcome.kind, outcome.fault) == (Kind.FAILED, Fault.UNSUPPORTED_ADDRESS)


def test_relays_none_of_which_can_be_used_are_told_together(settings: Settings) -> None:
    there = two(settings, free_port(), free_port())
    with pytest.raises(RelayError) as raised:
        sent(there, *TO)
    assert raised.value.temporary
    assert all(f"{at(relay)} cannot be reached" in str(raised.value) for relay in there.relay)
