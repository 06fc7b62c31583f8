"""Running the command line: in this process for speed, or as a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from newsletter.cli import app


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Desk:
    """A publication's folder to run commands in."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, code: int = 0) -> Ended:
        """Run `newsletter WORDS` for this publication; the exit code must be `code`."""
        result = CliRunner().invoke(app, ["-C", str(self.folder), *words], env=self.environ, prog_name="newsletter")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        ended = Ended(result.exit_code, result.stdout, result.stderr)
        assert ended.code == code, f"{words} ended with {ended}"
        return ended

    def process(self, *words: str, stdin: int | None = None) -> "subprocess.Popen[str]":
        """Start `newsletter WORDS` as a process of its own, with its questions answered from `stdin`."""
        command = [sys.executable, "-m", "newsletter", "-C", str(self.folder), *words]
        environ = {**os.environ, **self.environ}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environ, stdin=stdin, stdout=pipe, stderr=pipe, text=True)

    def json(self, *words: str, code: int = 0) -> Any:
        """Run the command with `--json` and return its one document."""
        return json.loads(self.run(*words, "--json", code=code).stdout)

    def refuses(self, *words: str, code: int = 1) -> str:
        """Run a command that must be refused with one clear error; return the error."""
        ended = self.run(*words, code=code)
        assert ended.stdout == ""
        return ended.stderr
