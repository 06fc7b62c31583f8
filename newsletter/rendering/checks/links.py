"""Rules about links: that each leads somewhere, and says where."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from newsletter.rendering import proof
from newsletter.rendering.checks.rule import BLOCK, WARN, Fault, Rule
from newsletter.rendering.proof import Proof
from newsletter.rendering.slots import Slot

_SLOTS = {slot.marker for slot in Slot}
#: Words that say nothing of where a link leads.
GENERIC = {
    "here", "click here", "click", "this", "this link", "link", "read", "read more", "more", "learn more", "see more",
    "details", "go", "open", "website", "web site", "page", "this page", "article", "this article",
    "hier", "hier klicken", "mehr", "mehr lesen", "weiterlesen", "mehr erfahren", "dieser link",
}  # fmt: skip
#: Hosts that hide where a link leads.
SHORTENERS = {
    "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "shorturl.at", "t.co",
    "t.ly", "tiny.cc", "tinyurl.com", "v.gd",
}  # fmt: skip
_BLOCKS = {"p", "li", "td", "th", "dd", "dt", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}
_DOMAIN = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:[:/?#]\S*)?", re.IGNORECASE)


def _link(sheet: Proof) -> Iterator[Fault]:
    for link in sheet.all("a"):
        href, text = _href(link), sheet.words(link)
        if not text:
            yield sheet.place(link), f"the link to {href or 'nowhere'} has no text"
        if href not in _SLOTS and not re.match(r"https?://[^/]|mailto:.", href, re.IGNORECASE):
            yield sheet.place(link), f"the link {text!r} leads to {href!r}, which is no address that mail can open"


def _generic(sheet: Proof) -> Iterator[Fault]:
    for link in sheet.all("a"):
        text = sheet.words(link)
        if text.strip(" .…:→»>").lower() in GENERIC:
            yield sheet.place(link), f"the link to {_href(link)} says only {text!r}"


def _same(sheet: Proof) -> Iterator[Fault]:
    """Yield links of the same words to different addresses that nothing around them tells apart."""
    seen: dict[tuple[str, str, str], str] = {}
    for link in sheet.all("a"):
        place, text, href = sheet.place(link), sheet.words(link), _href(link)
        first = seen.setdefault((place, text.lower(), _around(link)), href)
        if text and first != href:
            yield place, f"{text!r} leads to {first} and to {href}"


def _around(link: Any) -> str:
    """Return the text of the paragraph, list item or cell that the link stands in: it tells what the link is for."""
    return next((proof.said(each) for each in link.iterancestors() if each.tag in _BLOCKS), "")


def _host(sheet: Proof) -> Iterator[Fault]:
    for link in sheet.all("a"):
        said, real = _DOMAIN.fullmatch(sheet.words(link)), _hostname(_href(link))
        if said and real and said[1].lower().removeprefix("www.") != real.removeprefix("www."):
            yield sheet.place(link), f"the link says {said[1]} and leads to {real}"


def _shortened(sheet: Proof) -> Iterator[Fault]:
    for link in sheet.all("a"):
        if _hostname(_href(link)) in SHORTENERS:
            yield sheet.place(link), f"{_href(link)} hides where it leads"


def _insecure(sheet: Proof) -> Iterator[Fault]:
    own = sheet.settings.publication.url
    if own.startswith("http:") and not _loopback(own):
        yield "settings", f"public_url in [publication] is {own}"
    for link in sheet.all("a"):
        href = _href(link)
        if href.lower().startswith("http:") and not href.startswith(f"{own}/") and not _loopback(href):
            yield sheet.place(link), f"{href} is not encrypted"


def _href(link: Any) -> str:
    return (link.get("href") or "").strip()


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _loopback(url: str) -> bool:
    host = _hostname(url)
    return host == "localhost" or host.startswith("127.") or host == "::1"


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.link", BLOCK, _link, "a link without words, or that leads nowhere",
         "a dead link is a broken promise to the reader",
         "give the link words and an https address, in the text (have it approved again) or in the template"),
    Rule("email.link_generic", WARN, _generic, "link words such as \"here\" or \"read more\"",
         "who listens to a list of the links learns nothing from it", "let the words say what the link opens"),
    Rule("email.link_same", WARN, _same, "the same words on links to different addresses that nothing else tells apart",
         "nobody can tell which is which (WCAG 2.4.4)", "give each link its own words"),
    Rule("email.link_host", WARN, _host, "a link that names one site and leads to another",
         "filters take it for phishing, and so do readers", "write words in place of the address, or the right one"),
    Rule("email.link_shortened", WARN, _shortened, "a link through a shortener",
         "blocklists name shorteners, and readers cannot see where they lead", "link to the page itself"),
    Rule("email.link_insecure", WARN, _insecure, "a link that is not https",
         "anybody on the way can read and change what it opens", "write https, where the site has it"),
)  # fmt: skip
