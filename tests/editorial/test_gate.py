"""The standards gate: each rule fires on its fault, at its severity, and on nothing else."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from newsletter.editorial import gate
from newsletter.editorial.document import Assistance
from newsletter.editorial.gate import Severity, Stage
from tests.conftest import NOW
from tests.editorial.conftest import GOOD, document

FIRST, SECOND = GOOD.sources
DAY = timedelta(days=1)


def found(stage: Stage = Stage.CONTENT, **changes: Any) -> set[tuple[str, str, str]]:
    """Return rule, severity and place of each finding."""
    findings = gate.check(document(**changes), now=NOW, stage=stage)
    return {(finding.rule, finding.severity.value, finding.where) for finding in findings}


def sources(**changes: Any) -> dict[str, Any]:
    """Return the good text's sources with the first one changed."""
    return {"sources": (replace(FIRST, **changes), SECOND)}


def test_a_good_text_has_nothing_against_it() -> None:
    assert gate.check(GOOD, now=NOW) == []
    assert gate.check(GOOD, now=NOW, stage=Stage.ISSUE) == []


@pytest.mark.parametrize(
    ("changes", "rule", "severity", "where"),
    [
        ({"sources": ()}, "A1", "block", "sources"),
        (sources(name=""), "A1", "block", "sources 1"),
        (sources(url=""), "A1", "block", "sources 1"),
        (sources(url="javascript:alert(1)"), "A1", "block", "sources 1"),
        (sources(url="ftp://example.com/a"), "A1", "block", "sources 1"),
        (sources(url="https:///path"), "A1", "block", "sources 1"),
        (sources(url="https://[half"), "A1", "block", "sources 1"),
        (sources(url='https://example.com/"onclick='), "A1", "block", "sources 1"),
        (sources(retrieved=None), "A1", "block", "sources 1"),
        (sources(retrieved=NOW + DAY), "A6", "block", "sources 1"),
        (sources(published=NOW, retrieved=NOW - DAY), "A6", "block", "sources 1"),
        (sources(published=NOW - 31 * DAY), "A6", "warn", "sources 1"),
        (sources(published=None, retrieved=NOW - 31 * DAY), "A6", "warn", "sources 1"),
        ({"title": ""}, "T1", "block", "title"),
        ({"title": "—"}, "T1", "block", "title"),
        ({"introduction": ""}, "T1", "block", "introduction"),
        ({"buyer_relevance": ""}, "T1", "block", "Buyer relevance"),
        ({"what_happened": "\n- \n"}, "T1", "block", "What happened"),
        ({"key_points": GOOD.key_points[:2]}, "T2", "block", "Key points"),
        ({"key_points": (*GOOD.key_points, "Something else that is short")}, "T2", "block", "Key points"),
        ({"key_points": ("Much too short", *GOOD.key_points[1:])}, "T2", "warn", "Key points 1"),
        ({"key_points": ("word " * 21, *GOOD.key_points[1:])}, "T2", "warn", "Key points 1"),
        (
            {"key_points": ("A delivery date **without an answer** to that is a hope!", *GOOD.key_points[1:])},
            "T2",
            "warn",
            "Key points 1",
        ),
        ({"introduction": "word " * 24}, "T3", "warn", "introduction"),
        ({"introduction": "word " * 71}, "T3", "warn", "introduction"),
        ({"why_it_matters": "word " * 59}, "T3", "warn", "Why it matters"),
        ({"why_it_matters": "word " * 201}, "T3", "warn", "Why it matters"),
        (sources(url="https://bit.ly/3xYz"), "A3", "warn", "sources 1"),
        (sources(url="https://example.com/a?utm_source=feed&id=3"), "A3", "warn", "sources 1"),
        ({"audience": ("grid-planners",)}, "T5", "warn", "Buyer relevance"),
        ({"why_it_matters": GOOD.buyer_relevance}, "T5", "warn", "Buyer relevance"),
        ({"author": ""}, "L1", "block", "author"),
        ({"assistance": Assistance.AI_DRAFTED}, "L1", "block", "assistance"),
        ({"embargo": NOW + DAY}, "E1", "warn", "embargo"),
        ({"expires": NOW}, "E1", "block", "expires"),
    ],
)
def test_each_fault_is_found_in_its_place(changes: dict[str, Any], rule: str, severity: str, where: str) -> None:
    assert found(**changes) == {(rule, severity, where)}


def test_a_text_that_expires_under_embargo_blocks_in_any_time_zone() -> None:
    noon = NOW + DAY
    east = noon.astimezone(timezone(timedelta(hours=8)))
    assert ("E1", "block", "expires") in found(embargo=east, expires=noon)
    assert ("E1", "block", "expires") not in found(embargo=east, expires=noon + timedelta(minutes=1))
    assert ("E1", "block", "embargo") in found(Stage.ISSUE, embargo=NOW.astimezone(east.tzinfo) + timedelta(minutes=1))
    assert found(Stage.ISSUE, embargo=NOW.astimezone(east.tzinfo)) == set()


