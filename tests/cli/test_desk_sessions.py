"""Whose browsers are in at the desk page, and who may end that."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from newsletter import db
from newsletter.editorial import people, sessions
from newsletter.editorial.models import Role
from newsletter.settings import Settings
from tests.support.commands import Desk


def test_sessions_are_listed_and_ended_by_an_admin_or_their_own_person(settings: Settings, engine: Engine) -> None:
    here, now = Desk(settings.folder), datetime.now(UTC)
    with db.transaction(engine) as session:
        people.add(session, "mara", roles=[Role.ADMIN], now=now)
        people.add(session, "nils", email="nils@quay.example", roles=[Role.WRITER], now=now)
        for agent in ("Firefox", "Chromium"):
            sessions.begin(session, "nils", agent=agent, now=now)
    assert [each["agent"] for each in here.json("people", "sessions", "nils")] == ["Firefox", "Chromium"]
    assert "Firefox" in here.run("people", "sessions", "nils").stdout
    assert "mara is in nowhere" in here.run("people", "sessions", "mara").stdout
    assert "nils is writer here" in here.refuses("people", "logout", "mara", "--as", "nils")
    assert here.json("people", "logout", "nils", "--as", "nils") == {"person": "nils", "ended": 2}
    assert "0 sessions ended" in here.run("people", "logout", "nils", "--as", "mara").stdout
    assert here.json("people", "sessions", "nils") == []
    assert "nobody here is called" in here.refuses("people", "sessions", "nilz", code=3)
