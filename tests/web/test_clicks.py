"""Links whose clicks are counted: where they lead, whom they count, and that scanners are no readers."""

import email
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from email.policy import default

import httpx2
import pytest
from sqlalchemy import insert, select

from newsletter import db, publication
from newsletter.delivery import making
from newsletter.delivery.message import Envelope
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.reader import Reader
from newsletter.delivery.tables import AUDIENCE, DELIVERY
from newsletter.editorial import sessions
from newsletter.feedback.clicks import CLICK
from newsletter.rendering import press, tracked
from subscribers import lists
from subscribers.tokens import Purpose, sign
from tests.web import test_scanners
from tests.web.conftest import Desk, served
from tests.web.test_reading import PILOTS, TUGS, approve, compose, staff

assert staff
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}


class Mailed:
    """A desk whose weekly list counts clicks, and an issue that Ana has."""

    def __init__(self, desk: Desk, sent: datetime) -> None:
        approve(desk, TUGS, PILOTS)
        self.desk, self.issue = desk, compose(desk, [PILOTS.id])
        with db.transaction(desk.engine) as session:
            lists.edit(session, "weekly", track_clicks=True)
            row = {"issue_id": self.issue, "list_id": desk.weekly, "reason": "", "reply": "", "attempts": 1}
            state = {"state": DeliveryState.SENT, "changed_at": sent}
            session.execute(insert(DELIVERY).values(subscriber_id=desk.ana, **row, **state))
            self.rendered = press.load(session, self.issue)
            self.links = tracked.all(session, self.issue)

    def message(self, *, tracked: bool) -> bytes:
        """Return Ana's copy."""
        desk, keyring = self.desk, publication.keyring(self.desk.settings)
        make = making.make(desk.settings, self.issue, self.rendered, date=desk.now, keyring=keyring)
        reader = Reader(1, desk.ana, "ana@quay.example", desk.weekly, "weekly", "The Weekly Tide")
        made = make(replace(reader, tracked=tracked))
        assert isinstance(made, Envelope)
        return made.message

    def path(self, number: int) -> str:
        token = sign(publication.keyring(self.desk.settings), Purpose.CLICK, self.issue, self.desk.ana)
        return f"/c/{token}/{number}"

    def counted(self) -> Counter[str]:
        with db.reading(self.desk.engine) as session:
            return Counter(by.value for by in session.scalars(select(CLICK.c.by)))


@pytest.fixture
def mailed(desk: Desk) -> Mailed:
    return Mailed(desk, desk.now - timedelta(hours=2))


def html(raw: bytes) -> str:
    body = email.message_from_bytes(raw, policy=default).get_body(("html",))
    assert body is not None
    return str(body.get_content())


def test_a_copy_of_such_a_list_has_links_that_lead_where_the_others_do(mailed: Mailed) -> None:
    plain, counted = mailed.message(tracked=False), mailed.message(tracked=True)
    there = re.findall(r'href="([^"]*)"', html(plain))
    here = re.findall(r'href="([^"]*)"', html(counted))
    *here, canary = here
    assert len(here) == len(there)
    assert canary.endswith("/0")
    led = 0
    for link, address in zip(here, there, strict=True):
        path = link.removeprefix("https://news.harbour.example")
        if path.startswith("/c/"):
            answer = mailed.desk.client.get(path, headers=FIREFOX)
            assert (answer.status_code, answer.headers["location"]) == (302, address.replace("&amp;", "&"))
            led += 1
        else:
            assert link == address
    assert led > 3
    for personal in ("/u/", "/p/"):
        assert sum(personal in each for each in here) == sum(personal in each for each in there) > 0
    assert "/c/" not in "".join(re.findall(r"https://\S+", str(mailed.rendered.text)))


