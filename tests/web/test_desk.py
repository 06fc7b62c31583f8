"""The desk page by forms alone: triage, review, an issue put together, and the rules that hold there as elsewhere."""

import html
import re
from dataclasses import dataclass, replace
from functools import cached_property

import httpx2
import pytest
from starlette.testclient import TestClient

from newsletter import audit, db
from newsletter.discovery import feeds, inbox
from newsletter.discovery.models import ItemState
from newsletter.editorial import briefings, comments, format, people, sessions
from newsletter.editorial.document import Document
from newsletter.editorial.models import Role
from newsletter.issues import issues
from newsletter.issues.models import IssueState
from newsletter.web.app import create
from tests.discovery.publisher import item, rss
from tests.editorial.evidence import PLAIN, bring
from tests.web.conftest import Desk
from tests.web.test_reading import PILOTS, SOURCE, TUGS, approve, compose, staff

assert staff  # the fixture that brings ann and ben

SHARED = "One pilot in five retires before 2030, and the schools train half as many as are needed."


@dataclass
class Visitor:
    """Somebody who is in at the desk page, by a client that keeps their cookie."""

    desk: Desk
    client: TestClient

    def see(self, path: str = "") -> str:
        page = self.client.get(f"/desk{path}")
        assert page.status_code == 200, page.text
        return page.text

    def fields(self, path: str) -> dict[str, str]:
        """Return the hidden fields of a page, as its forms would send them."""
        found = re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)">', self.see(path))
        return {name: html.unescape(value) for name, value in found if value}

    @cached_property
    def csrf(self) -> str:
        return self.fields("/briefings")["csrf"]

    def send(self, path: str, **fields: object) -> httpx2.Response:
        """Send a form; one of an issue has no hidden fields that count but the session's own."""
        hidden = {"csrf": self.csrf} if path.startswith("/issues") else self.fields(path)
        return self.client.post(f"/desk{path}", data={**hidden, **fields})

    def done(self, path: str, **fields: object) -> str:
        """Send a form that is done, and return the address that it leads to."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].removeprefix("/desk")

    def does(self, path: str, **fields: object) -> str:
        """Send a form that is done, and return the page that it leads to."""
        return self.see(self.done(path, **fields))

    def refused(self, path: str, **fields: object) -> str:
        answer = self.send(path, **fields)
        assert answer.status_code == 409, answer.text
        found = re.search(r'role="alert"><p class="said">(.*?)</p>', answer.text, re.DOTALL)
        assert found
        return html.unescape(found[1])


def visitor(desk: Desk, handle: str) -> Visitor:
    """Return a browser in which a person is in."""
    with db.transaction(desk.engine) as session:
        token = sessions.begin(session, handle, now=desk.now)
    app = create(desk.settings, desk.engine, clock=lambda: desk.now)
    client = TestClient(app, base_url="https://news.harbour.example", follow_redirects=False)
    client.cookies.set("desk", token, path="/desk")
    return Visitor(desk, client)


@pytest.fixture
def ben(desk: Desk) -> Visitor:
    return visitor(desk, "ben")


def submit(desk: Desk, document: Document = PILOTS) -> None:
    with db.transaction(desk.engine) as session:
        briefings.adopt(session, document, folder=desk.settings.briefings, actor="ann", now=desk.now)
        briefings.submit(session, document.id, actor="ann", now=desk.now)


def state(desk: Desk, briefing: str = PILOTS.id) -> str:
    with db.reading(desk.engine) as session:
        return briefings.get(session, briefing).state


def items(desk: Desk) -> dict[int, str]:
    with db.reading(desk.engine) as session:
        return {each.id: each.state.value for each in inbox.all(session)}


def test_stories_are_decided_by_buttons_and_taken_back_one_by_one(desk: Desk, ben: Visitor) -> None:
    with db.transaction(desk.engine) as session:
        feeds.read(session, rss(*map(item, (1, 2, 3, 4))), url="https://wire.example/f", name="wire", now=desk.now)
    assert "4 to decide" in ben.see("/inbox")
    before, fields = items(desk), ben.fields("/inbox")
    stale = dict(fields)

    def press(do: str, **more: str) -> None:
        nonlocal fields
        answer = ben.client.post("/desk/inbox", data={**fields, "do": do, **more})
        assert answer.status_code == 200, answer.text
        found = re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)">', answer.text)
        fields = {name: html.unescape(value) for name, value in found}

    press("shortlist:1")
    press("dismiss:2", **{"why-2": "thin"})
    press("snooze:3", **{"days-3": "3"})
    assert items(desk) == {1: "shortlisted", 2: "dismissed", 3: "snoozed", 4: "new"}
    for _ in range(3):
        press("undo")
    assert items(desk) == before
    assert "no longer shortlisted" not in ben.see("/inbox")
    with db.transaction(desk.engine) as session:
        inbox.shortlist(session, [4], actor="ann", now=desk.now)
    answer = ben.client.post("/desk/inbox", data={**stale, "do": "dismiss:4", "why-4": "old"})
    assert (answer.status_code, "not as you saw it any more" in answer.text) == (409, True)
    forged = {**stale, "do": "undo", "trail": stale["trail"].replace(stale["trail"][-1], "x")}
    assert ben.client.post("/desk/inbox", data=forged).status_code == 400
    assert items(desk)[4] == "shortlisted"
    with db.reading(desk.engine) as session:
        assert [(each.actor, each.action) for each in audit.entries(session, "item", 2)] == [
            ("ben", "dismissed"), ("ben", "undone"),
        ]  # fmt: skip
    begun = ben.does("/inbox", do="begin:1")
    assert "Hand it in" in begun
    assert items(desk)[1] == ItemState.CLAIMED


def test_a_text_lies_beside_its_sources_and_is_approved_as_it_was_shown(desk: Desk, ben: Visitor) -> None:
    submit(desk)
    with db.transaction(desk.engine) as session:
        bring(session, f"{PLAIN} {SHARED} Nobody knows.", url=SOURCE.url)
    path = f"/briefings/{PILOTS.id}"
    assert f'href="/desk{path}"' in ben.see()
    page = ben.see(path)
    assert re.search(r"<mark>One pilot in five [^<]*needed<sup>1</sup></mark>", page)
    assert re.search(r"source 1, 17 words:</span> [^<]*hesitate\.? <mark>One pilot in five [^<]*needed</mark>", page)
    assert "What the standards say" in page
    assert "Your comment is noted." in ben.does(path, action="comment", words="Is <b>this</b> so?")
    assert "<strong>ben</strong>: Is &lt;b&gt;this&lt;/b&gt; so?" in ben.see(path)
    shown = ben.fields(path)
    file = desk.settings.briefings / f"{PILOTS.id}.md"
    before = file.read_text("utf-8")
    file.write_text(before.replace("One pilot in five retires", "Two pilots in five retire"), "utf-8")
    answer = ben.client.post(f"/desk{path}", data={**shown, "action": "approve"})
    assert (answer.status_code, "was edited since it was shown" in answer.text) == (409, True)
    assert state(desk) == "draft"
    assert "+One pilot" not in ben.see(path)
    file.write_text(before.replace(SHARED, "Pilots retire faster than others are trained."), "utf-8")
    ann = visitor(desk, "ann")
    assert "somebody else" in ann.does(path, action="submit")
    assert "ann cannot approve" in ann.refused(path, action="approve")
    assert "say why" in ben.refused(path, action="reject")
    assert "You approved this text." in ben.does(path, action="approve", words="read twice")
    assert "Approved by ben" in ben.see(path)
    assert state(desk) == "approved"
    assert "back with its writer" in ben.does(path, action="reject", words="Who counted?")
    assert state(desk) == "draft"


def test_an_issue_is_composed_ordered_worded_frozen_cleared_and_given_its_time(desk: Desk, ben: Visitor) -> None:
    tolls = replace(TUGS, id="tolls-rise", title="Tolls rise")
    approve(desk, replace(PILOTS, related_pin=()), TUGS, tolls)
    assert "Ready for an issue" in ben.see()
    page = ben.does("/issues", pick=[PILOTS.id, TUGS.id], list="weekly")
    assert "Issue 1 is composed." in page
    at = "/issues/1"

    def order() -> tuple[str, ...]:
        with db.reading(desk.engine) as session:
            return issues.get(session, 1).items

    ben.done(at, do=f"down:{PILOTS.id}", order="")
    assert order() == (TUGS.id, PILOTS.id)
    ben.done(at, do="add", add=tolls.id)
    ben.done(at, do=f"up:{tolls.id}")
    ben.done(at, do="order", order=f"{PILOTS.id},{TUGS.id}")
    assert order() == (PILOTS.id, TUGS.id, tolls.id)
    ben.done(at, do=f"drop:{tolls.id}")
    for name in (TUGS.id, PILOTS.id):
        assert ben.send(at, do=f"drop:{name}").status_code == (303 if name == TUGS.id else 409)
    before = desk.rows()
    mail = ben.client.post(f"/desk{at}/mail", data={"csrf": ben.csrf, "intro": "*Not* kept.", "subject": "The tide"})
    assert ("<em>Not</em> kept." in mail.text, mail.headers["x-frame-options"]) == (True, "SAMEORIGIN")
    bad = ben.client.post(f"/desk{at}/mail", data={"csrf": ben.csrf, "intro": "{{ nobody.knows }}"})
    assert (bad.status_code, bad.headers["content-type"]) == (409, "text/plain; charset=utf-8")
    assert desk.rows() == before
    words = {"subject": "Pilots are few", "preheader": "And the tugs lie idle.", "intro": "**Hello.**\r\n\r\nSo it is."}
    page = ben.does(at, do="words", **words)
    assert "<h1>Pilots are few</h1>" in page
    bad = ben.send(at, do="words", **{**words, "subject": "{{ nobody.knows }}"})
    assert (bad.status_code, "{{ nobody.knows }}" in html.unescape(bad.text)) == (409, True)
    mail = ben.client.get(f"/desk{at}/mail")
    assert "<strong>Hello.</strong>" in mail.text
    assert mail.headers["content-security-policy"].endswith("frame-ancestors 'self'; sandbox")
    assert mail.headers["x-frame-options"] == "SAMEORIGIN"
    assert "reader@example.com" in mail.text
    ben.done(at, do="freeze")
    assert "cannot clear" in ben.refused(at, do="clear")
    with db.transaction(desk.engine) as session:
        people.add(session, "cleo", roles=[Role.STANDARDS], now=desk.now)
    cleo = visitor(desk, "cleo")
    assert "cleared by cleo" in cleo.does(at, do="clear", note="good")
    assert "is no moment" in ben.refused(at, do="ask", at="soon")
    asked = ben.send(at, do="ask", at="2026-12-01 07:00 Europe/Berlin")
    assert (asked.status_code, "2 readers of weekly" in asked.text) == (200, True)
    assert "begins 2026-12-01 07:00 Europe/Berlin" in ben.does(at, do="schedule", at="2026-12-01 07:00 Europe/Berlin")
    assert "takes sender" in cleo.refused(at, do="unschedule")
    for step in ("unschedule", "unfreeze"):
        ben.done(at, do=step)
    assert "is given up" in ben.does(at, do="cancel")
    with db.reading(desk.engine) as session:
        assert issues.get(session, 1).state is IssueState.CANCELLED


def test_a_send_is_followed_paused_and_resumed(desk: Desk, ben: Visitor) -> None:
    approve(desk, replace(PILOTS, related_pin=()))
    compose(desk, [PILOTS.id])
    assert 'data-follow="/desk/issues/1/progress"' in ben.see("/issues/1")
    assert "<!doctype" not in ben.see("/issues/1/progress")
    assert "is paused" in ben.does("/issues/1", do="pause")
    assert "data-follow" not in ben.see("/issues/1/progress")
    assert "newsletter deliver" in ben.does("/issues/1", do="resume")
    assert ben.refused("/issues/1", do="freeze")


def test_forms_of_others_and_people_without_the_role_change_nothing(desk: Desk, ben: Visitor) -> None:
    submit(desk)
    path, text = f"/briefings/{PILOTS.id}", {"action": "approve", "sha256": format.sha256(PILOTS)}
    own = ben.fields(path)
    ann = visitor(desk, "ann")
    before = desk.rows()
    for csrf in ("", "x", "ü", ann.fields(path)["csrf"]):
        assert ben.client.post(f"/desk{path}", data={**text, "csrf": csrf}).status_code == 403
    for site in ("cross-site", "same-site"):
        there = {"Sec-Fetch-Site": site}
        assert ben.client.post(f"/desk{path}", data={**own, **text}, headers=there).status_code == 403
    for address in ("/issues", "/issues/1", "/inbox", "/logout", path):
        assert ben.client.post(f"/desk{address}", data={}).status_code == 403
        assert desk.client.post(f"/desk{address}", data=own).headers["location"] == "/desk/login"
    assert desk.rows() == before
    for address in ("/briefings/nowhere", "/issues/7", "/issues/x", "/issues/99999999999", "/issues/7/mail"):
        assert ben.client.get(f"/desk{address}").status_code == 404
    assert ben.client.post(f"/desk{path}", data={**own, "action": "publish"}).status_code == 400
    with db.transaction(desk.engine) as session:
        people.edit(session, "ben", roles=[Role.SCOUT], actor="ann", now=desk.now)
    assert "ben is scout here" in ben.refused(path, action="approve")
    assert "ben is scout here" in ben.refused(path, action="comment", words="No.")
    assert state(desk) == "in_review"
    with db.reading(desk.engine) as session:
        assert comments.all(session, PILOTS.id) == []
    assert "?said=" not in ben.see(path)
    assert "Nonsense" not in ben.see(f"{path}?said=Nonsense")
