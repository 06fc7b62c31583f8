"""Choosing topics."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx2
import pytest

from newsletter import db
from subscribers import subscribers, topics
from subscribers.tokens import Purpose
from tests.web.conftest import Desk, served


def chosen(desk: Desk, reader: int) -> list[str]:
    with db.reading(desk.engine) as session:
        return sorted(topics.of(session, reader))


def ticked(page: str) -> list[str]:
    return re.findall(r'name="topic" value="([^"]*)" checked', page)


def test_the_page_shows_every_topic_with_the_choice_ticked_and_the_lists(desk: Desk) -> None:
    page = desk.client.get(desk.link(Purpose.PREFERENCES, desk.ana)).text
    assert re.findall(r'name="topic" value="([^"]*)"', page) == ["fuel", "harbours", "tariffs"]
    assert ticked(page) == ["fuel"]
    assert "The Weekly Tide" in page
    assert "The Monthly Chart" in page
    assert "ana@" not in page


def test_saving_replaces_the_choice_and_says_so(desk: Desk) -> None:
    path = desk.link(Purpose.PREFERENCES, desk.ana)
    answer = desk.client.post(path, data={"action": "save", "topic": ["harbours", "tariffs"]})
    assert answer.status_code == 200
    assert "Saved. You chose harbours, tariffs." in answer.text
    assert ticked(answer.text) == ["harbours", "tariffs"]
    assert chosen(desk, desk.ana) == ["harbours", "tariffs"]
    desk.client.post(path, data={"action": "save"})
    assert chosen(desk, desk.ana) == []
    assert desk.states(desk.ana) == {"weekly": "confirmed", "monthly": "confirmed"}


def test_a_topic_that_the_desk_does_not_have_is_passed_over(desk: Desk) -> None:
    known = desk.rows()["topic"]
    body = {"action": "save", "topic": ["fuel", "nonsense", "fuel' OR 1=1", "a\x00b", "x" * 5000]}
    assert desk.client.post(desk.link(Purpose.PREFERENCES, desk.ana), data=body).status_code == 200
    assert chosen(desk, desk.ana) == ["fuel"]
    assert desk.rows()["topic"] == known


@pytest.mark.parametrize("body", [{}, {"topic": "tariffs"}, {"action": "leave"}, {"List-Unsubscribe": "One-Click"}])
def test_a_body_that_is_not_the_form_changes_nothing(desk: Desk, body: dict[str, str]) -> None:
    before = desk.rows()
    assert desk.client.post(desk.link(Purpose.PREFERENCES, desk.ana), data=body).status_code == 400
    assert desk.rows() == before


def test_an_unsubscribe_token_opens_no_preferences(desk: Desk) -> None:
    token = desk.leave(desk.ana, desk.weekly).removeprefix("/u/")
    answers = [desk.client.get(f"/p/{token}"), desk.client.post(f"/p/{token}", data={"action": "save"})]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert chosen(desk, desk.ana) == ["fuel"]


def test_the_links_to_leave_on_the_page_work(desk: Desk) -> None:
    page = desk.client.get(desk.link(Purpose.PREFERENCES, desk.ana)).text
    first, second = re.findall(r'href="(/u/[^"]+)"', page)
    assert {"Leave The Weekly Tide?" in desk.client.get(link).text for link in (first, second)} == {True, False}


def test_a_test_message_and_an_unknown_reader_have_no_choice_to_save(desk: Desk) -> None:
    before = desk.rows()
    for reader, words in ((0, "This was a test message"), (desk.bo + 1000, "There is no subscription here")):
        path = desk.link(Purpose.PREFERENCES, reader)
        saved = desk.client.post(path, data={"action": "save", "topic": "fuel"})
        for answer in (desk.client.get(path), saved):
            assert answer.status_code == 200
            assert words in answer.text
    assert desk.rows() == before


def test_saving_twice_at_once_fails_for_neither(desk: Desk) -> None:
    with served(desk.settings, desk.engine) as address, ThreadPoolExecutor(8) as pool, httpx2.Client() as client:
        link = address + desk.link(Purpose.PREFERENCES, desk.ana)
        forms = [{"action": "save", "topic": ["fuel", "harbours", "tariffs"]}] * 40
        answers = list(pool.map(lambda form: client.post(link, data=form).status_code, forms))
    assert set(answers) == {200}
    assert chosen(desk, desk.ana) == ["fuel", "harbours", "tariffs"]


def often(desk: Desk, reader: int) -> str:
    with db.reading(desk.engine) as session:
        known = subscribers.get(session, reader)
    assert known
    return known.frequency


def test_a_reader_says_how_often(desk: Desk) -> None:
    path = desk.link(Purpose.PREFERENCES, desk.ana)
    assert 'value="every issue" checked' in desk.client.get(path).text
    answer = desk.client.post(path, data={"action": "save", "topic": "fuel", "frequency": "weekly"})
    assert 'value="weekly" checked' in answer.text
    assert (often(desk, desk.ana), often(desk, desk.bo)) == ("weekly", "every issue")
    for nonsense in ("", "hourly", "weekly' OR 1=1"):
        desk.client.post(path, data={"action": "save", "topic": "fuel", "frequency": nonsense})
        assert often(desk, desk.ana) == "weekly"


def paused(desk: Desk) -> datetime | None:
    with db.reading(desk.engine) as session:
        known = subscribers.get(session, desk.ana)
    assert known
    return known.paused_until


def test_a_reader_pauses_until_a_day_and_takes_it_back(desk: Desk) -> None:
    path = desk.link(Purpose.PREFERENCES, desk.ana)
    page = desk.client.get(path).text
    assert re.search(r'type="date" id="until" name="until" min="2026-11-03" max="2027-11-02"', page)
    assert "You paused" not in page
    answer = desk.client.post(path, data={"action": "pause", "until": "2026-12-24"})
    assert "You paused: no issue comes to you before 24 December 2026" in answer.text
    assert paused(desk) == datetime(2026, 12, 24, tzinfo=UTC)
    assert desk.states(desk.ana) == {"weekly": "confirmed", "monthly": "confirmed"}
    assert chosen(desk, desk.ana) == ["fuel"]
    for nonsense in ("", "2026-11-02", "2027-11-03", "soon", "2026-12-24T00:00", "9999-99-99"):
        refused = desk.client.post(path, data={"action": "pause", "until": nonsense})
        assert refused.status_code == 422
        assert "Choose a day between 3 November 2026 and 2 November 2027" in refused.text
    assert paused(desk) == datetime(2026, 12, 24, tzinfo=UTC)
    page = desk.client.post(path, data={"action": "resume"}).text
    assert "Issues come to you again from now on" in page
    assert "You paused" not in page
    assert paused(desk) is None


def test_who_came_to_leave_may_have_fewer_messages_instead(desk: Desk) -> None:
    path = desk.leave(desk.ana, desk.weekly)
    assert "At most once a month" in desk.client.get(path).text
    answer = desk.client.post(path, data={"action": "fewer"})
    assert "At most one issue a month from now on" in answer.text
    assert (often(desk, desk.ana), desk.states(desk.ana)["weekly"]) == ("monthly", "confirmed")
    assert "Or fewer messages" not in desk.client.get(path).text


def test_a_reader_sees_why_they_get_this(desk: Desk) -> None:
    path = desk.link(Purpose.PREFERENCES, desk.ana)
    assert f'href="{path}/why"' in desk.client.get(path).text
    desk.client.post(desk.leave(desk.ana, desk.monthly), data={"action": "leave"})
    before = desk.rows()
    page = desk.client.get(f"{path}/why")
    assert "You agreed to The Weekly Tide" in page.text
    assert "added by hand" in page.text
    assert "You left The Monthly Chart" in page.text
    assert "2 November 2026" in page.text
    assert "ana@" not in page.text
    assert (page.headers["cache-control"], page.headers["x-robots-tag"]) == ("no-store", "noindex, nofollow")
    assert desk.client.get(f"{path[:-1]}/why").status_code == 404
    assert "no subscription" in desk.client.get(desk.link(Purpose.PREFERENCES, desk.bo + 1000) + "/why").text
    assert desk.rows() == before
