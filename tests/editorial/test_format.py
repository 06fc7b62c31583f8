"""The format briefing/1: what reads, what is refused and where, and what the hash stands for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.editorial import format
from newsletter.editorial.document import Assistance, Citation, Document, Label, Role
from newsletter.errors import BadInput
from tests.editorial.conftest import GOOD

FRONT = """\
---
format: briefing/1
id: harbour-cranes
label: analysis
assistance: none
author: mara
---
"""
BODY = """\

# Cranes without drivers

The port of Ellen runs its cranes from an office.

## Key points

- One driver for four cranes
- Night shifts
  without night work

## What happened

The first berth went over in spring.

The second follows.

## Why it matters

Ports are short of people.

## Buyer relevance

Buyers of cranes should ask.

## What to watch next

Berth three.
"""


def parse(text: str) -> Document:
    return format.parse(text, where="cranes.md")


def with_front(*lines: str) -> str:
    """Return a file with more lines in its front matter; the first of them is line 7."""
    return FRONT.removesuffix("---\n") + "".join(f"{line}\n" for line in lines) + "---\n" + BODY


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        parse(text)
    return str(caught.value)


def test_a_file_reads_into_a_document() -> None:
    document = parse(FRONT + BODY)
    assert document == Document(
        id="harbour-cranes",
        title="Cranes without drivers",
        introduction="The port of Ellen runs its cranes from an office.",
        key_points=("One driver for four cranes", "Night shifts without night work"),
        what_happened="The first berth went over in spring.\n\nThe second follows.",
        why_it_matters="Ports are short of people.",
        buyer_relevance="Buyers of cranes should ask.",
        what_to_watch_next="Berth three.",
        label=Label.ANALYSIS,
        assistance=Assistance.NONE,
        author="mara",
    )


def test_every_scalar_is_the_text_that_was_written() -> None:
    document = parse(
        with_front("desk: NO", "topics: [0012, no, 2026-01-01]", "sources:", "  - name: 12:30", "    title: 1.10")
    )
    assert document.desk == "NO"
    assert document.topics == ("0012", "no", "2026-01-01")
    assert (document.sources[0].name, document.sources[0].title) == ("12:30", "1.10")


def test_times_keep_their_offset_and_a_day_is_its_first_moment() -> None:
    document = parse(with_front("embargo: 2026-05-05T08:00:00+08:00", "expires: 2026-06-05"))
    assert document.embargo == datetime(2026, 5, 5, 8, tzinfo=timezone(timedelta(hours=8)))
    assert document.embargo is not None
    assert document.embargo.utcoffset() == timedelta(hours=8)
    assert document.expires == datetime(2026, 6, 5, tzinfo=UTC)


@pytest.mark.parametrize("part", ["title", "Key points", "What happened", "Buyer relevance"])
def test_a_part_may_be_absent_because_the_gate_asks_for_it(part: str) -> None:
    before, heading, rest = BODY.partition("# Cranes without drivers\n" if part == "title" else f"## {part}\n")
    assert heading
    end = rest.find("## ") if part != "title" else 0
    document = parse(FRONT + before + rest[end:])
    assert "" in (document.title, document.what_happened, document.buyer_relevance) or document.key_points == ()


@pytest.mark.parametrize(
    ("lines", "line", "reason"),
    [
        (["desk: &a China"], 7, "alias or an anchor"),
        (["desk: *a"], 7, "alias or an anchor"),
        (["desk: !!str China"], 7, "tag"),
        (["desk: !new China"], 7, "tag"),
        (["desk: one", "desk: two"], 8, "desk stands twice"),
        (["tpoics: [a]"], 7, "did you mean topics?"),
        (["state: approved"], 7, "no key 'state'"),
        (["<<: {desk: a}"], 7, "no key '<<'"),
        (["? [a]", ": b"], 7, "no key"),
        (["desk: [China]"], 7, "desk must be one text"),
        (["topics: energy"], 7, "topics must be a list"),
        (["topics: [energy, energy]"], 7, "holds 'energy' twice"),
        (["topics: [Energy]"], 7, "'Energy'"),
        (["topics:", "  - energy", "  - [grid]"], 9, "must be one text"),
        (["language: english language"], 7, "language is"),
        (["embargo: 2026-05-05T08:00:00"], 7, "without an offset"),
        (["embargo: 2026-05-05"], 7, "no time with an offset"),
        (["expires: 2026-02-30"], 7, "no date"),
        (["expires: tomorrow"], 7, "no date"),
        (["expires: 20260505"], 7, "no date"),
        (["related_pin: [x]"], 7, "related_pin is 'x'"),
        (["sources: SCMP"], 7, "sources must be a list"),
        (["sources:", "  - url: https://example.com/a"], 8, "sources lacks name"),
        (["sources:", "  - name: A", "    role: rumour"], 9, "use one of discovery, primary, secondary, data"),
        (["sources:", "  - name: A", "    published: soon"], 9, "published is 'soon'"),
        (["sources:", "  - name: A", "    name: B"], 9, "name stands twice"),
        (["sources:", "  - A"], 8, "must be made of lines like"),
        (["desk: a", "  desk: b"], 8, "does not read as YAML"),
        (["desk: ok: not"], 7, "does not read as YAML"),
        (["desk: [[[[[a]]]]]"], 7, "nested too deeply"),
        (["desk: [" * 5000], 7, ""),
        (["...", "desk: b"], 7, "second document"),
        (['desk: "a\\0b"'], 7, "without control characters"),
        (['desk: "a\\nb"'], 7, "one line"),
        (['desk: "\\ud800"'], 7, "without control characters"),
        (['desk: "\\UFFFFFFFF"'], 2, "escape"),
        (["desk: |", "  two", "  lines"], 7, "one line"),
        ([f"desk: {'a' * 201}"], 7, "201 characters"),
    ],
)
def test_front_matter_is_refused_with_its_line(lines: list[str], line: int, reason: str) -> None:
    message = refusal(with_front(*lines))
    assert message.startswith(f"cranes.md:{line}: ")
    assert reason in message
    assert "; " in message


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("format: briefing/1\n", "", 2, "lacks format"),
        ("format: briefing/1", "format: briefing/2", 2, "reads briefing/1"),
        ("id: harbour-cranes", "id: Harbour Cranes", 3, "'Harbour Cranes'"),
        ("id: harbour-cranes", "id: ../cranes", 3, "'../cranes'"),
        ("id: harbour-cranes", "id: ab", 3, "3 to 80"),
        ("id: harbour-cranes\n", "", 2, "lacks id"),
        ("label: analysis", "label: gossip", 4, "use one of briefing, analysis, explainer, sponsored"),
        ("label: analysis\n", "", 2, "lacks label"),
        ("assistance: none", "assistance: some", 5, "ai_drafted"),
        ("assistance: none\n", "", 2, "lacks assistance"),
        ("author: mara", "author: Mara W", 6, "'Mara W'"),
        ("author: mara\n---\n", "author: mara\n", 1, "not closed"),
        ("---\nformat", "format", 1, "does not begin with front matter"),
        (FRONT, "---\n---\n", 2, "empty"),
        ("# Cranes without", "# Another\n\n# Cranes without", 11, "second title"),
        ("## Key points", "# Key points", 13, "second title"),
        ("# Cranes without", "A word.\n\n# Cranes without", 11, "below other text"),
        ("## What happened", "## What happend", 19, "did you mean '## What happened'?"),
        ("## What happened", "## Background", 19, "the sections are Key points"),
        ("## What happened", "### What happened", 19, "no section"),
        ("## What happened", "##What happened", 19, "no key point"),
        ("## Buyer relevance", "## Why it matters", 29, "stands twice"),
        ("- One driver", "* One driver", 15, "begin each with '- '"),
        ("- One driver for four cranes", "-", 15, "no key point"),
        ("The second follows.", "The second\n---", 24, "makes it a heading"),
        ("Berth three.", "Berth\u0000 three.", 35, "U+0000"),
        ("Berth three.", "Berth\u2028three.", 35, "U+2028"),
        ("Berth three.", "Berth\rthree.", 35, "U+000D"),
        ("Berth three.", "Berth\ufeffthree.", 35, "U+FEFF"),
    ],
)
def test_a_file_is_refused_with_its_line(old: str, new: str, line: int, reason: str) -> None:
    text = FRONT + BODY
    assert old in text
    message = refusal(text.replace(old, new, 1))
    assert message.startswith(f"cranes.md:{line}: ")
    assert reason in message


def test_sections_out_of_order_are_refused() -> None:
    first, second = "## Why it matters\n\nPorts are short of people.\n\n", "## Buyer relevance\n\nBuyers of cranes"
    swapped = (
        BODY.replace(first, "").replace(second, second + " x").replace(" should ask.\n", " should ask.\n\n" + first)
    )
    assert "the section 'Why it matters' stands below 'Buyer relevance'; move it up" in refusal(FRONT + swapped)


def test_a_file_that_is_too_large_or_not_utf_8_is_refused() -> None:
    assert "shorten it" in refusal(FRONT + BODY + "a" * format.LARGEST)
    with pytest.raises(BadInput, match=r"^cranes.md:1: the file has 200001 bytes"):
        format.decode(b"a" * (format.LARGEST + 1), where="cranes.md")
    with pytest.raises(BadInput, match=r"^cranes.md:2: the file is not UTF-8"):
        format.decode(b"a\nb\xff", where="cranes.md")


def test_the_samples_are_written_as_dump_writes_them() -> None:
    assert parse(format.dump(GOOD)) == GOOD


# A shared machine may take its time over one example.
_few = settings(max_examples=60, deadline=None)

# Words of one line, as front matter and titles have them, rich in the characters that YAML, Markdown or JSON mind.
_letters = st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from(" :#'\"\\&*!%@`-{}[],?|>")
_line = st.text(_letters, max_size=60).map(lambda words: " ".join(words.split()))
_paragraph = _line.filter(lambda words: bool(words) and words[0] not in "#=-> \t" and not words.startswith("    "))
_section = st.lists(_paragraph, max_size=3).map("\n\n".join)
_word = st.from_regex(r"[a-z0-9][a-z0-9-]{1,20}[a-z0-9]", fullmatch=True)
_words = st.lists(_word, max_size=3, unique=True).map(tuple)
_moment = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
_source = st.builds(
    Citation, name=_line, url=_line, title=_line, published=st.none() | _moment, retrieved=st.none() | _moment,
    role=st.sampled_from(Role),
)  # fmt: skip
documents = st.builds(
    Document, id=_word, title=_line, introduction=_section, key_points=st.lists(_paragraph, max_size=3).map(tuple),
    what_happened=_section, why_it_matters=_section, buyer_relevance=_section, what_to_watch_next=_section,
    desk=_line, label=st.sampled_from(Label), topics=_words, audience=_words, author=_word,
    assistance=st.sampled_from(Assistance), assistance_note=_line, embargo=st.none() | _moment,
    expires=st.none() | _moment, sources=st.lists(_source, max_size=2).map(tuple), related_pin=_words,
    related_exclude=_words,
)  # fmt: skip


@_few
@given(documents)
def test_what_is_dumped_parses_to_an_equal_document(document: Document) -> None:
    back = parse(format.dump(document))
    assert parse(format.dump(back)) == back
    assert (back.id, back.topics, back.embargo, len(back.sources)) == (
        document.id, document.topics, document.embargo, len(document.sources),
    )  # fmt: skip
    assert format.canonical(back) == format.canonical(document)


@_few
@given(documents, st.data())
def test_the_hash_stands_through_line_ends_a_bom_and_blanks_at_the_end(document: Document, data: Any) -> None:
    text = format.dump(document)
    end = st.sampled_from(["\n", "\r\n", " \n", "\t \r\n"])
    spelled = "".join(line + data.draw(end) for line in text.split("\n"))
    assert format.sha256(parse("\ufeff" + spelled + "\n\n")) == format.sha256(document)


@_few
@given(st.integers(0, len(format.dump(GOOD)) - 1), st.sampled_from("xé7"))
def test_any_other_edit_changes_the_hash_or_the_file_does_not_read(place: int, mark: str) -> None:
    text = format.dump(GOOD)
    try:
        edited = parse(text[:place] + mark + text[place:])
    except BadInput:
        return
    assert edited != GOOD
    assert format.sha256(edited) != format.sha256(GOOD)


def test_a_doubled_space_an_offset_and_each_field_change_the_hash() -> None:
    source = GOOD.sources[0]
    assert source.retrieved is not None
    elsewhere = replace(source, retrieved=source.retrieved.astimezone(timezone(timedelta(hours=8))))
    changes: list[dict[str, Any]] = [
        {"introduction": GOOD.introduction.replace(" ", "  ", 1)},
        {"key_points": GOOD.key_points[::-1]},
        {"sources": GOOD.sources[::-1]},
        {"sources": (elsewhere, *GOOD.sources[1:])},
        {"label": Label.SPONSORED},
        {"embargo": datetime(2026, 1, 1, tzinfo=UTC)},
        {"topics": GOOD.topics[:1]},
        {"related_pin": ("another-one",)},
    ]
    hashes = {format.sha256(replace(GOOD, **change)) for change in changes}
    assert len(hashes | {format.sha256(GOOD)}) == len(changes) + 1


def test_composed_and_decomposed_letters_are_one_text() -> None:
    composed, decomposed = FRONT + BODY.replace("office", "caf\u00e9"), FRONT + BODY.replace("office", "cafe\u0301")
    assert parse(composed) == parse(decomposed)
    assert format.sha256(parse(composed)) == format.sha256(parse(decomposed))
