"""The benchmarks in short: that they still run, and compare what they say they compare."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.lacking import lacking

BENCH = Path(__file__).parents[1] / "bench"


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("imports.py --size 400 --rounds 1", 2),
        ("segments.py --size 400 --rounds 1", 20),
        ("planning.py --size 400", 2),
        ("feeds.py --size 16 --rounds 1", 2),
    ],
)
def test_a_benchmark_of_a_million_runs_on_a_few_hundred(words: str, lines: int) -> None:
    if postgres.binaries() is None:
        lacking("PostgreSQL")
    assert len(_ratios(words)) >= lines


@pytest.mark.parametrize(("words", "lines"), [("related.py --size 60", 2), ("gate.py --words 400", 1)])
def test_a_benchmark_of_the_desk_runs_on_a_few_texts(words: str, lines: int) -> None:
    assert len(_ratios(words)) >= lines


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("sending.py --recipients 100 --rounds 1", 1),
        ("sending.py --recipients 100 --rounds 1 --dkim", 3),
        ("scale.py --sizes 60,120", 6),
    ],
)
def test_a_benchmark_of_sending_runs_on_a_few_readers(words: str, lines: int) -> None:
    if shutil.which("smtp-source", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        lacking("Postfix")
    assert len(_ratios(words)) >= lines


def test_the_benchmark_of_the_long_way_runs_on_a_few_readers() -> None:
    if shutil.which("smtp-source", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        lacking("Postfix")
    if not (BENCH / "peers" / "node_modules").is_dir():
        lacking("npm peers")
    assert len(_ratios("latency.py --recipients 40 --rounds 1")) >= (3 if os.geteuid() == 0 else 2)


def _ratios(words: str) -> list[str]:
    script, *options = words.split()
    run = [sys.executable, str(BENCH / script), *options]
    ended = subprocess.run(run, check=False, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr
    return re.findall(r"[0-9.]+ (?:x|times)\b", ended.stdout)
