"""Postfix's smtp-sink, told to misbehave at each moment of the conversation."""

from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.relay import Ending
from newsletter.delivery.smtp import Timeouts
from newsletter.errors import RelayError
from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import BACK, Tray, ran, refused, sent, to
from tests.support.smtp import sink

QUICK = Timeouts(5, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2)
LARGE = b"x" * (1 << 23) + b"\r\n"


def handed(run: Run, folder: Path, options: str, *, data: bytes | None = None, **more: Any) -> tuple[Tray, Ending]:
    """Hand three messages to a sink."""
    tray = Tray(*(to(number, data=data) if data else to(number) for number in (1, 2, 3)))
    with sink(folder, *options.split("|")) as port:
        return tray, run(ran(port, tray, **more))


@pytest.mark.parametrize(
    ("options", "reason", "temporary"),
    [
        ("-q|CONNECT", "it hung up", True),
        ("-Q|CONNECT", "will not talk to us: 421", True),
        ("-r|CONNECT", "will not talk to us: 450 4.3.0", True),
        ("-f|CONNECT", "will not talk to us: 500 5.3.0", False),
        ("-W|CONNECT:1", "timed out", True),
        ("-q|EHLO", "it hung up", True),
        ("-Q|EHLO", "will not talk to us: 421", True),
        ("-r|EHLO", "will not talk to us: 450 4.3.0", True),
        ("-f|EHLO HELO", "will not talk to us: 500 5.3.0", False),
        ("-f|EHLO|-q|HELO", "it hung up", True),
        ("-L", "will not talk to us: 5", False),
    ],
)
def test_a_relay_that_does_not_open_is_the_relays_trouble(
    run: Run, tmp_path: Path, options: str, reason: str, temporary: bool
) -> None:
    with sink(tmp_path / "sink", *options.split("|")) as port:
        refusal = run(refused(port, timeouts=QUICK))
    assert reason in str(refusal)
    assert refusal.temporary is temporary


@pytest.mark.parametrize(
    "options", ["-f|EHLO", "-e", "-P", "-p", "-8", "-E", "-N", "-a", "-F", "-C", "-h|other", "-T|1024"]
)
def test_a_relay_that_lacks_something_is_served_with_the_rest(run: Run, tmp_path: Path, options: str) -> None:
    tray, ending = handed(run, tmp_path / "sink", options)
    assert (tray.kinds, ending) == (sent(3), Ending(taken=3))
    assert len(list((tmp_path / "sink").iterdir())) == 3


@pytest.mark.parametrize(
    ("options", "kinds", "trouble"),
    [
        ("-q|MAIL", ["deferred"], "hung up"),
        ("-q|RCPT", ["deferred"], "hung up"),
        ("-q|DATA", ["deferred"], "hung up"),
        ("-q|.", ["unknown", BACK], "hung up"),
        ("-q|QUIT", sent(3), ""),
        ("-f|RCPT|-q|RSET", ["relay_refused"], "hung up"),
        ("-Q|MAIL", ["deferred"], "421"),
        ("-Q|RCPT", ["deferred"], "421"),
        ("-Q|DATA", ["deferred"], "421"),
        ("-Q|.", ["deferred", BACK], "421"),
        ("-Q|QUIT", sent(3), ""),
        ("-f|RCPT|-Q|RSET", ["relay_refused"], "421"),
        ("-r|MAIL", ["relay_refused"] * 3, ""),
        ("-r|RCPT", ["deferred"] * 3, ""),
        ("-r|DATA", ["deferred"] * 3, ""),
        ("-r|.", ["deferred"] * 3, ""),
        ("-r|RCPT|-b|450 4.2.1 greylisted", ["deferred"] * 3, ""),
        ("-f|MAIL", ["relay_refused"] * 3, ""),
        ("-f|RCPT", ["relay_refused"] * 3, ""),
        ("-f|RCPT|-B|550 5.1.1 no such user", ["failed"] * 3, ""),
        ("-f|DATA|-B|554 5.5.1 no", ["failed"] * 3, ""),
        ("-f|.|-B|554 5.6.0 bad content", ["failed"] * 3, ""),
        ("-f|RSET", sent(3), ""),
        ("-f|QUIT", sent(3), ""),
    ],
)
def test_each_moment_has_its_outcome_and_charges_nobody_else(
    run: Run, tmp_path: Path, options: str, kinds: list[str], trouble: str
) -> None:
    tray, ending = handed(run, tmp_path / "sink", options)
    assert tray.kinds == kinds
    assert bool(ending.trouble) is bool(trouble)
    assert not ending.trouble or trouble in ending.trouble.reply
    assert len(tray.left) == 3 - len(kinds)


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        # With PIPELINING it replies out of turn when told to wait.
        ("-p|-W|MAIL:1", ["deferred"]),
        ("-p|-W|RCPT:1", ["deferred"]),
        ("-p|-w|1", ["deferred"]),
        ("-p|-W|.:1", ["unknown"]),
        ("-p|-W|QUIT:1", sent(3)),
    ],
)
def test_a_relay_that_is_too_slow_is_left(run: Run, tmp_path: Path, options: str, kinds: list[str]) -> None:
    tray, ending = handed(run, tmp_path / "sink", options, timeouts=QUICK)
    assert tray.kinds == kinds
    assert bool(ending.trouble) is (kinds != sent(3))


def test_a_relay_that_does_not_read_the_text_has_it_deferred(run: Run, tmp_path: Path) -> None:
    tray, ending = handed(run, tmp_path / "sink", "-H|1|-T|1024", data=LARGE, timeouts=QUICK)
    assert tray.kinds[0] == "deferred"
    assert "had not all of the message text" in tray.outcomes[0].text
    assert ending.trouble


def test_a_relay_that_replies_within_the_text_is_heard(run: Run, tmp_path: Path) -> None:
    tray, ending = handed(run, tmp_path / "sink", "-A|1", data=LARGE)
    assert tray.kinds == ["failed", BACK]
    assert tray.outcomes[0].code == 550
    assert ending.trouble


def test_a_relay_that_goes_away_with_the_second_text_leaves_that_one_unknown(run: Run, tmp_path: Path) -> None:
    tray, ending = handed(run, tmp_path / "sink", "-M|2")
    assert tray.kinds == ["sent", "unknown", BACK]
    assert ending.taken == 1
    assert ending.trouble


def test_a_text_beyond_ascii_goes_only_where_8bitmime_is(run: Run, tmp_path: Path) -> None:
    text = "Subject: é\r\n\r\né\r\n".encode()
    assert handed(run, tmp_path / "one", "-N", data=text)[0].kinds == sent(3)
    assert handed(run, tmp_path / "two", "-8", data=text)[0].kinds == ["failed"] * 3


def test_a_relay_without_auth_is_named_so(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RelayError, match="offers no AUTH"):
        handed(run, tmp_path / "sink", "-a", username="desk", password="s3cret")
    assert handed(run, tmp_path / "sink", "-N", username="desk", password="s3cret")[0].kinds == sent(3)