def test_the_whole_must_have_a_readable_length() -> None:
    sections: dict[str, Any] = dict.fromkeys(
        ("what_happened", "why_it_matters", "buyer_relevance", "what_to_watch_next"), "word " * 190
    )
    sections["buyer_relevance"] = "chip buyers " * 95
    assert found(**sections) == {("T3", "warn", "the whole")}


@pytest.mark.parametrize(
    "words",
    [
        "It costs TK euros.", "TKTK", "TODO: ask the maker", "about XXX units", "XXXX", "Lorem ipsum dolor",
        "Dear {{ name }}", "{% if a %}", "[the report]()", "[the report](#)", "[the report](<>)", "[](https://example.com/)",
    ],
)  # fmt: skip
def test_a_placeholder_blocks(words: str) -> None:
    for where, changes in {
        "title": {"title": words},
        "What to watch next": {"what_to_watch_next": f"{GOOD.what_to_watch_next}\n\n{words}"},
        "sources 1": sources(title=words),
    }.items():
        assert ("T4", "block", where) in found(**changes)


@pytest.mark.parametrize(
    "words",
    [
        "Todo el mundo habla de ello.", "The TKO came late.", "Model XX and the XXL rack.", "A set {1, 2} of a {b}.",
        "See [the report](https://example.com/a).", "An array a[0] (of two).", "Matk and ATK are names.",
        "5 % { of it }",
    ],
)  # fmt: skip
def test_ordinary_words_are_no_placeholder(words: str) -> None:
    assert found(what_to_watch_next=f"{GOOD.what_to_watch_next}\n\n{words}") == set()


@pytest.mark.parametrize(
    "words",
    [
        "[go](javascript:alert(1))", "[go](data:text/html,x)", "[go](/about)", "[go](www.example.com)",
        "[go][a]\n\n[a]: vbscript:x",
    ],
)  # fmt: skip
def test_a_link_that_no_mail_can_open_blocks(words: str) -> None:
    assert ("T6", "block", "What to watch next") in found(what_to_watch_next=f"{GOOD.what_to_watch_next}\n\n{words}")


@pytest.mark.parametrize(
    "words", ["[go](https://example.com/a)", "[go][a]\n\n[a]: https://example.com", "<mailto:a@b.example>"]
)
def test_a_link_to_the_web_or_a_mailbox_is_well(words: str) -> None:
    assert not found(what_to_watch_next=f"{GOOD.what_to_watch_next}\n\n{words}")


def test_a_text_under_embargo_may_be_approved_but_no_issue_may_take_it() -> None:
    assert found(embargo=NOW + DAY) == {("E1", "warn", "embargo")}
    assert found(Stage.ISSUE, embargo=NOW + DAY) == {("E1", "block", "embargo")}
    assert found(Stage.ISSUE, embargo=NOW) == set()
    assert found(Stage.ISSUE, expires=NOW) == {("E1", "block", "expires")}


def test_a_text_in_chinese_is_measured_by_its_characters() -> None:
    assert found(introduction="内存价格持续上涨，买家需要提前规划采购。" * 5) == set()
    assert found(introduction="内存价格持续上涨，买家需要提前规划采购。" * 2) == {("T3", "warn", "introduction")}


def test_a_finding_says_what_and_where_and_what_next() -> None:
    (finding,) = gate.check(document(key_points=()), now=NOW)
    assert str(finding) == "block T2 Key points: there are 0 of them; make it 3"


def test_blocking_are_the_findings_that_block() -> None:
    changed = document(embargo=NOW + DAY, author="")
    findings = gate.check(changed, now=NOW)
    assert [(finding.rule, finding.severity) for finding in gate.blocks(findings)] == [("L1", Severity.BLOCK)]
    assert [finding.rule for finding in gate.warns(findings)] == ["E1"]


def test_a_waiver_reaches_warnings_only_even_of_a_rule_that_also_blocks() -> None:
    short = document(key_points=("Much too short", "Another one that is long enough"))
    findings = gate.check(short, now=NOW, waived={"T2": "ines: They are fine."}, block=("T2",))
    assert {(each.severity, each.where, each.waived) for each in findings} == {
        (Severity.BLOCK, "Key points", ""), (Severity.INFO, "Key points 1", "ines: They are fine."),
    }  # fmt: skip
    graver = gate.check(short, now=NOW, block=("T2",))
    assert {(each.severity, each.where) for each in graver} == {
        (Severity.BLOCK, "Key points"), (Severity.BLOCK, "Key points 1"),
    }  # fmt: skip


def test_every_rule_says_why_it_is_there() -> None:
    of_the_text = {"A1", "A3", "A6", "T1", "T2", "T3", "T4", "T5", "T6", "L1", "E1"}
    of_its_sources = {"A4", "O0", "O1", "O2", "O3", "O4", "N1", "R1", "X1", "X2", "X3"}
    assert {rule.id for rule in gate.RULES} == of_the_text | of_its_sources
    assert all(rule.why and rule.check.__doc__ for rule in gate.RULES)
