"""The slow way: the templates rendered afresh for one reader, with the conditions decided and the values looked up.

Nothing of the plan is in it: parts that are not for the reader are never in the page, and expressions are Jinja's own.
"""

import re
from dataclasses import dataclass
from html import escape
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from newsletter.issues import wording
from newsletter.issues.content import IssueContent
from newsletter.issues.models import Unmatched
from newsletter.issues.traits import Traits
from newsletter.issues.wording import Kind
from newsletter.rendering import layout, press, slots, templates
from newsletter.rendering.marks import Marks
from newsletter.rendering.personal import Condition
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings
from tests.rendering import samples

_JINJA = SandboxedEnvironment(undefined=jinja2.ChainableUndefined)
_JINJA.filters["default"] = lambda value, other="": value or other


@dataclass(frozen=True)
class Copy:
    """What one reader sees; nothing where they get no copy."""

    subject: str
    html: str
    text: str
    items: frozenset[int]


def copy(content: IssueContent, desk: Settings, values: dict[Slot, str], traits: Traits) -> Copy | None:
    """Return the reader's copy."""
    items = chosen(content, traits)
    if items is None:
        return None
    marks = _Afresh(content, traits, items)
    given = layout.values(content, desk, samples.LINKS, dated=samples.DATED, marks=marks)
    theme = templates.theme(desk)
    html = marks.html(press._html(theme, "issue.mjml.j2", given))
    text = marks.text(slots.strip_controls(theme.render("issue.txt.j2", given)), press.tidy)
    subject = marks.line(layout.said(content, marks)["subject"])
    return Copy(marks.filled(subject, values), marks.filled(html, values, escape), marks.filled(text, values), items)


def chosen(content: IssueContent, traits: Traits) -> frozenset[int] | None:
    """Return which items the reader gets, None for no copy."""
    everything = frozenset(range(len(content.items)))
    if not content.terms.by_topic or not traits.topics:
        return everything
    about = {number: set(item.document.topics) for number, item in enumerate(content.items)}
    found = frozenset(number for number in everything if not about[number] or about[number] & set(traits.topics))
    if found:
        return found
    return None if content.terms.unmatched is Unmatched.SKIP else frozenset(range(content.terms.leads))


class _Afresh(Marks):
    def __init__(self, content: IssueContent, traits: Traits, items: frozenset[int]) -> None:
        super().__init__(content)
        self.traits, self.items = traits, items

    def only(self, condition: Condition | str | None, caller: Any) -> str:
        return super().only(condition, caller if self._holds(condition) else lambda: type(caller())(""))

    def said(self, text: str, where: str, *, blocks: bool = False) -> str:
        made, inside, level, hidden_at = "", [], 0, 0
        for part in wording.parts(re.sub(r"^(\{%.*%\})$", r"\n\1\n", text, flags=re.M), where, blocks=blocks):
            if part.kind is Kind.BEGIN:
                level += 1
                inside.append(self.condition(part.text))
                made += self._stand_in("w", inside[-1]) * (not hidden_at)
                hidden_at = hidden_at or level * (not self._holds(part.text))
            elif part.kind is Kind.END:
                hidden_at = hidden_at if hidden_at < level else 0
                made += self._stand_in("x", inside.pop()) * (not hidden_at)
                level -= 1
            elif not hidden_at:
                made += self.personal(part.text) if part.kind is Kind.VALUE else part.text
        return made

    def filled(self, text: str, values: dict[Slot, str], encode: Any = str) -> str:
        text = re.sub(r"<!--\[\[(if|fi):\d+\]\]-->|\[\[(if|fi):\d+\]\]", "", text)

        def value(found: re.Match[str]) -> str:
            kind, _, number = found[1].partition(":")
            answer = self._answer(self.expressions[int(number)]) if number else ""
            said = ("" if answer in (None, False) else str(answer)[:500]) if number else values[Slot(kind)]
            said = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "",
                          re.sub("[\t\n\r\u2028\u2029]+", " ", said))  # fmt: skip
            return str(encode(quote(said, safe="") if kind == "url" else said))

        return re.sub(r"\[\[([a-z_]+(?::\d+)?)\]\]", lambda found: value(found) if slots.MARK.match(found[0]) else
                      found[0], text)  # fmt: skip

    def _holds(self, condition: Condition | str | None) -> bool:
        if condition is None:
            return True
        if isinstance(condition, str):
            return bool(self._answer(condition))
        if condition.items:
            return bool(self.items & set(condition.items))
        return self.traits.audience in ("", *condition.audience)

    def _answer(self, text: str) -> object:
        known = {name: getattr(self.traits, name) for name in ("name", "email", "language", "country", "audience")}
        subscriber = SimpleNamespace(**known, topics=self.traits.topics, attributes=self.traits.attributes)
        listed = SimpleNamespace(name=self.traits.list_name, title=self.traits.list_title)
        return _JINJA.compile_expression(text, undefined_to_none=False)(
            subscriber=subscriber, list=listed, segment=lambda name: name in self.traits.segments
        )
