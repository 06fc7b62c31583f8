"""The README's tour by hand runs as it is written, on both databases."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tour() -> str:
    """Return the commands of the README's five minutes, as one script."""
    text = (ROOT / "README.md").read_text("utf-8")
    _, _, part = text.partition("## Five minutes by hand")
    part, _, _ = part.partition("\n## ")
    return "\n".join(re.findall(r"```sh\n(.*?)```", part, flags=re.DOTALL))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the demo was run, as the tour asks."""
    folder = tmp_path_factory.mktemp("tour")
    subprocess.run([sys.executable, "-m", "newsletter", "demo"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # each command has tests of its own on both
def test_the_five_minutes_run_as_they_stand(demo: Path, tmp_path: Path, database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    here = tmp_path / "tour"
    here.mkdir()
    (here / "demo").symlink_to(demo / "demo")
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if database_url.startswith("postgresql"):
        environ["NEWSLETTER_DATABASE_URL"] = database_url
    script = "set -e\n" + tour().replace("2525", port)
    process = subprocess.Popen(
        ["bash", "-c", script], cwd=here, env=environ, stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=(tmp_path / "out").open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.wait(timeout=120) == 0, (tmp_path / "out").read_text()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    delivered = [path.read_bytes() for path in (here / "harbour" / "Maildir" / "new").iterdir()]
    assert len(delivered) == 3  # the test copy and two readers
    assert sum(b"\nSubject: Chips and memory" in message for message in delivered) == 2
