"""An issue that is kept up to date while somebody edits, by the command as a process of its own."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from tests.support.commands import Desk
from tests.support.texts import briefing

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Watcher:
    """A running `compose --watch`, whose lines can be waited for."""

    def __init__(self, desk: Desk, *words: str) -> None:
        self.process = desk.process("compose", "--watch", "--as", "mara", *words)
        self.lines: Queue[str] = Queue()
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: Iterator[str]) -> None:
        for line in stream:
            self.lines.put(line.rstrip("\n"))

    def until(self, wanted: str) -> None:
        """Wait for a line that holds the words."""
        seen: list[str] = []
        while not seen or wanted not in seen[-1]:
            try:
                seen.append(self.lines.get(timeout=60))
            except Empty as error:
                raise AssertionError(f"no {wanted!r}, but {seen}; ended: {self.process.poll()}") from error


@pytest.fixture
def watch(desk: Desk) -> Iterator[Watcher]:
    """Return a watcher of issue 1, which is stopped in the end."""
    (desk.folder / "intro.md").write_text("Hello", "utf-8")
    found = Watcher(desk, "--intro", str(desk.folder / "intro.md"))
    yield found
    found.process.kill()
    found.process.wait()


@SQLITE
def test_the_issue_follows_files_and_approvals_until_ctrl_c(desk: Desk, watch: Watcher, tmp_path: Path) -> None:
    watch.until("Watching issue 1")
    (desk.folder / "intro.md").write_text("Hello, *readers*", "utf-8")
    watch.until("~ the intro")
    file = desk.folder / "briefings" / "cranes.md"
    file.write_text(file.read_text("utf-8").replace("surprised", "pleased"), "utf-8")
    watch.until("cranes.md differs from its approved text, which the issue keeps")
    assert desk.json("issues", "show", "1")["items"] == ["cranes"]  # and nothing was recorded of the edit
    (desk.folder / "briefings" / "tugs.md").write_text(briefing("tugs", title="Tugs"), "utf-8")
    for verb, who in (("submit", "mara"), ("approve", "jonas")):
        desk.run("briefings", verb, "tugs", "--as", who)
    watch.until("+ tugs")
    desk.run("briefings", "submit", "cranes", "--as", "mara")  # which voids the approval
    watch.until("- cranes")
    desk.run("briefings", "approve", "cranes", "--as", "jonas")
    watch.until("+ cranes")
    watch.process.send_signal(signal.SIGINT)
    watch.until("Issue 1 stays as it is. Freeze it: newsletter issues freeze 1")
    assert watch.process.wait(10) == 0
    assert [each["issue"] for each in desk.json("issues", "list")] == [1]


@SQLITE
def test_a_frozen_issue_ends_the_watch(desk: Desk, watch: Watcher) -> None:
    watch.until("Watching issue 1")
    desk.run("issues", "freeze", "1", "--as", "mara")
    watch.until("Issue 1 is frozen, and stays as it is")
    assert watch.process.wait(10) == 0
    assert "leave out --json" in desk.refuses("compose", "--watch", "--json", code=2)
