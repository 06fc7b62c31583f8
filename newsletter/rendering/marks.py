"""The marks while an issue is set: templates get stand-in words, and what they wrote is searched for those."""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any

from markupsafe import Markup

from newsletter.errors import BadInput, Refused, TemplateError
from newsletter.issues import expressions, wording
from newsletter.issues.content import IssueContent
from newsletter.issues.expressions import BadExpression, Known
from newsletter.issues.models import Unmatched
from newsletter.issues.traits import NOBODY
from newsletter.issues.wording import Kind
from newsletter.rendering.personal import Condition, Personal
from newsletter.rendering.slots import Slot

_SLOTS = list(Slot)
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_TAG = re.compile(r"<!--.*?-->|<(/?)([A-Za-z][A-Za-z0-9:-]*)[^<>]*>", re.DOTALL)
_COMMENTED = re.compile(r"<!--\[\[(if|fi):(\d+)\]\]-->")
_IN_SHEET = re.compile(r"<style\b[^>]*>(?:(?!</style).)*\[\[", re.DOTALL | re.IGNORECASE)
_IN_TAG = re.compile(r"<[A-Za-z][^<>]*<!--\[\[")
_IN_LINK = re.compile(r"(https?://\S*?)\[\[own:(\d+)\]\]")
_IN_ADDRESS = re.compile(r"((?:href|src|background)=\"[^\"]*?)\[\[own:(\d+)\]\]", re.IGNORECASE)
_ALONE = re.compile(r"^[ \t]*(\{%[^\n]*%\})[ \t]*$", re.MULTILINE)
# Before the first "/" after the host: a value there could lead anywhere. Browsers take a "\" for one (WHATWG URL 4.4).
_IN_HOST = re.compile(
    r"(?:(?:href|src|background)=\"\s*(?:https?:)?[/\\]*|https?:[/\\]+)[^\s\"<>/\\?#\[]*\[\[(?:own|url):(\d+)\]\]",
    re.IGNORECASE,
)

Call = Callable[[], str]


