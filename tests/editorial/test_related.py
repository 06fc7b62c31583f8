"""Related briefings: near by their words, pinned and left out by their editors, never padded."""

from dataclasses import replace

import pytest

from newsletter.demo import samples
from newsletter.editorial import format, related
from newsletter.editorial.document import Document
from tests.conftest import NOW

SAMPLES = {name[:-3]: format.parse(text, where=name) for name, text in samples.briefings(NOW)}


def tiny(id: str, words: str, **more: tuple[str, ...]) -> Document:
    return Document(id=id, title=words, introduction=words, **more)  # type: ignore[arg-type]


def names(found: list[related.Near]) -> list[str]:
    return [name for name, _, _ in found]


def test_the_nearest_share_a_subject_and_say_which_words() -> None:
    found = related.Corpus(SAMPLES.items()).nearest("grid-queue-for-data-centres")
    assert names(found)[0] == "waste-heat-and-liquid-cooling"
    assert all(score >= related.CUTOFF for _, score, _ in found)
    assert "data centres" in found[0][2]


def test_what_has_nothing_in_common_is_not_padded_out() -> None:
    assert related.Corpus(SAMPLES.items()).nearest("component-lists-in-tenders") == []


def test_nearness_goes_both_ways() -> None:
    corpus = related.Corpus((name, replace(text, related_pin=())) for name, text in SAMPLES.items())
    score = {
        (one, other): round(cosine, 12)
        for one in SAMPLES
        for other, cosine, _ in corpus.nearest(one, limit=99, cutoff=0.0)
    }
    assert all(score[one, other] == score[other, one] for one, other in score)
    assert len(score) == len(SAMPLES) * (len(SAMPLES) - 1)


def test_a_pin_stands_first_whatever_its_distance() -> None:
    pinned = replace(SAMPLES["grid-queue-for-data-centres"], related_pin=("cloud-exit-fees", "not-there"))
    found = related.Corpus({**SAMPLES, pinned.id: pinned}.items()).nearest(pinned.id)
    assert found[0][:2] == ("cloud-exit-fees", 1.0)
    assert "waste-heat-and-liquid-cooling" in names(found)


def test_what_is_excluded_by_the_editor_or_the_issue_does_not_come() -> None:
    excluding = replace(
        SAMPLES["grid-queue-for-data-centres"],
        related_exclude=("waste-heat-and-liquid-cooling",),
        related_pin=("waste-heat-and-liquid-cooling", "cloud-exit-fees"),
    )
    corpus = related.Corpus({**SAMPLES, excluding.id: excluding}.items())
    assert names(corpus.nearest(excluding.id, exclude=["rented-accelerators-resale", "cloud-exit-fees"])) == []


def test_the_limit_counts_pins_too() -> None:
    corpus = related.Corpus(SAMPLES.items())
    assert len(corpus.nearest("rented-accelerators-resale", limit=2, cutoff=0.0)) == 2
    assert corpus.nearest("rented-accelerators-resale", limit=0) == []


def test_a_topic_in_common_decides_between_equals() -> None:
    texts = [
        tiny("one", "copper cable harbour", topics=("networks",)),
        tiny("two", "copper cable kitchen"),
        tiny("two-and-a-half", "copper cable meadow", topics=("networks",)),
        tiny("three", "weather report sunshine"),
        tiny("four", "weather forecast rain"),
        tiny("five", "garden fence paint"),
    ]
    found = related.Corpus((text.id, text) for text in texts).nearest("one")
    assert names(found) == ["two-and-a-half", "two"]
    assert found[0][1] == pytest.approx(found[1][1])


def test_a_large_set_leaves_out_what_is_in_half_of_it_and_what_is_in_one_only() -> None:
    texts = [tiny(f"text-{number}", f"the common word and lonely{number}") for number in range(30)]
    texts += [tiny("first", "the common zebra"), tiny("second", "the common zebra stripes")]
    corpus = related.Corpus((text.id, text) for text in texts)
    ((name, cosine, shared),) = corpus.nearest("first")
    assert (name, shared) == ("second", ("common zebra", "zebra"))
    assert cosine == pytest.approx(1.0)
    assert corpus.nearest("text-1") == []


def test_it_agrees_with_the_arithmetic_done_by_hand() -> None:
    # idf = ln((1 + 4) / (1 + df)) + 1; a term said once in title and once below weighs (1 + ln 3) * idf.
    texts = [tiny("one", "alpha beta"), tiny("two", "alpha gamma"), tiny("three", "delta"), tiny("four", "epsilon")]
    corpus = related.Corpus((text.id, text) for text in texts)
    common, rare = 1.5108256, 1.9162907
    expected = common**2 / (common**2 + 2 * rare**2)
    ((name, cosine, shared),) = corpus.nearest("one")
    assert (name, shared) == ("two", ("alpha",))
    assert cosine == pytest.approx(expected, abs=1e-6)


def test_one_briefing_alone_has_no_relations() -> None:
    only = next(iter(SAMPLES.values()))
    assert related.Corpus([(only.id, replace(only, related_pin=()))]).nearest(only.id) == []
