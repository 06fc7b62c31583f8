"""Feeds and the sitemap: what programs are told of what was sent, as their standards have it."""

import json
import re
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import pytest

from newsletter import db
from newsletter.issues.models import Visibility
from subscribers import topics
from tests.web.conftest import Desk
from tests.web.test_archive import GRAIN, TUGS_OF, part, publish, send
from tests.web.test_reading import staff

assert staff  # the fixture that brings ann and ben
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # feeds are the archive's affair
ATOM = "{http://www.w3.org/2005/Atom}"
SHARP = part(3, id="sharp", title='Rail & <road> "tariffs" ]]> rise', topics=("fuel",), introduction="A < B & C rose.")


def absolute(url: str) -> bool:
    return urlsplit(url).scheme == "https" and bool(urlsplit(url).netloc)


@pytest.mark.parametrize("what", ["issues", "briefings"])
def test_atom_has_what_rfc_4287_asks_for(desk: Desk, what: str) -> None:
    old, new = send(desk, TUGS_OF, title="Tugs", days=-9), send(desk, SHARP, GRAIN, title="Rail & <road>")
    answer = desk.client.get(f"/feeds/{what}.atom")
    assert answer.headers["content-type"] == "application/atom+xml"
    root = ElementTree.fromstring(answer.content)
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.iter(f"{ATOM}entry")):  # RFC 4287, 4.1.1 and 4.1.2: exactly one of each
        for name in ("id", "title", "updated"):
            (found,) = element.findall(ATOM + name)
            assert found.text
        assert datetime.fromisoformat(str(element.findtext(f"{ATOM}updated"))).tzinfo
        relations = [link.get("rel") for link in element.findall(f"{ATOM}link")]
        assert len(set(relations)) == len(relations)
        assert "alternate" in relations
        assert all(absolute(str(link.get("href"))) for link in element.findall(f"{ATOM}link"))
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "Harbour Brief"
    own = next(link for link in root.findall(f"{ATOM}link") if link.get("rel") == "self")
    assert own.get("href") == root.findtext(f"{ATOM}id") == f"https://news.harbour.example/feeds/{what}.atom"
    newest = max(str(each.findtext(f"{ATOM}updated")) for each in root.iter(f"{ATOM}entry"))
    assert root.findtext(f"{ATOM}updated") == newest
    read = feedparser.parse(answer.content)
    assert not read.bozo
    ids = [entry.id for entry in read.entries]
    if what == "issues":
        host = "tag:news.harbour.example"
        assert ids == [f"{host},2026-11-02:issues/{new}", f"{host},2026-10-24:issues/{old}"]
        assert read.entries[0].title == "Rail & <road>"
    else:
        assert {each.rpartition("/")[2] for each in ids} == {"tugs-idle", "sharp", "grain-moves"}
        sharp = next(entry for entry in read.entries if entry.id.endswith("/sharp"))
        assert sharp.title == SHARP.title
        assert "A &lt; B &amp; C rose." in sharp.content[0].value
        assert "Open the original source." in sharp.content[0].value
        assert [tag.term for tag in sharp.tags] == ["fuel"]
    for html in (entry.content[0].value for entry in read.entries):
        assert all(absolute(url) for url in re.findall(r'href="([^"]*)"', html))
    assert desk.client.get("/").text.count(f'href="/feeds/{what}.atom"') == 1


def test_an_entry_keeps_its_name_whatever_becomes_of_the_issues(desk: Desk) -> None:
    first = send(desk, TUGS_OF, days=-9)
    before = feedparser.parse(desk.client.get("/feeds/briefings.atom").content).entries[0].id
    send(desk, GRAIN)
    publish(desk, first, Visibility.UNLISTED)
    publish(desk, first, Visibility.PUBLIC)
    after = feedparser.parse(desk.client.get("/feeds/briefings.atom").content).entries
    assert before in [entry.id for entry in after]
    assert len(after) == 2


def test_a_json_feed_is_as_version_1_1_has_it_also_about_a_topic(desk: Desk) -> None:
    send(desk, TUGS_OF, title="Tugs", days=-9)
    send(desk, SHARP, title="Rail")
    with db.transaction(desk.engine) as session:
        topics.edit(session, "fuel", title="Fuel & power")
    for path, ids in {
        "/feeds/issues.json": ["issues/2", "issues/1"],
        "/feeds/briefings.json": ["briefings/sharp", "briefings/tugs-idle"],
        "/feeds/briefings.json?topic=fuel": ["briefings/sharp"],
        "/feeds/issues.json?topic=harbours": ["issues/1"],
    }.items():
        answer = desk.client.get(path)
        said = json.loads(answer.content)
        assert answer.headers["content-type"] == "application/feed+json"
        assert said["version"] == "https://jsonfeed.org/version/1.1"
        assert said["feed_url"] == f"https://news.harbour.example{path}"
        assert absolute(said["home_page_url"])
        assert [item["id"].partition(":2026-")[0].rpartition(":")[2] for item in said["items"]] == ids
        for item in said["items"]:
            assert absolute(item["url"])
            assert datetime.fromisoformat(item["date_published"]) <= datetime.fromisoformat(item["date_modified"])
            assert item["content_html"]
    assert "Fuel & power" in json.loads(desk.client.get("/feeds/briefings.json?topic=fuel").content)["title"]
    topic = desk.client.get("/topics/fuel").text
    assert 'href="/feeds/briefings.atom?topic=fuel"' in topic
    assert desk.client.get("/feeds/briefings.json?topic=none").status_code == 404


def test_the_sitemap_names_every_page_that_everybody_may_find(desk: Desk) -> None:
    empty = feedparser.parse(desk.client.get("/feeds/issues.atom").content)
    assert (empty.bozo, empty.entries) == (False, [])
    issue = send(desk, SHARP)
    hidden = send(desk, TUGS_OF)
    publish(desk, hidden, Visibility.UNLISTED)
    root = ElementTree.fromstring(desk.client.get("/sitemap.xml").content)
    paths = [urlsplit(str(each.text)).path for each in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert paths == [
        "/", "/archive", "/standards", "/corrections", "/signup", f"/issues/{issue}", "/briefings/sharp",
        "/topics/fuel",
    ]  # fmt: skip
    answers = {path: desk.client.get(path) for path in paths if path != "/signup"}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert not any("noindex" in answer.text for answer in answers.values())
