"""People added one by one, and found again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from subscribers import attributes, lists, subscribers, subscriptions, suppressions
from subscribers.errors import BadAddress, BadValue, NotFound, Refused
from subscribers.models import AttributeType, Consent, ConsentEvent, Subscriber, SuppressionReason
from tests.support.keys import KEYRING


def test_a_person_is_added_confirmed_with_proof_of_their_consent(desk: Session, now: datetime) -> None:
    attributes.add(desk, "plan", now=now)
    ada = subscribers.add(
        desk, "Ada@Example.com", lists=["weekly", "alerts"], topics=["Energy"], name="Ada Brandt", language="EN",
        country="de", audience="chip-buyers", attributes={"plan": "pro"}, basis="asked by phone", keyring=KEYRING,
        now=now,
    )  # fmt: skip
    assert ada == subscribers.find(desk, "ada@example.com") == subscribers.get(desk, ada.id)
    assert (ada.email, ada.language, ada.country, ada.topics) == ("Ada@Example.com", "en", "DE", ["energy"])
    assert ada.subscriptions == {"alerts": "confirmed", "weekly": "confirmed"}
    assert (ada.attributes, ada.suppressed, ada.joined_at) == ({"plan": "pro"}, "", now)
    proof = desk.exec(select(Consent)).all()
    assert [(row.list_id, row.event, row.method, row.words) for row in proof] == [
        (1, ConsentEvent.CONFIRMED, "admin", "asked by phone"),
        (2, ConsentEvent.CONFIRMED, "admin", "asked by phone"),
    ]
    assert len(proof[0].words_sha256) == 64


def test_adding_a_known_person_adds_to_what_is_known_and_writes_no_second_proof(desk: Session, now: datetime) -> None:
    attributes.add(desk, "plan", now=now)
    attributes.add(desk, "seats", type=AttributeType.INT, now=now)
    subscribers.add(
        desk,
        "ada@example.com",
        lists=["weekly"],
        topics=["energy"],
        name="Ada",
        attributes={"plan": "pro"},
        keyring=KEYRING,
        now=now,
    )
    again = subscribers.add(
        desk, "ADA@example.com", lists=["weekly"], topics=["cloud"], country="DE", attributes={"seats": "3"},
        keyring=KEYRING, now=now + timedelta(days=1),
    )  # fmt: skip
    assert (again.name, again.country, again.topics) == ("Ada", "DE", ["cloud", "energy"])
    assert (again.email, again.joined_at) == ("ada@example.com", now)
    assert again.attributes == {"plan": "pro", "seats": 3}
    assert len(desk.exec(select(Consent)).all()) == 1
    assert len(desk.exec(select(Subscriber)).all()) == 1


def test_who_left_is_not_brought_back_by_the_desk(desk: Session, now: datetime) -> None:
    ada = subscribers.add(desk, "ada@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    subscriptions.unsubscribe(desk, subscriber_id=ada.id, list_id=1, method="link", now=now)
    with pytest.raises(Refused, match=r"left one of these lists.*--resubscribe"):
        subscribers.add(desk, "ada@example.com", lists=["weekly", "alerts"], name="Ada", keyring=KEYRING, now=now)
    assert subscribers.find(desk, "ada@example.com").subscriptions == {"weekly": "unsubscribed"}
    assert subscribers.find(desk, "ada@example.com").name == ""
    back = subscribers.add(desk, "ada@example.com", lists=["weekly"], resubscribe=True, keyring=KEYRING, now=now)
    assert back.subscriptions == {"weekly": "confirmed"}


def test_who_is_suppressed_is_refused_with_the_way_to_lift_it(desk: Session, now: datetime) -> None:
    suppressions.add(desk, "ada@example.com", reason=SuppressionReason.COMPLAINT, source="", now=now)
    with pytest.raises(Refused, match=r"complaint, 2026-11-02.*newsletter suppressions remove Ada@example\.com"):
        subscribers.add(desk, "Ada@example.com", lists=["weekly"], resubscribe=True, keyring=KEYRING, now=now)
    assert desk.exec(select(Subscriber)).all() == []


def test_who_is_suppressed_on_one_list_is_refused_there_and_welcome_elsewhere(desk: Session, now: datetime) -> None:
    suppressions.add(desk, "ada@example.com", reason=SuppressionReason.MANUAL, source="", list="weekly", now=now)
    with pytest.raises(Refused, match=r"on weekly \(manual, 2026-11-02\).*remove ada@example\.com --list weekly"):
        subscribers.add(desk, "ada@example.com", lists=["alerts", "weekly"], keyring=KEYRING, now=now)
    assert desk.exec(select(Subscriber)).all() == []
    ada = subscribers.add(desk, "ada@example.com", lists=["alerts"], keyring=KEYRING, now=now)
    assert ada.subscriptions == {"alerts": "confirmed"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "Ada\r\nBcc: x@example.com"}, "a name holds a line break"),
        ({"name": "A\0da"}, "control character"),
        ({"name": "x" * 201}, "201 characters"),
        ({"country": "Germany"}, "a country is a code such as DE"),
        ({"country": "D"}, "a country"),
        ({"language": "e n"}, "a language"),
        ({"audience": "a\tb"}, "control character"),
        ({"topics": ["a\nb"]}, "a topic holds"),
        ({"topics": [" "]}, "a topic needs a name"),
        ({"attributes": {"paln": "x"}}, "did you mean plan?"),
        ({"attributes": {"plan": "a\x1bb"}}, "the attribute plan holds"),
    ],
)
def test_a_field_that_cannot_be_kept_is_refused(desk: Session, now: datetime, wrong: dict[str, Any], says: str) -> None:
    attributes.add(desk, "plan", now=now)
    with pytest.raises(BadValue, match=says):
        subscribers.add(desk, "ada@example.com", lists=["weekly"], keyring=KEYRING, now=now, **wrong)
    assert desk.exec(select(Subscriber)).all() == []


def test_a_bad_address_and_an_unknown_list_are_refused(desk: Session, now: datetime) -> None:
    with pytest.raises(BadAddress):
        subscribers.add(desk, "ada@example.com\r\n", lists=["weekly"], keyring=KEYRING, now=now)
    with pytest.raises(NotFound, match="no list 'weakly'"):
        subscribers.add(desk, "ada@example.com", lists=["weakly"], keyring=KEYRING, now=now)


def test_an_unknown_address_is_not_found(desk: Session) -> None:
    with pytest.raises(NotFound, match=r"nobody subscribed as ada@example\.com"):
        subscribers.find(desk, "ada@example.com")
    assert subscribers.get(desk, 7) is None


def test_subscribers_come_page_by_page_and_by_list_in_three_statements(desk: Session, now: datetime) -> None:
    for number in range(7):
        on = ["weekly"] if number % 2 else ["weekly", "alerts"]
        subscribers.add(desk, f"r{number}@example.com", lists=on, topics=["energy", "cloud"], keyring=KEYRING, now=now)
    suppressions.add(desk, "r6@example.com", reason=SuppressionReason.MANUAL, source="", now=now)
    statements: list[str] = []
    engine = desk.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *about: statements.append(about[2]))
    everyone = subscribers.all(desk)
    assert len(statements) == 3
    assert [each.email for each in everyone] == [f"r{number}@example.com" for number in range(7)]
    assert everyone[6].suppressed == "manual"
    assert everyone[1].subscriptions == {"weekly": "confirmed"}
    page = subscribers.all(desk, list="alerts", limit=2, after=everyone[0].id)
    assert [each.email for each in page] == ["r2@example.com", "r4@example.com"]
    assert page[0].subscriptions == {"alerts": "confirmed", "weekly": "confirmed"}
    assert page[0].topics == ["cloud", "energy"]
    with pytest.raises(NotFound):
        subscribers.all(desk, list="nope")
    assert lists.get(desk, "alerts").confirmed == 4
