"""Clusters: one story that several sources tell is one line of the inbox.

Two items of different feeds tell one story when they stand at one address, or when their titles and summaries are
alike: TF-IDF over words, cosine of at least 0.5, told and found within 72 hours. Nothing is ever deleted for that.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, update

from newsletter.discovery.models import SourceItem

ALIKE, WITHIN = 0.5, timedelta(hours=72)
#: Characters of a summary that count; the rarest words by which a twin is looked for; items in which a word may stand
#: before it says nothing; words that two items must share.
_TEASER, _RAREST, _COMMON, _SHARED = 300, 10, 200, 4
_WORD = re.compile(r"[^\W_]{2,}")


@dataclass(slots=True)
class _Row:
    id: int
    feed_id: int
    canonical: str
    words: frozenset[str]
    cluster: int | None


def put(session: Session, fresh: Collection[int], *, now: datetime) -> int:
    """Give each of the fresh items the cluster of the story that it tells; return how many joined one."""
    rows = _recent(session, now) if fresh else {}
    before = {row.id: row.cluster for row in rows.values()}
    for item, twin in _twins(rows, [rows[each] for each in fresh if each in rows]):
        _join(rows, item, twin)
    changed: dict[int, list[int]] = defaultdict(list)
    for row in rows.values():
        if row.cluster is not None and row.cluster != before[row.id]:
            changed[row.cluster].append(row.id)
    for lead, members in changed.items():
        session.execute(update(SourceItem).where(col(SourceItem.id).in_(members)).values(cluster_id=lead))
    session.expire_all()
    return sum(1 for each in fresh if each in rows and rows[each].cluster is not None)


def _recent(session: Session, now: datetime) -> dict[int, _Row]:
    item = SourceItem.__table__.c  # type: ignore[attr-defined]
    wanted = (item.id, item.feed_id, item.canonical, item.title, item.summary, item.cluster_id)
    told = func.coalesce(item.published, item.found_at) >= now - WITHIN
    found = session.execute(sa_select(*wanted).where(item.found_at >= now - WITHIN, told).order_by(item.id))
    return {
        id: _Row(id, feed, page, frozenset(_WORD.findall(f"{title} {summary[:_TEASER]}".casefold())), cluster)
        for id, feed, page, title, summary, cluster in found
    }


def _twins(rows: dict[int, _Row], fresh: list[_Row]) -> Iterator[tuple[_Row, _Row]]:
    """Yield each fresh item with one that tells the same story, if there is one: the same page, else the most alike."""
    pages: dict[str, list[_Row]] = defaultdict(list)
    index: dict[str, list[_Row]] = defaultdict(list)
    spread: Counter[str] = Counter()
    asked = frozenset[str]().union(*(row.words for row in fresh))
    for row in rows.values():
        pages[row.canonical].append(row)
        spread.update(row.words)
        for word in row.words & asked:
            index[word].append(row)
    weight = {word: math.log(1 + len(rows) / count) ** 2 for word, count in spread.items()}
    for row in fresh:
        same = [each for each in pages[row.canonical] if row.canonical and each.feed_id != row.feed_id]
        twin = same[0] if same else _most_alike(row, index, weight)
        if twin:
            yield row, twin


def _most_alike(row: _Row, index: dict[str, list[_Row]], weight: dict[str, float]) -> _Row | None:
    telling = (word for word in row.words if 1 < len(index[word]) <= _COMMON)
    rarest = sorted(telling, key=weight.__getitem__, reverse=True)[:_RAREST]
    at = {other.id: other for word in rarest for other in index[word] if other.feed_id != row.feed_id}
    met = Counter(other.id for word in rarest for other in index[word] if other.id in at)
    likely = [at[id] for id, count in met.most_common(5) if count > 1]  # a twin has most of an item's rare words
    best = max(likely, key=lambda other: cosine(row.words, other.words, weight), default=None)
    return best if best and cosine(row.words, best.words, weight) >= ALIKE else None


def cosine(one: frozenset[str], other: frozenset[str], weight: dict[str, float]) -> float:
    """Return how alike two sets of words are, from 0 to 1; 0 when they share too few to tell.

    `weight` is the square of each word's inverse frequency.
    """
    shared = one & other
    if len(shared) < _SHARED:
        return 0.0
    lengths = math.prod(math.sqrt(sum(map(weight.__getitem__, words))) for words in (one, other))
    return sum(map(weight.__getitem__, shared)) / lengths


def _join(rows: dict[int, _Row], one: _Row, other: _Row) -> None:
    lead = min(each for row in (one, other) for each in (row.cluster or row.id, row.id))
    old = {row.cluster for row in (one, other)} - {None, lead}
    if old:
        for row in rows.values():
            row.cluster = lead if row.cluster in old else row.cluster
    one.cluster = other.cluster = lead
