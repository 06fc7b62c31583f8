"""From the tree of words to what they ask of a database: node by node, and a node that is not listed is refused."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, false, or_, select
from sqlglot import exp

from subscribers import addresses, history, upsert, words
from subscribers.conditions import values
from subscribers.conditions.fields import FLAGS, TEXTS, USES, Known
from subscribers.conditions.language import After, Before, Has, OfIssue, Parsed, Within, wrong
from subscribers.conditions.nodes import PERSON, Among, Either, Every, Node, Not, Test
from subscribers.errors import BadAddress
from subscribers.history import Occasion
from subscribers.models import (
    AttributeType,
    Frequency,
    SubscriberTopic,
    Subscription,
    SubscriptionState,
    Suppression,
)

_CHOICE, _STANDING = upsert.table(SubscriberTopic), upsert.table(Subscription)
_BARRED = upsert.table(Suppression)
_NO_CONDITION = "this is no condition; write one, such as: country = 'DE'"
_LARGEST = 2**31 - 1


@dataclass
class Reader:
    """Reads one parsed condition; `doubts` gathers what is understood and yet looks like a mistake."""

    parsed: Parsed
    known: Known
    now: datetime
    doubts: list[str] = field(default_factory=list)

    def read(self, node: exp.Expr) -> Node:
        """Return what the tree asks; raise BadCondition, with the place, for anything that the language has not."""
        match node:
            case exp.Paren():
                return self.read(node.this)
            case exp.Not():
                return self._negated(node)
            case exp.And():
                return Every(tuple(self.read(part) for part in node.flatten()))
            case exp.Or():
                return Either(tuple(self.read(part) for part in node.flatten()))
            case exp.NEQ():
                return Not(self._is_one_of(node.this, [node.expression], node), text=self.parsed.part(node))
            case exp.EQ():
                return self._is_one_of(node.this, [node.expression], node)
            case exp.In() if node.expressions:
                return self._is_one_of(node.this, node.expressions, node)
            case exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                return self._is_ordered(node)
            case Has():
                return self._has(node)
            case Within() | Before() | After() | OfIssue():
                return self._happened(node)
            case exp.Column():
                return self._bare(node)
        raise wrong(node, _NO_CONDITION)

    def _negated(self, node: exp.Not) -> Node:
        part = self.read(node.this)
        if isinstance(part, (Test, Among)) and self._inside(node):
            return Not(part, text=part.text)
        return Not(part)

    def _inside(self, node: exp.Not) -> bool:
        """Return whether the `not` stands inside its part, as in `plan not in ('x')`."""
        if isinstance(node.this, (exp.Paren, exp.Column)):
            return False
        return isinstance(node.parent, exp.Not) or not self.parsed.negated(node)

    def _test(self, node: exp.Expr, holds: ColumnElement[bool]) -> Test:
        return Test(text=self.parsed.part(node), holds=holds)

    def _is_one_of(self, left: exp.Expr, right: Sequence[exp.Expr], whole: exp.Expr) -> Node:
        name = self._name(left)
        if name in self.known.attributes:
            return self._test(whole, self._attribute(name).is_one_of(right))
        match name:
            case "domain":
                # No address's domain holds the wildcards of LIKE.
                ends = ["%@" + _checked(addresses.domain, value) for value in right]
                return self._test(whole, or_(*[PERSON.c.email_key.like(end) for end in ends]))
            case "email":
                keys = [_checked(lambda text: addresses.parse(text).key, value) for value in right]
                return self._test(whole, values.equals(PERSON.c.email_key, keys))
            case "frequency":
                return self._test(whole, values.equals(PERSON.c.frequency, [_frequency(value) for value in right]))
            case _ if name in TEXTS:
                kept = [TEXTS[name](values.text(value)) for value in right]
                return self._test(whole, values.equals(PERSON.c[name], kept))
        raise self._asked_otherwise(left, name)

    def _is_ordered(self, node: exp.Binary) -> Node:
        name = self._name(node.this)
        if self.known.attributes.get(name) not in (AttributeType.INT, AttributeType.FLOAT):
            raise self._asked_otherwise(node.this, name)
        return self._test(node, self._attribute(name).is_ordered(node))

    def _has(self, node: Has) -> Node:
        name = self._name(node.this)
        if name not in ("topics", "lists"):
            raise self._asked_otherwise(node.this, name)
        wanted = [self._number(name, text) for text in _texts(node.expression)]
        numbers = [number for number in wanted if number is not None]
        if not numbers:
            return self._test(node, false())
        if name == "topics":
            rows = select(_CHOICE.c.subscriber_id).where(values.equals(_CHOICE.c.topic_id, numbers))
        else:
            confirmed = _STANDING.c.state == SubscriptionState.CONFIRMED
            rows = select(_STANDING.c.subscriber_id).where(values.equals(_STANDING.c.list_id, numbers), confirmed)
        one = len(numbers) == 1
        wide = name == "lists"
        return Among(text=self.parsed.part(node), ids=rows, key=PERSON.c.id, once=one, ordered=one, wide=wide)

    def _number(self, name: str, value: exp.Expr) -> int | None:
        wanted = values.text(value)
        wanted = wanted.lower() if name == "topics" else wanted
        named = self.known.topics if name == "topics" else self.known.lists
        if wanted not in named:
            near = words.near(wanted, named)
            self.doubts.append(f"nobody has the {name.removesuffix('s')} {wanted[:80]!r}, which does not exist{near}")
        return named.get(wanted)

    def _happened(self, node: exp.Binary) -> Node:
        subject, limits = node, dict[type[exp.Expr], exp.Binary]()
        while isinstance(subject, (Within, Before, After, OfIssue)):
            if type(subject) in limits:
                raise wrong(subject.expression, "the same is asked twice; say it once")
            limits[type(subject)] = subject
            subject = subject.this
        name = self._name(subject)
        if self.known.attributes.get(name) is AttributeType.DATE and OfIssue not in limits:
            days = [self._attribute(name).is_day(limit, self.now) for limit in limits.values()]
            return self._test(node, values.all_of(days))
        asked = limits.get(Within)
        if asked is not None and asked.args["ahead"]:
            raise wrong(asked.expression, f"{name} tells of the past, and never of the next days")
        if name in history.WORDS:
            return self._fact(name, node, self._occasion(limits))
        if name != "joined" or OfIssue in limits:
            raise self._asked_otherwise(subject, name)
        occasion = self._occasion(limits)
        return self._test(node, values.all_of([*_between(occasion)]))

    def _occasion(self, limits: dict[type[exp.Expr], exp.Binary]) -> Occasion:
        issue, since, until = None, list[datetime](), None
        for kind, limit in limits.items():
            if kind is OfIssue:
                issue = values.whole(limit.expression, "an issue is", _LARGEST)
            elif kind is Within:
                since.append(self.now - timedelta(days=values.whole(limit.expression, "the days are", values.DAYS)))
            elif kind is After:
                since.append(datetime.combine(values.day(limit.expression) + timedelta(days=1), time(), UTC))
            else:
                until = datetime.combine(values.day(limit.expression), time(), UTC)
        return Occasion(issue=issue, since=max(since, default=None), until=until)

    def _bare(self, node: exp.Column) -> Node:
        name = self._name(node)
        if self.known.attributes.get(name) is AttributeType.BOOL:
            return self._test(node, self._attribute(name).is_true())
        if name in history.WORDS:
            return self._fact(name, node, Occasion())
        if name == "suppressed":
            keys = select(_BARRED.c.email_key).where(_BARRED.c.lifted_at.is_(None), _BARRED.c.list_id.is_(None))
            return Among(text=self.parsed.part(node), ids=keys, key=PERSON.c.email_key)
        if name in FLAGS:
            return self._test(node, PERSON.c[name].is_(True))
        raise self._asked_otherwise(node, name)

    def _fact(self, name: str, node: exp.Expr, occasion: Occasion) -> Among:
        if name not in self.known.facts:
            raise wrong(node, f"nobody keeps a record here of what was {name}, so it cannot be asked for")
        found = self.known.facts[name](occasion)
        return Among(
            text=self.parsed.part(node), ids=found.ids, key=PERSON.c.id, once=found.once, ordered=found.ordered,
            wide=found.wide,
        )  # fmt: skip

    def _attribute(self, name: str) -> values.Attribute:
        return values.Attribute(name, self.known.attributes[name], self.known.database)

    def _name(self, node: exp.Expr) -> str:
        """Return the field or the declared attribute that a part begins with."""
        named = names_of(node)
        if not named:
            raise wrong(node, "a condition begins with a field, such as: country = 'DE'")
        name, *rest = named
        if name == "attributes" and len(rest) == 1:
            if rest[0] not in self.known.attributes:
                raise wrong(node, _undeclared(rest[0], self.known))
            return rest[0]
        if name not in USES and name not in self.known.attributes:
            raise wrong(node, self.known.missing(name))
        if rest or name == "attributes":
            raise self._asked_otherwise(node, name)
        return name

    def _asked_otherwise(self, node: exp.Expr, name: str) -> Exception:
        return wrong(node, f"{name} is asked like this: {self.known.use(name)}")


def names_of(node: exp.Expr) -> list[str]:
    """Return the words between the dots of a name, in lower case; none when the node is no plain name."""
    if not isinstance(node, exp.Column) or any(type(part) is not exp.Identifier for part in node.parts):
        return []
    return [part.name.lower() for part in node.parts]


def _between(occasion: Occasion) -> Iterator[ColumnElement[bool]]:
    if occasion.since is not None:
        yield PERSON.c.joined_at >= occasion.since
    if occasion.until is not None:
        yield PERSON.c.joined_at < occasion.until


def _texts(node: exp.Expr) -> Sequence[exp.Expr]:
    match node:
        case exp.Tuple() if node.expressions:
            return node.expressions
        case exp.Paren():
            return [node.this]
    return [node]


def _checked(check: Callable[[str], str], value: exp.Expr) -> str:
    try:
        return check(values.text(value))
    except BadAddress as error:
        raise wrong(value, str(error)) from error


def _frequency(value: exp.Expr) -> str:
    said = values.text(value).lower()
    if said not in list(Frequency):
        raise wrong(value, f"a frequency is one of: {', '.join(Frequency)}{words.near(said, list(Frequency))}")
    return said


def _undeclared(name: str, known: Known) -> str:
    return (
        f"no attribute {name[:40]!r} is declared{words.near(name, known.attributes)} "
        f"(declare it: newsletter subscribers attributes add {name[:80]} --type str)"
    )
