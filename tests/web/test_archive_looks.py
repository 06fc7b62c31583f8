"""The archive's pages as HTML has them, for everybody, on a phone, by day and by night."""

from dataclasses import replace

import pytest

from newsletter import db
from newsletter.editorial import decisions
from newsletter.issues import corrections
from newsletter.issues.models import Visibility
from tests.support import browser as browsers
from tests.support import judges, looks
from tests.web.conftest import Desk, served
from tests.web.test_archive import GRAIN, part, publish, send
from tests.web.test_browser import complaints
from tests.web.test_reading import PILOTS, staff

assert staff  # the fixture that brings ann and ben
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # looks are not the database's affair


def paths(desk: Desk) -> dict[str, str]:
    """Send some issues, and return the ways to the pages that they bring about."""
    for number in range(2):
        send(desk, part(number), part(number + 9), title="Tugs and more", days=-400)
    issue = send(desk, replace(PILOTS, related_pin=(), topics=("fuel",)), GRAIN, title="Pilots")
    closed = send(desk, part(30, title="Grain for few"))
    publish(desk, closed, Visibility.SUBSCRIBERS)
    with db.transaction(desk.engine) as session:
        said = corrections.draft(
            session, PILOTS.id, wrong="One in five.", right="One in six.", actor="ann", now=desk.now
        )
        corrections.approve(session, said.id, by_mail=False, solo=False, actor="ben", now=desk.now)
        decisions.kill(session, GRAIN.id, reason="Wrong.", actor="ben", now=desk.now)
    return {
        "front": "/",
        "archive": "/archive",
        "one year": "/archive?year=2025",
        "topic": "/topics/harbours",
        "search": "/search",
        "found": "/search?q=more",
        "nothing found": "/search?q=nowhere",
        "briefing": f"/briefings/{PILOTS.id}",
        "withdrawn": f"/briefings/{GRAIN.id}",
        "closed": f"/issues/{closed}",
        "issue": f"/issues/{issue}",
    }


def test_the_archive_is_valid_accessible_and_fits_a_phone(desk: Desk) -> None:
    ways = paths(desk)
    pages = {name: desk.client.get(path).text for name, path in ways.items()}
    mail = {"issue": pages.pop("issue")}
    note = f'to “<a href="/briefings/{PILOTS.id}">{PILOTS.title}</a>”: One in five. One in six.</p>'
    assert note in mail["issue"]
    assert "A briefing stood here that was withdrawn" in mail["issue"]
    assert judges.ask("validate.cjs", {"mail": False, "pages": pages}) == {name: [] for name in pages}
    assert judges.ask("validate.cjs", {"mail": True, "pages": mail}) == {"issue": []}
    with served(desk.settings, desk.engine) as address, browsers.launch() as browser:
        with browsers.page(browser, width=390, scheme="light") as page:
            said = complaints(page)
            for name, path in ways.items():
                page.goto(address + path)
                assert looks.faults(page) == [], name
            assert [line for line in said if "403" not in line and "410" not in line] == []
