"""Features that mail clients lack: the vendored data, and how a page is seen to use them."""

from dataclasses import replace

import pytest

from newsletter.issues.content import IssueContent
from newsletter.rendering import baseline, checks
from newsletter.rendering.checks import clients
from newsletter.rendering.press import Rendered
from newsletter.settings import Settings


def test_the_data_knows_fourteen_clients_and_most_features() -> None:
    named = {name for each in clients.features().values() for one in each for name in (*one.no, *one.partly)}
    assert len(named) == 14
    assert len({one.title for each in clients.features().values() for one in each}) > 200


def test_the_baseline_is_what_the_shipped_themes_use() -> None:
    known = {"element:table", "attribute:role", "property:border-radius", "media:prefers-color-scheme"}
    strange = {"value:display:grid", "function:clamp", "element:video"}
    assert known <= baseline.marks("briefing", "en")
    for theme in ("briefing", "letter", "a theme of the desk's own"):
        assert baseline.beyond(known | strange, theme=theme) == strange


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ('<p style="display:flex">x</p>', "display:flex"),
        ('<p style="width:calc(1px + 2px)">x</p>', "CSS calc() function"),
        ('<p style="color:var(--x)">x</p>', "CSS Variables (Custom Properties)"),
        ('<p style="margin:1vw">x</p>', "vw unit"),
        ('<p style="background:linear-gradient(#fff,#eee)">x</p>', "linear-gradient()"),
        ("<video src='https://a.example/v.mp4'></video>", "<video> element"),
        ("<p><abbr title='x'>x</abbr></p>", "<abbr> element"),
        ("<p popover>x</p>", "popover attribute"),
    ],
)
def test_what_a_client_lacks_is_named_with_the_clients(
    content: IssueContent, rendered: Rendered, desk: Settings, markup: str, title: str
) -> None:
    found = checks.check(content, replace(rendered, html=rendered.html.replace("</body>", f"{markup}</body>")), desk)
    messages = [each.message for each in found if each.rule == "email.client"]
    assert any(message.startswith((f"{title} is ", f"{title} only ")) for message in messages)
    assert all("https://www.caniemail.com/features/" in message for message in messages)


@pytest.mark.parametrize(
    ("sheet", "mark"),
    [
        ("a:hover { color: red }", "pseudo:hover"), ("p::after { content: 'x:y' }", "pseudo:after"),
        ("@media (orientation: landscape) { p {} }", "media:orientation"), ("a + b {}", "selector:+"),
        ("@keyframes x { from { top: 0 } }", "at:@keyframes"), ("@supports (x: y) { p { gap: 1px } }", "property:gap"),
    ],
)  # fmt: skip
def test_sheets_are_read_for_what_they_use(
    content: IssueContent, rendered: Rendered, desk: Settings, sheet: str, mark: str
) -> None:
    page = replace(rendered, html=rendered.html.replace("</head>", f"<style>{sheet}</style></head>"))
    assert mark in clients.marks(checks.Proof(content, page, desk))
