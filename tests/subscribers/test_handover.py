"""A process reads for an import: the same chunks, errors that keep their words, and no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from subscribers import chunks, handover, mapping, sources
from subscribers.errors import AudienceError, BadRow
from subscribers.models import AttributeType
from subscribers.reading import Reader
from subscribers.sources import Source
from tests.subscribers.importing import HEAD, Desk, counts, many
from tests.subscribers.test_resuming import PROCESS, dirty, wait_for

KINDS = """\
email,topics,joined,consent_ip,lists,plan,age
ada@one.example,energy;cloud,2026-01-31T12:00:00+01:00,192.0.2.1,weekly;alerts=pending,pro,36
grünfeld@bücher.example,"Netze, neue",1767225600,2001:db8::1,,,
bad at two.example,,,,,,
ada@ONE.example,,,,,,
bea@three.example,,,,,pro,old
"""


def readers(path: Path) -> tuple[Source, Reader]:
    """Return a file of people that was looked at, and what reads its rows."""
    source = sources.scan(path)
    columns = mapping.choose(source.columns, name=path.name)
    types = {"plan": AttributeType.STR, "age": AttributeType.INT}
    return source, Reader(columns, lists={"weekly": 1, "alerts": 2}, on=[1], types=types, guarded=True)


def children(pid: int) -> list[int]:
    """Return the processes that a process started and that live, less those that wait to be buried."""
    started = subprocess.run(["pgrep", "-P", str(pid), "-f", "subscribers.handover"], stdout=subprocess.PIPE)
    return [int(each) for each in started.stdout.split()]


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended, if nobody has buried it too."""
    for _ in range(500):
        try:
            if not Path(f"/proc/{pid}/cmdline").read_bytes():
                return
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} goes on")


@pytest.fixture
def process(here: Desk, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Return an import of a file called dirty.csv that runs as a process of its own, and has a process read for it."""
    file = tmp_path / "dirty.csv"
    file.write_text(dirty(20_000))
    url = here.engine.url.render_as_string(hide_password=False)
    start = "from subscribers import handover; handover.WORTH, handover.SIZE = 0, 50" + PROCESS
    command = [sys.executable, "-c", start, url, str(file), str(tmp_path / "rejects.csv"), "50", "0"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE) as running:
        yield running
        running.kill()


def test_a_process_makes_the_same_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "SIZE", 90)
    for name, content in (("kinds.csv", KINDS), ("many.csv", dirty(400))):
        path = tmp_path / name
        path.write_text(content)
        made = list(handover.ahead(*readers(path), done=3))
        assert made == list(chunks.of(*readers(path), done=3, size=90))
        assert made[0].end == 3
        assert sum(len(chunk.rejects) for chunk in made) in (3, 4)
    assert not children(os.getpid())


def test_only_many_rows_for_sqlite_are_worth_a_process(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "WORTH", 1000)
    monkeypatch.setattr(handover, "SIZE", 300)
    seen: list[int] = []

    def look(done: int, rows: int) -> None:
        seen.append(len(children(os.getpid())))

    assert counts(here.load(many(999), progress=look)) == (999, 0, 0, 0, 0, 0)
    assert seen == [0]
    assert counts(here.load(many(1000), progress=look)) == (1, 0, 999, 0, 0, 0)
    assert seen[1] == (here.engine.dialect.name == "sqlite")  # elsewhere the server is the second process
    assert not children(os.getpid())


def test_what_is_wrong_with_the_file_is_said_in_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "SIZE", 100)
    path = tmp_path / "people.csv"
    path.write_text(many(200))
    source, reader = readers(path)
    path.write_text(many(150) + '"never closed')
    made = handover.ahead(source, reader, done=0)
    assert next(made).end == 100
    with pytest.raises(BadRow, match=r"people\.csv, line 152: a quote is opened and never closed"):
        next(made)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        list(handover.ahead(source, reader, done=0))
    assert not children(os.getpid())


def test_a_process_that_dies_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(many(20_000))
    made = handover.ahead(*readers(path), done=0)
    next(made)
    [reading] = children(os.getpid())
    os.kill(reading, signal.SIGKILL)
    with pytest.raises(AudienceError, match=r"ended before the file did \(exit status -9\).*goes on from there"):
        list(made)


def test_the_process_finds_what_its_parent_found_and_nothing_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "csv.py").write_text("raise SystemExit('the wrong csv')")
    path = tmp_path / "people.csv"
    path.write_text(HEAD + "ada@one.example,Ada,DE,,\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [chunk] = handover.ahead(*readers(path), done=0)
    assert chunk.entries[0].person.name == "Ada"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_an_import_that_is_stopped(
    here: Desk, process: "subprocess.Popen[bytes]", how: signal.Signals, tmp_path: Path
) -> None:
    wait_for(here, 200)
    reading = children(process.pid)
    assert len(reading) == (here.engine.dialect.name == "sqlite")
    process.send_signal(how)
    process.communicate(timeout=5)
    for each in reading:
        wait_until_gone(each)
    assert 0 < here.stored()[0] < 19_000
    assert counts(here.load(tmp_path / "dirty.csv", rejects=tmp_path / "rejects.csv")) == (19_800, 0, 0, 200, 0, 0)
    assert here.stored() == (19_800, 19_800, 19_800, 1)
