"""Lists and topics."""

from datetime import datetime

import pytest
from sqlmodel import Session

from subscribers import lists, subscribers, subscriptions, topics
from subscribers.errors import BadValue, NotFound, Refused
from subscribers.models import OptIn
from tests.support.keys import KEYRING


def test_a_list_is_made_once_and_called_by_its_name_without_a_title(session: Session, now: datetime) -> None:
    made = lists.create(session, "weekly", now=now)
    assert (made.title, made.opt_in, made.public) == ("weekly", OptIn.DOUBLE, True)
    assert lists.get(session, "weekly") == made
    with pytest.raises(Refused, match="exists already"):
        lists.create(session, "weekly", title="Another", now=now)
    assert lists.all(session) == [made]


def test_lists_say_how_many_stand_where(desk: Session, now: datetime) -> None:
    for email in ("ada@example.com", "bob@example.com"):
        subscribers.add(desk, email, lists=["weekly"], keyring=KEYRING, now=now)
    subscriptions.unsubscribe(desk, subscriber_id=1, list_id=1, method="link", now=now)
    found = {each.name: (each.pending, each.confirmed, each.unsubscribed) for each in lists.all(desk)}
    assert found == {"alerts": (0, 0, 0), "weekly": (0, 1, 1)}


def test_an_unknown_list_is_answered_with_the_nearest_name(desk: Session) -> None:
    with pytest.raises(NotFound, match=r"no list 'weekyl'; did you mean weekly\?.*newsletter lists list"):
        lists.get(desk, "weekyl")


def test_lists_are_named_in_order_and_once(desk: Session) -> None:
    assert lists.ids_of(desk, ["alerts", "weekly", "alerts"]) == [2, 1]
    with pytest.raises(NotFound, match="'nope'"):
        lists.ids_of(desk, ["weekly", "nope"])
    with pytest.raises(Refused, match="--list NAME"):
        lists.ids_of(desk, [])


@pytest.mark.parametrize("name", ["", "Weekly", "week ly", "-weekly", "weekly-", "wöchentlich", "a\nb", "a" * 64])
def test_a_bad_list_name_is_refused(session: Session, now: datetime, name: str) -> None:
    with pytest.raises(BadValue, match="a list's name is"):
        lists.create(session, name, now=now)
    assert lists.all(session) == []


@pytest.mark.parametrize("title", ["The\r\nBcc: x@example.com", "The\0week", "The\u2028week", "x" * 201])
def test_a_title_that_could_break_a_header_is_refused(session: Session, now: datetime, title: str) -> None:
    with pytest.raises(BadValue, match="a title"):
        lists.create(session, "weekly", title=title, now=now)


def test_a_list_is_changed_field_by_field(desk: Session) -> None:
    before = lists.get(desk, "weekly")
    after = lists.edit(desk, "weekly", title="Fridays", opt_in=OptIn.SINGLE, public=False, identifier="w.example.com")
    assert (after.title, after.opt_in, after.public, after.identifier) == (
        "Fridays", OptIn.SINGLE, False, "w.example.com",
    )  # fmt: skip
    assert (after.name, after.created_at, after.description) == ("weekly", before.created_at, "")
    assert lists.edit(desk, "weekly", description="News", identifier="").identifier == ""
    assert lists.get(desk, "weekly").title == "Fridays"
    with pytest.raises(NotFound, match="'weekyl'"):
        lists.edit(desk, "weekyl", title="x")


@pytest.mark.parametrize(
    "identifier", ["weekly", "a..b", "<w.example.com>", "w.example.com\r\nBcc: x", "a b.c", "x." * 130 + "x"]
)
def test_an_identifier_that_is_none_is_refused(desk: Session, now: datetime, identifier: str) -> None:
    with pytest.raises(BadValue, match="RFC 2919"):
        lists.create(desk, "fresh", identifier=identifier, now=now)
    with pytest.raises(BadValue, match="RFC 2919"):
        lists.edit(desk, "weekly", identifier=identifier)


def test_two_lists_cannot_share_an_identifier(desk: Session, now: datetime) -> None:
    lists.edit(desk, "weekly", identifier="w.example.com")
    with pytest.raises(Refused, match="that of the list weekly"):
        lists.edit(desk, "alerts", identifier="W.example.com")
    lists.edit(desk, "weekly", identifier="w.example.com")


def test_only_a_list_without_a_past_is_deleted(desk: Session, now: datetime) -> None:
    ada = subscribers.add(desk, "ada@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    lists.remove(desk, "alerts")
    with pytest.raises(Refused, match=r"subscribers or a past \(1\).*--private"):
        lists.remove(desk, "weekly")
    subscribers.remove(desk, ada.id)  # the proof of their consent stays, and names the list
    with pytest.raises(Refused, match="or a past"):
        lists.remove(desk, "weekly")
    assert [each.name for each in lists.all(desk)] == ["weekly"]


def test_a_topic_is_offered_titled_and_taken_back(desk: Session, now: datetime) -> None:
    assert topics.add(desk, "Energy", title="The grid").title == "The grid"
    with pytest.raises(Refused, match="exists already"):
        topics.add(desk, "energy")
    subscribers.add(desk, "ada@example.com", lists=["weekly"], topics=["energy"], keyring=KEYRING, now=now)
    assert topics.edit(desk, "energy", title="").title == "energy"
    assert topics.remove(desk, "ENERGY") == 1
    assert topics.of(desk, 1) == []
    with pytest.raises(NotFound, match="no topic 'energy'"):
        topics.remove(desk, "energy")


def test_topics_are_made_once_whatever_their_case(session: Session) -> None:
    first = topics.ensure(session, ["Energy", "energy ", "ai-chips"])
    assert topics.ensure(session, ["ENERGY"]) == {"energy": first["energy"]}
    assert [topic.name for topic in topics.all(session)] == ["ai-chips", "energy"]
    assert topics.ensure(session, []) == {}


def test_choosing_topics_replaces_the_choice(desk: Session, now: datetime) -> None:
    ada = subscribers.add(
        desk, "ada@example.com", lists=["weekly"], topics=["energy", "cloud"], keyring=KEYRING, now=now
    )
    topics.ensure(desk, ["networks"])
    topics.choose(desk, ada.id, ["networks", "cloud"])
    assert topics.of(desk, ada.id) == ["cloud", "networks"]
    assert {topic.name: topic.subscribers for topic in topics.all(desk)} == {"cloud": 1, "energy": 0, "networks": 1}
    topics.choose(desk, ada.id, [])
    assert topics.of(desk, ada.id) == []


def test_an_unknown_topic_is_refused_and_the_choice_stays(desk: Session, now: datetime) -> None:
    ada = subscribers.add(desk, "ada@example.com", lists=["weekly"], topics=["energy"], keyring=KEYRING, now=now)
    with pytest.raises(NotFound, match="no topic 'enrgy'; did you mean energy"):
        topics.choose(desk, ada.id, ["enrgy"])
    assert topics.of(desk, ada.id) == ["energy"]
