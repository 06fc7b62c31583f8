"""Each rule of the email checks is seen to fire, and none fires on a sound issue."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

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


def uncite(rendered: Rendered) -> Rendered:
    """Return the rendering without the address, or its number, after the note on the second item's source."""
    note = re.compile(r"(Reefer\sMonitor\.[^.(\[]*)(\(https://reefer[^)]*\)|\[\d+\])")
    assert note.search(rendered.text)
    return replace(rendered, text=note.sub(r"\1", rendered.text, count=1))


def mute(rendered: Rendered) -> Rendered:
    """Return the rendering without the language of what stands in the body."""
    spoken = re.compile(r'(<div\b[^>]*) lang="en" dir="ltr"')
    assert spoken.search(rendered.html)
    return replace(rendered, html=spoken.sub(r"\1", rendered.html))


def add(markup: str) -> Callable[[Rendered], Rendered]:
    """Return an addition at the end of the HTML's body."""
    return html("</body>", f"{markup}</body>")


def link(href: str, words: str = "the annex", style: str = "") -> Callable[[Rendered], Rendered]:
    """Return the addition of a link."""
    return add(f'<p><a href="{href}" style="{style}">{words}</a></p>')


def subject(words: str) -> Callable[[Rendered], Rendered]:
    """Return a change of the subject."""
    return lambda rendered: replace(rendered, subject=words)


