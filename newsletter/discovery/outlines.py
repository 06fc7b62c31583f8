"""Outlines: feeds as an OPML document (opml.org, version 2.0), as feed readers exchange them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from lxml import etree
from sqlmodel import Session

from newsletter.discovery import cleaning, feeds
from newsletter.discovery.feeds import FeedView
from newsletter.errors import BadInput, Refused

LARGEST, MOST = 8 * 1024 * 1024, 10_000


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What came of an import: feeds `added`, feeds followed `already`, and the addresses that are none."""

    added: int
    already: int
    unusable: tuple[str, ...]


def read(session: Session, data: bytes, *, now: datetime) -> Imported:
    """Follow every feed of an OPML document, whatever folder it lies in; BadInput when it is none."""
    added = already = 0
    unusable: list[str] = []
    for url, name in _listed(data):
        if not cleaning.link(url):
            unusable.append(url[:200])
            continue
        try:
            feeds.add(session, url, name=name, now=now)
            added += 1
        except Refused:
            already += 1
    return Imported(added=added, already=already, unusable=tuple(unusable))


def _listed(data: bytes) -> list[tuple[str, str]]:
    if len(data) > LARGEST:
        raise BadInput(f"the document has {len(data)} bytes and may have {LARGEST}; divide it")
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BadInput(f"the document is no OPML: {error}; export it again from your feed reader") from error
    if etree.QName(root).localname.lower() != "opml":
        raise BadInput(f"the document is <{etree.QName(root).localname}>, no OPML; export it as OPML")
    found = [
        (str(each.get("xmlUrl", "")).strip(), str(each.get("text") or each.get("title") or ""))
        for each in root.iter("outline")
        if each.get("xmlUrl")
    ]
    if len(found) > MOST:
        raise BadInput(f"the document lists {len(found)} feeds and may list {MOST}; divide it")
    return found


def write(followed: Iterable[FeedView], *, title: str, now: datetime) -> bytes:
    """Return the feeds as a document that feed readers import."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = title
    etree.SubElement(head, "dateCreated").text = format_datetime(now, usegmt=True)
    body = etree.SubElement(root, "body")
    for feed in followed:
        about = {"type": "rss", "text": feed.name, "title": feed.name, "xmlUrl": feed.url}
        etree.SubElement(body, "outline", about | ({"htmlUrl": feed.site} if feed.site else {}))
    return etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")
