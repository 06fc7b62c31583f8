"""The reader's own values in a rendering."""

import pytest

from newsletter.errors import Refused
from newsletter.rendering import slots
from newsletter.rendering.slots import Piece, Slot
from tests.rendering import samples

EVIL = {**samples.VALUES, Slot.LIST_TITLE: '<b>"A" & b\r\nBcc: x@y.example\x00</b>[[email]]'}


def test_values_cannot_bring_markup_into_the_html() -> None:
    filled = slots.fill_html('<p title="[[list_title]]">[[email]]</p>', EVIL)
    assert filled == (
        '<p title="&lt;b&gt;&quot;A&quot; &amp; b Bcc: x@y.example&lt;/b&gt;[[email]]">ada@reader.example</p>'
    )


def test_values_stay_on_one_line_of_the_text_and_lose_their_control_characters() -> None:
    assert slots.fill_text("for [[list_title]].", EVIL) == 'for <b>"A" & b Bcc: x@y.example</b>[[email]].'


def test_only_slots_expressions_and_conditions_are_marks() -> None:
    assert slots.pieces("a[[email]]b[[name]]c[email]") == [
        Piece("a", False, ()), Piece("email", True, ()), Piece("b[[name]]c[email]", False, ()),
    ]  # fmt: skip
    assert slots.pieces("<!--[[if:0]]-->x[[own:3]]<!--[[if:1]]--><!--[[fi:1]]--><!--[[fi:0]]-->[[if:2]]y[[fi:2]]") == [
        Piece("x", False, (0,)), Piece("own:3", True, (0,)), Piece("y", False, (2,)),
    ]  # fmt: skip


@pytest.mark.parametrize("mark", ["[[email]]", "[[own:0]]", "[[url:12]]", "[[if:3]]", "[[fi:3]]"])
def test_whatever_reads_as_a_mark_is_refused_in_a_text(mark: str) -> None:
    with pytest.raises(Refused):
        slots.refuse_markers(f"see {mark}", "briefing x, title")


def test_a_marker_in_a_text_is_refused_with_its_place() -> None:
    slots.refuse_markers("a [[wiki link]] is none", "briefing x, title")
    with pytest.raises(Refused, match=r"briefing x, title holds \[\[email\]\]"):
        slots.refuse_markers("write to [[email]]", "briefing x, title")
