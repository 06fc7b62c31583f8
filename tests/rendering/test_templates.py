"""Templates that fail say where: the file, the line, the reason, the next step."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from markupsafe import escape

from newsletter.errors import TemplateError
from newsletter.issues import wording
from newsletter.issues.content import IssueContent
from newsletter.rendering import inline, mjml, press, slots, templates
from newsletter.settings import Settings
from tests.rendering import samples

SHIPPED = Path(__file__).parents[2] / "templates"


def override(desk: Settings, file: str, old: str, new: str) -> tuple[Path, int]:
    """Give the publication its own copy of a template with one change; return its path and the changed line."""
    folder = next(each for each in ("briefing", "shared") if (SHIPPED / each / file).is_file())
    path = desk.path("templates") / folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (SHIPPED / folder / file).read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path, text[: text.index(old)].count("\n") + 1


def refusal(content: IssueContent, desk: Settings) -> str:
    """Return what the press says instead of rendering."""
    with pytest.raises(TemplateError) as caught:
        press.render(content, desk, samples.LINKS)
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("item.mjml.j2", "{{ item.title }}", "{{ item.headline }}", "no attribute 'headline'"),
        ("item.mjml.j2", "{{ item.title }}", "{{ heading }}", "'heading' is undefined"),
        ("item.mjml.j2", "{{ item.title }}", "{{ item.title | shout }}", "No filter named 'shout'"),
        ("item.mjml.j2", "{{ item.title }}", "{{ item.title }", "unexpected '}'"),
        ("reader.mjml.j2", "{{ slots.preferences_url }}", "{{ slots.first_name }}", "no attribute 'first_name'"),
        ("issue.txt.j2", "{{ item.url | ref }}", "{{ item.address | ref }}", "no attribute 'address'"),
        ("name.mjml.j2", "{{ publication.name }}", "{{ publication.__class__ }}", "unsafe"),
        ("credit.mjml.j2", "{{ item.note }}", "{{ 1 // 0 }}", "by zero"),
        ("item.mjml.j2", "{{ words.key_points }}</h3>", "{{ words.key_points }}", "Opening and ending tag mismatch"),
        ("relevance.mjml.j2", "{{ words.buyer_relevance }}", "Buyer&nbsp;relevance", "Entity 'nbsp' not defined"),
        ("relevance.mjml.j2", "{{ words.buyer_relevance }}", "Buyer < relevance", "StartTag"),
        ("masthead.mjml.j2", '<mj-text align="center">', '<mj-txet /><mj-text align="center">', "mean <mj-text>"),
        ("footer.mjml.j2", "<mj-column>", "<mj-column><mj-social/>", "plain links"),
    ],
)  # fmt: skip
def test_a_broken_template_names_file_line_and_reason(
    desk: Settings, content: IssueContent, file: str, old: str, new: str, reason: str
) -> None:
    path, line = override(desk, file, old, new)
    message = refusal(content, desk)
    if "Opening" not in reason:  # an unclosed tag is found where its parent ends
        assert message.startswith(f"{path}:{line}: ")
    assert message.startswith(f"{path}:")
    assert reason in message


def test_an_unclosed_tag_names_both_its_ends(desk: Settings, content: IssueContent) -> None:
    path, line = override(desk, "item.mjml.j2", "{{ words.key_points }}</h3>", "{{ words.key_points }}")
    end = path.read_text("utf-8")[: path.read_text("utf-8").index("</ul>")].count("\n")
    message = refusal(content, desk)
    assert f"h3 of {path}:{line}" in message
    assert int(message.removeprefix(f"{path}:").partition(":")[0]) > end


def test_an_error_of_the_compiler_itself_names_the_template_and_the_rendered_line(
    desk: Settings, content: IssueContent
) -> None:
    path, line = override(desk, "item.mjml.j2", "{{ words.why_it_matters }}", "<![CDATA[Why it matters]]>")
    message = refusal(content, desk)
    assert message.startswith(f"{path}:{line}: unexpected token in root template in line ")
    assert "'<h3><![CDATA[Why it matters]]></h3>'" in message


def test_an_error_in_a_text_that_a_template_lets_through_names_the_line_that_let_it(
    desk: Settings, content: IssueContent
) -> None:
    path, line = override(desk, "item.mjml.j2", "{{ item.title }}", "{{ item.title | safe }}")
    broken = samples.one(replace(samples.FEES, title="Fees <and tolls"))
    assert refusal(broken, desk).startswith(f"{path}:{line}: ")


def test_markup_that_a_text_brings_is_text(desk: Settings, content: IssueContent) -> None:
    evil = "</mj-text><mj-raw><script>alert(1)</script></mj-raw> & < > \" ' {{ 7*7 }} \x00\x0b"
    words = dict.fromkeys(("subject", "intro", "preheader"), wording.literal(evil))
    made = press.render(samples.one(replace(samples.FEES, title=evil), **words), desk, samples.LINKS)
    assert "<script" not in made.html
    assert "{{ 7*7 }}" in made.html
    assert "&lt;script&gt;" in made.html


def test_a_missing_theme_says_which_there_are(desk: Settings, content: IssueContent) -> None:
    desk = samples.retell(desk, "postal_address", 'theme = "gazette"\npostal_address')
    message = refusal(content, desk)
    assert "no template gazette/issue.mjml.j2" in message
    assert message.endswith("briefing, digest, letter")


@pytest.mark.parametrize("name", ["..", "a/b", ""])
def test_a_theme_is_a_folders_name(desk: Settings, content: IssueContent, name: str) -> None:
    desk = samples.retell(desk, "postal_address", f'theme = "{name}"\npostal_address')
    assert "is no folder's name" in refusal(content, desk)


@pytest.mark.parametrize("rule", ["@import url(https://evil.example/a.css);", "@media print { p { margin: 0 } }"])
def test_an_at_rule_in_the_inlined_sheet_is_refused_with_its_line(
    desk: Settings, content: IssueContent, rule: str
) -> None:
    path, line = override(desk, "inline.css", "p { margin: 0 0 12px; }", f"{rule}\np {{ margin: 0 0 12px; }}")
    assert refusal(content, desk).startswith(f"{path}:{line}: {rule.split()[0]} ")


def test_comments_and_strings_may_speak_of_at_rules() -> None:
    css = '/* no @import here */ p { content: "@media" }'
    assert "<p>" not in inline.inline(
        "<!DOCTYPE html><html><body><p>x</p></body></html>", css, lambda offset: "a.css:1"
    )


def test_everything_that_the_schema_forbids_is_named_with_its_line(desk: Settings, content: IssueContent) -> None:
    path, line = override(desk, "masthead.mjml.j2", '<mj-text align="center">', '<mj-text colour="red" align="middle">')
    told = refusal(content, desk).split("\n")
    assert len(told) == 2
    assert all(each.startswith(f"{path}:{line}: ") for each in told)
    assert "colour" in told[0] + told[1]


def test_the_whole_mail_is_a_main_landmark_in_its_language(desk: Settings) -> None:
    made = press.render(samples.one(samples.FEES, subject='A > B & "C"'), desk, samples.LINKS)
    body: Any = lxml.html.document_fromstring(made.html).find("body")
    (main,) = body
    assert (main.get("role"), main.get("lang"), main.get("dir")) == ("main", "en", "ltr")
    assert main[0].get("aria-label") == 'A > B & "C"'


def test_a_publication_changes_one_file_of_a_theme(desk: Settings, content: IssueContent) -> None:
    override(desk, "sources.mjml.j2", "{{ words.sources }}", "Where this came from")
    made = press.render(content, desk, samples.LINKS)
    assert "Where this came from" in made.html
    assert "Sources of this issue" not in made.html


ODD = [
    "❤️",
    "👩‍🚀",
    "a\u00a0b",
    "हिन्दी",
    "\u200bx\u00ad",
    "é",
    "\\",
    "a\tb",
    "a\nb",
    "\ufeff",
    "\ue000",
    "😀>",
    "\u2028>",
    "\"<&>'",
    "--",
    "]]>",
]


@given(st.one_of(st.text(max_size=40), st.sampled_from(ODD)))
@hypothesis(max_examples=200, deadline=None)
def test_any_text_survives_the_compiler_in_attributes_and_in_texts(text: str) -> None:
    clean = slots.strip_controls(text)
    source = (
        f'<mjml><mj-body><mj-section><mj-column><mj-image src="i" alt="{templates.attribute(clean)}"/>'
        f"<mj-text><b>{escape(clean)}</b></mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    html = mjml.to_html(mjml.prepare(source), lambda offset: "here:1")
    tree: Any = lxml.html.fromstring(inline.inline(html, "p { margin: 0 }", lambda offset: "a.css:1"))
    assert next(tree.iter("img")).get("alt") == clean
    assert next(tree.iter("b")).text_content().split() == clean.split()
