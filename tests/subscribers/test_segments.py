"""Segments: who is in one, and why somebody is not."""

from datetime import datetime

import pytest
from sqlmodel import Session

from subscribers import conditions, segments, subscribers
from subscribers.errors import NotFound
from subscribers.segments import Part
from tests.support.keys import KEYRING


@pytest.fixture
def people(desk: Session, now: datetime) -> Session:
    """Return a desk with a German energy reader and a French one."""
    for name, country in (("ada", "DE"), ("zoe", "FR")):
        subscribers.add(
            desk, f"{name}@example.com", lists=["weekly"], topics=["energy"], country=country, keyring=KEYRING, now=now
        )
    segments.create(desk, "german-energy", "country = 'DE' and topics has 'energy'", now=now)
    return desk


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("country = 'DE'", ["country = 'DE'"]),
        ("country = 'DE' and topics has 'energy'", ["country = 'DE'", "topics has 'energy'"]),
        ("name = ' and ' and not (country = 'DE' and language = 'en')",
         ["name = ' and '", "not (country = 'DE' and language = 'en')"]),
        ("(country = 'DE' or country = 'AT') and lists has 'weekly'",
         ["(country = 'DE' or country = 'AT')", "lists has 'weekly'"]),
        ("country = 'DE' or country = 'AT' and lists has 'weekly'",
         ["country = 'DE' or country = 'AT' and lists has 'weekly'"]),
    ],
)  # fmt: skip
def test_the_parts_of_a_condition_are_what_must_all_hold(condition: str, parts: list[str]) -> None:
    assert conditions.parts(condition) == parts


def test_explain_says_which_part_keeps_somebody_out(people: Session, now: datetime) -> None:
    assert segments.explain(people, "german-energy", "ZOE@example.com", now=now) == [
        Part(condition="country = 'DE'", holds=False),
        Part(condition="topics has 'energy'", holds=True),
    ]
    assert all(part.holds for part in segments.explain(people, "german-energy", "ada@example.com", now=now))
    with pytest.raises(NotFound):
        segments.explain(people, "german-energy", "nobody@example.com", now=now)


def test_a_sample_shows_the_first_who_match(people: Session, now: datetime) -> None:
    assert segments.sample(people, "german-energy", now=now) == ["ada@example.com"]
    segments.create(people, "all", "topics has 'energy'", now=now)
    assert segments.sample(people, "all", limit=1, now=now) == ["ada@example.com"]
    assert segments.count(people, "all", now) == 2
