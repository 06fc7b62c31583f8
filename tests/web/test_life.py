"""The life of a reader, in a real browser, with real mail: signed up, confirmed, sent to, gone."""

import re
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page

from newsletter import publication
from newsletter.delivery import sending
from newsletter.delivery.sending import Order
from newsletter.settings import Settings, load
from tests.support import browser as browsers
from tests.support import smtp
from tests.support.smtp import Server
from tests.web.conftest import Desk, served
from tests.web.test_browser import complaints
from tests.web.test_reading import PILOTS, TUGS, approve, compose, staff
from tests.web.test_signup import NEW, parsed

assert staff  # the fixture that brings ann and ben
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a browser asks no database
PUBLIC = re.escape("https://news.harbour.example")


def link(mail: EmailMessage, where: str) -> str:
    """Return the path of the link in a mail's text that begins so."""
    text = mail.get_body(("plain",))
    assert text
    found = re.search(rf"{PUBLIC}({where}[\w-]+)", text.get_content())
    assert found
    return found[1]


def mail_to(server: Server, address: str) -> list[EmailMessage]:
    return [parsed(each.data) for each in server.accepted if each.recipient == address]


def send(desk: Desk, settings: Settings, briefing: str) -> None:
    issue = compose(desk, [briefing], sending=False)
    sending.send(
        desk.engine, settings, issue, Order(lists=["weekly"]), keyring=publication.keyring(settings), actor="ann"
    )


def sign_up(page: Page, address: str) -> None:
    page.goto(f"{address}/signup")
    page.get_by_label("The Weekly Tide").check()
    page.get_by_label("Your address").fill(NEW)
    page.wait_for_timeout(2100)  # what is filled in faster than people can is not taken
    page.get_by_role("button", name="Sign up").press("Enter")
    page.get_by_role("heading", name="Look into your mailbox").wait_for()


def test_a_reader_signs_up_reads_and_leaves(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    with smtp.serving() as server:
        settings = load(desk.settings.folder, {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port)})
        with (
            served(settings, desk.engine) as address,
            browsers.launch() as chromium,
            browsers.page(chromium, width=390, scheme="light") as page,
        ):
            said = complaints(page)
            sign_up(page, address)
            while not server.accepted:  # the letter leaves after the answer
                page.wait_for_timeout(20)
            page.goto(address + link(mail_to(server, NEW)[0], "/confirm/"))
            page.get_by_role("button", name="Yes, send me The Weekly Tide").press("Enter")
            page.get_by_role("heading", name="You are on The Weekly Tide").wait_for()

            send(desk, settings, TUGS.id)
            first = mail_to(server, NEW)[1]
            page.goto(address + link(first, "/p/"))
            page.get_by_label("tariffs").check()
            page.get_by_role("button", name="Save my choices").press("Enter")
            assert page.get_by_role("status").inner_text() == "Saved. You chose tariffs."

            one_click = re.fullmatch(rf"<{PUBLIC}(/u/[\w-]+)>", first["List-Unsubscribe"])
            assert one_click
            assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            answer = page.request.post(address + one_click[1], form={"List-Unsubscribe": "One-Click"}, max_redirects=0)
            assert answer.status == 200

            send(desk, settings, PILOTS.id)
            assert len(mail_to(server, NEW)) == 2, "the letter, and one issue"
            assert len(mail_to(server, "ana@quay.example")) == 2, "who stayed has both"
            assert said == []
