"""Running the command line as people do: a process, its output, its exit code."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Desk:
    """A publication's folder to run commands in."""

    folder: Path
    environ: dict[str, str]

    def run(self, *words: str, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `newsletter WORDS` there; the exit code must be `code`."""
        result = subprocess.run(
            [sys.executable, "-m", "newsletter", *words], cwd=self.folder, env={**os.environ, **self.environ},
            capture_output=True, text=True, input=stdin, timeout=120, check=False,
        )  # fmt: skip
        assert result.returncode == code, f"{words} ended with {result.returncode}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.stderr
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        """Run the command with `--json` and return its one document."""
        return json.loads(self.run(*words, "--json", code=code).stdout)

    def refuses(self, *words: str, code: int = 1) -> str:
        """Run a command that must be refused with one clear error; return the error."""
        result = self.run(*words, code=code)
        assert result.stdout == ""
        return result.stderr
