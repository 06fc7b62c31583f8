"""Choosing topics."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from newsletter import db
from subscribers import topics
from subscribers.tokens import Purpose
from tests.web.conftest import Desk, served


def chosen(desk: Desk, reader: int) -> list[str]:
    with db.reading(desk.engine) as session:
        return sorted(topics.of(session, reader))


def ticked(page: str) -> list[str]:
    return re.findall(r'value="([^"]*)" checked', page)


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
