"""The archive: what was sent, for everybody who may see it, and nothing that was a reader's own."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from newsletter import db
from newsletter.editorial import decisions
from newsletter.editorial.document import Document
from newsletter.issues import contents, visibility
from newsletter.issues.content import ALIKE, Terms
from newsletter.issues.issues import Words
from newsletter.issues.models import Visibility
from newsletter.rendering import press
from newsletter.rendering.slots import Slot
from newsletter.settings import load
from newsletter.web.app import create
from subscribers import topics
from subscribers.tokens import Purpose
from tests.web.conftest import Desk
from tests.web.test_reading import PILOTS, TUGS, approve, compose, staff

assert staff  # the fixture that brings ann and ben
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
GRAIN = replace(
    PILOTS, id="grain-moves", title="Grain moves by rail again", related_pin=(), topics=("fuel", "rail"), audience=(),
    introduction="Mills order whole trains of wheat, since barges run aground in the dry summer.",
    key_points=("Elevators load at dawn", "Track fees fell in spring", "Bakers paid less per sack"),
    what_happened="Wagons were full for the first time since spring.",
    why_it_matters="Bread gets cheaper where tracks reach.", buyer_relevance="Ask millers for tariffs by axle.",
    what_to_watch_next="Rainfall upstream.",
)  # fmt: skip
TUGS_OF = replace(TUGS, topics=("harbours",))


def send(desk: Desk, *documents: Document, title: str = "", days: int = 0, terms: Terms = ALIKE) -> int:
    """Send an issue of new briefings to everybody, some days after now; return its number."""
    approve(desk, *documents)
    return close(desk, [each.id for each in documents], title=title, days=days, terms=terms)


def close(desk: Desk, picks: Sequence[str], *, title: str = "", days: int = 0, terms: Terms = ALIKE) -> int:
    issue = compose(desk, picks, words=Words(subject=title), terms=terms)
    with db.transaction(desk.engine) as session:
        contents.close(session, issue, actor="ann", now=desk.now + timedelta(days=days))
    return issue


def publish(desk: Desk, issue: int, seen: Visibility) -> None:
    with db.transaction(desk.engine) as session:
        visibility.publish(session, issue, seen, actor="ann", now=desk.now)


def part(number: int, **more: Any) -> Document:
    """Return a briefing that shares no word with another."""
    words = [f"{word}{number}" for word in ("quay", "berth", "crane", "lock", "ship", "tide", "rope", "pier", "buoy")]
    said: dict[str, Any] = {
        "id": f"part-{number}", "title": f"Harbour{number}", "introduction": f"{' '.join(words)}.",
        "key_points": tuple(words[:3]), "what_happened": f"{words[3]}.", "why_it_matters": f"{words[4]}.",
        "buyer_relevance": f"{words[5]}.", "what_to_watch_next": f"{words[6]}.",
    }  # fmt: skip
    return replace(TUGS_OF, **{**said, **more})


def press_of(desk: Desk, issue: int) -> str:
    with db.reading(desk.engine) as session:
        rendered = press.load(session, issue)
    return rendered.html + rendered.text


def named(page: str) -> list[str]:
    """Return the issues that a page lists, in order."""
    return re.findall(r'<h[23]><a href="/issues/(\d+)">', page)


@on_sqlite
def test_the_archive_lists_what_everybody_was_sent_by_year_and_topic_newest_first(desk: Desk) -> None:
    assert "Nothing was sent so far" in desk.client.get("/archive").text
    tugs = send(desk, TUGS_OF, title="Tugs & <crews>", days=-400)
    grain = send(desk, GRAIN, title="Grain")
    approve(desk, PILOTS)
    under_way = compose(desk, [PILOTS.id])
    with db.transaction(desk.engine) as session:
        topics.edit(session, "harbours", title="Harbours & quays")
    page = desk.client.get("/archive").text
    assert named(page) == [str(grain), str(tugs)]
    assert "Tugs &amp; &lt;crews&gt;" in page
    assert f"/issues/{under_way}" not in page
    assert named(desk.client.get("/archive?year=2026").text) == [str(grain)]
    assert named(desk.client.get("/archive?topic=rail").text) == [str(grain)]
    assert desk.client.get("/archive?year=2026&topic=harbours").text.count("There is no such issue") == 1
    assert "Harbours &amp; quays" in page
    topic = desk.client.get("/topics/rail").text
    assert f'<a href="/briefings/{GRAIN.id}">' in topic
    assert f'<a href="/briefings/{TUGS.id}">' not in topic
    assert named(desk.client.get("/").text) == [str(grain), str(tugs)]
    wrong = ["/archive?year=1999", "/archive?topic=none", "/archive?page=2", "/archive?page=-1", "/topics/none",
             "/archive?page=%C2%B2", "/issues/0", "/issues/01", "/issues/99999999999", "/issues/%C2%B2"]  # fmt: skip
    assert {path: desk.client.get(path).status_code for path in wrong} == dict.fromkeys(wrong, 404)
    local = {*re.findall(r'href="(/[^"]*)"', page + topic)}
    ours = {path: desk.client.get(path.replace("&amp;", "&")).status_code for path in local}
    assert ours == dict.fromkeys(local, 200)


@on_sqlite
def test_a_long_archive_comes_in_pages_that_lead_to_one_another(desk: Desk) -> None:
    for number in range(21):
        send(desk, part(number), days=number - 30)
    first, second = desk.client.get("/archive"), desk.client.get("/archive?page=2")
    assert (len(named(first.text)), len(named(second.text))) == (20, 1)
    assert '<a rel="next" href="/archive?page=2">' in first.text
    assert '<a rel="prev" href="/archive">' in second.text
    assert '<link rel="canonical" href="https://news.harbour.example/archive?page=2">' in second.text


@on_sqlite
def test_an_issue_in_the_archive_is_what_was_sent_with_public_links_only(desk: Desk) -> None:
    before = send(desk, TUGS_OF, title="Tugs", days=-2)
    words = "Dear {{ subscriber.name | default('reader') }}."
    approve(desk, PILOTS, GRAIN)
    terms = Terms(by_topic=True)
    issue = compose(desk, [PILOTS.id, GRAIN.id], words=Words(subject="Pilots", intro=words), terms=terms)
    on_the_way = desk.client.get(f"/issues/{issue}")
    assert (on_the_way.status_code, on_the_way.headers["x-robots-tag"]) == (200, "noindex")
    with db.transaction(desk.engine) as session:
        contents.close(session, issue, actor="ann", now=desk.now)
    answer = desk.client.get(f"/issues/{issue}")
    page = answer.text
    assert "x-robots-tag" not in answer.headers
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert all(said in page for said in ("Dear reader.", PILOTS.title, GRAIN.title))
    assert not any(slot.marker in page for slot in Slot)
    assert not re.search(r"Unsubscribe|/[uip]/|a reader is on|\[\[|\{\{", page)
    assert re.search(r'<a href="/signup"[^>]*>Sign up</a>', page)
    assert re.search(r'<a href="/archive"[^>]*>All issues</a>', page)
    assert f'<link rel="canonical" href="https://news.harbour.example/issues/{issue}">' in page
    assert f'<a rel="prev" href="/issues/{before}">Before: Tugs</a>' in page
    assert f'<a rel="next" href="/issues/{issue}">Next: Pilots</a>' in desk.client.get(f"/issues/{before}").text
    (linked,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    said = json.loads(linked)
    assert (said["@type"], said["issueNumber"]) == ("PublicationIssue", issue)
    assert [part["headline"] for part in said["hasPart"]] == [PILOTS.title, GRAIN.title]


@pytest.mark.parametrize("theme", ["briefing", "digest", "letter"])
@on_sqlite
def test_what_was_withdrawn_gives_way_to_a_notice_and_what_was_corrected_has_one(desk: Desk, theme: str) -> None:
    file = desk.settings.folder / "newsletter.toml"
    file.write_text(file.read_text().replace('name = "Harbour Brief"', f'name = "Harbour Brief"\ntheme = "{theme}"'))
    themed = replace(desk, settings=load(desk.settings.folder, {}))
    with TestClient(create(themed.settings, desk.engine, clock=lambda: desk.now)) as client:
        themed = replace(themed, client=client)
        tugs = replace(TUGS_OF, introduction="Tugs of the eastern quay lie idle, as nobody is there to crew them.")
        issue = send(themed, tugs, GRAIN)
        before = client.get(f"/issues/{issue}").text
        assert (tugs.title in before, GRAIN.title in before) == (True, True)
        with db.transaction(desk.engine) as session:
            decisions.kill(session, tugs.id, reason="It was another quay.", actor="ben", now=desk.now)
        for path in (f"/issues/{issue}", themed.link(Purpose.ISSUE, issue)):
            page = client.get(path).text
            assert "A briefing stood here that was withdrawn" in page
            assert tugs.title not in page
            assert "eastern quay" not in page
            assert GRAIN.introduction in page
            assert page.count("<div") == page.count("</div>")
        assert f">Issue {issue}</a>" in client.get("/archive").text
        assert tugs.title not in client.get("/archive").text + client.get("/feeds/issues.atom").text
        assert tugs.id not in client.get("/sitemap.xml").text + client.get("/feeds/briefings.atom").text


@on_sqlite
def test_an_unlisted_issue_has_a_page_that_nothing_names(desk: Desk) -> None:
    issue = send(desk, TUGS_OF, title="Tugs")
    publish(desk, issue, Visibility.UNLISTED)
    for path in (f"/issues/{issue}", f"/briefings/{TUGS.id}"):
        answer = desk.client.get(path)
        assert (answer.status_code, answer.headers["x-robots-tag"]) == (200, "noindex")
        assert '<meta name="robots" content="noindex">' in answer.text
    for path in ("/", "/archive", "/search?q=tugs", "/feeds/issues.atom", "/feeds/briefings.json", "/sitemap.xml"):
        page = desk.client.get(path)
        assert page.status_code == 200
        assert TUGS.id not in page.text
        assert f"issues/{issue}" not in page.text
    publish(desk, issue, Visibility.PUBLIC)
    assert named(desk.client.get("/archive").text) == [str(issue)]


@on_sqlite
def test_an_issue_for_subscribers_is_read_by_the_link_in_their_mail_alone(desk: Desk) -> None:
    approve(desk, TUGS)
    issue = send(desk, PILOTS, title="Pilots")
    publish(desk, issue, Visibility.SUBSCRIBERS)
    for path in (f"/issues/{issue}", f"/briefings/{PILOTS.id}", f"/briefings/{TUGS.id}"):
        answer = desk.client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (403, "no-store")
        assert "is for its readers" in answer.text
        assert "guild" not in answer.text
    assert named(desk.client.get("/archive").text) == []
    link = desk.link(Purpose.ISSUE, issue)
    page = desk.client.get(link).text
    assert f'href="{link}/{PILOTS.id}"' in page
    assert "/briefings/" not in page
    inside = desk.client.get(f"{link}/{PILOTS.id}")
    assert (inside.status_code, inside.headers["cache-control"]) == (200, "no-store")
    assert "The pilots" in inside.text
    assert f'<a href="{link}/{TUGS.id}">' in inside.text
    assert desk.client.get(f"{link}/{TUGS.id}").status_code == 200
    assert desk.client.get(f"{link}/grain-moves").status_code == 404
    assert desk.client.get(f"{desk.link(Purpose.ISSUE, 999)}/{PILOTS.id}").status_code == 404


@on_sqlite
def test_the_settings_say_who_sees_what_nobody_said_otherwise_of(desk: Desk) -> None:
    file = desk.settings.folder / "newsletter.toml"
    file.write_text(f'{file.read_text()}\n[archive]\nvisibility = "subscribers"\n')
    issue, other = send(desk, TUGS_OF), send(desk, GRAIN)
    publish(desk, other, Visibility.PUBLIC)
    closed = replace(desk, settings=load(desk.settings.folder, {}))
    late = send(closed, PILOTS)
    with TestClient(create(closed.settings, desk.engine)) as client:
        assert client.get(f"/issues/{issue}").status_code == 403
        assert named(client.get("/archive").text) == [str(other)]
        link = desk.link(Purpose.ISSUE, late)
        frozen = press_of(desk, late)
        assert f"https://news.harbour.example{link}/{PILOTS.id}" in frozen, "the mail itself leads inside"
        assert "/briefings/" not in frozen
        assert client.get(f"{link}/{PILOTS.id}").status_code == 200
        publish(desk, late, Visibility.PUBLIC)
        page = client.get(f"/issues/{late}").text
        assert "/i/" not in page
        assert f"/briefings/{PILOTS.id}" in page


@on_sqlite
def test_public_pages_are_not_sent_again_to_who_has_them(desk: Desk) -> None:
    issue = send(desk, TUGS_OF, title="Tugs")
    paths = ["/", "/archive", f"/issues/{issue}", f"/briefings/{TUGS.id}", "/topics/harbours", "/search?q=tugs",
             "/feeds/issues.atom", "/feeds/briefings.json", "/sitemap.xml", "/robots.txt", "/pages.css", "/standards",
             "/about-links", "/corrections"]  # fmt: skip
    for path in paths:
        answer = desk.client.get(path)
        tag, changed = answer.headers["etag"], answer.headers["last-modified"]
        assert answer.status_code == 200
        assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
        assert answer.headers["cache-control"] == "public, max-age=300"
        for said in (tag, f"W/{tag}", f'"other", W/"x, y",  {tag}', "*"):
            for ask in (desk.client.get, desk.client.head):
                again = ask(path, headers={"If-None-Match": said})
                assert (again.status_code, again.content) == (304, b""), (path, said)
                assert (again.headers["etag"], again.headers["last-modified"]) == (tag, changed)
                assert again.headers["cache-control"] == "public, max-age=300"
                assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]
                assert "content-type" not in again.headers
        assert desk.client.get(path, headers={"If-Modified-Since": changed}).status_code == 304
        other = {"If-None-Match": '"other"', "If-Modified-Since": changed}
        assert desk.client.get(path, headers=other).status_code == 200, "a tag goes before a date"
        for when in ("Mon, 02 Nov 2025 09:00:00 GMT", "yesterday", ""):
            assert desk.client.get(path, headers={"If-Modified-Since": when}).status_code == 200
    tags = {path: desk.client.get(path).headers["etag"] for path in ("/archive", f"/issues/{issue}")}
    send(desk, GRAIN, days=1)
    for path, tag in tags.items():
        assert desk.client.get(path, headers={"If-None-Match": tag}).status_code == 200, "a newer issue stands there"


def test_the_search_finds_what_was_published_and_shows_it_safely(desk: Desk) -> None:
    accented = part(
        7, id="cafe", title="Crème & <b>brûlée</b> at the quay", topics=("fuel",),
        what_happened="日本の港で牛乳。 Prices fell 3.5% in O'Neill's \"quay\" shop; 100-tonne lots went.",
    )  # fmt: skip
    issue = send(desk, TUGS_OF, accented, title="Quay week")

    def found(question: str) -> list[str]:
        page = desk.client.get("/search", params={"q": question})
        assert page.status_code == 200
        return re.findall(r'<h2><a href="/([^"]+)">', page.text)

    assert found("CREME brulee") == ["briefings/cafe", f"issues/{issue}"]
    assert found("tug") == [f"briefings/{TUGS.id}", f"issues/{issue}"], "the beginning of a word is enough"
    assert found("港 牛乳") == ["briefings/cafe"]
    assert found("neill quay") == found('"O\'Neill" quay*') == ["briefings/cafe"]
    assert found("quay tide") != [], "sources are searched too"
    assert found("tugs brulee") == [f"issues/{issue}"], "all the words"
    signs = ("'a\" OR b* NOT (", "title:tugs", "' & '", "-tugs zzz", ":*", "\\", "%", "\x00", "NEAR(a b)", "nowhere")
    for nothing in signs:
        assert 'role="status"' in desk.client.get("/search", params={"q": nothing}).text, nothing
    page = desk.client.get("/search", params={"q": "brulee"}).text
    assert "Crème &amp; &lt;b&gt;<mark>brûlée</mark>&lt;/b&gt; at the quay" in page
    assert "noindex" in desk.client.get("/search?q=tugs").headers["x-robots-tag"]
    assert "all the words" in desk.client.get("/search").text
    assert "Letters and digits count" in desk.client.get("/search?q=%3F%3F").text
    assert desk.client.get("/search?q=tugs&page=2").status_code == 404
    with db.transaction(desk.engine) as session:
        decisions.kill(session, "cafe", reason="Wrong.", actor="ben", now=desk.now)
    assert found("brulee") == found("tonne") == []
    assert found("tugs") == [f"briefings/{TUGS.id}", f"issues/{issue}"]
