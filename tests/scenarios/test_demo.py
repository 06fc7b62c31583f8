"""The demo: the whole road, counted, run twice."""

import json
import subprocess
import sys
from pathlib import Path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "newsletter", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_demo_accounts_for_everyone_and_runs_again(tmp_path: Path) -> None:
    for _ in range(2):
        result = run(tmp_path, "demo", "--json")
        assert result.returncode == 0, result.stderr
        counted = json.loads(result.stdout)
        assert (counted["audience"], counted["sent"], counted["skipped"], counted["filed"]) == (500, 498, 2, 498)
    status = json.loads(run(tmp_path, "-C", "demo", "status", "1", "--json").stdout)
    assert status["issue"] == 1
    assert status["state"] == "sent"
    assert status["audience"] == status["sent"] + status["failed"] + status["skipped"] + status["unknown"] == 500
    assert "weekly" in run(tmp_path, "-C", "demo", "lists", "list").stdout
    assert (tmp_path / "demo" / "newsletter.toml").exists()
    assert list((tmp_path / "demo" / "briefings").glob("*.md"))
    again = run(tmp_path, "-C", "demo", "send", "1", "--list", "weekly", "--yes")
    assert again.returncode == 1
    assert "issue 1 is already sent" in again.stderr
    assert "newsletter compose" in again.stderr


def test_the_demo_leaves_a_folder_of_somebody_elses_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.txt").write_text("years of work")
    result = run(tmp_path, "demo")
    assert result.returncode == 1
    assert "no demo made it" in result.stderr
    assert (tmp_path / "demo" / "thesis.txt").read_text() == "years of work"
