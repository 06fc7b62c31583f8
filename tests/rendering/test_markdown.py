"""The desk's Markdown in its two forms."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering import markdown
from newsletter.rendering.slots import strip_controls


def test_only_the_allowed_tags_come_through() -> None:
    html = markdown.html("# H\n\n**b** *e* `c` <script>x</script> ![alt](https://a.example/i.png)\n\n> q\n\n1. one")
    assert html == (
        "H\n<p><strong>b</strong> <em>e</em> <code>c</code> &lt;script&gt;x&lt;/script&gt; </p>\n"
        "<blockquote>\n<p>q</p>\n</blockquote>\n<ol>\n<li>one</li>\n</ol>"
    )


def test_a_dangerous_link_loses_its_address() -> None:
    assert markdown.inline("[x](javascript:alert(1)) [y](data:text/html,z)") == "<a>x</a> <a>y</a>"


def test_links_become_words_and_address_in_text() -> None:
    text = "See [the register](https://grid.example/a), <https://grid.example/b> or [us](mailto:desk@grid.example)."
    assert markdown.text(text) == (
        "See the register (https://grid.example/a), https://grid.example/b or us\n(desk@grid.example)."
    )


def test_text_is_wrapped_at_72_and_a_long_address_stays_whole() -> None:
    url = "https://grid.example/" + "long-path-" * 12
    lines = markdown.text(f"{'word ' * 30}[here]({url}) {'word ' * 30}").split("\n")
    assert f"({url})" in lines
    assert all(len(line) <= 72 for line in lines if url not in line)


def test_lists_quotes_and_code_keep_their_shape_in_text() -> None:
    text = markdown.text("- one\n- two\n  1. deep\n\n> said **so**\n\n    code  here\n\nend  \nline")
    assert text == "- one\n- two\n  1. deep\n\n> said so\n\n    code  here\n\nend\nline"


def test_a_key_point_hangs_under_its_mark() -> None:
    lines = markdown.text("word " * 30, "- ", "  ").split("\n")
    assert lines[0].startswith("- word")
    assert all(line.startswith("  word") for line in lines[1:])
    assert max(map(len, lines)) <= 72


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("[]()<>*_`#&\\!-> \n")), max_size=80))
@settings(max_examples=400, deadline=None)
def test_any_text_becomes_well_formed_markup(text: str) -> None:
    ET.fromstring(f"<x>{strip_controls(markdown.html(text))}</x>")
    ET.fromstring(f"<x>{strip_controls(markdown.inline(text))}</x>")


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_nothing_stays_nothing(text: str) -> None:
    assert markdown.html(text) == markdown.text(text) == ""


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One **bold** thing. Then another.", "One bold thing."),
        ("At 3.5 percent, e.g. in ports, it holds. And so on.", "At 3.5 percent, e.g. in ports, it holds."),
        ("Is it? Yes.", "Is it?"),
        ("He said “no.” Then he left.", "He said “no.”"),
        ("港口已满。船在等。", "港口已满。"),
        ("यह पहला है। यह दूसरा।", "यह पहला है।"),
        ("No end\n\nSecond paragraph.", "No end"),
        ("See [the register](https://grid.example/a) now. More.", "See the register now."),
        ("", ""),
    ],
)
def test_the_first_sentence_stands_for_a_text(text: str, first: str) -> None:
    assert markdown.sentence(text) == first


def test_a_long_first_sentence_is_cut_after_a_word() -> None:
    said = markdown.sentence("word " * 100)
    assert len(said) <= 201
    assert said.endswith("word…")


def test_every_address_of_a_text_is_found() -> None:
    text = "[a](https://a.example/1) <https://b.example> ![i](https://c.example/i.png) <mailto:d@e.example>"
    assert markdown.addresses(text) == {"https://a.example/1", "https://b.example", "d@e.example"}


def test_points_become_sentences_in_their_script() -> None:
    points = (
        "Four orders",
        "Is it **24 months**?",
        "The *base* fee stays",
        "（港口已满）",
        "港口",
        "यह",
        "العربية",
        "",
    )
    assert markdown.sentences(points) == (
        "Four orders. Is it **24 months**? The *base* fee stays. （港口已满）。 港口。 यह। العربية. "
    )
