"""A copy of an issue that everybody can read: the very HTML that was frozen, with the desk's notices in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from html import escape

from newsletter.rendering.rendered import Rendered
from newsletter.rendering.slots import Slot

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BODY = re.compile(r"<body\b[^>]*>")
_PREHEADER = re.compile(r'<div class="preheader"[^>]*>.*?</div>', re.DOTALL)
# The subject is the title of the page, and names the part of it that holds the text.
_SAID = re.compile(
    r'(<title>|\brole="article"[^>]*\baria-label="|\baria-label="(?=[^"]*"[^>]*\brole="article"))([^<"]*)(</title>|")'
)
_ONLINE = re.compile(r'<a\b([^>]*)href="https?://[^"]*/i/[\w-]{34}"([^>]*)>.*?</a>', re.DOTALL)
_INSIDE = re.compile(r'href="([^"]*)/i/[\w-]{34}/([a-z0-9-]+)"')
_BECAUSE = re.compile(rf"(<p\b[^>]*>)(?:(?!</p>).)*{re.escape(Slot.EMAIL.marker)}.*?</p>", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Link:
    """Where a link of the reader's own leads in a copy for everybody, and what it is called there, if otherwise."""

    url: str
    words: str = ""


def of(
    rendered: Rendered, *, own: Mapping[Slot, Link], because: str = "", withdrawn: Mapping[str, str], title: str,
    online: Link | None = None,
) -> str | None:  # fmt: skip
    """Return the HTML for nobody in particular, with a notice in the place of each briefing that was withdrawn.

    It is called `title` then. `online` takes the place of the readers' link to the issue. None where a theme leaves no
    trace of where such a briefing stands: nothing of it may be shown.
    """
    html: str | None = rendered.html
    for briefing, notice in withdrawn.items():
        html = _without(html, briefing, notice) if html else None
    if html is None:
        return None
    if withdrawn:  # the subject and the preheader may be its words
        html = _SAID.sub(lambda found: f"{found[1]}{escape(title)}{found[3]}", _PREHEADER.sub("", html))
    if because:
        html = _BECAUSE.sub(lambda found: f"{found[1]}{escape(because)}</p>", html)
    if online:
        html = _INSIDE.sub(r'href="\1/briefings/\2"', html)
        html = _ONLINE.sub(f'<a\\g<1>href="{escape(online.url)}"\\g<2>>{escape(online.words)}</a>', html)
    for slot, link in own.items():
        if link.words:
            html = _named(slot).sub(rf"\g<1>{escape(link.words)}</a>", html)
    values = {**dict.fromkeys(Slot, ""), **{slot: link.url for slot, link in own.items()}}
    values |= {Slot.EMAIL: "a reader", Slot.LIST_TITLE: "a list of this desk"}
    return replace(rendered, html=html).public(values).html


def framed(html: str, *, head: str = "", top: str = "", end: str = "") -> str:
    """Return a page with more in its head, and with something before and after what it says."""
    body = _BODY.search(html)
    close = html.rfind("</body>")
    if not body or close < 0:
        return html
    page = html[: body.end()] + top + html[body.end() : close] + end + html[close:]
    return page.replace("</head>", head + "</head>", 1)


def _named(slot: Slot) -> re.Pattern[str]:
    return re.compile(rf'(<a\b[^>]*href="{re.escape(slot.marker)}"[^>]*>).*?</a>', re.DOTALL)


def _without(html: str, briefing: str, notice: str) -> str | None:
    """Return the HTML with a notice as all that the element of a briefing holds; None where there is no such element.

    Themes mark it by the class `item-ID`, which the checks ask for before an issue is frozen.
    """
    opening = re.compile(rf'<(div|td|table|section|article)\b[^>]*class="(?:[^"]*\s)?item-{re.escape(briefing)}[\s"]')
    found = opening.search(html)
    if not found:
        return None
    begin = html.index(">", found.start()) + 1
    end = _end(html, begin, found[1])
    return None if end is None else html[:begin] + notice + html[end:]


def _end(html: str, begin: int, tag: str) -> int | None:
    """Return where the element ends whose opening tag ends at `begin`; what comments hide for Outlook is no element."""
    hidden = [found.span() for found in _COMMENT.finditer(html, begin)]
    depth = 1
    for found in re.finditer(rf"<(/?){tag}\b[^>]*>", html[begin:]):
        place = found.start() + begin
        if _inside(place, hidden):
            continue
        depth += -1 if found[1] else 1
        if not depth:
            return place
    return None


def _inside(place: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start < place < end for start, end in spans)
