"""Cleaning: what a feed brings, made into plain text and into links that can be opened."""

import html
import re
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import nh3

_BLOCK = re.compile(r"<(?=/?(?:p|div|br|li|ul|ol|h[1-6]|tr|td|blockquote)\b)", re.IGNORECASE)
#: Parameters that say who followed a link and from where, never what stands there.
_TRACKS = re.compile(
    r"(utm_|mtm_|pk_|hsa_)|(fbclid|gclid|dclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi|ref_src)(=|$)"
)
#: Made once: to build one costs more than to clean a summary.
_BARE = nh3.Cleaner(tags=set(), clean_content_tags={"script", "style"})
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff\\s]+")


def plain(text: str, *, limit: int) -> str:
    """Return a text in one line, without markup and control characters, cut to `limit` characters."""
    given = str(text)[: 8 * limit]
    if "<" in given or "&" in given:  # most texts have neither
        spaced = _BLOCK.sub(" <", given)  # or the last word of a paragraph grows into the next one's first
        given = html.unescape(_BARE.clean(spaced))
    line = _UNSEEN.sub(" ", given).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def link(url: str) -> str:
    """Return an http(s) address, the empty string for any other scheme and for what is no address."""
    url = str(url).strip()
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return ""
    return url if usable and len(url) <= 2000 and not re.search(r"[\s<>\"\\\x00-\x1f\x7f]", url) else ""


@lru_cache(maxsize=8192)
def canonical(url: str) -> str:
    """Return an address without what differs between two links to one page: case of the host, fragment, trackers."""
    try:
        parts = urlsplit(link(url))
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    usual = {"http": 80, "https": 443}[parts.scheme.lower()]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    where = host if port in (None, usual) else f"{host}:{port}"
    query = "&".join(each for each in parts.query.split("&") if each and not _TRACKS.match(each))
    return urlunsplit((parts.scheme.lower(), where, parts.path or "/", query, ""))
