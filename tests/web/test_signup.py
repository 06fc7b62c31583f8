"""Signing up: the form, the letter over real SMTP, the answer to it; and what keeps others from misusing them."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default

import httpx2
import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from newsletter import db
from newsletter.settings import Settings, load
from newsletter.web import signup
from newsletter.web.app import create
from subscribers import consent, lists, subscriptions, upsert
from subscribers.models import Consent, Knock, Subscriber
from tests.support import browser as browsers
from tests.support import judges, looks, smtp
from tests.web.conftest import Desk, served

NEW = "new@quay.example"


@dataclass
class Door:
    """A desk that can send, at a moment that the test moves on."""

    client: TestClient
    engine: Engine
    server: smtp.Server
    now: datetime
    settings: Settings

    def form(self) -> dict[str, str]:
        """Return the hidden fields of a form that was shown long enough ago."""
        page = self.client.get("/signup").text
        self.now += timedelta(seconds=5)
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))

    def sign_up(self, address: str = NEW, **more: object) -> httpx2.Response:
        said = {**self.form(), "email": address, "list": "weekly", "frequency": "weekly", "topic": ["fuel"], **more}
        return self.client.post("/signup", data=said)

    def letters(self) -> list[EmailMessage]:
        return [parsed(each.data) for each in self.server.accepted]

    def people(self) -> list[str]:
        with db.reading(self.engine) as session:
            return sorted(session.scalars(select(upsert.table(Subscriber).c.email)))


@pytest.fixture
def door(desk: Desk) -> Iterator[Door]:
    with smtp.serving() as server:
        settings = load(desk.settings.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port)})
        made: Door | None = None
        app = create(settings, desk.engine, clock=lambda: made.now if made else desk.now)
        with TestClient(app, follow_redirects=False, client=("198.51.100.7", 5000)) as client:
            made = Door(client, desk.engine, server, desk.now, settings)
            yield made


def parsed(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=default)


def link(letter: EmailMessage) -> str:
    text = letter.get_body(("plain",))
    assert text
    found = re.search(r"https://news\.harbour\.example(/confirm/[\w-]{43})\s", text.get_content())
    assert found
    return found[1]


def test_a_reader_signs_up_confirms_by_mail_and_is_on_the_list(door: Door) -> None:
    assert "Look into your mailbox" in door.sign_up().text
    (letter,) = door.letters()
    assert (letter["To"], letter["Subject"], letter["Auto-Submitted"]) == (
        NEW, "Confirm: The Weekly Tide", "auto-generated",
    )  # fmt: skip
    path, html = link(letter), letter.get_body(("html",))
    assert html
    assert path in html.get_content()
    assert signup.AGREEMENT in html.get_content()
    assert "Confirm The Weekly Tide" in door.client.get(path).text
    assert "You are on The Weekly Tide" in door.client.post(path, data={"action": "confirm"}).text
    with db.reading(door.engine) as session:
        number = session.scalar(select(upsert.table(Subscriber).c.id).where(upsert.table(Subscriber).c.email == NEW))
        assert number
        assert [(each.name, each.state) for each in subscriptions.of(session, number)] == [("weekly", "confirmed")]
        rows = session.execute(select(upsert.table(Consent)).where(upsert.table(Consent).c.subscriber_id == number))
        proofs = [(row.event, row.words, row.ip, row.message_id) for row in rows]
    words = f"The Weekly Tide\n{signup.AGREEMENT}"
    assert proofs == [
        ("requested", words, "198.51.100.7", ""), ("confirmed", words, "198.51.100.7", letter["Message-ID"]),
    ]  # fmt: skip


def test_what_scanners_do_with_the_letter_confirms_nothing(door: Door, desk: Desk) -> None:
    door.sign_up()
    path = link(door.letters()[0])
    before = desk.rows()
    for _ in range(3):
        door.client.get(path)
        door.client.head(path)
    assert door.client.post(path).status_code == 400
    assert door.client.get(path[:-1]).status_code == 404
    assert desk.rows() == before


def test_the_answer_is_the_same_whoever_is_known_here(door: Door) -> None:
    answers = {door.sign_up(address).text for address in (NEW, "ana@quay.example", "nobody@quay.example")}
    answers.add(door.sign_up("robot@quay.example", website="x").text)
    assert len(answers) == 1
    assert sorted(letter["To"] for letter in door.letters()) == sorted([NEW, "nobody@quay.example"])


def test_a_robot_that_fills_in_every_field_is_thanked_and_forgotten(door: Door, desk: Desk) -> None:
    before = desk.rows()
    assert "Look into your mailbox" in door.sign_up(website="https://spam.example/").text
    assert desk.rows() == before


@pytest.mark.parametrize("stamp", ["", "forged", "quick", "stale"])
def test_a_form_that_nobody_can_have_read_is_shown_again(door: Door, desk: Desk, stamp: str) -> None:
    fields = door.form()
    door.now += {"quick": timedelta(seconds=-4), "stale": timedelta(days=2)}.get(stamp, timedelta())
    if stamp in ("", "forged"):
        fields["shown"] = stamp
    before = desk.rows()
    page = door.client.post("/signup", data={**fields, "email": NEW, "list": "weekly", "frequency": "weekly"})
    assert signup.AGREEMENT in page.text
    assert f'value="{NEW}"' in page.text
    assert desk.rows() == before


def test_a_form_on_another_page_leads_to_ours(door: Door) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    page = door.client.post("/signup", data={"email": NEW, "list": "monthly"}, headers=headers).text
    assert f'value="{NEW}"' in page
    assert re.search(r'value="monthly" checked', page)
    assert door.people() == ["ana@quay.example", "bo@quay.example"]


def test_an_address_gets_three_letters_a_day_at_most(door: Door) -> None:
    answers = {door.sign_up().text for _ in range(5)}
    assert len(answers) == 1
    assert len(door.letters()) == signup.TO_ADDRESS
    door.now += timedelta(days=1)
    door.sign_up()
    assert len(door.letters()) == signup.TO_ADDRESS + 1
    door.now += timedelta(days=3)
    door.sign_up()
    with db.reading(door.engine) as session:
        knocks = session.execute(select(upsert.table(Knock))).all()
    assert len(knocks) == 2, "older counts are forgotten"
    assert all(NEW not in row.who and "198.51" not in row.who for row in knocks)


def test_a_network_signs_up_twenty_readers_an_hour_at_most(door: Door) -> None:
    for number in range(signup.FROM_NETWORK):
        assert door.sign_up(f"r{number}@quay.example", website="").status_code == 200
    page = door.sign_up("more@quay.example")
    assert (page.status_code, page.headers["retry-after"]) == (429, "3600")
    assert "more@quay.example" not in door.people()


@pytest.mark.parametrize("address", ["", "no address", "a@b", "x@quay.example\r\nBcc: y@quay.example"])
def test_what_is_no_address_is_shown_again(door: Door, address: str) -> None:
    page = door.sign_up(address)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert door.letters() == []


def test_a_private_list_is_not_offered_and_not_joined(door: Door) -> None:
    with db.transaction(door.engine) as session:
        lists.edit(session, "monthly", public=False)
    assert "The Monthly Chart" not in door.client.get("/signup?list=monthly").text
    assert door.sign_up(list="monthly").status_code == 400
    assert door.people() == ["ana@quay.example", "bo@quay.example"]


def test_one_letter_confirms_every_list_that_was_ticked(door: Door) -> None:
    with db.transaction(door.engine) as session:
        lists.edit(session, "monthly", description="Charts of the month.")
    page = door.client.get("/signup?list=monthly&list=weekly").text
    assert re.findall(r'type="checkbox" name="list" value="(\w+)" checked', page) == ["monthly", "weekly"]
    assert " checked> <span>The" not in door.client.get("/signup").text, "nobody agrees by leaving a tick where it is"
    assert "Look into your mailbox" in door.sign_up(list=["weekly", "monthly"]).text
    (letter,) = door.letters()
    assert letter["Subject"] == "Confirm: The Monthly Chart and The Weekly Tide"
    path = link(letter)
    assert "issues of these lists go to" in door.client.get(path).text
    page = door.client.post(path, data={"action": "confirm"}).text
    assert "You are on The Monthly Chart and The Weekly Tide" in page
    with db.reading(door.engine) as session:
        number = session.scalar(select(upsert.table(Subscriber).c.id).where(upsert.table(Subscriber).c.email == NEW))
        assert number
        proofs = {(each.list, each.event, each.words) for each in consent.of(session, number)}
    weekly, monthly = (
        f"The Weekly Tide\n{signup.AGREEMENT}",
        f"The Monthly Chart\nCharts of the month.\n{signup.AGREEMENT}",
    )
    assert proofs == {
        (name, event, words)
        for name, words in (("weekly", weekly), ("monthly", monthly)) for event in ("requested", "confirmed")
    }  # fmt: skip


def test_who_ticks_nothing_is_asked_to(door: Door) -> None:
    page = door.sign_up(list=[])
    assert page.status_code == 422
    assert "Please tick what you would like to get" in page.text
    assert door.sign_up(list=["weekly", "secret"]).status_code == 400
    assert door.people() == ["ana@quay.example", "bo@quay.example"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_pages_fit_a_phone_and_everybody(door: Door) -> None:
    door.sign_up()
    paths = {"form": "/signup", "confirm": link(door.letters()[0])}
    pages = {name: door.client.get(path).text for name, path in paths.items()}
    pages["thanks"] = door.sign_up("another@quay.example").text
    assert judges.ask("validate.cjs", {"mail": False, "pages": pages}) == {name: [] for name in pages}
    with served(door.settings, door.engine, at=door.now) as address, browsers.launch() as chromium:
        with browsers.page(chromium, width=390, scheme="light") as page:
            for path in paths.values():
                page.goto(address + path)
                assert looks.faults(page) == [], path
