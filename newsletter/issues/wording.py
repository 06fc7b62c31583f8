"""Wording: an issue's own words, taken apart into what everybody reads and what depends on the reader."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import BadInput
from newsletter.issues import expressions
from newsletter.issues.expressions import BadExpression, Evaluator, Known
from newsletter.issues.traits import NOBODY

_OPENING = re.compile(r"\{[{%#]")
_CLOSING = {"{{": "}}", "{%": "%}"}
_INSIDE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[{}%]|[^'\"{}%]+|.", re.DOTALL)


class Kind(StrEnum):
    """What a part of a text is."""

    #: words for everybody
    TEXT = "text"
    #: an expression whose result stands there
    VALUE = "value"
    #: an expression: what follows is for those for whom it holds
    BEGIN = "begin"
    #: the end of what the last BEGIN began
    END = "end"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part; `text` is the words, or the expression."""

    kind: Kind
    text: str = ""


def literal(text: str) -> str:
    """Return the text written so that nothing in it is an expression."""
    return re.sub(r"\{(?=[{%#])", '{{ "{" }}', text)


def parts(text: str, where: str, *, known: Known | None = None, blocks: bool = False) -> list[Part]:
    """Return the parts of a text; BadInput names the place with line and column. Without `blocks` an `if` is refused.

    What an expression says to everybody alike is words already.
    """
    return _Scanner(text, where, known, blocks).parts()


def neutral(parts: Sequence[Part]) -> str:
    """Return what the parts say to a reader of whom nothing is known, without what is for some readers only."""
    inside = 0
    said: list[str] = []
    for part in parts:
        inside += (part.kind is Kind.BEGIN) - (part.kind is Kind.END)
        if not inside and part.kind is Kind.VALUE:
            said.append(expressions.shown(Evaluator([expressions.read(part.text)])(NOBODY)[0]))
        elif not inside and part.kind is Kind.TEXT:
            said.append(part.text)
    return "".join(said)


class _Scanner:
    def __init__(self, text: str, where: str, known: Known | None, blocks: bool) -> None:
        self.text, self.where, self.known, self.blocks = text, where, known, blocks
        self.made: list[Part] = []
        self.open: list[tuple[int, str]] = []

    def parts(self) -> list[Part]:
        start = 0
        while found := _OPENING.search(self.text, start):
            self._add(Kind.TEXT, self.text[start : found.start()])
            start = self._mark(found[0], found.start())
        self._add(Kind.TEXT, self.text[start:])
        if self.open:
            raise self._refused(self.open[-1][0], "this if has no {% endif %}; write one where it ends")
        return self.made

    def _mark(self, opening: str, at: int) -> int:
        """Take in what begins at a place, and return where it ends."""
        if opening == "{#":
            raise self._refused(at, "a remark would stand in the mail; take it out, or write {{ '{#' }} for the signs")
        end = self._end(at + 2, _CLOSING[opening])
        if end < 0:
            raise self._refused(
                at, f"this {opening} has no {_CLOSING[opening]}; write it, or {{{{ '{opening}' }}}} for the signs"
            )
        inside = self.text[at + 2 : end].strip("-").strip()
        try:
            self._value(inside) if opening == "{{" else self._statement(inside, at, end + 2)
        except BadExpression as error:
            raise self._refused(at, f"{self.text[at : end + 2]!r}: {error}") from error
        return end + 2

    def _end(self, start: int, closing: str) -> int:
        depth = 0
        while start < len(self.text):
            if not depth and self.text.startswith(closing, start):
                return start
            found = _INSIDE.match(self.text, start)
            assert found
            depth += (found[0] == "{") - (found[0] == "}")
            start = found.end()
        return -1

    def _value(self, text: str) -> None:
        understood = self._understood(text)
        if understood.asks:
            self._add(Kind.VALUE, text)
        else:
            self._add(Kind.TEXT, expressions.shown(Evaluator([understood])(NOBODY)[0]))

    def _statement(self, text: str, at: int, end: int) -> None:
        word, _, rest = text.partition(" ")
        before, after = self.text[:at].rpartition("\n")[2], self.text[end:].partition("\n")[0]
        if not self.blocks or before.strip() or after.strip():
            where = "on a line of its own" if self.blocks else "in the intro only"
            raise BadExpression(
                f"it can stand {where}; within a line write {{{{ 'WORDS' if CONDITION else 'OTHERS' }}}}"
            )
        match word:
            case "if" if rest.strip():
                self._understood(rest.strip())
                self.open.append((at, rest.strip()))
                self._add(Kind.BEGIN, rest.strip())
            case "else" if self.open and not rest:
                place, condition = self.open.pop()
                self.open.append((place, f"not ({condition})"))
                self._add(Kind.END)
                self._add(Kind.BEGIN, f"not ({condition})")
            case "endif" if self.open and not rest:
                self.open.pop()
                self._add(Kind.END)
            case _:
                raise BadExpression("what can stand here is if CONDITION, else and endif; write one of them")

    def _understood(self, text: str) -> expressions.Expression:
        understood = expressions.read(text, self.known)
        if why := expressions.fails(understood):
            raise BadExpression(
                f"it fails for a reader of whom nothing is known ({why}); write what to take then, "
                "such as (subscriber.attributes.age | default(0)) + 1"
            )
        return understood

    def _add(self, kind: Kind, text: str = "") -> None:
        if text or kind is not Kind.TEXT:
            self.made.append(Part(kind=kind, text=text))

    def _refused(self, at: int, reason: str) -> BadInput:
        line = self.text.count("\n", 0, at) + 1
        column = at - self.text.rfind("\n", 0, at)
        place = f"line {line}, column {column}" if "\n" in self.text.strip() else f"column {column}"
        return BadInput(f"{self.where}, {place}: {reason}")
