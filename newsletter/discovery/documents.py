"""Feed documents: RSS, Atom, RDF and JSON Feed, read into one shape. Nothing is fetched and nothing is kept here.

`parse` runs in a child process (`parsing`), because documents of the world can make a parser run for ever.
"""

import calendar
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import feedparser

from newsletter.discovery import cleaning
from newsletter.errors import BadInput

#: The largest document, in bytes, and the most entries that are looked at: the newest stand first.
LARGEST, MOST = 8 * 1024 * 1024, 500
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {"hourly": 60, "daily": 1440, "weekly": 10080, "monthly": 43200, "yearly": 525600}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry, cleaned: plain text, and addresses that can be opened or the empty string."""

    guid: str = ""
    url: str = ""
    title: str = ""
    summary: str = ""
    published: datetime | None = None
    published_as_given: str = ""
    upstream_name: str = ""
    upstream_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a feed's document says; `complaint` is what the parser found wrong while it read on.

    `hints` holds minutes between polls (`ttl`), hours (UTC) and days (0: Monday) that the publisher wants left out.
    """

    title: str = ""
    site: str = ""
    entries: tuple[Entry, ...] = ()
    hints: dict[str, list[int]]
    complaint: str = ""


def dump(document: Document) -> bytes:
    """Return a document as bytes that `load` reads."""
    made = {**vars(document), "entries": [vars(entry) for entry in document.entries]}
    return json.dumps(made, default=datetime.isoformat).encode()


def load(data: bytes) -> Document:
    """Return the document that `dump` wrote."""
    made = json.loads(data)
    moment = datetime.fromisoformat
    entries = tuple(
        Entry(**{**each, "published": moment(each["published"]) if each["published"] else None})
        for each in made.pop("entries")
    )
    return Document(entries=entries, **made)


def parse(data: bytes, *, url: str, content_type: str = "") -> Document:
    """Return what a document says; BadInput when it is no feed."""
    if len(data) > LARGEST:
        raise BadInput(f"{url}: the document has {len(data)} bytes and may have {LARGEST}; take a shorter feed")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _of_json(data, url)
    headers = {"content-location": url} | ({"content-type": content_type} if content_type else {})
    # A stream, because feedparser opens bytes that look like a path or an address instead of parsing them. Its own
    # washing is left out, which takes a third of its time: nothing of the markup outlives `cleaning.plain`.
    parsed = feedparser.parse(
        io.BytesIO(data), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    if not parsed.get("version"):
        raise _no_feed(url)
    return Document(
        title=cleaning.plain(parsed.feed.get("title", ""), limit=200),
        site=cleaning.link(parsed.feed.get("link", "")),
        entries=tuple(_entry(each) for each in parsed.entries[:MOST]),
        hints=_hints(data, parsed.feed),
        complaint=_complaint(parsed),
    )


def _no_feed(url: str) -> BadInput:
    return BadInput(f"{url}: the document is no RSS or Atom feed; give the feed itself, not the page about it")


def _complaint(parsed: Any) -> str:
    """Return what is wrong with a document that was read all the same; a guessed encoding is no fault."""
    error = parsed.get("bozo_exception") if parsed.bozo else None
    harmless = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)
    return "" if error is None or isinstance(error, harmless) else " ".join(str(error).split())[:500]


def _entry(entry: Any) -> Entry:
    raw, moment = _published(entry)
    source = entry.get("source") or {}
    return Entry(
        guid=cleaning.plain(entry.get("id", ""), limit=20_000),
        url=cleaning.link(entry.get("link", "")),
        title=cleaning.plain(entry.get("title", ""), limit=500),
        summary=cleaning.plain(entry.get("summary", ""), limit=20_000),
        published=moment,
        published_as_given=cleaning.plain(raw, limit=100),
        upstream_name=cleaning.plain(source.get("title", ""), limit=200),
        upstream_url=cleaning.link(source.get("href") or source.get("link") or ""),
    )


def _published(entry: Any) -> tuple[str, datetime | None]:
    # `in`, because feedparser's mapping answers for `updated` with the date of publication.
    for name in ("published", "updated"):
        if name in entry:
            return str(entry[name]), _moment(entry.get(f"{name}_parsed"))
    return "", None


def _moment(parts: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(parts), UTC) if parts else None
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return None


def _hints(data: bytes, feed: Any) -> dict[str, list[int]]:
    """Return when the publisher wants to be asked; feedparser leaves the hours and days of RSS out."""
    head = data.partition(b"<item")[0][:65536].decode("utf-8", "replace")
    hours = sorted({int(hour) % 24 for hour in re.findall(r"<hour>\s*(\d{1,2})\s*</hour>", head)})
    days = [_DAYS.index(day.lower()) for day in re.findall(r"<day>\s*([A-Za-z]+)\s*</day>", head) if _is_day(day)]
    ttl = str(feed.get("ttl", ""))
    minutes = [int(ttl)] if ttl.isdecimal() and len(ttl) < 8 else []
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower())
    often = str(feed.get("sy_updatefrequency", "1")).strip()
    if period and often.isdecimal() and int(often[:6]) > 0:
        minutes.append(period // int(often[:6]))
    found = {"ttl": [max(minutes)] if minutes else [], "hours": hours, "days": sorted(set(days))}
    return {name: values for name, values in found.items() if values}


def _is_day(word: str) -> bool:
    return word.lower() in _DAYS


def _of_json(data: bytes, url: str) -> Document:
    """Return what a JSON Feed says (jsonfeed.org, version 1.1)."""
    try:
        made = json.loads(data.decode("utf-8-sig"))
        if not str(made.get("version", "")).startswith("https://jsonfeed.org/version/"):
            raise ValueError
        items = [each for each in made.get("items", []) if isinstance(each, dict)][:MOST]
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise _no_feed(url) from error
    return Document(
        title=cleaning.plain(_text(made, "title"), limit=200),
        site=cleaning.link(_text(made, "home_page_url")),
        entries=tuple(_json_entry(each) for each in items),
        hints={},
    )


def _json_entry(item: dict[str, Any]) -> Entry:
    raw = _text(item, "date_published", "date_modified")
    words = _text(item, "summary", "content_text", "content_html")
    title = cleaning.plain(_text(item, "title"), limit=500)
    return Entry(
        guid=cleaning.plain(_text(item, "id"), limit=20_000),
        url=cleaning.link(_text(item, "url", "external_url")),
        title=title or cleaning.plain(words, limit=100),  # a microblog's posts have none
        summary=cleaning.plain(words, limit=20_000),
        published=_rfc3339(raw),
        published_as_given=cleaning.plain(raw, limit=100),
        upstream_url=cleaning.link(_text(item, "external_url")),
    )


def _text(item: dict[str, Any], *names: str) -> str:
    found = (item.get(name) for name in names)
    return next((str(value) for value in found if isinstance(value, str | int) and str(value).strip()), "")


def _rfc3339(text: str) -> datetime | None:
    try:
        made = datetime.fromisoformat(text)
        return (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
