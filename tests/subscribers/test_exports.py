"""What is exported imports to the same again, and no spreadsheet runs any of it."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from subscribers import attributes, exports, formulas, segments
from subscribers.errors import NotFound
from subscribers.models import AttributeType
from subscribers.sources import Format
from tests.subscribers.importing import Desk, counts

TYPED = {
    "seats": AttributeType.INT, "ratio": AttributeType.FLOAT, "vip": AttributeType.BOOL, "since": AttributeType.DATE,
}  # fmt: skip
HOSTILE = (
    "=cmd|' /C calc'!A0", "'=1+1", "''@SUM(1)", "+49 30 1234", "-Ada", "@ada", "'", '"', '"; DROP TABLE subscriber; --',
    "a,b;c\td|e".replace("\t", " "), "<script>alert(1)</script>", "{{ 7*7 }}", "\\N", "\\", "NULL", "%s", "?", ":name",
    "عائشة بنت محمد", "שָׁלוֹם", "王小明", "Ελένη", "Дмитрий", "ᚠᛇᚻ", "👩‍👩‍👧", "é" * 200, "ﬁ", "İstanbul", "a\u00a0b",
)  # fmt: skip


def export(here: Desk, format: Format = Format.CSV, **which: str) -> str:
    """Return the export as one text."""
    with here.open() as session:
        chosen = exports.choose(session, now=here.now, **which)
        return "".join(exports.lines(session, chosen, format=format))


def emptied(here: Desk) -> None:
    """Take everybody out of the desk."""
    with here.open() as session:
        for table in ("suppression", "subscriber", "topic"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")


def declare_typed(here: Desk) -> None:
    """Declare an attribute of each type."""
    with here.open() as session:
        for name, kind in TYPED.items():
            attributes.add(session, name, type=kind, now=here.now)


def again(here: Desk, text: str, format: Format = Format.CSV) -> None:
    """Hold an export to coming out the same after it went into an empty desk."""
    emptied(here)
    result = here.load(text, format=format, lists=[], name=f"people.{format}")
    assert (result.rejected, result.first_rejects) == (0, ())
    assert export(here, format) == text


def test_everything_known_comes_out_and_goes_in_again(here: Desk) -> None:
    declare_typed(here)
    rows = (
        'ada@example.com,Ada,en,DE,chip-buyers,weekly,"energy;cloud",weekly;alerts=unsubscribed,,2020-01-31,pro,-5,'
        "0.25,yes,2024-02-29\n"
        'Bob@EXÄMPLE.de,,,,,,"[""a;b"", ""c""]",weekly=pending,hard_bounce;alerts=complaint,,,,0.0000001,no,\n'
    )
    head = "email,name,language,country,audience,frequency,topics,lists,suppressed,joined,plan,seats,ratio,vip,since\n"
    assert counts(here.load(head + rows, lists=[])) == (2, 0, 0, 0, 0, 0)
    text = export(here)
    assert text.splitlines() == [
        "email,name,language,country,audience,frequency,topics,lists,suppressed,joined,plan,ratio,seats,since,vip",
        "ada@example.com,Ada,en,DE,chip-buyers,weekly,cloud;energy,alerts=unsubscribed;weekly=confirmed,,"
        "2020-01-31T00:00:00+00:00,pro,0.25,'-5,2024-02-29,true",
        'Bob@EXÄMPLE.de,,,,,every issue,"[""a;b"", ""c""]",weekly=pending,alerts=complaint;hard_bounce,'
        "2026-11-02T09:00:00+00:00,,0.0000001,,,false",
    ]
    lines = export(here, Format.JSONL)
    first = json.loads(lines.splitlines()[0])
    assert (first["lists"], first["topics"]) == ({"alerts": "unsubscribed", "weekly": "confirmed"}, ["cloud", "energy"])
    assert first["attributes"] == {"plan": "pro", "seats": -5, "ratio": 0.25, "vip": True, "since": "2024-02-29"}
    again(here, text)
    again(here, lines, Format.JSONL)


@pytest.mark.parametrize("format", list(Format))
def test_hostile_names_in_every_script_come_back_as_they_were(here: Desk, format: Format) -> None:
    people = [
        {"email": f"r{place}@example.com", "name": name, "audience": name[:80], "topics": [name[:80]], "lists": {}}
        for place, name in enumerate(HOSTILE)
    ]
    here.load("".join(json.dumps(each) + "\n" for each in people), lists=[], name="people.jsonl")
    assert {each.email: each.name for each in here.everybody()} == {each["email"]: each["name"] for each in people}
    text = export(here, format)
    if format is Format.CSV:
        for row in csv.reader(io.StringIO(text)):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    again(here, text, format)


_line = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30).map(
    lambda text: text.strip(" \t")
)
_person = st.fixed_dictionaries(
    {
        "name": _line | st.sampled_from(HOSTILE),
        "audience": _line,
        "plan": _line,
        "topics": st.lists(_line, max_size=3),
        "lists": st.dictionaries(
            st.sampled_from(["weekly", "alerts"]), st.sampled_from(["confirmed", "pending", "unsubscribed"])
        ),
        "seats": st.none() | st.integers(-(10**14), 10**14),
        "ratio": st.none() | st.floats(-1e6, 1e6).map(lambda n: round(n, 9)),
    }
)


@settings(
    max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@example(people=[{"name": "A", "topics": ["\N{EM SPACE}x, y"], "lists": {}, **dict.fromkeys(("audience", "plan"), "")}])
@given(people=st.lists(_person, min_size=1, max_size=6))
def test_any_people_come_back_as_they_were(here: Desk, people: list[dict[str, Any]]) -> None:
    with here.open() as session:
        for name in ("seats", "ratio"):
            if name not in attributes.types(session):
                attributes.add(session, name, type=TYPED[name], now=here.now)
    emptied(here)
    rows = [{"email": f"'=r{place}@example.com", **person} for place, person in enumerate(people)]
    result = here.load("".join(json.dumps(row) + "\n" for row in rows), lists=[], name="people.jsonl")
    assert result.first_rejects == ()
    assert {each.name for each in here.everybody()} == {person["name"] for person in people}
    for format in Format:
        again(here, export(here, format), format)


@given(st.text() | st.sampled_from(HOSTILE))
def test_a_guard_that_is_taken_off_leaves_what_was(text: str) -> None:
    assert formulas.bare(formulas.guarded(text)) == text
    assert not formulas.guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_an_export_is_of_one_list_or_segment_and_of_more_than_a_page(
    here: Desk, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    monkeypatch.setattr(exports, "PAGE", 3)
    here.load(
        "email,country\n"
        + "".join(f"r{number:02d}@example.com,{'DE' if number % 2 else 'FR'}\n" for number in range(10))
    )
    here.load("email\nonly@example.com\n", lists=["alerts"])
    with here.open() as session:
        segments.create(session, "german", "country = 'DE'", now=now)
    assert len(export(here).splitlines()) == 12
    assert len(export(here, list="weekly").splitlines()) == 11
    assert [line[:15] for line in export(here, list="weekly", segment="german").splitlines()[1:]] == [
        f"r{number:02d}@example.com" for number in (1, 3, 5, 7, 9)
    ]
    with pytest.raises(NotFound, match="no list 'weakly'"):
        export(here, list="weakly")


def test_an_export_asks_page_by_page(here: Desk, tmp_path: Path) -> None:
    here.load("email\n" + "".join(f"r{number}@example.com\n" for number in range(30)))
    with here.open() as session:
        chosen = exports.choose(session, now=here.now)
        pieces = exports.lines(session, chosen)
        assert next(pieces).startswith("email,name")
        assert next(pieces).count("\n") == 30
    assert chosen.subscribers == 30
