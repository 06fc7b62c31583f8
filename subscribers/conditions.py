"""Conditions: the small language of segments, read into SQLAlchemy expressions.

    country in ('DE', 'AT') and (topics has 'energy' or attributes.plan = 'pro') and not joined within 30 days

sqlglot reads the text with the words below and no others; the tree is then translated node by node, and a node that is
not listed here is refused. Values are bound, never written into SQL, and so are the names of attributes.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_
from sqlglot import exp, parser, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from subscribers import addresses, upsert, words
from subscribers.errors import BadAddress, BadCondition, BadValue
from subscribers.models import MailingList, Subscriber, SubscriberTopic, Subscription, SubscriptionState, Topic

# What is read at all, checked before reading: sqlglot is recursive, and takes some 30 Python frames for `not (`.
_LENGTH, _TOKENS, _DEPTH = 2000, 500, 20
_DAYS = 36_500
_PERSON = upsert.table(Subscriber)

#: Every field, with an example of how it is asked.
USES = {
    "country": "country = 'DE'",
    "language": "language in ('en', 'de')",
    "audience": "audience <> 'chip-buyers'",
    "name": "name = 'Ada Brandt'",
    "domain": "domain = 'example.com'",
    "topics": "topics has 'energy'",
    "lists": "lists has 'weekly'",
    "joined": "joined within 30 days, or joined before '2026-01-01'",
    "attributes": "attributes.plan = 'pro'",
}
#: The fields that are columns, and the one spelling in which each is kept.
_COLUMNS: dict[str, Callable[[str], str]] = {"country": str.upper, "language": str.lower, "audience": str, "name": str}


class Has(exp.Expression, exp.Binary):
    """`topics has 'x'`: the right is one of the left."""


class Within(exp.Expression, exp.Binary):
    """`joined within N days`: the left is no longer ago than that."""


class Before(exp.Expression, exp.Binary):
    """`joined before 'YYYY-MM-DD'`: the left is earlier than that day, in UTC."""


class _Reader(parser.Parser):
    def days(self, this: exp.Expr | None) -> exp.Expr:
        number = self._parse_number()
        if not self._match_text_seq("DAYS") and not self._match_text_seq("DAY"):
            self.raise_error("Expecting a number and the word days")
        return self.expression(Within(this=this, expression=number))

    RANGE_PARSERS = {
        TokenType.IN: parser.Parser.RANGE_PARSERS[TokenType.IN],
        TokenType.OPERATOR: parser.binary_range_parser(Has),
        TokenType.OVERLAPS: days,
        TokenType.LT: parser.binary_range_parser(Before),
    }


class _Language(Dialect):
    Parser = _Reader

    class Tokenizer(tokens.Tokenizer):
        COMMENTS = []
        SINGLE_TOKENS = {
            "(": TokenType.L_PAREN, ")": TokenType.R_PAREN, ",": TokenType.COMMA, ".": TokenType.DOT, "=": TokenType.EQ,
            "'": TokenType.UNKNOWN,
        }  # fmt: skip
        # sqlglot's kinds of token are a closed set: our three words borrow those of operators that we do not have.
        KEYWORDS = {
            "AND": TokenType.AND, "OR": TokenType.OR, "NOT": TokenType.NOT, "IN": TokenType.IN, "<>": TokenType.NEQ,
            "HAS": TokenType.OPERATOR, "WITHIN": TokenType.OVERLAPS, "BEFORE": TokenType.LT,
        }  # fmt: skip


_KNOWN = {
    *_Language.Tokenizer.SINGLE_TOKENS.values(), *_Language.Tokenizer.KEYWORDS.values(),
    TokenType.VAR, TokenType.STRING, TokenType.NUMBER,
} - {TokenType.UNKNOWN}  # fmt: skip


def compile(text: str, *, now: datetime) -> ColumnElement[bool]:
    """Return the condition as an expression over Subscriber, at a moment; raise BadCondition for anything else."""
    return _condition(_parse(text.strip(" \t")), now)


def parts(text: str) -> list[str]:
    """Return the parts of a condition that must all hold: what stands between its outermost `and`s."""
    compile(text, now=datetime.now(UTC))
    depth, start, found = 0, 0, []
    for token in _Language().tokenize(text):
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if depth == 0 and token.token_type == TokenType.OR:
            return [text.strip()]
        if depth == 0 and token.token_type == TokenType.AND:
            found.append(text[start : token.start].strip())
            start = token.end + 1
    return [*found, text[start:].strip()]


def _parse(text: str) -> exp.Expr:
    try:
        words.line("the condition", text, _LENGTH)
        found = _Language().tokenize(text)
        _bound(found)
        trees = _Language().parser().parse(found, text)
    except BadValue as error:
        raise BadCondition(error.reason) from error
    except TokenError as error:
        raise BadCondition("the condition opens a quote and does not close it") from error
    except ParseError as error:
        place = error.errors[0]
        raise _wrong(
            max(0, place["col"] - len(place["highlight"])), f"the condition goes wrong at {place['highlight']!r}"
        ) from error
    if len(trees) != 1 or trees[0] is None:
        raise BadCondition("the condition is empty; write one, such as: country = 'DE'")
    return trees[0]


def _bound(found: Sequence[Token]) -> None:
    """Refuse foreign words and signs, and what is nested deeper than a recursive reader may go."""
    if len(found) > _TOKENS:
        raise BadCondition(f"the condition has {len(found)} words and signs; at most {_TOKENS} are read")
    depth, before = 0, None
    for token in found:
        kind = token.token_type
        if kind not in _KNOWN or (kind == TokenType.VAR and not token.text.isidentifier()):
            raise _wrong(token.start, f"{token.text[:40]!r} means nothing in a condition")
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if depth > _DEPTH:
            raise _wrong(token.start, f"brackets go deeper than {_DEPTH}")
        if kind == before == TokenType.NOT:
            raise _wrong(token.start, "'not not' says nothing; take it out")
        before = kind


def _condition(node: exp.Expr, now: datetime) -> ColumnElement[bool]:
    match node:
        case exp.Paren():
            return _condition(node.this, now)
        case exp.Not():
            return not_(_condition(node.this, now))
        case exp.And():
            return and_(*[_condition(part, now) for part in node.flatten()])
        case exp.Or():
            return or_(*[_condition(part, now) for part in node.flatten()])
        case exp.EQ():
            return _is_one_of(node.this, [node.expression])
        case exp.NEQ():
            return not_(_is_one_of(node.this, [node.expression]))
        case exp.In() if node.expressions:
            return _is_one_of(node.this, node.expressions)
        case Has():
            return _has(node.this, node.expression)
        case Within() | Before():
            return _joined(node, now)
    raise _wrong(node, "this is no condition; write one, such as: country = 'DE'")


def _is_one_of(left: exp.Expr, right: Sequence[exp.Expr]) -> ColumnElement[bool]:
    name, attribute = _field(left, "country", "language", "audience", "name", "domain", "attributes")
    values = [_text(value) for value in right]
    if name == "domain":
        # No address's domain holds the wildcards of LIKE.
        ends = [f"@{_domain(value, node)}" for value, node in zip(values, right, strict=True)]
        return or_(*[_PERSON.c.email_key.endswith(end) for end in ends])
    if name == "attributes":
        # Without the attribute it is as with an empty one, so that `<>` and `not` mean everybody else.
        return func.coalesce(_PERSON.c.attributes[attribute].as_string(), "").in_(values)
    return _PERSON.c[name].in_([_COLUMNS[name](value) for value in values])


def _has(left: exp.Expr, right: exp.Expr) -> ColumnElement[bool]:
    name, _ = _field(left, "topics", "lists")
    if name == "topics":
        choice, topic = upsert.table(SubscriberTopic).alias(), upsert.table(Topic).alias()
        return _some(choice, choice.c.topic_id == topic.c.id, topic.c.name == _text(right).lower())
    standing, on = upsert.table(Subscription).alias(), upsert.table(MailingList).alias()
    confirmed = standing.c.state == SubscriptionState.CONFIRMED
    return _some(standing, confirmed, standing.c.list_id == on.c.id, on.c.name == _text(right))


def _some(rows: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(rows.c.subscriber_id == _PERSON.c.id, *conditions)


def _joined(node: Within | Before, now: datetime) -> ColumnElement[bool]:
    _field(node.this, "joined")
    if isinstance(node, Before):
        try:
            day = date.fromisoformat(_text(node.expression))
        except ValueError:
            raise _wrong(node.expression, "a day is written '2026-01-31'") from None
        return _PERSON.c.joined_at < datetime.combine(day, time(), UTC)
    days = node.expression.name
    if not days.isdecimal() or not 1 <= int(days) <= _DAYS:
        raise _wrong(node.expression, f"the days are a whole number from 1 to {_DAYS}")
    return _PERSON.c.joined_at >= now - timedelta(days=int(days))


def _field(node: exp.Expr, *fitting: str) -> tuple[str, str]:
    """Return the field's name, and the attribute's after a dot; refuse a field that is not asked like this."""
    if not isinstance(node, exp.Column) or any(type(part) is not exp.Identifier for part in node.parts):
        raise _wrong(node, "a condition begins with a field, such as: country = 'DE'")
    name, *rest = [part.name.lower() for part in node.parts]
    if name not in USES:
        raise _wrong(node, f"there is no field {name[:40]!r}{words.near(name, USES)} (fields: {', '.join(USES)})")
    if name not in fitting or len(rest) != (name == "attributes"):
        raise _wrong(node, f"{name} is asked like this: {USES[name]}")
    return name, rest[0] if rest else ""


def _text(node: exp.Expr) -> str:
    if not isinstance(node, exp.Literal) or not node.is_string:
        raise _wrong(node, "a value is a text in single quotes, such as 'DE'")
    return node.name


def _domain(value: str, node: exp.Expr) -> str:
    try:
        return addresses.domain(value)
    except BadAddress as error:
        raise _wrong(node, str(error)) from error


def _wrong(place: exp.Expr | int, reason: str) -> BadCondition:
    """Return the error that points at a node, or at so many characters from the start."""
    if isinstance(place, exp.Expr):
        place = min((part.meta["start"] for part in place.walk() if "start" in part.meta), default=0)
    return BadCondition(f"{reason} (column {place + 1})", column=place + 1)
