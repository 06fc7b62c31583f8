"""Feeds of what is listed: Atom (RFC 4287) and JSON Feed 1.1, of issues and of briefings, of all or about a topic."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from sqlmodel import Session

from newsletter.editorial import attribution, briefings
from newsletter.issues.archive import Archive, ListedBriefing, ListedIssue
from newsletter.rendering import layout, markdown
from newsletter.rendering.slots import strip_controls
from newsletter.web import archive as lists
from newsletter.web import briefings as pages
from newsletter.web import corrections, public
from newsletter.web.site import PUBLIC, Site

router = APIRouter()

#: How many entries a feed holds.
MOST = 30
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a feed; `html` is its whole text with absolute links."""

    id: str
    url: str
    title: str
    summary: str
    html: str
    language: str
    topics: tuple[str, ...]
    published: datetime
    changed: datetime


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed before it is written down; `url` is its own address, `home` that of the page that lists the same."""

    title: str
    url: str
    home: str
    language: str
    author: str
    changed: datetime
    entries: tuple[Entry, ...]


@public.page(router, "/feeds/issues.atom", heeds=("topic",))
def issues_as_atom(site: Site, asked: Mapping[str, str]) -> Response:
    """Return the newest issues as Atom."""
    return atom(_feed(site, "issues.atom", asked["topic"], _issues))


@public.page(router, "/feeds/issues.json", heeds=("topic",))
def issues_as_json(site: Site, asked: Mapping[str, str]) -> Response:
    """Return the newest issues as JSON Feed."""
    return json_feed(_feed(site, "issues.json", asked["topic"], _issues))


@public.page(router, "/feeds/briefings.atom", heeds=("topic",))
def briefings_as_atom(site: Site, asked: Mapping[str, str]) -> Response:
    """Return the newest briefings as Atom."""
    return atom(_feed(site, "briefings.atom", asked["topic"], _briefings))


@public.page(router, "/feeds/briefings.json", heeds=("topic",))
def briefings_as_json(site: Site, asked: Mapping[str, str]) -> Response:
    """Return the newest briefings as JSON Feed."""
    return json_feed(_feed(site, "briefings.json", asked["topic"], _briefings))


def atom(feed: Feed) -> Response:
    """Return the feed as RFC 4287 has it."""
    root = Element("feed", {"xmlns": _ATOM, _LANG: feed.language})
    _say(root, "id", feed.url)
    _say(root, "title", feed.title)
    _say(root, "updated", _moment(feed.changed))
    _say(SubElement(root, "author"), "name", feed.author)
    SubElement(root, "link", rel="self", type="application/atom+xml", href=feed.url)
    SubElement(root, "link", rel="alternate", type="text/html", href=feed.home)
    for each in feed.entries:
        entry = SubElement(root, "entry", {_LANG: each.language})
        _say(entry, "id", each.id)
        _say(entry, "title", each.title)
        _say(entry, "published", _moment(each.published))
        _say(entry, "updated", _moment(each.changed))
        SubElement(entry, "link", rel="alternate", type="text/html", href=each.url)
        for topic in each.topics:
            SubElement(entry, "category", term=topic)
        if each.summary:
            _say(entry, "summary", each.summary)
        _say(entry, "content", each.html, type="html")
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, media_type="application/atom+xml", headers=PUBLIC)


def json_feed(feed: Feed) -> Response:
    """Return the feed as jsonfeed.org has it in version 1.1."""
    items: list[dict[str, Any]] = [
        {
            "id": each.id, "url": each.url, "title": each.title, "summary": each.summary, "content_html": each.html,
            "date_published": _moment(each.published), "date_modified": _moment(each.changed),
            "tags": list(each.topics), "language": each.language,
        }
        for each in feed.entries
    ]  # fmt: skip
    said = {
        "version": "https://jsonfeed.org/version/1.1", "title": feed.title, "home_page_url": feed.home,
        "feed_url": feed.url, "language": feed.language, "authors": [{"name": feed.author, "url": feed.home}],
        "items": items,
    }  # fmt: skip
    body = json.dumps(said, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    return Response(body, media_type="application/feed+json", headers=PUBLIC)


def _say(parent: Element, name: str, words: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = strip_controls(words)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _feed(
    site: Site, name: str, topic: str, entries: Callable[[Site, Session, Archive, str], list[Entry]]
) -> Feed:  # fmt: skip
    publication, archive = site.settings.publication, site.archive()
    if not publication.url or (topic and topic not in archive.topics()):  # each link of a feed is absolute
        raise HTTPException(404)
    with site.reading() as session:
        found = entries(site, session, archive, topic)
    about = f" about {lists.labels(site, archive)[topic]}" if topic else ""
    what = name.partition(".")[0]
    return Feed(
        title=f"{publication.name}: {what}{about}",
        url=lists.address(f"{publication.url}/feeds/{name}", topic=topic),
        home=lists.address(f"{publication.url}/archive", topic=topic),
        language=publication.language,
        author=publication.name,
        changed=max((each.changed for each in found), default=site.started),
        entries=tuple(found),
    )


def _issues(site: Site, _session: Session, archive: Archive, topic: str) -> list[Entry]:
    found = [each for each in archive.issues if not topic or topic in each.topics]
    return [_issue(site, each) for each in found[:MOST]]


def _issue(site: Site, issue: ListedIssue) -> Entry:
    return Entry(
        id=_tag(site, issue.sent, f"issues/{issue.id}"),
        url=f"{site.settings.publication.url}/issues/{issue.id}",
        title=issue.title,
        summary=issue.preheader,
        html=site.write("feed_issue.html.j2", issue=issue),
        language=site.settings.publication.language,
        topics=tuple(sorted(issue.topics)),
        published=issue.sent,
        changed=issue.changed,
    )


def _briefings(site: Site, session: Session, archive: Archive, topic: str) -> list[Entry]:
    found = [each for each in archive.briefings if not topic or topic in each.topics]
    return [_briefing(site, session, each) for each in found[:MOST]]


def _briefing(site: Site, session: Session, briefing: ListedBriefing) -> Entry:
    document = briefings.text_at(session, briefing.id, briefing.sha256)
    return Entry(
        id=_tag(site, briefing.published, f"briefings/{briefing.id}"),
        url=f"{site.settings.publication.url}/briefings/{briefing.id}",
        title=briefing.title,
        summary=markdown.sentence(briefing.introduction, most=300),
        html=site.write(
            "feed_briefing.html.j2", document=document, sections=pages.sections(document),
            direction=layout.direction(document.language), note=attribution.source_note(document),
            disclosure=attribution.disclosure(document), corrections=corrections.of(session, briefing.id),
        ),
        language=briefing.language,
        topics=briefing.topics,
        published=briefing.published,
        changed=briefing.changed,
    )  # fmt: skip


def _tag(site: Site, at: datetime, name: str) -> str:
    """Return the name of an entry for ever (RFC 4151): it holds the day on which the desk said it under its host."""
    return f"tag:{urlsplit(site.settings.publication.url).hostname},{at:%Y-%m-%d}:{name}"
