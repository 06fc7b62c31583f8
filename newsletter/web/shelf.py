"""Pages that are the same for everybody, kept in memory for as long as what is published stays as it is."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from newsletter.issues.archive import Archive

#: How many bytes of pages a process keeps.
ROOM = 24 * 1024 * 1024

Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What is published as it stands at one moment: the newest entry of the desk's record, and when that was made."""

    number: int
    sha256: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A page as it leaves, with the validators that it leaves with."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    etag: str
    changed: datetime


class Shelf:
    """The pages of one edition; with the next one it is empty. The page that was asked for longest ago goes first."""

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._taken = room, 0
        self._edition: Edition | None = None
        self._pages: OrderedDict[Key, Kept] = OrderedDict()
        self._archive: tuple[Edition, Archive] | None = None
        self._lock, self._reading = Lock(), Lock()

    def get(self, edition: Edition, key: Key) -> Kept | None:
        """Return a page of that edition, None where it is not kept."""
        with self._lock:
            if self._edition != edition or key not in self._pages:
                return None
            self._pages.move_to_end(key)
            return self._pages[key]

    def put(self, edition: Edition, key: Key, page: Kept) -> None:
        """Keep a page; one that is too large for the shelf is let go."""
        with self._lock:
            if self._edition is None or self._edition.number < edition.number:
                self._pages.clear()
                self._edition, self._taken = edition, 0
            if self._edition != edition or len(page.body) > self._room // 4:
                return
            gone = self._pages.pop(key, None)
            self._pages[key] = page
            self._taken += len(page.body) - (len(gone.body) if gone else 0)
            while self._taken > self._room:
                _, oldest = self._pages.popitem(last=False)
                self._taken -= len(oldest.body)

    def archive(self, edition: Edition, read: Callable[[], Archive]) -> Archive:
        """Return what is listed in that edition; it is read once, whoever asks meanwhile waits."""
        with self._reading:
            if self._archive is None or self._archive[0] != edition:
                self._archive = edition, read()
            return self._archive[1]
