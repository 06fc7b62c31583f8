"""Leaving by one click, and by the page."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import httpx2
import pytest
from sqlalchemy import Engine, text

from newsletter import db
from newsletter.feedback import events
from newsletter.feedback.models import EventKind
from subscribers import lists, subscribers, suppressions
from subscribers.models import SuppressionReason
from subscribers.tokens import Purpose
from tests.support.keys import KEYRING
from tests.web.conftest import Desk, served

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
#: What link scanners, prefetchers and mail programs send when nobody has pressed anything.
SCANNERS = [
    {},
    {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch"},
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "User-Agent": "Mozilla/5.0 BarracudaCentral"},
    {"List-Unsubscribe": "One-Click", "X-HTTP-Method-Override": "POST", "Content-Type": "multipart/form-data"},
]


@pytest.mark.parametrize("verb", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_only_a_post_changes_anything(desk: Desk, verb: str) -> None:
    before = desk.rows()
    paths = [desk.leave(desk.ana, desk.weekly), desk.link(Purpose.PREFERENCES, desk.ana)]
    for path, query, headers in product(paths, ["", "?List-Unsubscribe=One-Click&action=leave"], SCANNERS):
        answer = desk.client.request(verb, path + query, headers=headers)
        assert answer.status_code == (200 if verb in ("GET", "HEAD") else 405)
    assert desk.rows() == before


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_one_click_takes_the_reader_off_that_list_only(desk: Desk, encoding: str) -> None:
    body = {"data": ONE_CLICK} if encoding == "urlencoded" else {"files": {"List-Unsubscribe": (None, "One-Click")}}
    answer = desk.client.post(desk.leave(desk.ana, desk.weekly), **body)
    assert (answer.status_code, answer.text) == (200, "You are unsubscribed from this list.\n")
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert desk.states(desk.ana) == {"weekly": "unsubscribed", "monthly": "confirmed"}
    assert desk.audience("weekly") == {desk.bo}
    assert desk.audience("monthly") == {desk.ana}


def test_one_click_needs_no_origin_and_minds_no_host_or_cookie(desk: Desk) -> None:
    headers = {
        "Host": "10.0.0.7:8080",
        "Origin": "https://evil.example",
        "Cookie": "a=b",
        "Sec-Fetch-Site": "cross-site",
    }
    answer = desk.client.post(desk.leave(desk.ana, desk.weekly), data=ONE_CLICK, headers=headers)
    assert answer.status_code == 200
    assert desk.states(desk.ana)["weekly"] == "unsubscribed"


def test_a_repeated_one_click_answers_the_same_and_is_recorded_once(desk: Desk) -> None:
    path = desk.leave(desk.ana, desk.weekly)
    first = desk.client.post(path, data=ONE_CLICK, headers={"User-Agent": "Mail/1.0"})
    after_one = desk.rows()
    second = desk.client.post(path, data=ONE_CLICK)
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert desk.rows() == after_one
    with db.reading(desk.engine) as session:
        (event,) = events.of(session, desk.ana)
        withdrawn = session.execute(text("SELECT method, user_agent, ip FROM consent WHERE event = 'withdrawn'")).all()
    assert (event.kind, event.list_id, event.at) == (EventKind.UNSUBSCRIBED, desk.weekly, desk.now)
    assert event.detail == {"method": "one-click"}
    assert withdrawn == [("one-click", "Mail/1.0", "testclient")]


@pytest.mark.parametrize(
    "body",
    [
        {"content": b""},
        {"data": {"List-Unsubscribe": "one-click"}},
        {"data": {"List-Unsubscribe": "Two-Clicks"}},
        {"data": {"action": "destroy"}},
        {"json": ONE_CLICK},
        {"content": b"List-Unsubscribe=One-Click", "headers": {"Content-Type": "text/plain"}},
        {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"\xff\x00--", "headers": {"Content-Type": "multipart/form-data; boundary=x; charset=none"}},
        {"files": {"List-Unsubscribe": ("name.txt", b"One-Click")}},
    ],
)
def test_another_body_is_refused_and_changes_nothing(desk: Desk, body: dict[str, object]) -> None:
    before = desk.rows()
    answer = desk.client.post(desk.leave(desk.ana, desk.weekly), **body)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert desk.rows() == before


def test_a_forged_link_gets_one_constant_page_and_changes_nothing(desk: Desk) -> None:
    path = desk.leave(desk.ana, desk.weekly)
    token = path.removeprefix("/u/")
    flipped = [token[:at] + ("B" if mark == "A" else "A") + token[at + 1 :] for at, mark in enumerate(token)]
    cut = [token[:length] for length in range(1, len(token))] + [
        token + "A",
        token + "=",
        "%00",
        "%F0%9F%98%80",
        "0" * 5000,
    ]
    foreign = [desk.link(Purpose.PREFERENCES, desk.ana)[3:], desk.link(Purpose.ISSUE, desk.ana, desk.weekly)[3:]]
    before = desk.rows()
    pages = set()
    for bad in flipped + cut + foreign:
        for answer in (desk.client.get(f"/u/{bad}"), desk.client.post(f"/u/{bad}", data=ONE_CLICK)):
            pages.add((answer.status_code, answer.text, tuple(sorted(answer.headers.items()))))
    assert len(pages) == 1
    assert pages.pop()[0] == 404
    assert desk.rows() == before


def test_the_page_shows_the_list_and_half_the_address(desk: Desk) -> None:
    page = desk.client.get(desk.leave(desk.ana, desk.weekly)).text
    assert "Leave The Weekly Tide?" in page
    assert "a•••@quay.example" in page
    assert "ana@" not in page


def test_leaving_by_the_page_can_be_undone(desk: Desk) -> None:
    path = desk.leave(desk.ana, desk.weekly)
    left = desk.client.post(path, data={"action": "leave"})
    assert left.status_code == 200
    assert "You have left The Weekly Tide" in left.text
    assert 'value="undo"' in left.text
    assert desk.audience("weekly") == {desk.bo}
    back = desk.client.post(path, data={"action": "undo"})
    assert "You are back on The Weekly Tide" in back.text
    assert desk.audience("weekly") == {desk.ana, desk.bo}
    assert desk.states(desk.ana) == {"weekly": "confirmed", "monthly": "confirmed"}


def test_leaving_every_list_can_be_undone_together(desk: Desk) -> None:
    path = desk.leave(desk.ana, desk.weekly)
    assert "The Monthly Chart" in desk.client.get(path).text
    left = desk.client.post(path, data={"action": "leave-all"}).text
    assert "You have left every list" in left
    assert 'value="undo-all"' in left
    assert desk.states(desk.ana) == {"weekly": "unsubscribed", "monthly": "unsubscribed"}
    assert desk.states(desk.bo) == {"weekly": "confirmed"}
    desk.client.post(path, data={"action": "undo-all"})
    assert desk.states(desk.ana) == {"weekly": "confirmed", "monthly": "confirmed"}


def test_the_link_of_one_list_undoes_nothing_on_another(desk: Desk) -> None:
    desk.client.post(desk.leave(desk.ana, desk.monthly), data=ONE_CLICK)
    for action in ("undo", "undo-all"):
        desk.client.post(desk.leave(desk.ana, desk.weekly), data={"action": action})
    assert desk.states(desk.ana) == {"weekly": "confirmed", "monthly": "unsubscribed"}


def test_whoever_is_suppressed_may_come_back_and_is_told_that_no_mail_goes_to_them(desk: Desk) -> None:
    with db.transaction(desk.engine) as session:
        suppressions.add(session, "bo@quay.example", reason=SuppressionReason.MANUAL, source="test", now=desk.now)
    path = desk.leave(desk.bo, desk.weekly)
    desk.client.post(path, data=ONE_CLICK)
    assert "No mail goes to" in desk.client.post(path, data={"action": "undo"}).text
    assert desk.audience("weekly") == {desk.ana}


def test_a_reader_who_left_long_ago_sees_so_and_may_come_back(desk: Desk) -> None:
    path = desk.leave(desk.bo, desk.weekly)
    desk.client.post(path, data=ONE_CLICK)
    page = desk.client.get(path).text
    assert "You are not on The Weekly Tide" in page
    assert "Put me back on The Weekly Tide" in page


def test_the_link_of_a_test_message_says_so_and_changes_nothing(desk: Desk) -> None:
    before = desk.rows()
    path = desk.leave(0, desk.weekly)
    assert "This was a test message" in desk.client.get(path).text
    assert "This was a test message" in desk.client.post(path, data={"action": "leave"}).text
    one_click = desk.client.post(path, data=ONE_CLICK)
    assert one_click.status_code == 200
    assert "test message" in one_click.text
    assert desk.rows() == before


def test_one_click_for_a_reader_who_is_no_longer_known_answers_that_they_are_out(desk: Desk) -> None:
    path = desk.leave(desk.bo + 1000, desk.weekly)
    before = desk.rows()
    for body in (ONE_CLICK, {"action": "leave"}, {"action": "undo"}, {"action": "leave-all"}):
        assert desk.client.post(path, data=body).status_code == 200
    assert "There is no subscription here" in desk.client.get(path).text
    assert desk.rows() == before


def test_hostile_titles_are_shown_as_text(desk: Desk) -> None:
    title = "</title><script>alert(1)</script>\"'{{ 7 * 7 }}"
    with db.transaction(desk.engine) as session:
        odd = lists.create(session, "odd", title=title, now=desk.now)
        reader = subscribers.add(session, "zed@quay.example", lists=["odd"], name=title, keyring=KEYRING, now=desk.now)
    for path in (desk.leave(reader.id, odd.id), desk.link(Purpose.PREFERENCES, reader.id)):
        page = desk.client.get(path).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert "{{ 7 * 7 }}" in page


def test_one_click_works_over_the_real_server(desk: Desk) -> None:
    with served(desk.settings, desk.engine) as address, httpx2.Client() as client:
        path = desk.leave(desk.ana, desk.weekly)
        head = client.head(address + path)
        assert (head.status_code, head.content) == (200, b"")
        assert desk.states(desk.ana)["weekly"] == "confirmed"
        answer = client.post(address + path, files={"List-Unsubscribe": (None, "One-Click")})
        assert (answer.status_code, answer.has_redirect_location, dict(answer.cookies)) == (200, False, {})
    assert desk.states(desk.ana) == {"weekly": "unsubscribed", "monthly": "confirmed"}


def test_a_hundred_readers_leave_at_once_and_none_is_lost(desk: Desk, engine: Engine) -> None:
    with db.transaction(engine) as session:
        crowd = [
            subscribers.add(session, f"r{number}@quay.example", lists=["weekly"], keyring=KEYRING, now=desk.now).id
            for number in range(100)
        ]
    with served(desk.settings, engine) as address, ThreadPoolExecutor(8) as pool, httpx2.Client() as client:
        links = [address + desk.leave(reader, desk.weekly) for reader in crowd] * 2
        answers = list(pool.map(lambda link: client.post(link, data=ONE_CLICK).status_code, links))
    assert set(answers) == {200}
    assert desk.audience("weekly") == {desk.ana, desk.bo}
