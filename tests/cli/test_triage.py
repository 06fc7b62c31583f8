"""`newsletter inbox triage`: an editor at a real terminal, a key at a time."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter import db
from newsletter.discovery import inbox as stored
from tests.discovery.publisher import item, rss
from tests.support.commands import Desk

FERRY = "Ferry company orders four hydrogen ships from Danish yard for northern islands"
AGAIN = "Danish yard to build four hydrogen ships for northern islands ferry company"
#: How a whole screen ends: with the keys, a question, or what came of it all.
_ENDS = ("q quit", "Enter:", "is 1)", "left")
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def inbox(desk: Desk, tmp_path: Path) -> Desk:
    """Return a desk with six items of two feeds, two of which tell one story, which is the first."""
    others = [
        item(n, title=f"{word} report number {n}") for n, word in enumerate(("Bread", "Copper", "Sugar"), start=2)
    ]
    wire = [item(1, title=FERRY, more="<description>Built in Odense.</description>"), *others, item(6, title="Łódź 港")]
    for name, found in {"wire": wire, "post": [item(5, title=AGAIN)]}.items():
        (tmp_path / f"{name}.xml").write_bytes(rss(*found))
        desk.run("feeds", "read", str(tmp_path / f"{name}.xml"), "--url", f"https://{name}.example/f", "--name", name)
    return desk


class Terminal:
    """A terminal with a program in it: what it shows, and the keys that are typed."""

    def __init__(self, running: "subprocess.Popen[bytes]", end: int) -> None:
        self.running, self.end, self.raw, self.read_to = running, end, "", 0

    def shows(self, *words: str) -> str:
        """Wait until all of the words stand in what was shown since the last time; return that."""
        limit = time.monotonic() + 30
        while True:
            seen = " ".join(_STYLE.sub(" ", self.raw[self.read_to :]).split())
            if seen.endswith(_ENDS) and all(word in seen for word in words):
                self.read_to = len(self.raw)
                return seen
            assert time.monotonic() < limit, f"{words} never came: {seen}"
            self._read()

    def _read(self) -> None:
        if select.select([self.end], [], [], 0.2)[0]:
            try:
                self.raw += os.read(self.end, 65536).decode("utf-8")
            except OSError:
                raise AssertionError(f"it ended: {self.raw[self.read_to :]}") from None

    def types(self, keys: str, *words: str) -> str:
        """Type keys, and wait for words."""
        os.write(self.end, keys.encode())
        return self.shows(*words)

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, as a window manager does."""
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def echoes(self) -> bool:
        """Return whether the terminal is in its ordinary mode."""
        return bool(termios.tcgetattr(self.end)[3] & termios.ECHO)


@contextmanager
def terminal(here: Desk, *words: str, **environ: str) -> Iterator[Terminal]:
    """Run a command in a terminal of its own."""
    mine, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "-C", str(here.folder), *words],
        env={**os.environ, "TERM": "xterm-256color", **environ}, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
    )  # fmt: skip
    made = Terminal(running, mine)
    made.resize(100, 30)
    try:
        yield made
    finally:
        running.kill()
        running.wait()
        os.close(theirs)
        os.close(mine)


def states(engine: Engine) -> dict[int, str]:
    """Return how every item stands."""
    with db.reading(engine) as session:
        return {each.id: each.state.value for each in stored.all(session)}


def test_an_editor_decides_of_story_after_story_and_takes_it_back(inbox: Desk, engine: Engine, tmp_path: Path) -> None:
    browser = f'{sys.executable} -c \'import sys; open("{tmp_path}/opened", "w").write(sys.argv[1])\' %s'
    with terminal(inbox, "inbox", "triage", "--as", "mara", BROWSER=browser, NO_COLOR="1") as desk:
        first = desk.shows(
            "1 of 5", FERRY, "wire and post, found", "Built in Odense.", "https://example.com/1", "q quit"
        )
        assert "1 seen: 1 left" in first
        assert not desk.echoes()
        desk.types("o", "1 of 5")
        desk.types("s", "2 of 5", f"shortlisted: {FERRY}", "1 shortlisted")
        assert {states(engine)[n] for n in (1, 6)} == {"shortlisted"}  # at once, and with what tells the same
        desk.types("d", "Why? 1 not our subject", "2 old news")
        desk.types("za\x7fuviel\n", "3 of 5", "dismissed: Bread")
        desk.types("d", "Why? 1 zuviel 2 not our subject")
        desk.types("2", "4 of 5", "dismissed: Copper")
        desk.types("z", "1, 3 or 7")
        desk.types("3", "5 of 5", "snoozed: Sugar")
        desk.types("x", "does nothing")
        desk.types("s", "That was the last", "5 seen: 2 dismissed, 2 shortlisted, 1 snoozed")
        desk.types("s", "That was the last")  # there is nothing to decide of
        desk.types("p", "5 of 5", "shortlisted by mara")
        desk.types("uu", "4 of 5", "no longer snoozed")
        desk.types("\x1b[D\x1bOD", "2 of 5", "dismissed by mara: zuviel")
        desk.types("?", "Esc takes back a question")
        desk.types("n ", "4 of 5")
        desk.types("d", "Or in your words")
        desk.types("\x1b", "4 of 5", "2 left", "q quit")
        inbox.run("inbox", "dismiss", "4", "--reason", "x", "--as", "jonas")
        desk.types("s", "5 of 5", "item 4 was dismissed by jonas meanwhile")
        desk.resize(40, 12)
        narrow = desk.shows("5 of 5", "Łódź 港", "q quit")
        assert "meanwhile" in narrow
        desk.types("b", "waits for your words", "That was the last")
        desk.types("u", "was begun and stays")
        desk.types("u", "3 of 5", "no longer dismissed")
        os.write(desk.end, b"\x03")
        desk.shows("5 seen: 1 claimed, 1 dismissed, 1 shortlisted, 2 left")
        assert (desk.running.wait(20), desk.echoes()) == (130, True)
    assert states(engine) == {
        1: "shortlisted",
        2: "dismissed",
        3: "new",
        4: "dismissed",
        5: "claimed",
        6: "shortlisted",
    }
    assert (tmp_path / "opened").read_text() == "https://example.com/1"
    assert "\x1b[3" not in desk.raw  # no colours
    inbox.run("audit", "verify")


def test_what_was_decided_counts_when_the_terminal_dies(inbox: Desk, engine: Engine) -> None:
    inbox.run("inbox", "shortlist", "1")
    with terminal(inbox, "inbox", "triage", TERM="dumb") as desk:
        desk.shows("1 of 4", "Bread")
        desk.types("s", "2 of 4")
        desk.running.send_signal(signal.SIGTERM)
        desk.shows("2 seen: 1 shortlisted, 1 left")
        assert (desk.running.wait(20), desk.echoes()) == (128 + signal.SIGTERM, True)
    assert [state for _, state in sorted(states(engine).items())][:3] == ["shortlisted", "shortlisted", "new"]
    assert "newsletter inbox shortlist" in inbox.refuses("inbox", "triage")
