"""Tracked links: the addresses of an issue's HTML by number, and the HTML that has the numbers in their place.

A number leads through the desk (`/c/TOKEN/NUMBER`) to the address that was frozen under it, and to no other. What is a
reader's own (leaving, choices, an address with a value of theirs in it) has no number, nor has the plain text.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape

from sqlalchemy import insert, select
from sqlmodel import Session

from newsletter.issues.models import Issue
from newsletter.rendering.models import Rendering, RenderingLink
from newsletter.rendering.rendered import Rendered
from newsletter.rendering.slots import MARK, Slot
from subscribers import upsert

#: The number of the link that no person sees.
CANARY = 0

_LINK = re.compile(r'(<a\b(?:"[^"]*"|[^">])*?\shref=")([^"]*)(")')
_WEB = re.compile(r"https?://[^/]", re.IGNORECASE)
# Pages that act for whoever holds the link: no address of the kind is counted, whoever wrote it into an issue.
_PERSONAL = re.compile(r"/(?:u|p|c|confirm|review)/[\w-]{20,}")
# Empty, not shown, not read out and not reached by the keyboard: only what follows every address comes upon it.
_HIDDEN = f'<a href="{Slot.CLICK_URL.marker}/{CANARY}" tabindex="-1" aria-hidden="true" style="display:none"></a>'
_TABLE, _RENDERING, _ISSUE = upsert.table(RenderingLink), upsert.table(Rendering), upsert.table(Issue)


def urls(html: str) -> tuple[str, ...]:
    """Return each address whose clicks can be counted, in the order of the HTML; the first has number 1."""
    return tuple(dict.fromkeys(_counted(html)))


def of(rendered: Rendered) -> Rendered:
    """Return the rendering with numbers in place of addresses, and with the link that no person sees."""
    numbers = {url: number for number, url in enumerate(urls(rendered.html), start=1)}

    def numbered(found: re.Match[str]) -> str:
        number = numbers.get(unescape(found[2]))
        return found[0] if number is None else f"{found[1]}{Slot.CLICK_URL.marker}/{number}{found[3]}"

    if not numbers:
        return rendered
    before, end, after = _LINK.sub(numbered, rendered.html).rpartition("</body>")
    return replace(rendered, html=f"{before}{_HIDDEN}{end}{after}" if end else f"{after}{_HIDDEN}")


def keep(session: Session, sha256: str, html: str) -> None:
    """Store what the numbers of a rendering stand for."""
    rows = [{"rendering": sha256, "number": number, "url": url} for number, url in enumerate(urls(html), start=1)]
    upsert.many(session, insert(_TABLE), rows)


def all(session: Session, issue_id: int) -> dict[int, str]:
    """Return the addresses of a frozen issue's links by number; none where there is no such issue."""
    kept = (
        select(_TABLE.c.number, _TABLE.c.url)
        .join(_ISSUE, _ISSUE.c.rendering == _TABLE.c.rendering)
        .where(_ISSUE.c.id == issue_id)
        .order_by(_TABLE.c.number)
    )
    found = {row.number: row.url for row in session.execute(kept)}
    if found:
        return found
    # Frozen before numbers were kept.
    html = select(_RENDERING.c.html).join(_ISSUE, _ISSUE.c.rendering == _RENDERING.c.sha256)
    return dict(enumerate(urls(session.scalar(html.where(_ISSUE.c.id == issue_id)) or ""), start=1))


def _counted(html: str) -> Iterator[str]:
    for found in _LINK.finditer(html):
        url = unescape(found[2])
        if _WEB.match(url) and not MARK.search(url) and not _PERSONAL.search(url):
            yield url
