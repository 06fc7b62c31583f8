"""What the judges are shown: each shipped theme's issue, as it is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser

from newsletter import publication
from newsletter.delivery import inspection
from newsletter.rendering import inline, layout, mjml, press, slots, templates
from newsletter.rendering.marks import Marks
from newsletter.rendering.rendered import Rendered
from tests.rendering import samples
from tests.support import browser as browsers

THEMES = samples.THEMES


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One theme's issue: its MJML, what became of it, and the message that carries it."""

    theme: str
    source: str
    css: str
    rendered: Rendered
    html: str
    message: bytes


@pytest.fixture(scope="session")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheet]:
    """Return every theme's issue."""
    return {theme: _sheet(theme, tmp_path_factory) for theme in THEMES}


@pytest.fixture(params=THEMES)
def sheet(request: pytest.FixtureRequest, sheets: dict[str, Sheet]) -> Sheet:
    """Return one theme's issue after the other."""
    return sheets[request.param]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the machine's browser."""
    with browsers.launch() as launched:
        yield launched


def _sheet(name: str, folders: pytest.TempPathFactory) -> Sheet:
    desk = samples.publication(folders.mktemp(name))
    desk = samples.retell(desk, "postal_address", f'theme = "{name}"\npostal_address')
    content, theme = samples.issue(), templates.theme(desk)
    values = layout.values(content, desk, samples.LINKS, dated=samples.DATED, marks=Marks(content))
    rendered = press.render(content, desk, samples.LINKS, dated=samples.DATED)
    now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    return Sheet(
        theme=name,
        source=mjml.prepare(theme.render("issue.mjml.j2", values)),
        css=theme.render("inline.css", values),
        rendered=rendered,
        html=slots.fill_html(rendered.html, samples.VALUES),
        message=inspection.specimen(rendered, content.id, desk, keyring=publication.keyring(desk), now=now),
    )


def inlined(html: str, css: str) -> str:
    """Return the page with the sheet in its style attributes, as the press makes it."""
    return inline.inline(html.replace("<!doctype html>", "<!DOCTYPE html>", 1), css, lambda offset: "the sheet")
