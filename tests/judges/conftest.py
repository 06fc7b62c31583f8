"""What the judges are shown: each shipped theme's issue as it is sent, in English and in Arabic."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser

from newsletter import publication
from newsletter.delivery import inspection
from newsletter.issues.content import IssueContent
from newsletter.rendering import inline, layout, mjml, press, slots, templates
from newsletter.rendering.marks import Marks
from newsletter.rendering.rendered import Rendered
from tests.rendering import samples
from tests.support import browser as browsers

#: The sheets by name: a theme, or a theme in Arabic.
SHEETS = (*samples.THEMES, *(f"{theme} in Arabic" for theme in samples.THEMES))
ARABIC = {
    "title": "موانئ متوسطة تنتقل إلى رافعات كهربائية، والشبكة هي الجزء الصعب",
    "introduction": "طلبت أربعة موانئ متوسطة الحجم رافعات كهربائية هذا الربع. الآلات جاهزة، أما الشبكة فلا.",
    "why_it_matters": "تُشترى الرافعة مرة كل خمسة وعشرين عاماً.\n\n> الربط هو ما يقرر.\n\n- أولاً\n- ثانياً",
    "buyer_relevance": "اسأل عن [تاريخ الربط](https://grid.example/r) لا عن تاريخ الرافعة.",
    "desk": "موانئ",
    "language": "ar",
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One issue: its MJML, what became of it, and the message that carries it."""

    name: str
    source: str
    css: str
    rendered: Rendered
    html: str
    message: bytes


@pytest.fixture(scope="session")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheet]:
    """Return every sheet by its name."""
    return {name: _sheet(name, tmp_path_factory) for name in SHEETS}


@pytest.fixture(params=SHEETS)
def sheet(request: pytest.FixtureRequest, sheets: dict[str, Sheet]) -> Sheet:
    """Return one sheet after the other."""
    return sheets[request.param]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the machine's browser."""
    with browsers.launch() as launched:
        yield launched


def _sheet(name: str, folders: pytest.TempPathFactory) -> Sheet:
    kind, _, arabic = name.partition(" in ")
    language = "ar" if arabic else "en"
    desk = samples.publication(folders.mktemp(kind))
    desk = samples.dress(desk, f'theme = "{kind}"', f'language = "{language}"')
    content, theme = _content(bool(arabic)), templates.theme(desk)
    values = layout.values(content, desk, samples.LINKS, dated=samples.DATED, marks=Marks(content))
    rendered = press.render(content, desk, samples.LINKS, dated=samples.DATED)
    now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    return Sheet(
        name=name,
        source=mjml.prepare(theme.render("issue.mjml.j2", values)),
        css=theme.render("inline.css", values),
        rendered=rendered,
        html=slots.fill_html(rendered.html, samples.VALUES),
        message=inspection.specimen(rendered, content.id, desk, keyring=publication.keyring(desk), now=now),
    )


def _content(arabic: bool) -> IssueContent:
    """Return the issue, the first of its items in Arabic if that is what its publication speaks."""
    content = samples.issue()
    if not arabic:
        return content
    first, *rest = content.items
    told = replace(first.document, **ARABIC)  # type: ignore[arg-type]
    return replace(content, intro=ARABIC["introduction"], items=(replace(first, document=told), *rest))


def inlined(html: str, css: str) -> str:
    """Return the page with the sheet in its style attributes, as the press makes it."""
    return inline.inline(html.replace("<!doctype html>", "<!DOCTYPE html>", 1), css, lambda offset: "the sheet")