UNSUBSCRIBE, PREFERENCES = Slot.UNSUBSCRIBE_URL.marker, Slot.PREFERENCES_URL.marker
FAULTS = [
    ("email.doctype", "html", html("<!DOCTYPE html>", "")),
    ("email.leftover", "html", add("<p>{{ item.title }}</p>")),
    ("email.leftover", "html", add("<mj-foo></mj-foo>")),
    ("email.leftover", "text", text("KEY POINTS", "{% if x %}", 1)),
    ("email.escape", "html", add(r'<img alt="sun \u{fe0f}" src="https://a.example/i.png" width="9">')),
    ("email.clipped", "html", add("<p>" + "é" * 51_000 + "</p>")),
    ("email.near_clipped", "html", add("<p>" + "x" * 66_000 + "</p>")),
    ("email.style_size", "html", html("</head>", "<style>/*" + "x" * 16_000 + "*/</style></head>")),
    ("email.style_nesting", "html", html("</head>", "<style>@supports (x:y) { @media print { p {} } }</style></head>")),
    ("email.external", "html", add("<script>x</script>")),
    ("email.external", "html", add("<form></form>")),
    ("email.external", "html", add("<iframe></iframe>")),
    ("email.external", "html", html("</head>", '<link rel="stylesheet" href="https://a.example/a.css"></head>')),
    ("email.external", "html", html("</head>", "<style>@import url(a.css);</style></head>")),
    ("email.alt", "html", add('<img src="https://a.example/i.png" width="9">')),
    ("email.image_width", "html", add('<img src="https://a.example/i.png" alt="">')),
    ("email.image_width", "html", add('<img src="https://a.example/i.png" alt="" width="auto">')),
    ("email.image_format", "html", add('<img src="https://a.example/i.webp?x=1" alt="" width="9">')),
    ("email.image_format", "html", add('<img src="data:image/svg+xml,x" alt="" width="9">')),
    ("email.heading", "html", add('<h5 style="font-size:16px">Deep down</h5>')),
    ("email.heading", "html", html("<h1", "<h2>First</h2><h1", 1)),
    ("email.scheme", "html", html('<meta name="color-scheme"', '<meta name="other"')),
    ("email.link_generic", "html", link("https://a.example/", "here")),
    ("email.link_generic", "html", link("https://a.example/", "Read more …")),
    ("email.link_same", "html", add('<a href="https://a.example/1">It</a> <a href="https://a.example/2">it</a>')),
    ("email.link_host", "html", link("https://b.example/", "www.a.example/page")),
    ("email.link_shortened", "html", link("https://bit.ly/x")),
    ("email.link_insecure", "html", link("http://a.example/")),
    ("email.contrast", "html", add('<p style="color:#999999">pale</p>')),
    ("email.contrast", "html", add('<p style="background:#7a2618">dark on dark</p>')),
    ("email.font", "html", add('<p style="font-size:12px">small print</p>')),
    ("email.button", "html", link("https://a.example/", "Buy", "display:block;padding:4px 9px;line-height:20px")),
    ("email.client", "html", add('<p style="display:grid">x</p>')),
    ("email.client", "a style sheet of the theme", html("</head>", "<style>p { gap: 1px }</style></head>")),
    ("email.text", "text", lambda rendered: replace(rendered, text="\n")),
    ("email.subject_front", "subject", subject("Harbour Brief, issue 12: cranes wait")),
    ("email.subject_loud", "subject", subject("CRANES WAIT for the grid")),
    ("email.subject_loud", "subject", subject("Cranes wait!!")),
    ("email.preheader", "preheader", lambda rendered: replace(rendered, preheader=rendered.subject)),
    ("email.preheader_length", "preheader", lambda rendered: replace(rendered, preheader="x" * 39)),
    ("email.preheader_length", "preheader", lambda rendered: replace(rendered, preheader="x" * 101)),
    ("email.link", "html", link("https://a.example/", " ")),
    ("email.link", "html", link("")),
    ("email.link", "html", link("#")),
    ("email.link", "html", link("/relative")),
    ("email.link", "html", link("javascript:alert(1)")),
    ("email.link", "html", link("https:///nohost")),
    ("email.link", "html", add("<p><a>nowhere</a></p>")),
    ("email.language", "html", html('<html lang="en" dir="ltr"', "<html")),
    ("email.language", "html", mute),
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
    ("email.attribution", "html", html('href="https://reefer.example/loggers"', 'href="https://a.example/"', 1)),
    ("email.attribution", "html", html("source item from Reefer Monitor", "source item")),
    ("email.attribution", "html", html("It also draws on Grid Register.", "")),
    ("email.attribution", "text", text("source item from\nReefer Monitor.", "source.")),
    ("email.attribution", "text", uncite),
    ("email.credits", "html", html('href="https://grid.example/register/q3"', 'href="https://a.example/"')),
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
    by_the_way = set() if rule == "email.client" else {"email.client"}  # forms and anchors are lacking in some, too
    assert {(each.rule, each.where) for each in found if each.rule not in by_the_way} == {(rule, where)}
    assert all(finding.message and finding.next and finding.why for finding in found)


def test_every_rule_is_seen_to_fire() -> None:
    elsewhere = {"email.subject", "email.image_only"}  # below
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
    assert [finding.rule for finding in found if finding.severity is Severity.BLOCK] == ["email.link", "email.link"]
    assert "'the annex' leads to '#annex'" in found[0].message
    assert found[0].where == "html, item 1: cold-chain-sensors"


@pytest.mark.parametrize(("declared", "rule"), [("font-size: 13px", "email.font"), ("color: #ddd", "email.contrast")])
def test_a_phone_is_looked_at_where_it_is_told_otherwise(
    content: IssueContent, rendered: Rendered, desk: Settings, declared: str, rule: str
) -> None:
    sheet = f"<style>@media (max-width: 400px) {{ .name.name {{ {declared} !important }} }}</style></head>"
    for page, expected in ((sheet, [rule]), (sheet.replace("400px", "300px"), [])):
        changed = replace(rendered, html=rendered.html.replace("</head>", page))
        assert [each.rule for each in checks.check(content, changed, desk)] == expected


def test_an_image_with_a_caption_is_no_issue(content: IssueContent, rendered: Rendered, desk: Settings) -> None:
    body = '<body><p>Words</p><img src="https://a.example/i.png" alt="All is in here" width="600"></body></html>'
    bare = replace(rendered, html=rendered.html.partition("<body")[0] + body)
    found = checks.check(content, bare, desk)
    assert [finding.message for finding in found if finding.rule == "email.image_only"] == [
        "5 characters of text beside images"
    ]


def test_the_same_words_may_lead_elsewhere_in_another_item(
    content: IssueContent, rendered: Rendered, desk: Settings
) -> None:
    assert rendered.html.count(">Open the original source</a>") == len(content.items)
    assert checks.check(content, rendered, desk) == []


@pytest.mark.parametrize(
    ("preheader", "told"), [("电" * 20, []), ("电" * 19, ["the room of 38"]), ("电" * 51, ["102"])]
)
def test_wide_characters_take_the_room_of_two(
    content: IssueContent, rendered: Rendered, desk: Settings, preheader: str, told: list[str]
) -> None:
    found = checks.check(content, replace(rendered, preheader=preheader), desk)
    assert len(found) == len(told)
    assert all(words in each.message for words, each in zip(told, found, strict=True))


def test_a_loopback_desk_may_do_without_https(content: IssueContent, desk: Settings) -> None:
    desk = samples.retell(desk, "https://news.harbour.example", "http://127.0.0.1:8000")
    links = replace(samples.LINKS, briefing=lambda briefing: f"http://127.0.0.1:8000/briefings/{briefing}")
    assert checks.check(content, press.render(content, desk, links), desk) == []


def test_a_desk_on_the_web_may_not(content: IssueContent, desk: Settings) -> None:
    desk = samples.retell(desk, "https://news.harbour.example", "http://news.harbour.example")
    links = replace(samples.LINKS, briefing=lambda briefing: f"http://news.harbour.example/briefings/{briefing}")
    found = checks.check(content, press.render(content, desk, links), desk)
    assert [(finding.rule, finding.where) for finding in found] == [("email.link_insecure", "settings")]


@pytest.mark.parametrize(
    "reference", ["[77] {url}", "[77] Loggers under one euro,\n     of Reefer Monitor\n     {url}"]
)
def test_a_number_stands_for_the_address_of_its_reference(
    content: IssueContent, rendered: Rendered, desk: Settings, reference: str
) -> None:
    note = "Source assisted: This briefing began from a discovered source item from Reefer Monitor. See [77]."
    text = re.sub(r"Source assisted:[^:]*Reefer\sMonitor\.[^\n]*\n?.*\n", note + "\n\n", rendered.text)
    assert note in text
    url = "https://reefer.example/loggers"
    sound = replace(rendered, text=f"{text}\n{reference.format(url=url)}\n")
    assert checks.check(content, sound, desk) == []
    found = checks.check(content, replace(sound, text=sound.text.replace("\n[77]", "\n[78]")), desk)
    assert [finding.rule for finding in found] == ["email.attribution"]


_SCRAPS = [
    "<p>", "<a href='", "'>", "<img src='http://[x' width=9>", "<!-- ", "<?xml version='1.0' encoding='x'?>",
    "-->", "<?pi x?>", "<style>", "</style>",
    "{", "}", "@media (", ")", ";", ":", "<td bgcolor=#12", "<div style='color:", "é", "\x00", "<svg><p>", "]]>",
    "<div style='font: 1e9px x; padding: 1px/2'>", "<a href='http://[::1'>x</a>", "<a href='https://a..b/'>a.de</a>",
    "&#x110000;", "<html", "<body>", "<a style='display:block;padding: ;line-height:e'>b</a>", "<table>", "<h7>",
    "<meta name=color-scheme content>", "<b style='color:hsl(x,1,2)'>b</b>", " class='item-'",
    "<p style='color:rgb(.,.,.)'>x</p>", "<p style='font-size:.px'>x", "<p style='font-size:1.2.3px'>x",
]  # fmt: skip


@given(st.lists(st.sampled_from(_SCRAPS), max_size=40).map("".join), st.integers(0, 2000))
@hypothesis.settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_broken_markup_is_checked_and_never_fails(
    content: IssueContent, rendered: Rendered, desk: Settings, scraps: str, place: int
) -> None:
    html = rendered.html[:place] + scraps + rendered.html[place:] if place % 2 else scraps
    checks.check(content, replace(rendered, html=html, text=scraps), desk)


def test_what_the_theme_sets_is_found_with_its_line(desk: Settings, content: IssueContent) -> None:
    own = desk.folder / "templates" / "briefing" / "item.mjml.j2"
    own.parent.mkdir(parents=True)
    shipped = (Path(__file__).parents[2] / "templates" / "briefing" / "item.mjml.j2").read_text("utf-8")
    text = shipped.replace("<h2 ", '<p style="color: #bbbbbb">Pale &amp; small</p>\n      <h2 ', 1)
    assert text != shipped
    own.write_text(text, "utf-8")
    line = next(number for number, each in enumerate(text.splitlines(), start=1) if "Pale" in each)
    found = checks.check(content, press.render(content, desk, samples.LINKS), desk)
    assert ("email.contrast", f"html, item 1: quay-cranes-go-electric, templates/briefing/item.mjml.j2:{line}") in {
        (each.rule, each.where) for each in found
    }
