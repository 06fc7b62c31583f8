"""Parsing in child processes: a document that makes its parser run for ever costs a process, not the desk.

A child may use 5 seconds of CPU for each document, 512 MiB and 16 open files. It answers in JSON, which can hold
nothing but words: whatever a document does to the child, its parent only reads text.
"""

import atexit
import os
import queue
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from json import dumps, loads
from typing import IO, TYPE_CHECKING

from newsletter.discovery import documents
from newsletter.discovery.documents import Document
from newsletter.errors import BadInput

if TYPE_CHECKING:
    from newsletter.discovery.articles import Article

CPU, MEMORY, FILES = 5, 512 << 20, 16
#: Seconds after which a child is ended, however little it works.
WALL = 15.0
_SIZES = struct.Struct("!II")
_START = "from newsletter.discovery import parsing; parsing.work({})"


class Parsers:
    """A few children that parse, each document within `cpu` seconds; threads may share it."""

    def __init__(self, *, most: int = 0, cpu: int = CPU) -> None:
        self._cpu = cpu
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(most or min(8, os.cpu_count() or 1)):
            self._idle.put(None)

    def parse(self, data: bytes, *, url: str, content_type: str = "") -> Document:
        """Return what a document says; BadInput when it is no feed, or none that can be read within the limits."""
        if len(data) > documents.LARGEST:
            documents.parse(data, url=url)  # says why not
        about = {"kind": "feed", "url": url, "content_type": content_type}
        return documents.load(self._ask(data, about, f"{url}: the document", "take another feed"))

    def article(self, data: bytes, *, url: str, content_type: str = "", extract: bool = False) -> "Article":
        """Return what a page says; BadInput when it is no page, or none that can be read within the limits."""
        from newsletter.discovery import articles

        about = {"kind": "article", "url": url, "content_type": content_type, "extract": "yes" if extract else ""}
        return articles.load(self._ask(data, about, f"{url}: the page", "read it in a browser"))

    def _ask(self, data: bytes, about: dict[str, str], what: str, way_on: str) -> bytes:
        child = self._idle.get() or _Child(self._cpu)
        try:
            good, answer = child.ask(data, about)
        except (OSError, EOFError, struct.error):
            child.end()
            self._idle.put(None)
            raise BadInput(f"{what} cannot be read within {self._cpu} seconds; {way_on}") from None
        self._idle.put(child)
        if not good:
            raise BadInput(answer.decode())
        return answer

    def close(self) -> None:
        """End the children that have nothing to do."""
        idle = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._idle.get_nowait())
        for child in idle:
            if child:
                child.end()
            self._idle.put(None)


@cache
def shared() -> Parsers:
    """Return the children of this process, which end with it."""
    made = Parsers()
    atexit.register(made.close)
    return made


class _Child:
    def __init__(self, cpu: int) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START.format(cpu)],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def ask(self, data: bytes, about: dict[str, str]) -> tuple[bool, bytes]:
        assert self._process.stdin
        assert self._process.stdout
        timer = threading.Timer(WALL, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            head = dumps(about).encode()
            self._process.stdin.write(_SIZES.pack(len(head), len(data)) + head + data)
            self._process.stdin.flush()
            good, size = _SIZES.unpack(_exactly(self._process.stdout, _SIZES.size))
            return bool(good), _exactly(self._process.stdout, size)
        finally:
            timer.cancel()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def work(cpu: int) -> None:
    """Parse what the parent hands over, until it hands over nothing more."""
    _limit()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(_SIZES.size):
        about, size = _SIZES.unpack(head)
        given = loads(_exactly(source, about))
        data = _exactly(source, size)
        _allow_more_time(cpu)
        try:
            good, answer = 1, _read(data, **given)
        except BadInput as error:
            good, answer = 0, str(error).encode()
        except Exception as error:  # whatever a parser stumbles over is the document's fault
            good, answer = 0, f"{given['url']}: the document cannot be read: {type(error).__name__}".encode()
        sink.write(_SIZES.pack(good, len(answer)) + answer)
        sink.flush()


def _read(data: bytes, *, kind: str, url: str, content_type: str, extract: str = "") -> bytes:
    if kind == "feed":
        return documents.dump(documents.parse(data, url=url, content_type=content_type))
    from newsletter.discovery import articles  # a child that only reads feeds needs no reader of pages

    return articles.dump(articles.read(data, url=url, content_type=content_type, extract=bool(extract)))


def _limit() -> None:
    with suppress(ImportError):  # Windows has no such limits; the wall clock still holds there
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


def _allow_more_time(cpu: int) -> None:
    """Let the limit of CPU, which counts a process's whole life, begin anew."""
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + cpu + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
