"""Identity: what makes an entry the same entry at the next poll, also where ids are missing or the same for all."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from newsletter.discovery import cleaning
from newsletter.discovery.documents import Entry
from newsletter.discovery.models import Identity, SourceItem

#: The share of a document's entries that may lack an identity, or have another's, before the feed is known otherwise.
TOLERATED = 0.05
_LONGEST = 2000


def fitting(current: Identity, entries: Sequence[Entry]) -> Identity:
    """Return by what the entries can be told apart: the current way, or the next in the list that is good enough."""
    least, best = len(entries) + 1, current
    for way in list(Identity)[list(Identity).index(current) :]:
        faults = _faults(way, entries)
        if faults <= TOLERATED * len(entries):
            return way
        if faults < least:
            least, best = faults, way
    return best


def _faults(way: Identity, entries: Sequence[Entry]) -> int:
    keys = Counter(_parts(way, entry.guid, entry.url, entry.published_as_given, entry.title) for entry in entries)
    return keys.pop("", 0) + sum(count - 1 for count in keys.values())


def keys(way: Identity, entries: Sequence[Entry]) -> dict[str, Entry]:
    """Return the entries by their key; those that repeat another one entirely are left out."""
    made = [(_key(way, entry), entry) for entry in entries]
    stories = Counter(key for key, _ in {(key, entry.url or entry.title) for key, entry in made})
    found: dict[str, Entry] = {}
    for key, entry in made:
        apart = key if stories[key] == 1 else short(f"{key}|{entry.url or entry.title}")
        found.setdefault(apart, entry)
    return found


def of_stored(way: Identity, item: SourceItem) -> str:
    """Return the key that a stored item has when its feed's entries are told apart in this way."""
    found = _parts(way, item.identity, item.url, item.published_as_given, item.title)
    return short(found or item.title)


def _key(way: Identity, entry: Entry) -> str:
    return short(_parts(way, entry.guid, entry.url, entry.published_as_given, entry.title) or entry.url or entry.title)


def _parts(way: Identity, guid: str, url: str, date: str, title: str) -> str:
    if way is Identity.GUID:
        return guid
    address = cleaning.canonical(url)
    if way is Identity.LINK:
        return address
    more = date if way is Identity.LINK_DATE else title
    return f"{address}|{more}" if address or more else ""


def short(key: str) -> str:
    """Return a key that fits its column."""
    return key if len(key) <= _LONGEST else hashlib.sha256(key.encode()).hexdigest()
