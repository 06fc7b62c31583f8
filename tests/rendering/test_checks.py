"""Each rule of the email checks is seen to fire, and none fires on a sound issue."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.editorial.gate import Severity
from newsletter.issues.content import IssueContent
from newsletter.rendering import checks, press
from newsletter.rendering.press import Rendered
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings
from tests.rendering import samples


def test_a_sound_issue_passes_without_a_word(content: IssueContent, rendered: Rendered, desk: Settings) -> None:
    assert checks.check(content, rendered, desk) == []


def html(old: str, new: str, count: int = -1) -> Callable[[Rendered], Rendered]:
    """Return a change of the HTML that must find something to change."""

    def change(rendered: Rendered) -> Rendered:
        assert old in rendered.html
        return replace(rendered, html=rendered.html.replace(old, new, count))

    return change


def text(old: str, new: str, count: int = -1) -> Callable[[Rendered], Rendered]:
    """Return a change of the plain text that must find something to change."""

    def change(rendered: Rendered) -> Rendered:
        assert old in rendered.text
        return replace(rendered, text=rendered.text.replace(old, new, count))

    return change


def add(markup: str) -> Callable[[Rendered], Rendered]:
    """Return an addition at the end of the HTML's body."""
    return html("</body>", f"{markup}</body>")


def link(href: str, words: str = "here") -> Callable[[Rendered], Rendered]:
    """Return the addition of a link."""
    return add(f'<p><a href="{href}">{words}</a></p>')


UNSUBSCRIBE, PREFERENCES = Slot.UNSUBSCRIBE_URL.marker, Slot.PREFERENCES_URL.marker
FAULTS = [
    ("email.doctype", "html", html("<!DOCTYPE html>", "")),
    ("email.leftover", "html", add("<p>{{ item.title }}</p>")),
    ("email.leftover", "html", add("<mj-foo></mj-foo>")),
    ("email.leftover", "text", text("KEY POINTS", "{% if x %}", 1)),
    ("email.escape", "html", add(r'<img alt="sun \u{fe0f}" src="https://a.example/i.png">')),
    ("email.clipped", "html", add("<p>" + "é" * 51_000 + "</p>")),
    ("email.near_clipped", "html", add("<p>" + "x" * 66_000 + "</p>")),
    ("email.style_size", "html", html("</head>", "<style>/*" + "x" * 16_000 + "*/</style></head>")),
    ("email.style_nesting", "html", html("</head>", "<style>@supports (x:y) { @media print { p {} } }</style></head>")),
    ("email.external", "html", add("<script>x</script>")),
    ("email.external", "html", add("<form></form>")),
    ("email.external", "html", add("<iframe></iframe>")),
    ("email.external", "html", html("</head>", '<link rel="stylesheet" href="https://a.example/a.css"></head>')),
    ("email.external", "html", html("</head>", "<style>@import url(a.css);</style></head>")),
    ("email.alt", "html", add('<img src="https://a.example/i.png">')),
    ("email.link", "html", link("https://a.example/", " ")),
    ("email.link", "html", link("")),
    ("email.link", "html", link("#")),
    ("email.link", "html", link("/relative")),
    ("email.link", "html", link("javascript:alert(1)")),
    ("email.link", "html", link("https:///nohost")),
    ("email.link", "html", add("<p><a>nowhere</a></p>")),
    ("email.language", "html", html('<html lang="en" dir="ltr"', "<html")),
    ("email.language", "html", html('role="article" lang="en" dir="ltr"', 'role="article"')),
    ("email.title", "html", html("<title>Electric cranes wait for the grid</title>", "<title> </title>")),
    ("email.table_role", "html", add("<table><tr><td>x</td></tr></table>")),
    ("email.unsubscribe", "html", html(UNSUBSCRIBE, "https://a.example/")),
    ("email.unsubscribe", "text", text(UNSUBSCRIBE, "")),
    ("email.preferences", "html", html(PREFERENCES, "https://a.example/")),
    ("email.preferences", "text", text(PREFERENCES, "")),
    ("email.postal", "html", html("Quay Street", "Q. Street")),
    ("email.postal", "text", text("Quay Street", "Q. Street")),
    ("email.story", "text", text("briefings/cold-chain-sensors", "briefings/cold-chain-sensors-2")),
    ("email.attribution", "html", html("item-cold-chain-sensors", "item")),
    ("email.attribution", "html", html('<a href="https://reefer.example/loggers"', '<a href="https://a.example/"', 1)),
    ("email.attribution", "html", html("source item from Reefer Monitor", "source item")),
    ("email.attribution", "html", html("It also draws on Grid Register.", "")),
    ("email.attribution", "text", text("source item from\nReefer Monitor.", "source.")),
    ("email.attribution", "text", text("(https://reefer.example/loggers)", "", 1)),
    ("email.credits", "html", html('<a href="https://grid.example/register/q3"', '<a href="https://a.example/"')),
    ("email.credits", "text", text("https://grid.example/register/q3", "")),
    ("email.subject_long", "subject", lambda rendered: replace(rendered, subject="x" * 51)),
    ("email.preheader", "preheader", lambda rendered: replace(rendered, preheader=" ")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "where", "change"), FAULTS)
