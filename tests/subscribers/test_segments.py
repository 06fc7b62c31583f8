"""Segments: who is in one, and why somebody is not."""

from datetime import datetime

import pytest
from sqlalchemy import update
from sqlmodel import Session

from subscribers import attributes, explaining, lists, segments, subscribers, topics, upsert
from subscribers.errors import BadCondition, NotFound, Refused
from subscribers.explaining import Part
from subscribers.models import Attribute, AttributeType, Subscriber
from tests.support.keys import KEYRING


@pytest.fixture
def people(desk: Session, now: datetime) -> Session:
    """Return a desk with a German energy reader and a French one, and a segment."""
    for name, country in (("ada", "DE"), ("zoe", "FR")):
        subscribers.add(
            desk, f"{name}@example.com", lists=["weekly"], topics=["energy"], country=country, keyring=KEYRING, now=now
        )
    segments.create(desk, "german-energy", "country = 'DE' and topics has 'energy'", now=now)
    return desk


def test_explain_says_which_part_keeps_somebody_out(people: Session, now: datetime) -> None:
    whole = explaining.explain(people, "german-energy", "ZOE@example.com", now=now)
    assert whole == Part(
        condition="country = 'DE' and topics has 'energy'", holds=False, joined="and",
        parts=(Part(condition="country = 'DE'", holds=False), Part(condition="topics has 'energy'", holds=True)),
    )  # fmt: skip
    assert explaining.explain(people, "german-energy", "ada@example.com", now=now).holds
    with pytest.raises(NotFound):
        explaining.explain(people, "german-energy", "nobody@example.com", now=now)


EXPLAINED = [
    ("country = 'FR'", ["yes country = 'FR'"]),
    ("not country = 'FR'", ["no not:", "yes   country = 'FR'"]),
    ("country <> 'FR'", ["no country <> 'FR'"]),
    ("country not in ('FR', 'DE')", ["no country not in ('FR', 'DE')"]),
    ("not country not in ('FR', 'DE')", ["yes not:", "no   country not in ('FR', 'DE')"]),
    ("topics not has 'energy'", ["no topics not has 'energy'"]),
    ("not (topics has 'energy')", ["no not:", "yes   topics has 'energy'"]),
    ("not suppressed and (name = ') and ' or ((opened issue 3 within 2 days))) and topics has any of ('energy', 'x')",
     ["no all of:", "yes   not:", "no     suppressed", "no   one of:", "no     name = ') and '",
      "no     opened issue 3 within 2 days", "yes   topics has any of ('energy', 'x')"]),
    ("country = 'DE' or not (country = 'FR' and language = 'en')",
     ["yes one of:", "no   country = 'DE'", "yes   not:", "no     all of:", "yes       country = 'FR'",
      "no       language = 'en'"]),
]  # fmt: skip


def test_explain_goes_down_to_the_smallest_parts(people: Session, now: datetime) -> None:
    told = []
    for number, (condition, _) in enumerate(EXPLAINED):
        segments.create(people, f"s{number}", condition, now=now)
        whole = explaining.explain(people, f"s{number}", "zoe@example.com", now=now)
        assert whole.holds == ("zoe@example.com" in segments.sample(people, f"s{number}", now=now))
        rows = explaining.rows(whole)
        told.append((condition, [f"{'yes' if holds else 'no'} {text}" for holds, text in rows]))
    assert told == EXPLAINED


def test_a_sample_shows_the_first_who_match(people: Session, now: datetime) -> None:
    assert segments.sample(people, "german-energy", now=now) == ["ada@example.com"]
    segments.create(people, "all", "topics has 'energy'", now=now)
    assert segments.sample(people, "all", limit=1, now=now) == ["ada@example.com"]
    assert segments.count(people, "all", now) == 2


