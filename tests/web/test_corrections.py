"""Corrections online: beside the text, in the list of all, and for machines."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from newsletter import db
from newsletter.issues import corrections
from tests.support import browser as browsers
from tests.support import judges, looks
from tests.web.conftest import Desk, served
from tests.web.test_reading import PILOTS, TUGS, approve, compose, staff

assert staff  # the fixture that brings ann and ben
WRONG = "We wrote one in five; </script><b>it is</b> one in six."


def correct(desk: Desk, words: str = WRONG, *, days: int = 1) -> None:
    with db.transaction(desk.engine) as session:
        made = corrections.draft(session, PILOTS.id, wrong=words, actor="ben", now=desk.now)
        assert words not in [each.words for each in corrections.of(session, PILOTS.id)]
        corrections.approve(
            session, made.id, by_mail=False, solo=False, actor="ann", now=desk.now + timedelta(days=days)
        )


def linked(page: str) -> Any:
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


@pytest.fixture
def page(desk: Desk) -> str:
    """Return the path of a briefing that was sent."""
    approve(desk, TUGS, PILOTS)
    issue = compose(desk, [PILOTS.id])
    with desk.engine.begin() as connection:
        connection.execute(text("UPDATE issue SET sent_at = frozen_at WHERE id = :id"), {"id": issue})
    return f"/briefings/{PILOTS.id}"


def test_a_correction_stands_beside_the_text_and_in_the_list(desk: Desk, page: str) -> None:
    assert "There is nothing to correct so far." in desk.client.get("/corrections").text
    correct(desk)
    correct(desk, "The schools train a third.", days=2)
    for path in (page, "/corrections"):
        shown = desk.client.get(path).text
        assert "We wrote one in five; &lt;/script&gt;&lt;b&gt;it is&lt;/b&gt; one in six." in shown
        assert shown.index("train a third") < shown.index("We wrote one in five")
        assert "4 November 2026" in shown
    assert PILOTS.introduction in desk.client.get(page).text
    assert f'<a href="{page}">{PILOTS.title}</a>' in desk.client.get("/corrections").text


def test_machines_read_what_the_page_says(desk: Desk, page: str) -> None:
    correct(desk)
    said = linked(desk.client.get(page).text)
    url, source = desk.settings.publication.url, PILOTS.sources[0]
    assert (said["@type"], said["headline"]) == ("NewsArticle", PILOTS.title)
    assert said["isBasedOn"] == [source.url]
    assert [(each["name"], each["publisher"]["name"]) for each in said["citation"]] == [(source.title, source.name)]
    assert said["publishingPrinciples"] == f"{url}/standards"
    assert said["mainEntityOfPage"] == url + page
    assert said["datePublished"].startswith("2026-11-02")
    assert said["correction"] == [
        {"@type": "CorrectionComment", "text": WRONG, "datePublished": "2026-11-03T09:00:00+00:00"}
    ]
    assert said["dateModified"] == said["correction"][0]["datePublished"]


def test_no_text_gets_out_of_the_machines_part_of_the_page(desk: Desk) -> None:
    title = "</script><script>alert(1)</script><!-- & so on"
    sharp = replace(PILOTS, id="sharp", title=title, related_pin=())
    approve(desk, sharp)
    compose(desk, ["sharp"])
    shown = desk.client.get("/briefings/sharp").text
    assert len(re.findall("<script", shown)) == 1
    assert linked(shown)["headline"] == sharp.title


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_pages_are_valid_and_for_everybody(desk: Desk, page: str) -> None:
    correct(desk)
    pages = {path: desk.client.get(path).text for path in (page, "/corrections")}
    assert judges.ask("validate.cjs", {"mail": False, "pages": pages}) == {path: [] for path in pages}
    with served(desk.settings, desk.engine, at=desk.now) as address, browsers.launch() as chromium:
        with browsers.page(chromium, width=375, scheme="light") as tab:
            said: list[str] = []
            tab.on("console", lambda message: said.append(message.text))
            for path in pages:
                tab.goto(address + path)
                assert looks.faults(tab) == [], path
            assert said == []  # the policy lets the machines' part stand
