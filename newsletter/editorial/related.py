"""Related briefings: the nearest by the words they share (TF-IDF over words and pairs of words)."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise

from newsletter.editorial import text
from newsletter.editorial.body import parts
from newsletter.editorial.document import Document

#: Below this cosine two briefings share a topic only by chance.
CUTOFF = 0.08
#: What each topic in common adds to the place in the ranking, but not to the cosine.
TOPIC = 0.03
#: With fewer documents than this, a term of a single one counts, and English function words have to be named:
#: by their frequency alone they cannot be told from the subject.
TINY = 20

_WORDS = (
    "a about after again against all also an and another any are as at be because been before being between both but "
    "by can cannot could did do does down during each either else even few for from further had has have how if in "
    "into is it its itself just less many may might more most much must never no nor not now of off often on once one "
    "only or other our out over own per rather same seldom several shall should so some still such than that the their "
    "them then there these they this those though three through thus to too twice two under until up upon very was we "
    "were what when where whether which while who whom whose why will with within without would yet you your"
)
#: English words that carry grammar and no subject.
FUNCTION = frozenset(_WORDS.split())
_Vector = dict[str, float]
#: An id, the cosine (1.0 for a pinned one), and the terms that weigh most in it.
Near = tuple[str, float, tuple[str, ...]]


class Corpus:
    """A set of briefings that can be asked which of them are near one another."""

    def __init__(self, documents: Iterable[tuple[str, Document]]) -> None:
        self._documents = dict(documents)
        counts = {id: Counter(terms(document)) for id, document in self._documents.items()}
        weights = _weights(list(counts.values()))
        self._vectors = {id: _vector(count, weights) for id, count in counts.items()}

    def nearest(self, id: str, *, limit: int = 3, cutoff: float = CUTOFF, exclude: Sequence[str] = ()) -> list[Near]:
        """Return at most `limit` briefings near one: those it pins, then the nearest; fewer rather than far ones."""
        document, own = self._documents[id], self._vectors[id]
        left_out = {id, *exclude, *document.related_exclude}
        pinned = [pin for pin in document.related_pin if pin in self._vectors and pin not in left_out]
        found = [(pin, 1.0, _shared(own, self._vectors[pin])) for pin in pinned]
        others = []
        for other, vector in self._vectors.items():
            cosine = _cosine(own, vector)
            if cosine >= cutoff and other not in left_out and other not in pinned:
                topics = len(set(document.topics) & set(self._documents[other].topics))
                others.append((-cosine - TOPIC * topics, other, cosine))
        found += [(other, cosine, _shared(own, self._vectors[other])) for _, other, cosine in sorted(others)]
        return found[:limit]


def terms(document: Document) -> list[str]:
    """Return the words and the pairs of words of a briefing, the title's twice."""
    return terms_of((document.title, *parts(document).values()))


def terms_of(texts: Iterable[str]) -> list[str]:
    """Return the words and the pairs of words of texts, none of which reaches from one text into the next."""
    found = []
    for words in texts:
        single = [word for word in text.words(words) if len(word) > 1 or not word.isascii()]
        found += single
        found += map(" ".join, pairwise(single))
    return found


def pairs(documents: Sequence[Document]) -> Iterator[tuple[int, int, float]]:
    """Yield the places of each two of a few briefings, and the cosine of the two as if there were no others.

    In a small set a term of three copies would pass for a common one, and the copies for strangers.
    """
    often = [{term: 1 + math.log(count) for term, count in Counter(terms(each)).items()} for each in documents]
    often = [{term: weight for term, weight in each.items() if FUNCTION.isdisjoint(term.split())} for each in often]
    lengths = [sum(weight * weight for weight in each.values()) for each in often]
    alone = (math.log(3 / 2) + 1) ** 2  # the square of what a term of one of two texts weighs; one of both weighs 1
    for one, other in combinations(range(len(documents)), 2):
        shared = often[one].keys() & often[other].keys()
        product = sum(often[one][term] * often[other][term] for term in shared)
        squares = [
            lengths[each] * alone - (alone - 1) * sum(often[each][term] ** 2 for term in shared)
            for each in (one, other)
        ]
        yield one, other, product / math.sqrt(math.prod(squares)) if shared else 0.0


def _weights(counts: list[Counter[str]]) -> dict[str, float]:
    """Return the weight of each term that tells documents apart: rare ones weigh more, common ones nothing."""
    size = len(counts)
    frequency = Counter(term for count in counts for term in count)
    least, most = (1 if size < TINY else 2), (size / 2 if size > 3 else size)
    return {
        term: math.log((1 + size) / (1 + number)) + 1
        for term, number in frequency.items()
        if least <= number <= most and not (size < TINY and FUNCTION.intersection(term.split()))
    }


def _vector(count: Counter[str], weights: dict[str, float]) -> _Vector:
    raw = {term: (1 + math.log(number)) * weights[term] for term, number in count.items() if term in weights}
    norm = math.sqrt(sum(weight * weight for weight in raw.values())) or 1.0
    return {term: weight / norm for term, weight in raw.items()}


def _cosine(one: _Vector, other: _Vector) -> float:
    if len(other) < len(one):
        one, other = other, one
    return sum(weight * other[term] for term, weight in one.items() if term in other)


def _shared(one: _Vector, other: _Vector, limit: int = 5) -> tuple[str, ...]:
    common = sorted((term for term in one if term in other), key=lambda term: (-one[term] * other[term], term))
    return tuple(common[:limit])
