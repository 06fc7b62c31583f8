"""The sender's journal: what happened to each copy of a batch that the ledger has not heard of yet, a line each.

What is in the page cache outlives the process (though not a power cut: a journal that was begun before the machine last
started is therefore not taken for complete).
"""

import mmap
import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.errors import DatabaseError

_BOOT = Path("/proc/sys/kernel/random/boot_id")
#: Room is made in such steps, in bytes.
_ROOM = 16384
# After a power cut a page that was never written reads as zeros.
_LINE = re.compile(rb"(?:began|back) \d+|done \d+ [a-z_]+(?:@[\w-]*)? [a-z_-]+ -?\d+ [ -~]*")


@dataclass(frozen=True)
class Told:
    """What a journal tells; where it is not `whole`, a delivery that it does not name may have been in flight."""

    begun: frozenset[int] = frozenset()
    done: dict[int, Outcome] = field(default_factory=dict)
    #: whose reply that was, where the journal has it: those of earlier versions do not
    relays: dict[int, str] = field(default_factory=dict)
    whole: bool = False


class Journal:
    """The open journal of one batch.

    A line is a copy into the file's own pages: no call into the system, and there for whoever comes after a SIGKILL.
    """

    def __init__(self, folder: Path, issue_id: int, *, fence: int, batch: int) -> None:
        self.path = path(folder, issue_id, fence=fence, batch=batch)
        self._end = self._room = 0
        self._pages: mmap.mmap | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        self._write(b"boot %s\n" % _boot())

    def began(self, delivery_id: int) -> None:
        """Note that the message's text may reach the relay from now on."""
        self._write(b"began %d\n" % delivery_id)

    def done(self, delivery_id: int, outcome: Outcome, relay: str = "") -> None:
        """Note what the relay replied."""
        fault = outcome.fault.value if outcome.fault else "-"
        text = outcome.text.encode("unicode_escape")
        said = (delivery_id, outcome.kind.encode(), relay.encode(), fault.encode(), outcome.code, text)
        self._write(b"done %d %s@%s %s %d %s\n" % said)

    def back(self, delivery_id: int) -> None:
        """Note that the message which began surely did not go out."""
        self._write(b"back %d\n" % delivery_id)

    def close(self) -> None:
        """Close the file and leave it for the next sender."""
        if self._pages is not None:
            self._pages.close()
            os.close(self._file)
        self._pages = None

    def remove(self) -> None:
        """Close the file and take it away: nothing in it is unrecorded."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _write(self, line: bytes) -> None:
        end = self._end + len(line)
        if end > self._room:
            self._grow(end)
        assert self._pages is not None
        self._pages[self._end : end] = line
        self._end = end

    def _grow(self, end: int) -> None:
        """Make room on the disk, so that a full one is found out here: a page that lacks it would end the process."""
        room = max(2 * self._room, (end // _ROOM + 1) * _ROOM)
        try:
            if os.pwrite(self._file, bytes(room - self._room), self._room) < room - self._room:
                raise OSError("there is no room for it")
            self._pages = mmap.mmap(self._file, room)
        except OSError as error:
            raise self._unwritable(error) from error
        self._room = room

    def _unwritable(self, error: OSError) -> DatabaseError:
        return DatabaseError(
            f"the journal {self.path} cannot be written: {error.strerror or error}; nothing more was sent; make room, "
            "or make the folder writable, and run the same command again"
        )


def path(folder: Path, issue_id: int, *, fence: int, batch: int) -> Path:
    """Return where the sender with that fence keeps the journal of a batch."""
    return folder / f"issue-{issue_id}.{fence}.{batch}.log"


def read(folder: Path, issue_id: int, *, fence: int, batch: int) -> Told:
    """Return what a sender that died left behind of a batch."""
    try:
        data = path(folder, issue_id, fence=fence, batch=batch).read_bytes()
    except FileNotFoundError:  # the sender worked on another machine, or its disk is gone
        return Told()
    begun: set[int] = set()
    done: dict[int, Outcome] = {}
    relays: dict[int, str] = {}
    header, *lines = _lines(data)
    for words in lines:
        match words:
            case ["began", key]:
                begun.add(int(key))
                done.pop(int(key), None)
                relays.pop(int(key), None)
            case ["back", key]:
                begun.discard(int(key))
            case ["done", key, end, fault, code, text]:
                kind, _, relays[int(key)] = end.partition("@")
                done[int(key)] = Outcome(
                    Kind(kind), int(code), _unescaped(text), None if fault == "-" else Fault(fault)
                )
    return Told(frozenset(begun), done, relays, whole=header == ["boot", _boot().decode("ascii", "replace")])


def before(folder: Path, issue_id: int, *, fence: int) -> tuple[Path, ...]:
    """Return the journals of the issue's earlier senders, those of claims included that came to nothing."""
    there = folder.glob(f"issue-{issue_id}.*.log")
    return tuple(sorted(each for each in there if int(each.name.split(".")[1]) < fence))


def sweep(folder: Path, issue_id: int) -> None:
    """Take away whatever journals a closed issue has left."""
    for left in folder.glob(f"issue-{issue_id}.*.log"):
        left.unlink(missing_ok=True)


def _lines(data: bytes) -> list[list[str]]:
    """Return the header's words and those of each line that reads as one, a torn last line left out."""
    header, *lines = data.split(b"\n")[:-1] or [b""]
    whole = [line.decode() for line in lines if _LINE.fullmatch(line)]
    return [header.decode("ascii", "replace").split(" "), *(line.split(" ", 5) for line in whole)]


def _unescaped(text: str) -> str:
    return text.encode("ascii").decode("unicode_escape")


@cache
def _boot() -> bytes:
    try:
        return _BOOT.read_bytes().strip()
    except OSError:  # not Linux
        return b"-"
