"""Letters that ask to confirm, while no relay takes them: kept, sent once, given up after a day."""

import logging
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from newsletter import db
from newsletter.delivery import letterbox
from newsletter.delivery.models import LetterState
from newsletter.delivery.tables import LETTER
from newsletter.settings import Settings, load
from newsletter.web import errands
from newsletter.web.app import create
from subscribers import upsert
from subscribers.models import Confirmation
from tests.delivery.desk import Clock
from tests.support import smtp
from tests.support.commands import Desk as Newsletter
from tests.web.conftest import Desk
from tests.web.test_signup import NEW, link, parsed


def here_and_now() -> datetime:
    return datetime.now(UTC)


def by(desk: Desk, port: int) -> Settings:
    return load(desk.settings.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(port)})


def sign_up(desk: Desk, clock: Clock, address: str = NEW) -> None:
    """Sign up at a desk whose relay is away."""
    with TestClient(create(by(desk, smtp.free_port()), desk.engine, clock=clock)) as client:
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', client.get("/signup").text))
        clock.tick(seconds=5)
        page = client.post("/signup", data={**fields, "email": address, "list": "weekly", "frequency": "weekly"})
    assert "Look into your mailbox" in page.text


def states(desk: Desk) -> list[str]:
    with db.reading(desk.engine) as session:
        return [each.value for each in session.scalars(select(LETTER.c.state).order_by(LETTER.c.id))]


def test_a_letter_waits_for_the_relay_and_goes_out_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(desk.now)
    sign_up(desk, clock)
    assert "letter 1 waits for a relay (attempt 1)" in caplog.text
    assert states(desk) == ["waiting"]
    with smtp.serving() as server:
        assert letterbox.send(desk.engine, by(desk, server.port), clock=clock) == letterbox.Tally(sent=0, waiting=1)
        clock.tick(minutes=1)
        for _ in range(2):
            errands.run(desk.engine, by(desk, server.port), clock=clock)
            clock.tick(hours=1)
        (letter,) = server.accepted
    assert states(desk) == ["sent"]
    with TestClient(create(desk.settings, desk.engine, clock=clock)) as client:
        answer = client.post(link(parsed(letter.data)), data={"action": "confirm"})
    assert "You are on The Weekly Tide" in answer.text
    caplog.set_level(logging.DEBUG)
    assert NEW not in caplog.text
    kept = desk.rows()["letter"]
    assert NEW not in repr(kept)


def test_a_pass_of_cron_sends_what_waits(desk: Desk) -> None:
    sign_up(desk, Clock(desk.now))
    with smtp.serving() as server:
        here = Newsletter(desk.settings.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port)})
        with desk.engine.begin() as connection:
            connection.execute(update(LETTER).values(created_at=here_and_now(), due_at=here_and_now()))
            connection.execute(update(upsert.table(Confirmation)).values(expires_at=here_and_now() + timedelta(days=7)))
        assert here.json("deliver")["letters"] == {"sent": 1, "waiting": 0}
        assert here.json("deliver")["letters"] == {"sent": 0, "waiting": 0}
        assert len(server.accepted) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_serving_process_sends_what_waits_beside_answering(desk: Desk) -> None:
    sign_up(desk, Clock(desk.now))
    with desk.engine.begin() as connection:
        connection.execute(update(LETTER).values(created_at=here_and_now(), due_at=here_and_now()))
        connection.execute(update(upsert.table(Confirmation)).values(expires_at=here_and_now() + timedelta(days=7)))
    with smtp.serving() as server, errands.running(desk.engine, by(desk, server.port), pause=0.02):
        for _ in range(1000):
            if states(desk) == ["sent"]:
                break
            time.sleep(0.01)
        assert (states(desk), len(server.accepted)) == (["sent"], 1)


def test_a_letter_is_given_up_after_a_day_or_when_nothing_is_left_to_ask(desk: Desk) -> None:
    clock = Clock(desk.now)
    sign_up(desk, clock)
    sign_up(desk, clock, "gone@quay.example")
    with desk.engine.begin() as connection:
        asked = upsert.table(Confirmation)
        connection.execute(update(asked).where(asked.c.id == 1).values(used_at=clock.now))
    with smtp.serving() as server:
        clock.tick(hours=2)
        assert letterbox.send(desk.engine, by(desk, smtp.free_port()), clock=clock) == letterbox.Tally(waiting=1)
        clock.tick(days=1)
        assert letterbox.send(desk.engine, by(desk, server.port), clock=clock) == letterbox.Tally()
        assert server.accepted == []
    assert states(desk) == ["expired", "expired"]
    clock.tick(days=31)
    sign_up(desk, clock, "third@quay.example")
    assert states(desk) == ["waiting"]


def test_a_letter_whose_end_is_not_known_is_not_sent_again(desk: Desk) -> None:
    clock = Clock(desk.now)
    sign_up(desk, clock)
    with desk.engine.begin() as connection:
        connection.execute(update(LETTER).values(state=LetterState.SENDING, due_at=clock.now + letterbox.ATTEMPT))
    with smtp.serving() as server:
        settings = by(desk, server.port)
        letterbox.send(desk.engine, settings, clock=clock)
        assert states(desk) == ["sending"]
        clock.tick(hours=1)
        letterbox.send(desk.engine, settings, clock=clock)
        assert (states(desk), server.accepted) == (["unknown"], [])
