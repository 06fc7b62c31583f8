"""The kept index: which terms stand in which briefings, in a file, so that a text is read once and not in each run.

The file is a cache. Whoever opens it says of which texts it must be made, by hash, and only what differs is read again;
one that is missing, damaged or of another version is made anew. Weights follow the number of texts at the last whole
making, from which it strays by a twentieth at most. A posting is a text's number times 256, plus how often a term is in
it.
"""

import gc
import math
import sqlite3
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from newsletter.editorial.related import CUTOFF, TOPIC, Near

#: Changes with what the file holds, so that one of an older program is made anew.
VERSION = 1
#: By id, the hash of the text that the index must know.
Wanted = Mapping[str, str]
#: What reads texts by id and hash: for each its id, its topics and its terms.
Read = Callable[[Wanted], Iterable[tuple[str, Sequence[str], Sequence[str]]]]
#: Lists by which single terms are kept; nearest ones whose topics are looked at; terms that a relation shows.
_LISTS, _WEIGHED, _SHOWN = 1 << 14, 60, 5
_MANY = 900  # values that SQLite takes at once
_SCHEMA = """
CREATE TABLE size (texts INTEGER, changed INTEGER);
CREATE TABLE text (number INTEGER PRIMARY KEY, briefing TEXT UNIQUE, sha256 TEXT, topics TEXT, norm REAL);
CREATE TABLE term (term TEXT PRIMARY KEY, postings BLOB) WITHOUT ROWID;
CREATE TABLE single (list INTEGER PRIMARY KEY, terms TEXT);
"""
if TYPE_CHECKING:
    #: A term, what it weighs in a question, and where it stands.
    _Row = tuple[str, float, array[int]]
#: The weight of a term that stands so often in a text.
_OFTEN = [0.0, *(1 + math.log(count) for count in range(1, 256))]
_SQUARED = [often * often for often in _OFTEN]


