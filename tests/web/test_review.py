"""Review by link: the text with all that is known of it, and one person's decision on it, by a form without scripts."""

from dataclasses import dataclass

import httpx2
import pytest

from newsletter import db
from newsletter.editorial import briefings, comments, format, invitations, people
from newsletter.editorial.models import Role
from newsletter.web import review
from tests.support import browser as browsers
from tests.support import judges, looks
from tests.web.conftest import Desk, served
from tests.web.test_reading import PILOTS


@dataclass(frozen=True)
class Link:
    """A reviewer's link, and the text that it is for."""

    desk: Desk
    path: str
    sha256: str

    def say(self, action: str, words: str = "", *, sha256: str = "") -> httpx2.Response:
        said = {"action": action, "words": words, "sha256": sha256 or self.sha256}
        return self.desk.client.post(self.path, data=said)

    def state(self) -> str:
        with db.reading(self.desk.engine) as session:
            return briefings.get(session, PILOTS.id).state

    def edit(self, old: str, new: str) -> None:
        path = self.desk.settings.briefings / f"{PILOTS.id}.md"
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


@pytest.fixture
def link(desk: Desk) -> Link:
    """Return ben's link to a briefing by ann."""
    with db.transaction(desk.engine) as session:
        people.add(session, "ann", now=desk.now)
        people.add(session, "ben", name="Ben Ahoy", now=desk.now)
        briefings.adopt(session, PILOTS, folder=desk.settings.briefings, actor="ann", now=desk.now)
        briefings.submit(session, PILOTS.id, actor="ann", now=desk.now)
        made = invitations.invite(session, PILOTS.id, to="ben", actor="ann", now=desk.now)
        comments.add(session, PILOTS.id, "Is <this> so?", place="title", actor="ann", now=desk.now)
    return Link(desk, f"/review/{made.token}", format.sha256(PILOTS))


def test_a_reviewer_sees_the_text_and_what_is_known_of_it(link: Link) -> None:
    page = link.desk.client.get(link.path)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["referrer-policy"] == "no-referrer"
    for shown in (PILOTS.title, "Ben Ahoy", "Quay &amp; Tide", "What the standards say", "Checked against 0 words",
                  "<strong>ann</strong> on title: Is &lt;this&gt; so?"):  # fmt: skip
        assert shown in page.text


def test_reading_a_link_changes_nothing_however_often_it_is_fetched(link: Link) -> None:
    before = link.desk.rows()
    for _ in range(3):
        assert link.desk.client.get(link.path).status_code == link.desk.client.head(link.path).status_code == 200
    for path in (link.path, link.path[:-1], f"{link.path}/", "/review/"):
        link.desk.client.request("PROPFIND", path)
        link.desk.client.get(path)
    assert link.desk.rows() == before


def test_a_yes_is_recorded_once_in_the_name_of_the_person(link: Link) -> None:
    page = link.say("approve", "read twice")
    assert (page.status_code, "You approved this text" in page.text) == (200, True)
    assert link.state() == "approved"
    before = link.desk.rows()
    again = link.say("reject", "no")
    assert "You approved this text" in again.text
    after = link.desk.rows()
    assert {name for name in after if after[name] != before[name]} == {"knock"}
    with db.reading(link.desk.engine) as session:
        assert [(each.actor, each.action) for each in briefings.history(session, PILOTS.id)][-2:] == [
            ("ben", "approved"), ("ben", "answered"),
        ]  # fmt: skip


def test_a_text_goes_back_only_with_a_reason(link: Link) -> None:
    page = link.say("reject")
    assert (page.status_code, 'role="alert">say why' in page.text) == (409, True)
    assert link.state() == "in_review"
    assert "You sent this text back" in link.say("reject", "Who counted?").text
    assert link.state() == "draft"


def test_a_comment_leaves_the_link_open(link: Link) -> None:
    assert "Your comment is noted." in link.say("comment", "Who counted?").text
    assert "<strong>ben</strong>: Who counted?" in link.desk.client.get(link.path).text
    assert link.state() == "in_review"


def test_an_edit_that_no_command_saw_yet_voids_the_link(link: Link) -> None:
    link.edit("One pilot in five", "Two pilots in five")
    page = link.say("approve")
    assert (page.status_code, "no longer under review" in page.text) == (410, True)
    assert link.state() == "draft"


def test_only_the_text_that_was_shown_is_approved(link: Link) -> None:
    assert link.say("approve", sha256="0" * 64).status_code == 400
    assert link.desk.client.post(link.path, data={"action": "approve"}).status_code == 400
    assert link.say("publish").status_code == 400
    assert link.state() == "in_review"


def test_a_link_that_was_taken_back_shows_nothing_of_the_text(link: Link) -> None:
    with db.transaction(link.desk.engine) as session:
        invitations.revoke(session, PILOTS.id, actor="ann", now=link.desk.now)
    page = link.desk.client.get(link.path)
    assert (page.status_code, PILOTS.title in page.text) == (410, False)
    assert link.say("approve").status_code == 410
    assert link.state() == "in_review"


def test_who_lost_the_role_is_refused_and_told_why(link: Link) -> None:
    with db.transaction(link.desk.engine) as session:
        people.edit(session, "ben", roles=[Role.SCOUT], actor="ann", now=link.desk.now)
    page = link.say("approve")
    assert (page.status_code, "ben is scout here" in page.text) == (409, True)
    assert link.state() == "in_review"


def test_a_link_that_says_too_much_is_told_to_wait(link: Link) -> None:
    for number in range(review.MOST):
        assert link.say("comment", f"Point {number}").status_code == 200
    page = link.say("comment", "And another")
    assert (page.status_code, page.headers["retry-after"]) == (429, "3600")
    with db.reading(link.desk.engine) as session:
        assert len(comments.all(session, PILOTS.id)) == review.MOST + 1


def test_an_unknown_link_leads_nowhere(desk: Desk) -> None:
    assert desk.client.get("/review/" + "x" * 43).status_code == 404
    assert desk.client.post("/review/" + "x" * 43, data={"action": "approve"}).status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_fits_a_phone_and_everybody(link: Link) -> None:
    desk = link.desk
    assert judges.ask("validate.cjs", {"mail": False, "pages": {"review": desk.client.get(link.path).text}}) == {
        "review": []
    }
    with served(desk.settings, desk.engine, at=desk.now) as address, browsers.launch() as chromium:
        with browsers.page(chromium, width=390, scheme="light") as page:
            page.goto(address + link.path)
            assert page.get_by_role("button", name="Approve this text").is_visible()
            assert looks.faults(page) == []
