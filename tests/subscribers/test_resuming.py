"""An import that is killed goes on where it was; two at once do not both go on; other writers get in."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from subscribers import chunks, joining, suppressions, upsert
from subscribers.errors import Refused
from subscribers.models import ImportRun, SuppressionReason
from tests.subscribers.importing import Desk, counts, many

ROWS = 5000
PROCESS = """
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from newsletter import db
from subscribers import chunks, imports
from tests.support.keys import KEYRING
chunks.SIZE = int(sys.argv[4])
made = db.open_engine(sys.argv[1])
request = imports.Request(
    file=Path(sys.argv[2]), lists=["weekly"], basis="signed up at the fair", rejects=Path(sys.argv[3])
)
def begin():
    time.sleep(float(sys.argv[5]))
    return db.transaction(made)
imports.load(begin, request, keyring=KEYRING, actor="mara", now=datetime.now(UTC))
"""


def dirty(size: int) -> str:
    """Return a file of people, every hundredth of whom is a reject: no address, or the first one again."""
    head, *rows = many(size).splitlines(keepends=True)
    for place in range(50, size, 100):
        rows[place] = rows[place].replace("@", " at ") if place % 200 == 50 else rows[0]
    return head + "".join(rows)


def process(here: Desk, file: Path, rejects: Path, size: int, *, pause: float = 0) -> "subprocess.Popen[bytes]":
    """Start an import as a process of its own, in chunks of so many rows, with so many seconds before each."""
    url = here.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", PROCESS, url, str(file), str(rejects), str(size), str(pause)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


def wait_for(here: Desk, rows: int) -> int:
    """Wait until an import has done some rows; return how many."""
    for _ in range(1500):
        with here.open() as session:
            done = session.scalar(select(upsert.table(ImportRun).c.done)) or 0
        if done >= rows:
            return done
        time.sleep(0.01)
    raise AssertionError("the import does not begin")


def test_an_import_killed_in_the_middle_goes_on_to_the_same_totals(here: Desk, tmp_path: Path) -> None:
    file, rejects, whole = tmp_path / "people.csv", tmp_path / "rejects.csv", tmp_path / "whole.csv"
    file.write_text(dirty(ROWS))
    running = process(here, file, rejects, 100, pause=0.05)
    wait_for(here, 300)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    done = here.stored()[0]
    assert 0 < done < ROWS - 100
    with rejects.open("a") as torn:
        torn.write("4711,half a li")
    result = here.load(file, rejects=rejects)
    assert counts(result) == (ROWS - 50, 0, 0, 50, 0, 0)
    assert result.resumed_at >= 300
    assert len(result.first_rejects) == 20
    assert result.first_rejects[0].line == 52
    assert here.stored() == (ROWS - 50, ROWS - 50, ROWS - 50, 1)
    assert counts(here.load(file, rejects=whole)) == (0, 0, ROWS - 50, 50, 0, 0)
    assert rejects.read_bytes() == whole.read_bytes()


def test_an_interrupted_import_is_not_mistaken_for_another(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "SIZE", 100)

    def stop(done: int, rows: int) -> None:
        if done == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        here.load(many(500), progress=stop)
    assert here.stored()[0] == 200
    with pytest.raises(
        Refused, match=r"half done.*\(200 of 500 rows\).*lists was \['weekly'\] and is \['alerts'\].*--restart"
    ):
        here.load(many(500), lists=["alerts"])
    assert here.load(many(10)).resumed_at == 0
    assert counts(here.load(many(500), lists=["alerts"], restart=True)) == (300, 200, 0, 0, 0, 0)
    assert here.load(many(500)).resumed_at == 0


def test_of_two_imports_of_one_file_only_one_goes_on(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "SIZE", 100)
    others = []

    def meanwhile(done: int, rows: int) -> None:
        if done == 200:
            others.append(here.load(many(500)))

    with pytest.raises(Refused, match="another process imports the same file"):
        here.load(many(500), progress=meanwhile)
    assert counts(others[0]) == (500, 0, 0, 0, 0, 0)
    assert others[0].resumed_at == 200
    assert here.stored() == (500, 500, 500, 1)


def test_other_writers_have_their_turn_while_an_import_runs(here: Desk, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(dirty(ROWS * 4))
    running = process(here, file, tmp_path / "rejects.csv", 500)
    wait_for(here, 500)
    begun = time.perf_counter()
    with here.open() as session:
        suppressions.add(session, "x@y.example", reason=SuppressionReason.MANUAL, source="", now=here.now)
        done = session.scalar(select(upsert.table(ImportRun).c.done)) or 0
    assert time.perf_counter() - begun < 5
    assert done < ROWS * 4
    assert running.wait() == 0
    assert here.stored()[0] == ROWS * 4 - ROWS // 25


def test_a_chunk_that_collides_with_a_sign_up_is_done_again(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, failures = joining.enter, iter([IntegrityError("INSERT", {}, Exception("somebody signed up"))] * 2)

    def collide(*given: object, **more: object) -> object:
        outcomes = whole(*given, **more)  # type: ignore[arg-type]
        for failure in failures:
            raise failure
        return outcomes

    monkeypatch.setattr(joining, "enter", collide)
    assert counts(here.load(many(30))) == (30, 0, 0, 0, 0, 0)
    assert here.stored() == (30, 30, 30, 1)
