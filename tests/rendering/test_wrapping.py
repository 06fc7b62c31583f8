"""Plain text in lines that a screen can show, whatever the script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering import wrapping


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("harbour", 7),
        ("港口", 4),
        ("ｆｕｌｌ", 8),
        ("e\u0301te\u0301", 3),
        ("हिन्दी", 5),
        ("ไทยนี้", 4),
        ("العربية", 7),
        ("🚢", 2),
        ("❤️", 2),
        ("👩‍🚀", 2),
        ("👍🏽", 2),
        ("🇳🇴", 2),
        ("a\u200bb\u00ad", 2),
    ],
)
def test_a_screen_shows_so_many_columns(text: str, columns: int) -> None:
    assert wrapping.columns(text) == columns


def test_text_without_spaces_is_broken_between_wide_characters() -> None:
    lines = wrapping.fold("港" * 100)
    assert [wrapping.columns(line) for line in lines] == [72, 72, 56]


def test_a_full_stop_begins_no_line_and_a_bracket_ends_none() -> None:
    for before in range(30, 40):
        lines = wrapping.fold("港" * before + "。「" + "船" * 60)
        assert "".join(lines) == "港" * before + "。「" + "船" * 60
        assert not any(line[0] in "。、」" or line[-1] in "「（" for line in lines)
        assert all(wrapping.columns(line) <= 72 for line in lines)


def test_an_emoji_of_several_characters_stays_in_one_piece() -> None:
    lines = wrapping.fold("👩‍🚀" * 60)
    assert [line.count("👩‍🚀") for line in lines] == [36, 24]


def test_a_word_that_is_too_long_has_a_line_of_its_own() -> None:
    assert wrapping.fold("go to " + "x" * 90 + " now", "- ", "  ") == ["- go to", "  " + "x" * 90, "  now"]


MARKS = st.one_of(st.characters(exclude_categories=["Cs", "Cc"]), st.sampled_from(" 港。👩‍🚀"))


@given(st.text(alphabet=MARKS, max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_character_is_lost_and_no_line_is_longer_than_its_longest_word(text: str) -> None:
    lines = wrapping.fold(text)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(wrapping.columns(line) <= wrapping.WIDTH or len(line.split()) == 1 for line in lines)
