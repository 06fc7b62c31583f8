"""SpamAssassin on every theme's message: nothing in it may count against the mail."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.rendering import spam
from tests.judges.conftest import Sheet
from tests.support.lacking import lacking


@pytest.fixture(scope="session")
def spamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a spamd of the test's own, which asks nobody else."""
    path = shutil.which("spamd", path="/usr/sbin:/usr/bin")
    if path is None:
        lacking("SpamAssassin")
    folder: Path = tmp_path_factory.mktemp("spamd")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    command = [path, "-L", "-x", "-i", "127.0.0.1", "-A", "127.0.0.1", "-p", str(port), "-m", "1", "-u", "nobody",
               "-s", str(folder / "log"), "--pidfile", str(folder / "pid")]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "spamd ended before it listened"
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("spamd did not listen within 30 seconds")


def test_nothing_counts_against_the_message(spamd: str, sheet: Sheet) -> None:
    report = spam.ask(spamd, sheet.message)
    assert report.trouble == ""
    assert report.score <= 0.0, report.rules


def test_spamassassin_counts_what_is_wrong(spamd: str, sheets: dict[str, Sheet]) -> None:
    dateless = b"\r\n".join(line for line in sheets["briefing"].message.split(b"\r\n") if not line.startswith(b"Date:"))
    assert spam.ask(spamd, dateless).score > 1