class Index:
    """An open index of briefings' terms, which answers as `related.Corpus` does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: sqlite3.Connection

    def follow(self, wanted: Wanted, read: Read) -> None:
        """Bring the index up to the wanted texts, with the fewest readings; where no file can be kept, for this run."""
        try:
            self._open(self._path)
            if self._differs(wanted, read):
                self._make(wanted, read)
        except (sqlite3.DatabaseError, OSError, ValueError, TypeError, KeyError):
            self._anew(wanted, read)

    def _anew(self, wanted: Wanted, read: Read) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        try:
            self._open(self._path)
            self._make(wanted, read)
        except (sqlite3.DatabaseError, OSError):
            self._open(":memory:")
            self._make(wanted, read)

    def _open(self, where: Path | str) -> None:
        if hasattr(self, "_file"):
            self._file.close()
        self._file = sqlite3.connect(where, timeout=5, isolation_level=None)
        self._file.execute("PRAGMA synchronous=OFF")  # a cache that a power cut spoils is made anew

    def _known(self) -> dict[str, tuple[str, int]]:
        return {
            id: (sha256, number)
            for id, sha256, number in self._file.execute("SELECT briefing, sha256, number FROM text")
        }

    def _differs(self, wanted: Wanted, read: Read) -> bool:
        """Take in what changed; return whether so much did that the whole is to be made anew."""
        if self._file.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            return True
        known = self._known()
        if {id: sha256 for id, (sha256, _) in known.items()} == wanted:
            return False
        self._file.execute("BEGIN IMMEDIATE")
        known = self._known()
        gone = {id: known[id] for id in known if wanted.get(id) != known[id][0]}
        fresh = {id: wanted[id] for id in wanted if id not in known or id in gone}
        size, changed = self._file.execute("SELECT texts, changed FROM size").fetchone()
        changed += len(gone.keys() | fresh.keys())
        if changed * 20 > size:
            self._file.execute("ROLLBACK")
            return True
        _Change(self._file, size).apply(gone, fresh, read)
        self._file.execute("UPDATE size SET changed = ?", (changed,))
        self._file.execute("COMMIT")
        return False

    def _make(self, wanted: Wanted, read: Read) -> None:
        """Read every text, and write the file as a whole."""
        with _without_collector():
            self._written(wanted, read)

    def _written(self, wanted: Wanted, read: Read) -> None:
        file = self._file
        file.execute("BEGIN IMMEDIATE")
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            file.execute(f'DROP TABLE "{name}"')
        for statement in _SCHEMA.split(";"):
            file.execute(statement)
        posted = _Posted()
        texts = []
        for number, (id, topics, terms) in enumerate(read(wanted)):
            texts.append((number, id, wanted[id], " ".join(topics)))
            posted.add(number << 8, Counter(terms))
        norms = posted.write(file, len(texts))
        file.executemany(
            "INSERT INTO text VALUES (?, ?, ?, ?, ?)",
            zip(*zip(*texts, strict=True), norms, strict=True) if texts else (),
        )
        file.execute("INSERT INTO size VALUES (?, 0)", (len(texts),))
        file.execute(f"PRAGMA user_version = {VERSION}")
        file.execute("COMMIT")

    def nearest(
        self, terms: Sequence[str], *, id: str, topics: Sequence[str] = (), pins: Sequence[str] = (), limit: int = 3,
        cutoff: float = CUTOFF, exclude: Iterable[str] = (),
    ) -> list[Near]:  # fmt: skip
        """Return at most `limit` briefings near one: those it pins, then the nearest; topics in common help."""
        (size,) = self._file.execute("SELECT texts FROM size").fetchone()
        own = self._file.execute("SELECT number, norm FROM text WHERE briefing = ?", (id,)).fetchone()
        rows, square = self._rows(Counter(terms), size, known=own is not None)
        norms = dict(self._file.execute("SELECT number, norm FROM text"))
        scores = [0.0] * (max(norms, default=-1) + 1)
        for _, weight, codes in rows:
            by_count = [weight * often for often in _OFTEN]
            for code in codes:
                scores[code >> 8] += by_count[code & 255]
        length = math.sqrt(square)
        found = [
            (score / (length * math.sqrt(norm)), number) for number, score in enumerate(scores)
            if score and (norm := norms.get(number, 0.0)) > 0 and (own is None or number != own[0])
        ]  # fmt: skip
        near = sorted((each for each in found if each[0] >= cutoff), reverse=True)[:_WEIGHED]
        told = self._told([number for _, number in near])
        left_out = {id, *exclude, *pins}
        pinned = [pin for pin in pins if pin not in {id, *exclude}]
        order = sorted(
            (-cosine - TOPIC * len(set(topics) & told[number][1]), told[number][0], cosine, number)
            for cosine, number in near if told[number][0] not in left_out
        )  # fmt: skip
        found_first = [(pin, 1.0, number) for pin in pinned if (number := self._number(pin)) is not None]
        chosen = [*found_first, *((name, cosine, number) for _, name, cosine, number in order)]
        return [(name, cosine, _shared(rows, number)) for name, cosine, number in chosen[:limit]]

    def _number(self, id: str) -> int | None:
        row = self._file.execute("SELECT number FROM text WHERE briefing = ?", (id,)).fetchone()
        return row[0] if row else None

    def _rows(self, own: Counter[str], size: int, *, known: bool) -> "tuple[list[_Row], float]":
        """Return what the own terms weigh against those of each text, with where they stand; and their own length."""
        found = list(_stored(self._file, own))
        if not known:  # a text that is not among them makes two of a term that stood in one
            found += [(term, array("I", [code])) for term, code in _singles(self._file, own).items()]
        rows, square = [], 0.0
        for term, codes in found:
            rarity = _rarity(len(codes) + (not known), size)
            weight = _OFTEN[min(own[term], 255)] * rarity
            square += weight * weight
            if rarity:
                rows.append((term, weight * rarity, codes))
        return rows, square or 1.0

    def _told(self, numbers: Sequence[int]) -> dict[int, tuple[str, set[str]]]:
        marks = ",".join("?" * len(numbers))
        query = f"SELECT number, briefing, topics FROM text WHERE number IN ({marks})"
        return {number: (id, set(topics.split())) for number, id, topics in self._file.execute(query, numbers)}


def _rarity(texts: int, size: int) -> float:
    """Return how much a term tells that stands in so many texts: nothing when it is in one, or in more than half."""
    return math.log((1 + size) / (1 + texts)) + 1 if 2 <= texts <= size / 2 else 0.0


def _shared(rows: "Sequence[_Row]", number: int) -> tuple[str, ...]:
    products = []
    for term, weight, codes in rows:
        place = bisect_left(codes, number << 8)
        if place < len(codes) and codes[place] >> 8 == number:
            products.append((-weight * _OFTEN[codes[place] & 255], term))
    return tuple(term for _, term in sorted(products)[:_SHOWN])


class _Posted:
    """Where terms stand: a posting for most, a list of them for those that stand in several texts."""

    def __init__(self) -> None:
        self._at: dict[str, int | list[int]] = {}

    def add(self, first: int, counts: Counter[str]) -> None:
        """Add a text's terms, each with one look at where it stands: there are millions."""
        at = self._at.setdefault
        for term, count in counts.items():
            code = first + count if count < 256 else first + 255
            old = at(term, code)
            if type(old) is list:
                old.append(code)
            elif old is not code:
                self._at[term] = [old, code]  # type: ignore[list-item]

    def write(self, file: sqlite3.Connection, size: int) -> list[float]:
        """Write where every term stands, and return the square of each text's length."""
        norms = [0.0] * size
        several = []
        lists: list[list[str]] = [[] for _ in range(_LISTS)]
        for term, codes in self._at.items():
            if type(codes) is not list:
                lists[crc32(term.encode()) % _LISTS].append(f"{term}\t{codes}")
                continue
            several.append((term, array("I", codes).tobytes()))
            square = _rarity(len(codes), size) ** 2
            for code in codes if square else ():
                norms[code >> 8] += _SQUARED[code & 255] * square
        several.sort()
        file.executemany("INSERT INTO term VALUES (?, ?)", several)
        file.executemany("INSERT INTO single VALUES (?, ?)", enumerate(map("\n".join, lists)))
        return norms


