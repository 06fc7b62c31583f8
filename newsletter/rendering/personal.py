"""What differs from reader to reader in a rendering: in words, as it is frozen, and understood, to decide a copy by."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

from newsletter.issues import expressions
from newsletter.issues.expressions import Evaluator
from newsletter.issues.traits import NOBODY, Traits
from newsletter.rendering.slots import value

#: How many choices of topics are remembered with the items that they bring.
_REMEMBERED = 10_000


@dataclass(frozen=True, kw_only=True)
class Condition:
    """When a part is shown: with any of these items, or to one of these audiences, or where an expression holds.

    Items and the expression are numbers, from 0 on; exactly one of the three says something.
    """

    items: tuple[int, ...] = ()
    audience: tuple[str, ...] = ()
    when: int | None = None


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a batch of readers must come with beside the columns of the person."""

    topics: bool = False
    attributes: bool = False
    segments: tuple[str, ...] = ()


class Decision(NamedTuple):
    """One copy: what each expression says in it, and which conditions hold."""

    values: tuple[str, ...] = ()
    holds: tuple[bool, ...] = ()


#: The copy of an issue that is the same for every reader.
ALIKE = Decision()


@dataclass(frozen=True, kw_only=True)
class Personal:
    """The definitions that are frozen with a rendering. `topics` are those of each item, empty unless they decide."""

    expressions: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    topics: tuple[tuple[str, ...], ...] = ()
    leads: int = 1
    skip: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the definitions for the database, empty where no copy differs."""
        return asdict(self) if self != NOTHING else {}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Personal":
        """Return the definitions that the database keeps."""
        conditions = tuple(
            Condition(items=tuple(each["items"]), audience=tuple(each["audience"]), when=each["when"])
            for each in stored.get("conditions", [])
        )
        return cls(
            expressions=tuple(stored.get("expressions", ())),
            conditions=conditions,
            topics=tuple(tuple(each) for each in stored.get("topics", ())),
            leads=stored.get("leads", 1),
            skip=stored.get("skip", False),
        )

    @cached_property
    def needs(self) -> Needs:
        """Return what the desk must look up of its readers."""
        understood = [expressions.read(text) for text in self.expressions]
        asks = {name for each in understood for name in each.asks}
        segments = {name for each in understood for name in each.segments}
        return Needs(
            topics=bool(self.topics) or "subscriber_topics" in asks,
            attributes=any(name.startswith("attribute_") for name in asks),
            segments=tuple(sorted(segments)),
        )

    @cached_property
    def whole(self) -> Decision:
        """Return the copy that shows every part, for nobody in particular."""
        return Decision(values=self._answers(NOBODY)[0], holds=(True,) * len(self.conditions))

    @cached_property
    def public(self) -> Decision:
        """Return the copy for whoever comes by: every item, but no part that is for some readers only."""
        values, answers = self._answers(NOBODY)
        holds = tuple(each.when is None or bool(answers[each.when]) for each in self.conditions)
        return Decision(values=values, holds=holds)

    def decide(self, traits: Traits) -> Decision:
        """Return what stands in the reader's copy."""
        if not self.expressions and not self.conditions:
            return ALIKE
        values, answers = self._answers(traits)
        if not self.conditions:
            return Decision(values)
        items, audience = self.items(traits.topics), traits.audience
        return Decision(
            values=values, holds=tuple([_holds(each, items, audience, answers) for each in self.conditions])
        )

    def items(self, topics: tuple[str, ...]) -> frozenset[int]:
        """Return the items for a reader of these topics: all for none, else what is about one of them, or the leads."""
        found = self._chosen.get(topics)
        if found is None:
            if len(self._chosen) >= _REMEMBERED:
                self._chosen.clear()
            found = self._chosen[topics] = self._matching(topics) or frozenset(range(self.leads))
        return found

    def concerns(self, traits: Traits) -> bool:
        """Return whether the reader gets a copy at all."""
        return not self.skip or bool(self._matching(traits.topics))

    def _matching(self, topics: tuple[str, ...]) -> frozenset[int]:
        mine = set(topics)
        # An item about nothing in particular is for everybody.
        return frozenset(
            number for number, about in enumerate(self.topics) if not mine or not about or not mine.isdisjoint(about)
        )

    def _answers(self, traits: Traits) -> tuple[tuple[str, ...], tuple[object, ...]]:
        if not self.expressions:
            return (), ()
        answers = self._evaluator(traits)
        return tuple([value(expressions.shown(answer)) for answer in answers]), answers

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator([expressions.read(text) for text in self.expressions])

    @cached_property
    def _chosen(self) -> dict[tuple[str, ...], frozenset[int]]:
        return {}


def _holds(condition: Condition, items: frozenset[int], audience: str, answers: tuple[object, ...]) -> bool:
    if condition.when is not None:
        return bool(answers[condition.when])
    if condition.items:
        return not items.isdisjoint(condition.items)
    return not audience or audience in condition.audience


#: The definitions of an issue that is the same for every reader.
NOTHING = Personal()
