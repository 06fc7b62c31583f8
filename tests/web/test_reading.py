"""Issues and briefings in the browser: what was frozen, and nobody's name on it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from newsletter import db, publication
from newsletter.editorial import approvals, briefings, people
from newsletter.editorial.document import Assistance, Citation, Document, Label
from newsletter.issues import contents, issues
from newsletter.issues.content import ALIKE, Terms
from newsletter.issues.issues import Words
from newsletter.rendering import press
from newsletter.rendering.slots import Slot
from subscribers import segments
from subscribers.tokens import Purpose
from tests.conftest import NOW
from tests.web.conftest import Desk

SOURCE = Citation(
    name="Quay & Tide", url="https://quay.example/pilots?a=1&b=2", title="Pilots ask for <more>",
    published=NOW - timedelta(days=2), retrieved=NOW - timedelta(days=1),
)  # fmt: skip
PILOTS = Document(
    id="pilots-wanted", title="Harbours are short of pilots", desk="Ports", label=Label.ANALYSIS, author="ann",
    assistance=Assistance.AI_EDITED, audience=("harbour-masters",), sources=(SOURCE,), related_pin=("tugs-idle",),
    introduction="One pilot in five retires before 2030, and the schools train half as many as are needed.",
    key_points=("One in five retires before the decade ends", "Schools train half of the number needed",
                "Night passages are the first to be cut"),
    what_happened="The pilots' guild counted its members.\n\nIt found *few* under forty. <b>Raw</b> markup stays text.",
    why_it_matters="Without a pilot no large ship may enter.",
    buyer_relevance="Ask your carrier which harbours it calls at by night.",
    what_to_watch_next="The [budget](https://budget.example/) of the schools.",
)  # fmt: skip
TUGS = replace(
    PILOTS, id="tugs-idle", title="Tugs lie idle for want of crews", related_pin=(), assistance=Assistance.NONE,
    introduction="Towing firms cannot man their boats, and moored hulls earn nothing.",
    key_points=("Deckhands moved to wind farms", "Wages rose by a tenth", "Towage costs more on weekends"),
    what_happened="Three tugs of eleven did not leave the quay.",
    why_it_matters="A vessel that waits for towage burns fuel at anchor.",
    buyer_relevance="Book towage two days ahead.", what_to_watch_next="Talks between owners and unions.",
)  # fmt: skip


WEEK = Words(subject="The week")


@pytest.fixture(autouse=True)
def staff(desk: Desk) -> None:
    with db.transaction(desk.engine) as session:
        for handle in ("ann", "ben"):
            people.add(session, handle, now=desk.now)


def approve(desk: Desk, *documents: Document) -> None:
    with db.transaction(desk.engine) as session:
        for document in documents:
            folder = desk.settings.briefings
            briefings.adopt(session, document, folder=folder, actor="ann", now=desk.now)
            hand_over(session, document.id, desk.now)


def hand_over(session: Session, briefing: str, now: datetime) -> None:
    briefings.submit(session, briefing, actor="ann", now=now)
    approvals.approve(session, briefing, actor="ben", solo=False, now=now)


def compose(
    desk: Desk,
    picks: Sequence[str],
    *,
    frozen: bool = True,
    sending: bool = True,
    words: Words = WEEK,
    terms: Terms = ALIKE,
) -> int:
    with db.transaction(desk.engine) as session:
        issue = issues.compose(session, picks, words=words, terms=terms, actor="ann", now=desk.now).id
        if frozen:
            keyring = publication.keyring(desk.settings)
            press.freeze(session, issue, desk.settings, keyring=keyring, actor="ann", now=desk.now)
        if frozen and sending:
            contents.begin_sending(session, issue, actor="ann", now=desk.now)
    return issue


def cancel(desk: Desk, issue: int) -> None:
    with db.transaction(desk.engine) as session:
        issues.cancel(session, issue, actor="ann", now=desk.now)


def test_an_issue_online_is_the_frozen_html_without_anything_personal(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    issue = compose(desk, ["pilots-wanted"])
    answer = desk.client.get(desk.link(Purpose.ISSUE, issue))
    with db.reading(desk.engine) as session:
        frozen = press.load(session, issue).html
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert "style-src 'unsafe-inline'" in answer.headers["content-security-policy"]
    assert "script" not in answer.headers["content-security-policy"]
    assert PILOTS.title in answer.text
    assert all(slot.marker not in answer.text for slot in Slot)
    assert frozen.count(Slot.UNSUBSCRIBE_URL.marker) + frozen.count(Slot.PREFERENCES_URL.marker) == (
        answer.text.count('href="/about-links"')
    )
    assert desk.client.get("/about-links").status_code == 200
    assert all(part in answer.text for part in re.split(r"\[\[\w+\]\]", frozen))


def test_a_personal_issue_online_shows_every_item_and_what_it_says_to_nobody_in_particular(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    with db.transaction(desk.engine) as session:
        segments.create(session, "vip", "country = 'DE'", now=desk.now)
    intro = "Dear {{ subscriber.name | default('reader') }}.\n{% if segment('vip') %}\nFor you.\n{% else %}\nCome.\n"
    intro += "{% endif %}"
    words = Words(subject="{{ subscriber.name | default('Hello') }}: tugs", intro=intro)
    issue = compose(desk, [TUGS.id, PILOTS.id], words=words, terms=Terms(by_topic=True, by_audience=True))
    page = desk.client.get(desk.link(Purpose.ISSUE, issue)).text
    assert all(
        said in page for said in (TUGS.title, PILOTS.title, "Dear reader.", "Come.", "<title>Hello: tugs</title>")
    )
    assert not any(said in page for said in ("For you.", "[[", "]]", "{{"))


def test_the_links_of_an_issue_online_are_pages_of_this_desk(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    page = desk.client.get(desk.link(Purpose.ISSUE, compose(desk, ["pilots-wanted"]))).text
    ours = {link.removeprefix(desk.settings.publication.url) for link in re.findall(r'href="([^"]+)"', page)}
    ours = {link for link in ours if link.startswith("/")}
    assert {"/standards", "/about-links", "/briefings/pilots-wanted", "/briefings/tugs-idle"} <= ours
    assert {link: desk.client.get(link).status_code for link in ours} == dict.fromkeys(ours, 200)


def test_an_issue_that_is_open_cancelled_or_unknown_is_not_online(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    assembling = compose(desk, ["tugs-idle"], frozen=False)
    cancelled = compose(desk, ["pilots-wanted"], sending=False)
    cancel(desk, cancelled)
    for issue in (assembling, cancelled, 999):
        assert desk.client.get(desk.link(Purpose.ISSUE, issue)).status_code == 404
    assert desk.client.get(desk.link(Purpose.ISSUE, assembling)[:-1]).status_code == 404


def test_a_briefing_page_has_the_whole_text_its_sources_and_how_it_was_made(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    compose(desk, ["pilots-wanted"])
    answer = desk.client.get("/briefings/pilots-wanted")
    page = answer.text
    assert answer.status_code == 200
    assert f"<h1>{PILOTS.title}</h1>" in page
    assert re.findall("<h2>([^<]+)</h2>", page) == [
        "Key points", "What happened", "Why it matters", "Buyer relevance", "What to watch next", "Sources",
        "Related briefings",
    ]  # fmt: skip
    assert "<em>few</em>" in page
    assert "&lt;b&gt;Raw&lt;/b&gt; markup stays text." in page
    assert 'href="https://budget.example/"' in page
    assert '<a href="https://quay.example/pilots?a=1&amp;b=2">Quay &amp; Tide</a>: Pilots ask for &lt;more&gt;' in page
    assert "<strong>Source assisted:</strong>" in page
    assert "software polished the wording" in page
    assert "How Harbour Brief reports:" in page
    assert '<a href="/briefings/tugs-idle">Tugs lie idle for want of crews</a>' in page
    assert desk.client.get("/standards").status_code == 200


def test_a_briefing_named_beside_an_item_is_online_though_no_issue_carries_it(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    cancel(desk, compose(desk, ["pilots-wanted"], sending=False))
    compose(desk, ["pilots-wanted"], sending=False)
    assert desk.client.get("/briefings/tugs-idle").status_code == 404, "fixed is not yet published"
    with db.transaction(desk.engine) as session:
        contents.begin_sending(session, 2, actor="ann", now=desk.now)
    page = desk.client.get("/briefings/tugs-idle")
    assert page.status_code == 200
    assert "Three tugs of eleven" in page.text
    assert "Related briefings" not in page.text


def test_a_briefing_page_keeps_the_frozen_text_until_a_newer_issue_carries_another(desk: Desk) -> None:
    approve(desk, TUGS, PILOTS)
    compose(desk, ["pilots-wanted"])
    file = desk.settings.briefings / "tugs-idle.md"
    file.write_text(file.read_text().replace("Three tugs", "Seven tugs"))
    with db.transaction(desk.engine) as session:
        briefings.refresh(session, desk.settings.briefings, actor="ann", now=desk.now)
    assert "Three tugs" in desk.client.get("/briefings/tugs-idle").text
    with db.transaction(desk.engine) as session:
        hand_over(session, "tugs-idle", desk.now + timedelta(hours=1))
    assert "Three tugs" in desk.client.get("/briefings/tugs-idle").text
    compose(desk, ["tugs-idle"])
    assert "Seven tugs" in desk.client.get("/briefings/tugs-idle").text


def test_a_briefing_that_no_fixed_issue_has_is_not_online(desk: Desk) -> None:
    approve(desk, TUGS)
    names = ["tugs-idle", "unknown", "Tugs-Idle", "tugs_idle", "%00", "a%22b", "%25", "x" * 300]
    assert {name: desk.client.get(f"/briefings/{name}").status_code for name in names} == dict.fromkeys(names, 404)
    compose(desk, ["tugs-idle"], frozen=False)
    assert desk.client.get("/briefings/tugs-idle").status_code == 404


def test_a_withdrawn_briefing_is_gone(desk: Desk) -> None:
    approve(desk, TUGS)
    compose(desk, ["tugs-idle"])
    with desk.engine.begin() as connection:
        connection.execute(text("UPDATE briefing SET state = 'killed' WHERE id = 'tugs-idle'"))
    answer = desk.client.get("/briefings/tugs-idle")
    assert answer.status_code == 410
    assert "withdrawn" in answer.text
    assert "Three tugs" not in answer.text
