"""The benchmarks in short: that they still run, and compare what they say they compare."""

import re
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
    ],
)
def test_a_benchmark_of_a_million_runs_on_a_few_hundred(words: str, lines: int) -> None:
    if postgres.binaries() is None:
        lacking("PostgreSQL")
    script, *options = words.split()
    run = [sys.executable, str(BENCH / script), *options]
    ended = subprocess.run(run, check=False, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr
    assert len(re.findall(r"[0-9.]+ (?:x|times)\b", ended.stdout)) >= lines, ended.stdout
