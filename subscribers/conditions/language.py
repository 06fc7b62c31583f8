"""The language: which words there are, and a text read into a tree of them, or refused before it costs anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp, parser, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from subscribers import words
from subscribers.errors import BadCondition, BadValue

# What is read at all, checked before reading: sqlglot is recursive, and takes some 30 Python frames for `not (`.
_LENGTH, _TOKENS, _DEPTH = 2000, 500, 20


class Has(exp.Expression, exp.Binary):
    """`topics has 'x'`, or `topics has any of ('x', 'y')`: one of these is one of the left."""


class Within(exp.Expression, exp.Binary):
    """`joined within N days`: the left is no longer ago, or with `next` no longer to come, than that."""

    arg_types = {"this": True, "expression": True, "ahead": False}


class Before(exp.Expression, exp.Binary):
    """`joined before 'YYYY-MM-DD'`: the left is earlier than that day, in UTC."""


class After(exp.Expression, exp.Binary):
    """`joined after 'YYYY-MM-DD'`: the left is later than that day, in UTC."""


class OfIssue(exp.Expression, exp.Binary):
    """`opened issue N`: the left happened to a copy of that issue."""


class _Reader(parser.Parser):
    def has(self, this: exp.Expr | None) -> exp.Expr:
        if not self._match_text_seq("ANY", "OF"):
            return self.expression(Has(this=this, expression=self._parse_bitwise()))
        if self._curr.token_type != TokenType.L_PAREN:
            self.raise_error("Expecting texts in brackets")
        return self.expression(Has(this=this, expression=self._parse_bitwise()))

    def days(self, this: exp.Expr | None) -> exp.Expr:
        ahead = bool(self._match_text_seq("NEXT"))
        number = self._parse_number()
        if not self._match_text_seq("DAYS") and not self._match_text_seq("DAY"):
            self.raise_error("Expecting a number and the word days")
        return self.expression(Within(this=this, expression=number, ahead=ahead))

    def issue(self, this: exp.Expr | None) -> exp.Expr:
        return self.expression(OfIssue(this=this, expression=self._parse_number()))

    RANGE_PARSERS = {
        TokenType.IN: parser.Parser.RANGE_PARSERS[TokenType.IN],
        TokenType.SIMILAR_TO: has,
        TokenType.IRLIKE: days,
        TokenType.LT_AT: parser.binary_range_parser(Before),
        TokenType.AT_GT: parser.binary_range_parser(After),
        TokenType.ADJACENT: issue,
    }


class _Language(Dialect):
    Parser = _Reader

    class Tokenizer(tokens.Tokenizer):
        COMMENTS = []
        SINGLE_TOKENS = {
            "(": TokenType.L_PAREN, ")": TokenType.R_PAREN, ",": TokenType.COMMA, ".": TokenType.DOT, "=": TokenType.EQ,
            "<": TokenType.LT, ">": TokenType.GT, "-": TokenType.DASH, "'": TokenType.UNKNOWN,
        }  # fmt: skip
        # sqlglot's kinds of token are a closed set: our own words borrow those of operators that we do not have.
        KEYWORDS = {
            "AND": TokenType.AND, "OR": TokenType.OR, "NOT": TokenType.NOT, "IN": TokenType.IN, "<>": TokenType.NEQ,
            "<=": TokenType.LTE, ">=": TokenType.GTE, "HAS": TokenType.SIMILAR_TO, "WITHIN": TokenType.IRLIKE,
            "BEFORE": TokenType.LT_AT, "AFTER": TokenType.AT_GT, "ISSUE": TokenType.ADJACENT,
        }  # fmt: skip


_KNOWN = {
    *_Language.Tokenizer.SINGLE_TOKENS.values(), *_Language.Tokenizer.KEYWORDS.values(),
    TokenType.VAR, TokenType.STRING, TokenType.NUMBER,
} - {TokenType.UNKNOWN}  # fmt: skip


@dataclass(frozen=True)
class Parsed:
    """A condition's text as a tree, and the words and signs that it was read from."""

    text: str
    tree: exp.Expr
    tokens: Sequence[Token]

    def part(self, node: exp.Expr) -> str:
        """Return the text of one part: from its first word to the next `and`, `or` or closing bracket around it."""
        first, last, depth = place(node), place(node), 0
        for token in self.tokens:
            if token.start < first:
                continue
            kind = token.token_type
            depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
            if depth < 0 or (depth == 0 and kind in (TokenType.AND, TokenType.OR)):
                break
            last = token.end
        return self.text[first : last + 1]

    def negated(self, node: exp.Expr) -> bool:
        """Return whether the word before a node is `not`."""
        first = place(node)
        before = [token.token_type for token in self.tokens if token.start < first]
        return before[-1:] == [TokenType.NOT]


def parse(text: str) -> Parsed:
    """Return the text as a tree of the language's words; raise BadCondition for what is none."""
    text = text.strip(" \t")
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
        at = error.errors[0]
        raise wrong(max(0, at["col"] - len(at["highlight"])), _reason(at)) from error
    if len(trees) != 1 or trees[0] is None:
        raise BadCondition("the condition is empty; write one, such as: country = 'DE'")
    return Parsed(text, trees[0], found)


def _reason(at: dict[str, str]) -> str:
    hint = f" ({at['description'].lower()})" if at["description"].startswith("Expecting a ") else ""
    return f"the condition goes wrong at {at['highlight']!r}{hint}"


def _bound(found: Sequence[Token]) -> None:
    """Refuse foreign words and signs, and what is nested deeper than a recursive reader may go."""
    if len(found) > _TOKENS:
        raise BadCondition(f"the condition has {len(found)} words and signs; at most {_TOKENS} are read")
    depth, before = 0, None
    for last, token in zip([None, *found], found, strict=False):
        kind, before = token.token_type, last and last.token_type
        if kind not in _KNOWN or (kind == TokenType.VAR and not token.text.isidentifier()):
            raise wrong(token.start, f"{token.text[:40]!r} means nothing in a condition")
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if depth > _DEPTH:
            raise wrong(token.start, f"brackets go deeper than {_DEPTH}")
        if kind == before == TokenType.NOT:
            raise wrong(token.start, "'not not' says nothing; take it out")
        if last and before == TokenType.DASH and kind != TokenType.NUMBER:
            raise wrong(last.start, "a minus stands before a number, and nowhere else")


def place(node: exp.Expr) -> int:
    """Return how many characters of the text stand before a node."""
    return min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=0)


def wrong(at: exp.Expr | int, reason: str) -> BadCondition:
    """Return the error that points at a node, or at so many characters from the start."""
    column = (at if isinstance(at, int) else place(at)) + 1
    return BadCondition(f"{reason} (column {column})", column=column)
