"""The hand-over: chunks that a process of their own reads and checks, for the one that writes them.

Checking a row takes as long as writing it, and one interpreter does only one of the two at a time.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import partial

from subscribers import chunks
from subscribers.chunks import Chunk
from subscribers.errors import AudienceError
from subscribers.reading import Reader
from subscribers.sources import Source

#: Rows of one chunk: with more of them two processes would hold more than the 200 MB that an import may take.
SIZE = 4_000
#: So many rows save more time than the start of a process takes, which is half a second.
WORTH = 50_000


def worth(rows: int) -> bool:
    """Return whether so many rows pay for a process that reads them, and there can be one and a processor for it.

    PostgreSQL has that processor already: its server writes beside the interpreter.
    """
    frozen = getattr(sys, "frozen", False)  # then sys.executable is the whole program, and takes no -m
    return rows >= WORTH and (os.cpu_count() or 1) > 1 and bool(sys.executable) and not frozen


def ahead(source: Source, reader: Reader, *, done: int) -> Generator[Chunk]:
    """Yield the chunks of a file, the next being made in a process meanwhile; it ends when nobody takes any more.

    Raises what reading the file raises, and AudienceError when the process dies.
    """
    # A session of its own: an interrupt from the keyboard is for whoever writes, and takes this one along.
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "subscribers.handover"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, start_new_session=True,
    )  # fmt: skip
    assert child.stdin
    with child:
        try:
            with suppress(BrokenPipeError), child.stdin:
                pickle.dump((source, reader, done, SIZE), child.stdin)
            yield from iter(partial(_next, child), None)
        finally:
            child.kill()


def _next(child: "subprocess.Popen[bytes]") -> Chunk | None:
    """Return the next chunk, None after the last."""
    assert child.stdout
    try:
        given: Chunk | Exception | None = pickle.load(child.stdout)
    except (EOFError, pickle.UnpicklingError) as error:
        raise AudienceError(
            f"the process that reads the file ended before the file did (exit status {child.wait()}); what was "
            "written stays, and the same command goes on from there"
        ) from error
    if isinstance(given, Exception):
        raise given
    return given


def _give() -> None:
    """Write to stdout what is asked for on stdin."""
    gc.disable()  # once in a chunk is enough, as where they are written
    try:
        for given in _made(*pickle.load(sys.stdin.buffer)):
            pickle.dump(given, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
            sys.stdout.buffer.flush()
            gc.collect(0)
    except (EOFError, BrokenPipeError):
        os._exit(1)  # whoever asked is gone; a flush at the exit would fail once more


def _made(source: Source, reader: Reader, done: int, size: int) -> Iterator[Chunk | Exception | None]:
    """Yield the chunks, and then None, or the error that ended them."""
    try:
        yield from chunks.of(source, reader, done=done, size=size)
    except Exception as error:
        yield error
    else:
        yield None


if __name__ == "__main__":
    _give()