def test_a_click_is_counted_once_it_is_a_get_and_nobody_objects(mailed: Mailed) -> None:
    client, path = mailed.desk.client, mailed.path(1)
    before = mailed.desk.rows()
    for refusal in ({"DNT": "1"}, {"Sec-GPC": "1"}):
        assert client.get(path, headers={**FIREFOX, **refusal}).headers["location"] == mailed.links[1]
    client.post(mailed.desk.link(Purpose.PREFERENCES, mailed.desk.ana),
                data={"action": "save", "topic": "fuel", "clicks": ["asked", "refused"]})  # fmt: skip
    assert client.get(path, headers=FIREFOX).headers["location"] == mailed.links[1]
    client.post(mailed.desk.link(Purpose.PREFERENCES, mailed.desk.ana),
                data={"action": "save", "topic": "fuel", "clicks": "asked"})  # fmt: skip
    assert client.head(mailed.path(2), headers=FIREFOX).status_code == 302
    assert mailed.desk.rows() == before
    answer = client.get(path, headers=FIREFOX)
    assert (answer.status_code, "set-cookie" in answer.headers, answer.headers["cache-control"]) == (
        302, False, "no-store",
    )  # fmt: skip
    assert mailed.counted() == {"human": 1}
    client.get(mailed.path(2), headers=FIREFOX)  # after its HEAD
    client.get(path, headers={**FIREFOX, "Sec-Purpose": "prefetch;prerender"})
    assert mailed.counted() == {"human": 1, "machine": 2}


@pytest.mark.parametrize("change", ["number", "token", "purpose", "word"])
def test_a_link_leads_nowhere_but_where_the_issue_does(mailed: Mailed, change: str) -> None:
    wrong = {
        "number": mailed.path(len(mailed.links) + 1),
        "token": mailed.path(1).replace("/c/A", "/c/B"),
        "purpose": f"/c/{mailed.desk.leave(mailed.desk.ana, 1)[3:]}/1",
        "word": mailed.path(1)[:-1] + "https://evil.example",
    }[change]
    answer = mailed.desk.client.get(wrong, headers=FIREFOX)
    assert (answer.status_code, "location" in answer.headers) == (404, False)
    assert not mailed.counted()


def test_scanners_that_follow_every_link_are_no_readers(mailed: Mailed) -> None:
    before = {name: rows for name, rows in mailed.desk.rows().items() if name != "click"}
    links = sorted(test_scanners.links(mailed.message(tracked=True)))
    assert mailed.path(0) in links
    browser = (*test_scanners.AGENTS, FIREFOX["User-Agent"])
    with served(mailed.desk.settings, mailed.desk.engine, at=mailed.desk.now) as address, httpx2.Client() as client:
        for agent in browser:
            for path in links:
                if agent != browser[-1]:
                    client.head(address + path, headers={"User-Agent": agent})
                client.get(address + path, headers={"User-Agent": agent})
    assert mailed.counted().keys() == {"machine"}
    assert mailed.counted().total() > 20
    assert {name: rows for name, rows in mailed.desk.rows().items() if name != "click"} == before


def test_a_reader_is_told_whether_clicks_are_counted(mailed: Mailed) -> None:
    client, desk = mailed.desk.client, mailed.desk
    ana, bo = (desk.link(Purpose.PREFERENCES, reader) for reader in (desk.ana, desk.bo))
    assert "When you follow a link in mail from The Weekly Tide" in client.get(f"{ana}/why").text
    assert "Do not count my clicks" in client.get(ana).text
    client.post(ana, data={"action": "save", "clicks": ["asked", "refused"]})
    assert "you asked us not to count your clicks" in client.get(f"{ana}/why").text
    with db.transaction(desk.engine) as session:
        lists.edit(session, "weekly", track_clicks=False)
    assert "we count neither which links" in client.get(f"{bo}/why").text
    assert "Do not count my clicks" not in client.get(bo).text


def test_the_desk_shows_the_report_to_its_people(mailed: Mailed) -> None:
    desk, path = mailed.desk, f"/desk/issues/{mailed.issue}/report"
    assert desk.client.get(path).headers["location"] == "/desk/login"
    with db.transaction(desk.engine) as session:
        desk.client.cookies.set("desk", sessions.begin(session, "ben", now=desk.now))
    early = desk.client.get(path)
    assert (early.status_code, early.headers["location"].partition("?")[0]) == (303, f"/desk/issues/{mailed.issue}")
    with db.transaction(desk.engine) as session:
        plan = {"size": 1, "planned_at": desk.now - timedelta(hours=2), "planned_by": "ann"}
        session.execute(insert(AUDIENCE).values(issue_id=mailed.issue, lists=["weekly"], segments=[], **plan))
    desk.client.get(mailed.path(1), headers=FIREFOX)
    answer = desk.client.get(path)
    assert answer.status_code == 200
    assert "1</b> of 1 whose clicks are counted" in answer.text
    assert "'unsafe-inline'" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]
    assert desk.client.get("/desk/issues/99/report").status_code == 404
