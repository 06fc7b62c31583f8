"""Related briefings among 5,000: `python bench/related.py [--size N]`.

The index is made of every text, then asked by runs that find it (a new opening each, the look for changed texts
included), then brought up to date after one text changed. Texts of some 420 words: subjects of their own words, mixed
with words that everybody uses, as often as in English (Zipf). CPU, median of three.
"""

import argparse
import hashlib
import platform
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, insert, update

from bench import databases
from newsletter import db
from newsletter.editorial import relations, standings
from newsletter.editorial.models import Briefing, BriefingState, Revision

ROUNDS, QUERIES, LIMIT_MAKING, LIMIT_ASKING = 3, 10, 6.0, 50.0
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
_SYLLABLES = [
    f"{first}{vowel}{last}" for first in "bdfgklmnprstvz" for vowel in "aeiou" for last in ("", "n", "r", "s")
]


class Writer:
    """Somebody who writes texts about forty subjects, always the same ones."""

    def __init__(self) -> None:
        self.random = random.Random(5)
        words = ["".join(self.random.choices(_SYLLABLES, k=self.random.randint(2, 3))) for _ in range(16_000)]
        self.common, self.weights = words[:8_000], [1 / rank for rank in range(3, 8_003)]
        self.subjects = [self.random.sample(words[8_000:], 120) for _ in range(40)]

    def text(self, number: int) -> str:
        """Return the file's text of briefing `number`."""
        subject = number % len(self.subjects)
        said = self.random.choices(self.common, self.weights, k=340) + self.random.choices(self.subjects[subject], k=80)
        self.random.shuffle(said)
        cut = [said[:8], said[8:50], *(said[50 + 10 * n : 60 + 10 * n] for n in range(3))]
        cut += [said[80 + 85 * n : 165 + 85 * n] for n in range(4)]
        title, introduction, one, two, three, *sections = (" ".join(part) for part in cut)
        heads = ("What happened", "Why it matters", "Buyer relevance", "What to watch next")
        body = "\n\n".join(f"## {head}\n\n{words}." for head, words in zip(heads, sections, strict=True))
        return (
            f"---\nformat: briefing/1\nid: text-{number}\nlabel: briefing\ntopics: [subject-{subject}]\n"
            f"assistance: none\n---\n\n# {title}\n\n{introduction}.\n\n"
            f"## Key points\n\n- {one}\n- {two}\n- {three}\n\n{body}\n"
        )


def fill(engine: Engine, writer: Writer, size: int) -> None:
    """Store so many approved briefings."""
    texts = {f"text-{number}": writer.text(number) for number in range(size)}
    moment = {"created_at": NOW, "changed_at": NOW}
    with engine.begin() as connection:
        rows = [{"id": id, "title": id, "state": BriefingState.APPROVED, "revision": 1, "sha256": _hash(text), **moment}
                for id, text in texts.items()]  # fmt: skip
        connection.execute(insert(Briefing), rows)
        rows = [{"briefing_id": id, "number": 1, "sha256": _hash(text), "text": text, "actor": "mara", "at": NOW}
                for id, text in texts.items()]  # fmt: skip
        connection.execute(insert(Revision), rows)


def edit(engine: Engine, writer: Writer, number: int) -> None:
    """Give a briefing another text."""
    id, text = f"text-{number}", writer.text(number)
    with engine.begin() as connection:
        connection.execute(delete(Revision).where(Revision.briefing_id == id, Revision.number == 2))
        row = {"briefing_id": id, "number": 2, "sha256": _hash(text), "text": text, "actor": "mara", "at": NOW}
        connection.execute(insert(Revision), [row])
        connection.execute(update(Briefing).where(Briefing.id == id).values(revision=2, sha256=_hash(text)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def ask(engine: Engine, number: int) -> list[str]:
    """Return what is near a briefing, as `newsletter briefings related` finds it."""
    with db.reading(engine) as session:
        here = standings.get(session, f"text-{number}")
        return [each.briefing for each in relations.of(session, {here.id: here.document}, now=NOW)[here.id]]


def cpu(work: Callable[[], object]) -> float:
    """Return the milliseconds of CPU that the work takes."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=5_000)
    size, writer = parser.parse_args().size, Writer()
    relations.MANY = min(relations.MANY, size)
    made, asked, changed, right = [], [], [], []
    with databases.folder() as home:
        engine = databases.sqlite(home)
        fill(engine, writer, size)
        kept = home / "newsletter.db.related"
        ask(engine, 0)
        for turn in range(ROUNDS):
            kept.unlink()
            made.append(cpu(lambda: ask(engine, 0)))
            for number in range(turn, size, max(1, size // QUERIES)):
                asked.append(cpu(lambda number=number: right.append((number, ask(engine, number)))))
            edit(engine, writer, turn)
            changed.append(cpu(lambda: ask(engine, 1)))
        length = kept.stat().st_size
    good = [int(name.removeprefix("text-")) % 40 == number % 40 for number, names in right for name in names]
    making, asking = statistics.median(made) / 1000, statistics.median(asked)
    print(f"Python {platform.python_version()}, {size:,} briefings, index of {length / 1e6:.0f} MB")
    print(f"make the index: {making:.2f} s CPU, {making / LIMIT_MAKING:.2f} times the {LIMIT_MAKING:.0f} s allowed")
    print(
        f"ask it, opened anew: {asking:.1f} ms CPU, {asking / LIMIT_ASKING:.2f} times the {LIMIT_ASKING:.0f} ms allowed"
    )
    print(f"ask it after one text changed: {statistics.median(changed):.1f} ms CPU")
    print(f"of the same subject: {sum(good) / max(1, len(good)):.0%} of {len(good)}")


if __name__ == "__main__":
    main()