@pytest.mark.parametrize("condition", ["topics has 'energy'", "country in ('DE', 'FR')", "not topics has 'grid'"])
def test_a_scan_meets_everybody_once_in_order_and_goes_on_after_a_number(
    people: Session, now: datetime, condition: str
) -> None:
    for number in range(3, 10):
        address = f"r{number}@example.com"
        subscribers.add(people, address, lists=["weekly"], topics=["energy"], country="DE", keyring=KEYRING, now=now)
    segments.create(people, "many", condition, now=now)
    for limit in (1, 4, 9, 100):
        assert [number for number, _ in segments.scan(people, "many", limit=limit, now=now)] == list(range(1, 10))
    assert list(segments.scan(people, "many", after=8, now=now)) == [(9, "r9@example.com")]
    assert list(segments.scan(people, "many", after=9, now=now)) == []


def test_an_edit_replaces_the_condition_and_a_bad_one_changes_nothing(people: Session, now: datetime) -> None:
    assert segments.edit(people, "german-energy", " country = 'FR' ", now=now).condition == "country = 'FR'"
    assert segments.sample(people, "german-energy", now=now) == ["zoe@example.com"]
    with pytest.raises(BadCondition, match="did you mean country"):
        segments.edit(people, "german-energy", "contry = 'FR'", now=now)
    assert segments.get(people, "german-energy").condition == "country = 'FR'"
    with pytest.raises(NotFound, match="did you mean german-energy"):
        segments.edit(people, "german-energie", "country = 'FR'", now=now)


def test_an_attribute_that_a_segment_asks_about_is_not_removed(people: Session, now: datetime) -> None:
    attributes.add(people, "plan", now=now)
    attributes.add(people, "seats", type=AttributeType.INT, now=now)
    segments.create(people, "paying", "country = 'DE' and not attributes.plan in ('free', '')", now=now)
    with pytest.raises(Refused, match="plan is asked about by paying; nothing was changed; first: .* edit paying"):
        attributes.remove(people, "plan")
    assert attributes.remove(people, "seats") == 0
    assert segments.using(people, "country") == ["german-energy", "paying"]
    segments.delete(people, "paying")
    attributes.remove(people, "plan")
    assert attributes.types(people) == {}


def test_segments_that_name_a_topic_or_a_list_are_found(people: Session, now: datetime) -> None:
    segments.create(people, "any", "not topics has any of ('Grid', 'solar') or lists has 'weekly'", now=now)
    asked = [("topics", "energy"), ("topics", "grid"), ("topics", "solar"), ("lists", "weekly"), ("lists", "energy")]
    found = [segments.naming(people, field, value) for field, value in asked]
    assert found == [["german-energy"], ["any"], ["any"], ["any"], []]
    with pytest.raises(
        Refused, match="the topic energy is asked for by the segments german-energy; nothing was changed"
    ):
        topics.remove(people, "energy")
    with pytest.raises(Refused, match="the list weekly is asked for by the segments any"):
        lists.remove(people, "weekly")
    segments.delete(people, "german-energy")
    assert topics.remove(people, "energy") == 2


def test_a_segment_that_is_not_understood_any_more_is_named(people: Session, now: datetime) -> None:
    attributes.add(people, "plan", now=now)
    segments.create(people, "paying", "plan = 'pro'", now=now)
    people.execute(upsert.table(Attribute).delete())
    for ask in (segments.where, segments.count):
        with pytest.raises(BadCondition, match=r"the segment paying is not understood .*'plan'.* segments edit paying"):
            ask(people, "paying", now)


def test_attributes_are_counted_and_forgotten_with_their_values(people: Session, now: datetime) -> None:
    person = upsert.table(Subscriber)
    for name, type in (("plan", AttributeType.STR), ("seats", AttributeType.INT), ("vip", AttributeType.BOOL)):
        attributes.add(people, name, type=type, description=f"the {name}", now=now)
    people.execute(update(person).where(person.c.id == 1).values(attributes={"plan": "pro", "seats": 0, "vip": False}))
    people.execute(update(person).where(person.c.id == 2).values(attributes={"plan": "free"}))
    counted = {each.name: each.subscribers for each in attributes.all(people)}
    assert counted == {"plan": 2, "seats": 1, "vip": 1}
    assert attributes.remove(people, "plan") == 2
    assert [subscribers.find(people, f"{name}@example.com").attributes for name in ("ada", "zoe")] == [
        {"seats": 0, "vip": False}, {},
    ]  # fmt: skip
    with pytest.raises(NotFound, match="did you mean seats"):
        attributes.remove(people, "seat")
