"""Memory: what the desk wrote about before, by which it guesses what an item is about and whether it was covered."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

#: Topics that are guessed at most; words that must speak for one; the share of the likeliest one's weight that others
#: need; how much of an item a text must say to have covered it (the samples: 0.68 to 0.95 for their own, else to 0.57).
TOPICS, WORDS, SHARE, COVERED = 3, 3, 0.5, 0.65
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, kw_only=True)
class Past:
    """One text of the desk: its id, its topics, its words, and the title that says what it is about."""

    id: str
    topics: tuple[str, ...]
    title: str
    words: str


class Memory:
    """What past texts teach: which words go with which topic, and what has been told."""

    def __init__(self, past: Iterable[Past]) -> None:
        self._texts = [(each, Counter(_words(f"{each.title} {each.title} {each.words}"))) for each in past]
        self._spread = Counter(word for _, words in self._texts for word in words)
        self._of: dict[str, Counter[str]] = {}
        self._texts_of = Counter(topic for each, _ in self._texts for topic in each.topics)
        for each, words in self._texts:
            for topic in each.topics:
                self._of.setdefault(topic, Counter()).update(set(words))

    def topics(self, text: str) -> tuple[str, ...]:
        """Return the topics whose words a text uses, the likeliest first."""
        words = set(_words(text))
        scores = {topic: self._speaks_for(topic, words) for topic in self._of}
        least = SHARE * max(scores.values(), default=0.0)
        likely = [topic for topic, score in scores.items() if score > 0 and score >= least]
        return tuple(sorted(likely, key=lambda topic: (-scores[topic], topic))[:TOPICS])

    def _speaks_for(self, topic: str, words: set[str]) -> float:
        """Return how much the words speak for a topic; 0 when fewer than three do: that may be chance."""
        name = {part for part in _words(topic.replace("-", " ")) if part in words}
        found = [self._weight(topic, word) for word in words if word in self._of[topic]]
        telling = [weight for weight in found if weight > 0.5]
        if name:
            return sum(telling) + 2.0
        return sum(telling) if len(telling) >= WORDS else 0.0

    def _weight(self, topic: str, word: str) -> float:
        """Return by how much a word is more usual in a topic's texts than in all (a logarithm, smoothed)."""
        here = (self._of[topic][word] + 0.5) / (self._texts_of[topic] + 1)
        everywhere = (self._spread[word] + 0.5) / (len(self._texts) + 1)
        return math.log2(here / everywhere)

    def covered(self, text: str) -> str:
        """Return the id of the past text that tells the same story, the empty string where there is none."""
        words = Counter(_words(text))
        near = [(self._alike(words, theirs), past.id) for past, theirs in self._texts]
        score, id = max(near, default=(0.0, ""))
        return id if score >= COVERED else ""

    def _alike(self, one: Counter[str], other: Counter[str]) -> float:
        shared = one.keys() & other.keys()
        if len(shared) < WORDS:
            return 0.0
        product = sum(self._tfidf(one, word) * self._tfidf(other, word) for word in shared)
        # What an item says is short: it is covered when most of *its* words stand in the text, whatever else does.
        own = sum(self._tfidf(one, word) ** 2 for word in one)
        theirs = sum(self._tfidf(other, word) ** 2 for word in shared)
        return product / math.sqrt(own * theirs) if own and theirs else 0.0

    def _tfidf(self, words: Counter[str], word: str) -> float:
        return (1 + math.log(words[word])) * math.log(1 + (1 + len(self._texts)) / (1 + self._spread[word]))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
