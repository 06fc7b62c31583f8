"""The door of the desk page: a mailed link, one use, one browser; and what does not get in."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from newsletter import audit, db
from newsletter.editorial import people, sessions
from newsletter.editorial.models import Role
from newsletter.settings import Settings, load
from newsletter.web.app import create
from newsletter.web.desk import door as doors
from tests.delivery.desk import Clock
from tests.support import smtp
from tests.web.conftest import Desk
from tests.web.test_signup import parsed

MARA = "Mara@quay.example"


@dataclass
class Door:
    """A desk that can mail, at a moment that the test moves on, and a browser before it."""

    client: TestClient
    server: smtp.Server
    engine: Engine
    settings: Settings
    clock: Clock

    @property
    def now(self) -> datetime:
        return self.clock.now

    def ask(self, address: str = "mara@quay.example") -> str:
        """Ask for a link, and return what the page says."""
        return self.client.post("/desk/login", data={"email": address}).text

    def link(self) -> str:
        text = parsed(self.server.accepted[-1].data).get_body(("plain",))
        assert text
        found = re.search(r"https://news\.harbour\.example(/desk/login/[\w-]{43})\s", text.get_content())
        assert found
        return found[1]

    def come_in(self) -> None:
        self.ask()
        assert self.client.post(self.link()).status_code == 303

    def status(self) -> int:
        return self.client.get("/desk").status_code


@pytest.fixture
def door(desk: Desk) -> Iterator[Door]:
    with db.transaction(desk.engine) as session:
        people.add(session, "mara", name="Mara Winter", email=MARA, roles=[Role.ADMIN], now=desk.now)
        people.add(session, "nils", email="nils@quay.example", now=desk.now)
        for handle in ("olga", "paul"):
            people.add(session, handle, email="shared@quay.example", now=desk.now)
        people.remove(session, "nils", actor="mara", now=desk.now)
    with smtp.serving() as server:
        settings = load(desk.settings.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port)})
        clock = Clock(desk.now)
        app = create(settings, desk.engine, clock=clock)
        with TestClient(app, base_url="https://news.harbour.example", follow_redirects=False) as client:
            yield Door(client, server, desk.engine, settings, clock)


def test_a_person_comes_in_by_a_mailed_link_and_leaves(door: Door) -> None:
    assert door.client.get("/desk").headers["location"] == "/desk/login"
    assert "Look into your mailbox" in door.ask()
    (letter,) = door.server.accepted
    assert letter.recipient == MARA
    assert "Come in" in parsed(letter.data)["Subject"]
    assert door.link() in (parsed(letter.data).get_body(("html",)) or parsed(b"")).get_content()
    page = door.client.get(door.link())
    assert (page.status_code, "Come in, Mara Winter" in page.text) == (200, True)
    answer = door.client.post(door.link())
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    cookie = answer.headers["set-cookie"]
    for said in ("HttpOnly", "Secure", "SameSite=lax", "Path=/desk", "Max-Age=604800"):
        assert said in cookie
    page = door.client.get("/desk")
    assert (page.status_code, "Mara Winter" in page.text) == (200, True)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "script-src" not in door.client.get("/").headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    (csrf,) = set(re.findall(r'name="csrf" value="(\w+)"', page.text))
    token = door.client.cookies["desk"]
    assert token not in page.text
    assert door.client.post("/desk/logout").status_code == 403
    assert door.status() == 200
    assert door.client.post("/desk/logout", data={"csrf": csrf}).status_code == 303
    door.client.cookies.set("desk", token, path="/desk")
    assert door.status() == 303
    with db.reading(door.engine) as session:
        assert [entry.action for entry in audit.entries(session, "person", "mara")] == ["added", "logged in"]


def test_a_link_is_good_once_for_a_quarter_of_an_hour_and_not_for_scanners(door: Door, desk: Desk) -> None:
    door.ask()
    before = desk.rows()
    for method in ("GET", "HEAD", "GET"):
        assert door.client.request(method, door.link()).status_code == 200
    assert desk.rows() == before
    assert door.client.post(door.link(), headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert door.client.post(door.link()).status_code == 303
    assert door.client.get(door.link()).status_code == door.client.post(door.link()).status_code == 410
    door.client.cookies.clear()
    door.ask()
    door.clock.tick(minutes=15)
    assert door.client.get(door.link()).status_code == door.client.post(door.link()).status_code == 410
    assert door.client.post("/desk/login/" + "x" * 43).status_code == 410
    assert door.status() == 303


def test_the_answer_is_the_same_whoever_works_here(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pages = {door.ask(address) for address in (
        "mara@quay.example", "nobody@quay.example", "nils@quay.example", "shared@quay.example", "ana@quay.example",
        "no address", "", "a" * 5000,
    )}  # fmt: skip
    assert len(pages) == 1
    assert door.server.recipients == [MARA]
    own = [each.getMessage() for each in caplog.records if each.name.startswith("newsletter")]
    assert "quay.example" not in repr(own)


def test_an_address_and_a_network_get_so_many_links_an_hour(door: Door) -> None:
    for _ in range(doors.TO_ADDRESS + 2):
        assert "Look into your mailbox" in door.ask()
    assert len(door.server.accepted) == doors.TO_ADDRESS
    answers = [door.client.post("/desk/login", data={"email": f"{number}@quay.example"}) for number in range(20)]
    assert (answers[0].status_code, answers[-1].status_code) == (200, 429)
    door.clock.tick(hours=1)
    door.ask()
    assert len(door.server.accepted) == doors.TO_ADDRESS + 1


def test_a_session_ends_by_staying_away_by_age_by_an_admin_and_with_the_address(door: Door) -> None:
    door.come_in()
    for _ in range(3):
        door.clock.tick(hours=11)
        assert door.status() == 200
    door.clock.tick(hours=12)
    assert door.status() == 303
    door.come_in()
    for _ in range(17):
        door.clock.tick(hours=9, minutes=50)
        assert door.status() == 200
    door.clock.tick(hours=2)
    assert door.status() == 303
    endings = (
        lambda session: people.log_out(session, "mara", actor="mara", now=door.now),
        lambda session: people.edit(session, "mara", email="mw@quay.example", actor="mara", now=door.now),
    )
    for ending in endings:
        door.come_in()
        with db.transaction(door.engine) as session:
            assert [each.person for each in sessions.of(session, "mara", now=door.now)] == ["mara"]
            ending(session)
        assert door.status() == 303
        assert door.client.get(door.link()).status_code == 410


def test_a_cookie_that_nobody_was_given_lets_nobody_in(door: Door) -> None:
    for value in ("", "x", "x" * 5000):
        door.client.cookies.set("desk", value, path="/desk")
        assert door.status() == 303
