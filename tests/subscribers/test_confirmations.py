"""Double opt-in: a token that is random, kept as a hash, good once and for a week."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from newsletter import db
from subscribers import confirmations, consent, erasures, lists, signups, subscriptions, suppressions
from subscribers.confirmations import LASTS, Answer, Asked
from subscribers.models import Confirmation, Consent, ConsentEvent, SuppressionReason
from subscribers.signups import Form
from tests.support.keys import KEYRING

WORDS = "Yes, send me The week every Friday. I can leave with one click."
FORM = Form(version="7", method="form", ip="192.0.2.7", user_agent="Reader/1")


@pytest.fixture
def asked(desk: Session, now: datetime) -> Asked:
    """Return the question to somebody who signed up for `weekly`."""
    signed = signups.sign_up(desk, "Ada@example.com", wishes={"weekly": WORDS}, form=FORM, keyring=KEYRING, now=now)
    assert signed.asked
    return signed.asked


def answer(session: Session, asked: Asked, now: datetime) -> Answer:
    return confirmations.confirm(
        session, asked.token, keyring=KEYRING, now=now, ip="198.51.100.9", user_agent="Browser/2"
    )


def states(session: Session) -> dict[str, str]:
    return {each.name: each.state.value for each in subscriptions.of(session, 1)}


def test_a_token_confirms_once_and_the_proof_names_words_form_and_mail(
    desk: Session, asked: Asked, now: datetime
) -> None:
    confirmations.mailed(desk, asked.questions[0].id, "<one@news.example.com>")
    later = now + timedelta(hours=1)
    assert states(desk) == {"weekly": "pending"}
    assert answer(desk, asked, later) is Answer.CONFIRMED
    assert states(desk) == {"weekly": "confirmed"}
    requested, confirmed = consent.of(desk, 1)
    assert (requested.event, requested.method, requested.ip, requested.at) == (
        ConsentEvent.REQUESTED, "form", "192.0.2.7", now,
    )  # fmt: skip
    assert (confirmed.event, confirmed.method, confirmed.ip, confirmed.at) == (
        ConsentEvent.CONFIRMED, "double opt-in", "198.51.100.9", later,
    )  # fmt: skip
    assert (confirmed.message_id, confirmed.user_agent) == ("<one@news.example.com>", "Browser/2")
    assert {(each.words, each.words_sha256, each.form_version) for each in (requested, confirmed)} == {
        (WORDS, consent.digest(WORDS), "7")
    }
    assert answer(desk, asked, later) is Answer.ALREADY
    assert len(consent.of(desk, 1)) == 2


def test_of_the_token_only_a_hash_is_kept(desk: Session, asked: Asked) -> None:
    assert len(asked.token) >= 43  # 256 bits
    row = desk.exec(select(Confirmation)).one()
    assert asked.token not in repr(row.model_dump())
    assert len(row.token_sha256) == 64
    assert confirmations.confirm(desk, row.token_sha256, keyring=KEYRING, now=row.created_at) is Answer.UNKNOWN


def test_looking_changes_nothing(desk: Session, asked: Asked, now: datetime) -> None:
    for _ in range(2):
        assert confirmations.look(desk, asked.token, now=now) == (Answer.CONFIRMED, asked.questions)
    assert states(desk) == {"weekly": "pending"}
    assert confirmations.look(desk, "nonsense \udc00", now=now) == (Answer.UNKNOWN, ())


def test_one_token_answers_for_every_list_that_still_waits(desk: Session, now: datetime) -> None:
    lists.create(desk, "monthly", now=now)
    wishes = {"weekly": "The week", "alerts": "Alerts", "monthly": "The month"}
    asked = signups.sign_up(desk, "ada@example.com", wishes=wishes, form=FORM, keyring=KEYRING, now=now).asked
    assert asked
    confirmations.mailed(desk, asked.questions[1].id, "<one@news.example.com>")
    subscriptions.unsubscribe(desk, subscriber_id=1, list_id=2, method="link", now=now)
    found, questions = confirmations.look(desk, asked.token, now=now)
    assert (found, [each.list for each in questions]) == (Answer.CONFIRMED, ["weekly", "monthly"])
    assert answer(desk, asked, now) is Answer.CONFIRMED
    assert states(desk) == {"alerts": "unsubscribed", "monthly": "confirmed", "weekly": "confirmed"}
    proofs = {each.list: (each.words, each.message_id) for each in consent.of(desk, 1) if each.event == "confirmed"}
    assert proofs == {
        "weekly": ("The week", "<one@news.example.com>"), "monthly": ("The month", "<one@news.example.com>"),
    }  # fmt: skip
    assert answer(desk, asked, now) is Answer.ALREADY


def test_a_letter_that_waited_goes_out_under_a_token_of_its_own(desk: Session, asked: Asked, now: datetime) -> None:
    renewed = confirmations.renew(desk, asked.questions[0].id, now=now)
    assert renewed
    assert renewed.questions == asked.questions
    assert answer(desk, asked, now) is Answer.UNKNOWN
    assert answer(desk, renewed, now) is Answer.CONFIRMED
    assert confirmations.renew(desk, asked.questions[0].id, now=now) is None
    assert confirmations.renew(desk, 1000, now=now) is None


def test_a_token_runs_out(desk: Session, asked: Asked, now: datetime) -> None:
    assert answer(desk, asked, now + LASTS) is Answer.EXPIRED
    assert states(desk) == {"weekly": "pending"}
    assert confirmations.sweep(desk, before=now + LASTS) == 0
    assert confirmations.sweep(desk, before=now + LASTS + timedelta(seconds=1)) == 1
    assert answer(desk, asked, now) is Answer.UNKNOWN


def test_who_left_or_was_suppressed_since_is_not_confirmed(desk: Session, asked: Asked, now: datetime) -> None:
    suppressions.add(desk, "ada@example.com", reason=SuppressionReason.COMPLAINT, source="", list="weekly", now=now)
    assert answer(desk, asked, now) is Answer.WITHDRAWN
    suppressions.lift(desk, "ada@example.com", list="weekly", by="kim", now=now)
    subscriptions.unsubscribe(desk, subscriber_id=1, list_id=1, method="link", now=now)
    assert answer(desk, asked, now) is Answer.WITHDRAWN
    assert states(desk) == {"weekly": "unsubscribed"}


def test_a_reader_is_told_apart_by_how_often_they_were_asked(desk: Session, asked: Asked, now: datetime) -> None:
    signups.sign_up(
        desk, "ada@example.com", wishes={"alerts": WORDS}, form=FORM, keyring=KEYRING, now=now + timedelta(hours=2)
    )
    assert confirmations.asked_since(desk, 1, now) == 2
    assert confirmations.asked_since(desk, 1, now + timedelta(hours=1)) == 1
    assert [each.list for each in confirmations.of(desk, 1)] == ["weekly", "alerts"]


def test_two_clicks_at_once_confirm_once(engine: Engine, now: datetime) -> None:
    with db.transaction(engine) as session:
        lists.create(session, "weekly", now=now)
        signed = signups.sign_up(
            session, "ada@example.com", wishes={"weekly": WORDS}, form=FORM, keyring=KEYRING, now=now
        )
        assert signed.asked
    with Session(engine) as first:
        if engine.dialect.name == "postgresql":  # SQLite lets only one write at a time
            with Session(engine) as second:
                assert answer(first, signed.asked, now) is Answer.CONFIRMED
                second.execute(text("SET LOCAL lock_timeout = '200ms'"))
                with pytest.raises(Exception, match="lock timeout"):
                    answer(second, signed.asked, now)
        else:
            assert answer(first, signed.asked, now) is Answer.CONFIRMED
        first.commit()
    with Session(engine) as third:
        assert answer(third, signed.asked, now) is Answer.ALREADY
        assert len(third.exec(select(Consent)).all()) == 2


def test_confirming_lets_an_erased_address_in_again(desk: Session, asked: Asked, now: datetime) -> None:
    erasures.keep(desk, KEYRING, "ada@example.com", now=now)
    assert answer(desk, asked, now) is Answer.CONFIRMED
    assert erasures.among(desk, KEYRING, ["ada@example.com"]) == set()
