"""How long the gate takes over one briefing whose sources have 20,000 words: `python bench/gate.py [--words N]`.

A demo briefing of some 420 words cites eight pages, whose words feeds brought. A twentieth of each page is the
briefing's own sentences, so that there is something to find. CPU, median of three, in a session of its own each time.
"""

import argparse
import platform
import random
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench import databases
from newsletter import db
from newsletter.demo import samples
from newsletter.discovery.models import Feed, SourceItem
from newsletter.editorial import briefings, format, reports, standings
from newsletter.editorial.document import Citation, Document

ROUNDS, PAGES, LIMIT = 3, 8, 150.0
NAME = "high-bandwidth-memory-contracts"


def cited(now: datetime) -> Document:
    """Return a demo briefing that cites so many pages."""
    text = dict(samples.briefings(now))[f"{NAME}.md"]
    pages = tuple(
        Citation(name=f"Wire {page}", url=f"https://wire.example.org/{page}", retrieved=now - timedelta(hours=1))
        for page in range(PAGES)
    )
    return replace(format.parse(text, where=NAME), sources=pages)


def page(document: Document, words: int, chance: random.Random) -> str:
    """Return a page of so many words: those of the demo's texts, shuffled, and some of the briefing's sentences."""
    known = [word for _, text in samples.briefings(datetime.now(UTC)) for word in text.split()]
    sentences = [each for each in document.what_happened.split(". ") if each]
    made: list[str] = []
    while len(made) < words:
        made += chance.choices(known, k=min(380, words - len(made)))
        made += chance.choice(sentences).split() if len(made) < words - 20 else []
    return " ".join(made)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=20_000)
    words, now, chance = parser.parse_args().words, datetime.now(UTC), random.Random(7)
    document, seen = cited(now), []
    with databases.folder() as home:
        engine = databases.sqlite(home)
        with db.transaction(engine) as session:
            feed = Feed(url="https://wire.example.org/feed", name="Wire", added_at=now)
            session.add(feed)
            session.flush()
            assert feed.id is not None
            for source in document.sources:
                summary = page(document, words // PAGES, chance)
                session.add(SourceItem(
                    feed_id=feed.id, identity=source.url, url=source.url, canonical=source.url, title=source.name,
                    summary=summary, found_at=now,
                ))  # fmt: skip
            briefings.adopt(session, document, folder=home, actor="mara", now=now)
        for _ in range(ROUNDS + 1):
            with db.reading(engine) as session:
                here = standings.get(session, document.id)
                start = time.process_time()
                report = reports.run(session, here, now=now)
                seen.append((time.process_time() - start) * 1000)
    first, rest = seen[0], statistics.median(seen[1:])
    print(f"Python {platform.python_version()}, {report.against}, {len(report.findings)} findings, median of {ROUNDS}")
    print(f"the first time in a process: {first:.0f} ms CPU")
    print(f"the gate on one briefing: {rest:.0f} ms CPU, {rest / LIMIT:.2f} times the {LIMIT:.0f} ms allowed")


if __name__ == "__main__":
    main()
