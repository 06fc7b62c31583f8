"""The overlap: what a briefing shares with its sources, beside the place where it stands there."""

import random
import time
from collections.abc import Callable

import pytest

from newsletter.editorial import overlap, tokens
from newsletter.editorial.overlap import Overlap
from newsletter.editorial.sources import Held

SOURCE = (
    "The port authority said on Monday that it will replace all of its diesel tugs within four years, and that the "
    "first two electric boats have been ordered from a yard in the north. Neighbouring ports are watching closely."
)


def compare(*texts: str, source: str = SOURCE) -> Overlap:
    """Return what texts share with one source."""
    passages = [tokens.passage(f"part {number}", text) for number, text in enumerate(texts, start=1)]
    return overlap.compare(passages, [Held(1, "Wire", "https://wire.example.org/a", text=source)])


def test_a_copied_run_is_laid_beside_its_source() -> None:
    found = compare("We hear it will replace all of its diesel tugs within four years, which is soon.")
    (run,) = found.runs
    assert (run.where, run.source, run.words) == ("part 1", 1, 11)
    assert run.text == "it will replace all of its diesel tugs within four years"
    assert run.there == run.text
    assert run.before.endswith("said on Monday that")
    assert run.after.startswith(", and that the first two electric")
    assert found.longest == 11
    assert found.coverage == pytest.approx(11 / 16)


def test_own_words_share_nothing() -> None:
    found = compare("Four years from now no boat of the harbour will burn oil; two are being built up north.")
    assert (found.runs, found.alike, found.coverage) == ((), (), 0.0)


def test_five_words_in_a_row_are_how_a_language_is_spoken() -> None:
    assert compare("They said the first two electric boats then.").runs == ()
    assert len(compare("They said the first two electric boats have come.").runs) == 1


def test_case_punctuation_and_markdown_do_not_hide_a_copy() -> None:
    found = compare("**It will REPLACE** all of [its diesel](https://example.com) tugs — within four years!")
    assert found.longest == 11


@pytest.mark.parametrize("marks", ["“{}”", '"{}"', "«{}»", "> {}"])
def test_a_quotation_is_excused(marks: str) -> None:
    quoted = marks.format("it will replace all of its diesel tugs within four years")
    found = compare(f"The authority is plain:\n\n{quoted}")
    (run,) = found.runs
    assert (run.words, run.shared, found.longest, found.coverage) == (0, 11, 0, 0.0)


def test_only_the_first_fifty_words_of_a_quotation_are_excused() -> None:
    words = " ".join(f"word{number}" for number in range(80))
    (run,) = compare(f"“{words}”", source=words).runs
    assert (run.words, run.shared) == (30, 80)


def test_only_the_first_hundred_quoted_words_of_a_briefing_are_excused() -> None:
    texts = [" ".join(f"{part}{number}" for number in range(45)) for part in ("one", "two", "three")]
    found = compare(*(f"“{text}”" for text in texts), source=" ".join(texts))
    assert [run.words for run in found.runs] == [0, 0, 35]


def test_words_around_a_quotation_count_by_themselves() -> None:
    quoted = SOURCE.replace(
        "replace all of its diesel tugs within four years", "“replace all of its diesel tugs within four years”"
    )
    (run,) = compare(quoted).runs
    assert run.words == 21  # from "and that the first" to the end of the source


def test_chinese_is_compared_by_characters() -> None:
    source = "港务局周一表示，将在四年内更换所有柴油拖船，并已订购两艘电动船。"
    assert compare("据悉，将在四年内更换所有柴油拖船。", source=source).longest == 6  # thirteen characters
    assert compare("更换所有柴油拖船。", source=source).runs == ()


def test_a_sentence_with_a_word_changed_is_found() -> None:
    (near,) = compare(
        "The port authority said on Monday that it would replace most of its diesel tugs in four years, and that the "
        "first two electric boats have been bought from a yard in the north."
    ).alike
    assert near.source == 1
    assert 0.85 <= near.share < 1.0


def test_a_sentence_with_a_third_of_its_words_changed_is_ones_own() -> None:
    assert compare("Two hybrid boats have now been bought from some yard down south.").alike == ()


def test_the_same_words_strewn_over_a_longer_sentence_are_ones_own() -> None:
    source = "Sites that can cut demand by forty per cent within a quarter of an hour are to be connected years first."
    assert compare("Sites that can shed forty per cent are connected first", source=source).alike == ()


def test_a_sentence_in_other_order_is_ones_own() -> None:
    words = "Years four within tugs diesel its of all replace will it that Monday on said authority port the."
    assert compare(words).alike == ()


def test_it_says_with_how_much_it_compared() -> None:
    passages = [tokens.passage("the whole", "A text of our own.")]
    held = [Held(1, "Wire", "https://wire.example.org/a", text=SOURCE), Held(2, "Ministry", "https://example.org/b")]
    found = overlap.compare(passages, held)
    assert found.compared == 39
    assert (
        found.against
        == "checked against 39 words of 1 of 2 sources; only a teaser or nothing is held of Wire, Ministry"
    )
    whole = overlap.compare(passages, [Held(1, "Wire", "u", text="word " * 200)])
    assert whole.against == "checked against 200 words of 1 of 1 source"


def taken(act: Callable[[], object]) -> float:
    """Return the CPU seconds of this thread; the better of two, as what other tests left may be cleared away in one."""
    times = []
    for _ in range(2):
        begun = time.thread_time()
        act()
        times.append(time.thread_time() - begun)
    return min(times)


def test_a_briefing_is_held_against_twenty_thousand_words_in_a_moment() -> None:
    dice = random.Random(1)
    words = [f"w{number}" for number in range(3000)] + ["the", "of", "and", "to"] * 400
    texts = [" ".join(dice.choices(words, k=5000)) for _ in range(4)]
    own = " ".join(texts[0].split()[:120] + dice.choices(words, k=500))

    def held() -> Overlap:
        sources = [Held(number, "S", "u", text=text) for number, text in enumerate(texts, start=1)]
        return overlap.compare([tokens.passage("the whole", own)], sources)

    assert taken(held) < 0.5
    assert held().longest >= 120


def test_repeated_words_do_not_make_it_slow() -> None:
    assert taken(lambda: compare("again " * 700, source="again " * 20000)) < 1.0


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ("The NAND's price -- $3.50, e-mail_x", ["the", "nand's", "price", "3", "50", "e", "mail", "x"]),
        ("Zürich’s ＮＡＮＤ d'Or’s", ["zürich's", "nand", "d'or's"]),
        ("价格 rose's", ["价", "格", "rose's"]),
    ],
)
def test_words_are_compared_in_one_spelling_whatever_else_stands_beside_them(plain: str, words: list[str]) -> None:
    for beside in ("", " x", " é", " 国"):  # what decides how a text is read may decide nothing of its words
        read = tokens.words(plain + beside)
        assert read[: len(words)] == words
        assert [token.word for token in tokens.tokens(plain + beside)] == read
    assert tokens.weight(["nand", "价", "格"]) == 2.0
