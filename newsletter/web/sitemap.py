"""What robots are told: every page that lists name, and that they may read it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from xml.sax.saxutils import escape

from fastapi import APIRouter, HTTPException
from fastapi.responses import PlainTextResponse, Response

from newsletter.issues.archive import Archive
from newsletter.web import public
from newsletter.web.site import PUBLIC, Site

router = APIRouter()

#: What one sitemap may hold (sitemaps.org).
MOST = 50_000


@public.page(router, "/robots.txt")
def robots(site: Site, _asked: Mapping[str, str]) -> Response:
    """Allow everything: pages that no index may have say `noindex`, and a robot must be let in to read that."""
    url = site.settings.publication.url
    found = f"Sitemap: {url}/sitemap.xml\n" if url else ""
    return PlainTextResponse(f"User-agent: *\nAllow: /\n{found}", headers=PUBLIC)


@public.page(router, "/sitemap.xml")
def sitemap(site: Site, _asked: Mapping[str, str]) -> Response:
    """List every page that everybody may find, with when it last changed."""
    url = site.settings.publication.url
    if not url:
        raise HTTPException(404)
    rows = [_row(url + path, changed) for path, changed in _pages(site.archive())][:MOST]
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return Response(f"{head}{''.join(rows)}</urlset>\n", media_type="application/xml", headers=PUBLIC)


def _pages(archive: Archive) -> Iterator[tuple[str, datetime | None]]:
    newest = max((each.changed for each in archive.issues), default=None)
    yield from (("/", newest), ("/archive", newest), ("/standards", None), ("/corrections", None), ("/signup", None))
    yield from ((f"/issues/{each.id}", each.changed) for each in archive.issues)
    yield from ((f"/briefings/{each.id}", each.changed) for each in archive.briefings)
    for topic in archive.topics():
        about = (each.changed for each in archive.briefings if topic in each.topics)
        yield f"/topics/{topic}", max(about)


def _row(url: str, changed: datetime | None) -> str:
    when = f"<lastmod>{changed.isoformat(timespec='seconds')}</lastmod>" if changed else ""
    return f"<url><loc>{escape(url)}</loc>{when}</url>\n"