def _list(term: str) -> int:
    return crc32(term.encode()) % _LISTS


def _stored(file: sqlite3.Connection, terms: Iterable[str]) -> "Iterator[tuple[str, array[int]]]":
    """Yield where those of the terms stand that were ever in several texts."""
    wanted = list(terms)
    for first in range(0, len(wanted), _MANY):
        some = wanted[first : first + _MANY]
        query = f"SELECT term, postings FROM term WHERE term IN ({','.join('?' * len(some))})"
        for term, blob in file.execute(query, some):
            codes = array("I")
            codes.frombytes(blob)
            yield term, codes


def _singles(file: sqlite3.Connection, terms: Iterable[str]) -> dict[str, int]:
    """Return where those of the terms stand that are in one text only."""
    found, lists = {}, defaultdict[int, set[str]](set)
    for term in terms:
        lists[_list(term)].add(term)
    for number, some in lists.items():
        row = file.execute("SELECT terms FROM single WHERE list = ?", (number,)).fetchone()
        for line in row[0].split("\n") if row and row[0] else ():
            term, _, code = line.partition("\t")
            if term in some:
                found[term] = int(code)
    return found


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python from looking for cycles among a million lists that have none."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class _Change:
    """A few texts that leave or enter an index of `size` texts."""

    def __init__(self, file: sqlite3.Connection, size: int) -> None:
        self._file, self._size = file, size
        self._norms: dict[int, float] = dict(file.execute("SELECT number, norm FROM text"))

    def apply(self, gone: Mapping[str, tuple[str, int]], fresh: Wanted, read: Read) -> None:
        """Take out what is gone, put in what is fresh, and mend the lengths of the texts that share their terms."""
        numbers = {id: number for id, (_, number) in gone.items()}
        old = read({id: sha256 for id, (sha256, _) in gone.items()})
        leaving = {numbers[id]: Counter(terms) for id, _, terms in old}
        self._file.executemany("DELETE FROM text WHERE number = ?", [(number,) for number in leaving])
        entering = {}
        for number, (id, topics, terms) in enumerate(read(fresh), start=max(self._norms, default=-1) + 1):
            entering[number], self._norms[number] = Counter(terms), 0.0
            row = (number, id, fresh[id], " ".join(topics))
            self._file.execute("INSERT INTO text VALUES (?, ?, ?, ?, 0)", row)
        touched = set().union(*leaving.values(), *entering.values())
        self._move(touched, leaving, entering)
        self._file.executemany(
            "UPDATE text SET norm = ? WHERE number = ?", [(norm, number) for number, norm in self._norms.items()]
        )

    def _move(
        self, touched: set[str], leaving: Mapping[int, Counter[str]], entering: Mapping[int, Counter[str]]
    ) -> None:
        stored, singles = dict(_stored(self._file, touched)), _singles(self._file, touched)
        lists: dict[int, dict[str, int | None]] = defaultdict(dict)
        rows = []
        for term in touched:
            old = stored[term] if term in stored else [singles[term]] if term in singles else []
            kept = [code for code in old if code >> 8 not in leaving]
            new = kept + [number << 8 | min(terms[term], 255) for number, terms in entering.items() if term in terms]
            self._mend(old, new)
            if term in stored or len(new) > 1:
                rows.append((term, array("I", new).tobytes()))
                if term in singles:
                    lists[_list(term)][term] = None
            else:
                lists[_list(term)][term] = new[0] if new else None
        self._file.executemany("INSERT OR REPLACE INTO term VALUES (?, ?)", rows)
        for number, terms in lists.items():
            self._rewrite(number, terms)

    def _mend(self, old: Sequence[int], new: Sequence[int]) -> None:
        for codes, sign in ((old, -1), (new, 1)):
            rarity = _rarity(len(codes), self._size)
            for code in codes if rarity else ():
                if code >> 8 in self._norms:
                    self._norms[code >> 8] += sign * (_OFTEN[code & 255] * rarity) ** 2

    def _rewrite(self, number: int, terms: Mapping[str, int | None]) -> None:
        row = self._file.execute("SELECT terms FROM single WHERE list = ?", (number,)).fetchone()
        lines = [
            line for line in (row[0].split("\n") if row and row[0] else ()) if line.partition("\t")[0] not in terms
        ]
        lines += [f"{term}\t{code}" for term, code in terms.items() if code is not None]
        self._file.execute("INSERT OR REPLACE INTO single VALUES (?, ?)", (number, "\n".join(lines)))