class Marks:
    """The marks of one rendering: what they stand for is collected as the templates ask for them.

    A stand-in is a word of 17 letters and digits that stands nowhere in the issue, for its hash is part of the word.
    """

    def __init__(self, content: IssueContent, known: Known | None = None) -> None:
        self.content, self.known = content, known
        self.token = "q" + hashlib.sha256(repr(content).encode("utf-8", "backslashreplace")).hexdigest()[:11]
        self.expressions: list[str] = []
        self.conditions: list[Condition] = []
        self._heeded: set[int] = set()
        self._word = re.compile(rf"{self.token}([svbewx])(\d\d\d)q")

        self._own_lines = rf"(?:{self.token}[wx]\d\d\dq)+"

    def slots(self) -> dict[str, str]:
        """Return the stand-in of each slot, by its name."""
        return {slot.value: self._stand_in("s", number) for number, slot in enumerate(_SLOTS)}

    def personal(self, text: str) -> str:
        """Return the stand-in for what an expression says; what it says to everybody alike is returned as it is."""
        understood = self._understood(text)
        if not understood.asks:
            return expressions.shown(expressions.Evaluator([understood])(NOBODY)[0])
        return self._stand_in("v", self._number(self.expressions, text))

    def only(self, condition: Condition | str | None, caller: Call) -> str:
        """Return what the caller writes, between marks where it is not for everybody."""
        inside = caller()
        if condition is None:
            return inside
        self._heeded.add(id(condition))
        number = self.condition(condition)
        begin, end = self._stand_in("b", number), self._stand_in("e", number)
        if isinstance(inside, Markup):  # in MJML and HTML; plain text does not escape
            return Markup(f"<!--{begin}-->{inside}<!--{end}-->")
        return f"{begin}{inside}{end}"

    def condition(self, condition: Condition | str) -> int:
        """Return the number of a condition, an expression being one too."""
        if isinstance(condition, str):
            self._understood(condition)
            condition = Condition(when=self._number(self.expressions, condition))
        return self._number(self.conditions, condition)

    def said(self, text: str, where: str, *, blocks: bool = False) -> str:
        """Return an issue's own words with stand-ins for the expressions in them."""
        made: list[str] = []
        inside: list[int] = []
        if blocks:  # what stands on a line of its own begins or ends between paragraphs
            text = _ALONE.sub(r"\n\1\n", text)
        for part in wording.parts(text, where, known=self.known, blocks=blocks):
            match part.kind:
                case Kind.TEXT:
                    made.append(part.text)
                case Kind.VALUE:
                    made.append(self.personal(part.text))
                case Kind.BEGIN:
                    inside.append(self.condition(part.text))
                    made.append(self._stand_in("w", inside[-1]))
                case Kind.END:
                    made.append(self._stand_in("x", inside.pop()))
        return "".join(made)

    def line(self, text: str) -> str:
        """Return a line of words with the marks in place of their stand-ins."""
        return self._whole(self._word.sub(self._mark, text), "a line")

    def html(self, text: str) -> str:
        """Return the HTML with the marks in place; a part of it that is for some readers only must be whole."""
        text = re.sub(rf"<p\b[^<>]*>\s*({self._own_lines})\s*</p>\s*", lambda found: found[1], text)
        text = re.sub(rf"<!--({self.token}[be]\d\d\dq)-->", lambda found: found[1], text)
        text = self._whole(self._word.sub(self._commented, text), "the HTML")
        self._require_host(text)
        if _IN_SHEET.search(text):
            raise TemplateError("a reader's own value stands in a <style>; take it out of the sheet")
        text = _quoted(_IN_ADDRESS, text)
        if _IN_TAG.search(text):
            raise Refused("a part for some readers begins or ends inside a tag; put it around whole words")
        if self.conditions:
            self._require_balanced(text)
        return text

    def text(self, text: str, tidy: Callable[[str], str]) -> str:
        """Return the plain text with the marks in place; what stands between two of them is tidied by itself."""
        # A mark that an issue's words have on a line of its own takes the blank lines after it along.
        text = re.sub(rf"^({self._own_lines})\n{{2,}}(?=\S)", lambda found: found[1], text, flags=re.MULTILINE)
        pieces = re.split(rf"({self.token}[bewx]\d\d\dq)", text)
        tidied = [piece if number % 2 else tidy(piece) for number, piece in enumerate(pieces)]
        tidied[0], tidied[-1] = tidied[0].lstrip("\n"), tidied[-1].rstrip("\n") + "\n"
        text = self._whole(self._word.sub(self._mark, "".join(tidied)), "the text")
        self._require_host(text)
        return _quoted(_IN_LINK, text)

    def definitions(self) -> Personal:
        """Return what the marks mean."""
        items, terms = self.content.items, self.content.terms
        return Personal(
            expressions=tuple(self.expressions),
            conditions=tuple(self.conditions),
            topics=tuple(item.document.topics for item in items) if terms.by_topic else (),
            leads=terms.leads,
            skip=terms.by_topic and terms.unmatched is Unmatched.SKIP,
        )

    def require(self, conditions: Iterable[Condition | None], where: str) -> None:
        """Refuse a theme that has not heeded a condition since the last time: copies would hold what is not theirs.

        The very conditions that the templates were given, as two of them may be equal.
        """
        for condition in conditions:
            if condition and id(condition) not in self._heeded:
                what = "items by topic" if condition.items else "relevance paragraphs by audience"
                name = "item.shown" if condition.items else "item.relevance_shown"
                raise TemplateError(
                    f"the theme cannot show {what}: {where} has no {{% call only({name}) %}} around them; add it, or "
                    "compose without --by-topic and --by-audience"
                )
        self._heeded.clear()

    def _understood(self, text: str) -> expressions.Expression:
        understood = expressions.read(text, self.known)
        if why := expressions.fails(understood):
            raise BadExpression(f"{text}: it fails for a reader of whom nothing is known ({why})")
        return understood

    def _stand_in(self, kind: str, number: int) -> str:
        if number > 999:
            raise BadInput("an issue can have 1000 expressions and conditions; make two issues of it")
        return f"{self.token}{kind}{number:03}q"

    def _number(self, known: list[Any], wanted: Any) -> int:
        if wanted not in known:
            known.append(wanted)
        return known.index(wanted)

    def _mark(self, found: re.Match[str]) -> str:
        number = int(found[2])
        match found[1]:
            case "s":
                return _SLOTS[number].marker
            case "v":
                return f"[[own:{number}]]"
            case "b" | "w":
                return f"[[if:{number}]]"
        return f"[[fi:{number}]]"

    def _commented(self, found: re.Match[str]) -> str:
        return f"<!--{self._mark(found)}-->" if found[1] in "bewx" else self._mark(found)

    def _whole(self, text: str, where: str) -> str:
        if self.token.lower() in text.lower():
            raise TemplateError(
                f"a filter of the templates has changed a reader's own value in {where}; write it inside the quotes: "
                'personal("subscriber.name | upper")'
            )
        return text

    def _require_host(self, text: str) -> None:
        if found := _IN_HOST.search(text):
            raise Refused(
                f"{{{{ {self.expressions[int(found[1])]} }}}} stands where an address begins, and could lead anywhere; "
                "write https://, the host and a / before it"
            )

    def _require_balanced(self, html: str) -> None:
        """Refuse a part whose tags do not close in it: without it the page would fall apart."""
        depths: list[list[str]] = [[]]
        for found in _TAG.finditer(html):
            if mark := _COMMENTED.fullmatch(found[0]):
                if mark[1] == "if":
                    depths.append([])
                elif len(depths) == 1 or depths.pop():
                    raise self._torn(int(mark[2]))
            elif len(depths) > 1 and found[2] and found[2].lower() not in _VOID:
                if not found[1]:
                    depths[-1].append(found[2])
                elif not depths[-1] or depths[-1].pop() != found[2]:
                    raise self._torn(self._open_in(html, found.start()))

    def _open_in(self, html: str, end: int) -> int:
        return int([mark[2] for mark in _COMMENTED.finditer(html, 0, end) if mark[1] == "if"][-1])

    def _torn(self, number: int) -> Refused:
        condition = self.conditions[number]
        said = self.expressions[condition.when] if condition.when is not None else "shown"
        return Refused(
            f"the part for {said} begins in one paragraph, list or table and ends in another; let it begin and end "
            "between whole paragraphs, each sign on a line of its own with a blank line around it"
        )


def _quoted(where: re.Pattern[str], text: str) -> str:
    """Return the text with the values inside its addresses marked as such."""
    while where.search(text):
        text = where.sub(r"\1[[url:\2]]", text)
    return text
