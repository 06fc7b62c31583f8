"""Looks at the pages that briefings cite, at a publisher who lets programs in, keeps them out, or takes pages away."""

import sys
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from newsletter import db
from newsletter.discovery import articles, looks, originals, parsing
from newsletter.discovery.looks import Look
from newsletter.discovery.models import SourceLook
from newsletter.discovery.originals import Reader
from newsletter.errors import SettingsError
from newsletter.fetching import Client
from newsletter.settings import Settings
from tests.conftest import NOW
from tests.discovery.publisher import Publisher, Reply

SAID = "The harbour bought twelve electric cranes from a yard that had never built one, and pays when they lift. "
HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(*paragraphs: str, title: str = "Cranes go electric", around: str = "", head: str = "") -> Reply:
    """Return a page with an article in it, and whatever else pages have."""
    body = "".join(f"<p>{each}</p>" for each in paragraphs)
    return Reply(
        f"<html><head><title>{title} - The Post</title>{head}</head><body><nav>Corrections and more {around}</nav>"
        f"<article><h1>{title}</h1>{body}</article><aside>{around}</aside><script>{around}</script></body></html>".encode(),
        headers=HTML,
    )  # fmt: skip


def long(*more: str) -> list[str]:
    return [f"{SAID} {number} of the reasons was the price of power at night." for number in range(12)] + list(more)


def read(reply: Reply) -> articles.Article:
    return parsing.shared().article(reply.body, url="https://post.example.net/a", content_type=HTML["Content-Type"])


def test_a_page_is_the_same_while_only_what_stands_around_the_article_changes() -> None:
    before = read(page(*long(), around="Most read: 17 stories"))
    assert before.title == "Cranes go electric"
    assert (len(before.paragraphs), before.corrections, before.text, before.paid) == (12, 0, "", False)
    assert read(page(*long(), around="Correction: another story; 4,711 comments")).sha256 == before.sha256
    assert read(page(*long(), title="Cranes stay electric")).sha256 != before.sha256
    mended = read(page(*long("Correction: an earlier version said thirteen cranes, which was wrong.")))
    assert mended.sha256 != before.sha256
    assert mended.corrections == 1
    assert len(set(mended.paragraphs) - set(before.paragraphs)) == 1


def test_a_look_tells_what_stands_there_and_why_there_is_no_page(publisher: Publisher, client: Client) -> None:
    publisher.replies |= {
        "/a": page(*long()), "/gone": Reply(status=410), "/shut": Reply(status=403),
        "/slow": Reply(b"x" * 99, drip=0.5),
    }  # fmt: skip
    client.wall = 0.7
    reader = Reader(client, pause=0)
    names = ("a", "gone", "shut", "slow", "a#part", "lost?utm_source=x")
    urls = [f"{publisher.url}/{name}" for name in names]
    found = {each.url.rpartition("/")[2]: each for each in reader.look([*urls, "https://wire.example.org/a"], now=NOW)}
    assert sorted(found) == ["a", "gone", "lost", "shut", "slow"]
    assert (found["a"].status, found["a"].trouble, found["a"].text, found["a"].gone) == (200, "", "", False)
    assert [found[name].gone for name in ("gone", "lost", "shut", "slow")] == [True, True, False, False]
    assert found["shut"].trouble == "it answers 403"
    assert found["slow"].trouble == "it does not answer in time"
    assert "/robots.txt" not in {path for path, _, _ in publisher.asked}


def test_a_look_at_many_ends_when_its_time_is_over(publisher: Publisher, client: Client) -> None:
    publisher.replies |= {"/1": Reply(b"x" * 99, drip=0.1), "/2": page(*long())}
    begun = time.monotonic()
    found = Reader(client, pause=0, within=0.5).look([f"{publisher.url}/{name}" for name in "12"], now=NOW)
    assert time.monotonic() - begun < 2
    assert [look.trouble for look in found] == ["there was no time to look"] * 2


def test_words_are_taken_where_robots_may_read_and_the_page_is_open(publisher: Publisher, client: Client) -> None:
    publisher.replies |= {
        "/robots.txt": Reply(b"User-agent: *\nDisallow: /private/\n\nUser-agent: other\nDisallow: /\n"),
        "/a": page(*long()), "/private/a": page(*long()), "/short": page(SAID),
        "/paid": page(*long(), head='<script type="application/ld+json">{"isAccessibleForFree": false}</script>'),
    }  # fmt: skip
    client.agent = "newsletter-desk/1 (+https://news.example.com)"
    names = ("a", "private/a", "short", "paid")
    pause = 0.1
    found = Reader(client, words=True, pause=pause).look([f"{publisher.url}/{name}" for name in names], now=NOW)
    open_, private, short, paid = found
    assert "twelve electric cranes" in open_.text
    assert "Most read" not in open_.text
    assert (open_.trouble, len(open_.sha256)) == ("", 64)
    assert (private.trouble, private.status) == ("its robots.txt asks programs not to read it", 0)
    assert "characters of text" in short.trouble
    assert paid.trouble == "its page is behind a paywall"
    assert [look.text for look in (private, short, paid)] == ["", "", ""]
    paths = [path for path, _, _ in publisher.asked]
    assert paths.count("/robots.txt") == 1
    assert "/private/a" not in paths
    assert {headers["user-agent"] for _, headers, _ in publisher.asked} == {client.agent}
    moments = [moment for _, _, moment in publisher.asked]
    assert all(later - earlier >= pause for earlier, later in pairwise(moments))


def test_robots_that_cannot_be_read_let_nobody_in(publisher: Publisher, client: Client) -> None:
    publisher.replies |= {"/robots.txt": Reply(status=503), "/a": page(*long())}
    (look,) = Reader(client, words=True, pause=0).look([f"{publisher.url}/a"], now=NOW)
    assert look.trouble == "its robots.txt cannot be read"


def test_words_are_discarded_after_thirty_days_and_fingerprints_stay(engine: Engine) -> None:
    url, other = "https://post.example.net/a", "https://grid.example.com/b"
    made = [Look(url=url, at=NOW, status=200, sha256="a" * 64, text="words"), Look(url=other, at=NOW, trouble="no")]
    with db.transaction(engine) as session:
        looks.keep(session, made)
        assert looks.since(session, [f"{url}#x"], NOW) == {url: [made[0]]}
        assert looks.since(session, [url], NOW + timedelta(seconds=1)) == {}
        assert looks.read(session, [url, other]) == {url: made[0], other: made[1]}
        assert looks.discard(session, now=NOW + timedelta(days=30)) == 0
        assert looks.discard(session, now=NOW + timedelta(days=31)) == 1
        session.expire_all()
        kept = session.get(SourceLook, 1)
        assert kept
        assert (kept.text, kept.sha256) == ("", "a" * 64)
        assert looks.read(session, [url]) == {}


def test_what_is_not_installed_is_named_with_the_command_that_installs_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    originals.require_extra(settings)
    monkeypatch.setitem(sys.modules, "protego", None)
    with pytest.raises(SettingsError, match=r"needs protego, .*; run pip install 'newsletter-desk\[fulltext\]'"):
        originals.require_extra(settings)
