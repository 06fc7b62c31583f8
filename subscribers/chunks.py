"""Chunks: the rows of a file, read and checked while the ones before are written."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from subscribers.addresses import Address
from subscribers.errors import BadValue
from subscribers.joining import Entry
from subscribers.reading import Reader
from subscribers.rejects import Reject
from subscribers.seen import Seen
from subscribers.sources import Line, Source

#: Rows of one transaction: some half a second of writing, after which other writers have their turn.
SIZE = 20_000


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The next rows of a file, up to and with number `end`: the people by key, and what is rejected by line."""

    end: int
    entries: Sequence[Entry]
    rejects: Sequence[Reject]


def of(source: Source, reader: Reader, *, done: int, size: int) -> Generator[Chunk]:
    """Yield the rows of a file, so many in a chunk, one of which ends where so many rows are done."""
    records, end = source.records(), 0
    with closing(Seen()) as seen:
        while rows := list(islice(records, min(size, done - end) if end < done else size)):
            end += len(rows)
            yield _chunk(rows, reader, seen, end)


def ahead(source: Source, reader: Reader, *, done: int) -> Generator[Chunk]:
    """Yield the chunks of a file, the next being made in a thread meanwhile; it stops between two."""
    with closing(of(source, reader, done=done, size=SIZE)) as made, ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, made, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, made, None)
            yield chunk


def _chunk(rows: Sequence[Line], reader: Reader, seen: Seen, end: int) -> Chunk:
    rejects: list[Reject] = []
    first: dict[str, tuple[int, Entry]] = {}
    again: list[tuple[int, Address]] = []
    for line, cells in rows:
        if isinstance(cells, str):
            rejects.append(Reject(line=line, value="", reason=cells))
            continue
        try:
            entry = reader(cells)
        except BadValue as error:
            rejects.append(Reject(line=line, value=error.value, reason=error.reason))
            continue
        address = entry.person.address
        if address.key in first:
            again.append((line, address))
        else:
            first[address.key] = (line, entry)
    keys = sorted(first)
    met = seen.before({key: first[key][0] for key in keys})
    again += [(first[key][0], first[key][1].person.address) for key in met]
    for line, address in again:
        before = met.get(address.key, first[address.key][0])
        rejects.append(Reject(line=line, value=address.email, reason=f"line {before} already names this address"))
    rejects.sort(key=lambda each: each.line)
    return Chunk(end=end, entries=[first[key][1] for key in keys if key not in met], rejects=rejects)