def test_a_fault_of_the_rendering_is_found_by_its_rule_alone(
    content: IssueContent, rendered: Rendered, desk: Settings, rule: str, where: str,
    change: Callable[[Rendered], Rendered],
) -> None:  # fmt: skip
    found = checks.check(content, change(rendered), desk)
    assert {(finding.rule, finding.where) for finding in found} == {(rule, where)}
    assert all(finding.message and finding.next for finding in found)


def test_every_rule_is_seen_to_fire() -> None:
    elsewhere = {"email.subject"}  # below
    assert {rule.id for rule in checks.RULES} == {rule for rule, _, _ in FAULTS} | elsewhere
    assert len({rule.id for rule in checks.RULES}) == len(checks.RULES)


@pytest.mark.parametrize("subject", ["", " ", "One\r\nBcc: x@y.example", "a\x00b", "a\u2028b"])
def test_a_subject_that_is_empty_or_no_line_blocks(desk: Settings, content: IssueContent, subject: str) -> None:
    content = replace(content, subject=subject)
    found = checks.check(content, press.render(content, desk, samples.LINKS), desk)
    assert "email.subject" in {finding.rule for finding in found}
    assert any(checks.blocks(finding) for finding in found)


def test_a_briefing_without_a_source_blocks(desk: Settings) -> None:
    content = samples.one(replace(samples.COLD, sources=()))
    found = checks.check(content, press.render(content, desk, samples.LINKS), desk)
    assert [(finding.rule, finding.where) for finding in found] == [("email.attribution", "content")]


def test_a_publication_without_a_postal_address_blocks(content: IssueContent, desk: Settings) -> None:
    desk = samples.retell(desk, "Harbour Brief, 1 Quay Street, Port Ellen", "")
    found = checks.check(content, press.render(content, desk, samples.LINKS), desk)
    assert [(finding.rule, finding.where) for finding in found] == [("email.postal", "settings")]


def test_two_items_with_the_same_source_each_need_their_own_note(desk: Settings) -> None:
    again = replace(samples.COLD, id="cold-again", title="The same source, another story")
    content = replace(samples.issue(0), items=(samples.item(1, samples.COLD), samples.item(2, again)))
    made = press.render(content, desk, samples.LINKS)
    assert checks.check(content, made, desk) == []
    note = made.text[made.text.rindex("Source assisted") : made.text.rindex("A person wrote")]
    start = made.text.rindex(note)
    found = checks.check(content, replace(made, text=made.text[:start] + made.text[start + len(note) :]), desk)
    assert [(finding.rule, finding.where) for finding in found] == [("email.attribution", "text")]


def test_an_address_with_letters_that_html_escapes_is_still_the_same_address(desk: Settings) -> None:
    source = replace(samples.COLD.sources[0], url="https://reefer.example/größe?a=[1]&b='x y'", name="Kühl & Ko <Test>")
    content = samples.one(replace(samples.COLD, sources=(source,)))
    assert checks.check(content, press.render(content, desk, samples.LINKS), desk) == []


def test_an_editors_dead_link_is_found_and_named(desk: Settings) -> None:
    content = samples.one(replace(samples.COLD, why_it_matters="See [the annex](#annex) and [this](javascript:x)."))
    found = checks.check(content, press.render(content, desk, samples.LINKS), desk)
    assert [finding.severity for finding in found] == [Severity.BLOCK, Severity.BLOCK]
    assert "'the annex' leads to '#annex'" in found[0].message
