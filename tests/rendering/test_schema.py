"""What MJML allows, by the reference implementation's own table."""

import pytest
from lxml import etree

from newsletter.rendering import schema


def found(body: str, head: str = "") -> list[tuple[int, str]]:
    """Return what is wrong in a document with that body, from the line after the opening one."""
    text = f'<mjml lang="en" dir="ltr"><mj-head>{head}</mj-head>\n{body}</mjml>'
    return list(schema.problems(etree.fromstring(text)))


def test_a_sound_document_has_no_problems() -> None:
    head = (
        '<mj-attributes><mj-all font-family="Georgia" /><mj-class name="x" color="#123" /><mj-text color="red" />'
        "</mj-attributes><mj-title>T</mj-title><mj-raw><meta name='x' /></mj-raw>"
    )
    body = (
        '<mj-body width="640px"><mj-section css-class="x" padding="0 10px" text-align="left"><mj-column width="50%">'
        '<mj-text mj-class="x" letter-spacing="-0.4px" line-height="1.5"><mj-foo>theirs</mj-foo></mj-text>'
        '<mj-image src="a.png" alt="" width="10px" /></mj-column></mj-section></mj-body>'
    )
    assert found(body, head) == []


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ('<mj-body>\n<mj-section paddin="3px" /></mj-body>', 3, "no attribute paddin; did you mean padding?"),
        ('<mj-body>\n\n<mj-section zzz="3px" /></mj-body>', 4, "no attribute zzz; take it out"),
        ("<mj-body><mj-text>x</mj-text></mj-body>", 2, "<mj-text> cannot stand in <mj-body>; move it into <mj-column>"),
        ('<mj-body width="wide" />', 2, 'width="wide" of <mj-body> is no length in px; correct the value'),
        ('<mj-body width="50%" />', 2, "is no length in px"),
        ('<mj-body background-color="12px" />', 2, "is no colour"),
        ('<mj-body><mj-section direction="up" /></mj-body>', 2, "is no one of ltr, rtl"),
        ('<mj-body><mj-section padding="1px 2px 3px 4px 5px" /></mj-body>', 2, "is no length"),
        ('<mj-body><mj-section padding="-1px" /></mj-body>', 2, "is no length"),
    ],
)
def test_each_fault_is_named_with_its_line(body: str, line: int, said: str) -> None:
    ((where, problem),) = found(body)
    assert where == line
    assert said in problem


def test_every_fault_is_told_and_not_only_the_first() -> None:
    assert len(found('<mj-body a="1"><mj-section b="2"><mj-text /></mj-section></mj-body>')) == 3


def test_the_shipped_schema_knows_every_component() -> None:
    known = schema.components()
    assert len(known) == 31
    assert known["mj-column"]["children"].count("mj-text") == 1
