"""The judges that come by npm: run by Node in tests/judges, where `npm ci` puts them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.lacking import lacking

HOME = Path(__file__).parents[1] / "judges"


def source(package: str, file: str) -> str:
    """Return a file of a judge's package, or skip the test for want of it."""
    path = HOME / "node_modules" / package / file
    if not path.is_file():
        lacking("npm judges")
    return path.read_text("utf-8")


def ask(program: str, question: Any) -> Any:
    """Return what a program of tests/judges answers to a question, both as JSON."""
    node = shutil.which("node")
    if node is None:
        lacking("Node")
    if not (HOME / "node_modules").is_dir():
        lacking("npm judges")
    asked = subprocess.run(
        [node, str(HOME / program)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)
