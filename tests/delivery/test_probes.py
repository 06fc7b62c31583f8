"""Relays tried by functions, with certificates of the tests' own."""

import time

import pytest

from newsletter.delivery import probes
from newsletter.errors import NotFound, SettingsError
from newsletter.settings import Settings
from newsletter.transport import Relay, Tls
from tests.delivery.test_message import SETTINGS
from tests.support.smtp import free_port, serving, speaking, trust


def relayed(*relays: Relay) -> Settings:
    return SETTINGS.model_copy(update={"relay": relays})


def relay(port: int, name: str = "main", tls: Tls = Tls.NONE) -> Relay:
    return Relay(name=name, host="127.0.0.1", port=port, tls=tls)


@pytest.mark.parametrize(("tls", "implicit"), [(Tls.REQUIRE, False), (Tls.IMPLICIT, True), (Tls.OPPORTUNISTIC, False)])
def test_a_probe_says_which_tls_it_got(tls: Tls, implicit: bool) -> None:
    with serving(starttls=not implicit, implicit=implicit) as server:
        there = relay(server.port, tls=tls)
        (found,) = probes.probe(relayed(there), [there], trust=trust())
    assert found.ok
    assert found.tls.startswith("TLSv1.")


def test_a_certificate_that_nobody_vouches_for_is_told() -> None:
    with serving(starttls=True) as server:
        there = relay(server.port, tls=Tls.REQUIRE)
        (found,) = probes.probe(relayed(there), [there])
    assert not found.ok
    assert "a certificate that cannot be trusted" in found.reason
    assert found.extensions == ()


def test_relays_are_tried_all_at_once_and_told_in_their_order() -> None:
    def slowly(line: bytes) -> bytes | None:
        time.sleep(0.3)
        return b"250 ok\r\n" if line[:4] in (b"EHLO", b"QUIT") else None

    with speaking(slowly) as slow:
        there = [relay(slow, f"slow{number}") for number in range(4)] + [relay(free_port(), "gone")]
        begun = time.monotonic()
        found = probes.probe(relayed(*there), there)
    assert time.monotonic() - begun < 1.2
    assert [(each.relay, each.ok) for each in found] == [*((f"slow{n}", True) for n in range(4)), ("gone", False)]
    assert all(each.seconds >= 0.3 for each in found[:4])


def test_a_password_that_cannot_be_read_is_that_relays_trouble_alone() -> None:
    with serving() as server:
        good = relay(server.port)
        bad = Relay(
            name="locked", host="127.0.0.1", port=server.port, tls=Tls.NONE, username="a", password_file="/gone"
        )
        found = probes.probe(relayed(good, bad), [good, bad])
    assert [each.ok for each in found] == [True, False]
    assert "the password file of relay locked, /gone, cannot be read" in found[1].reason


def test_relays_are_chosen_by_name() -> None:
    one, other = relay(25, "one"), relay(26, "other")
    assert probes.choose(relayed(one, other)) == (one, other)
    assert probes.choose(relayed(one, other), "other") == (other,)
    with pytest.raises(NotFound, match="no relay third .*; it has one, other"):
        probes.choose(relayed(one, other), "third")
    with pytest.raises(SettingsError, match="names no relay"):
        probes.choose(relayed())
