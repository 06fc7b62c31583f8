"""Public pages: made once for everybody, with validators, and not sent again to who has them (RFC 9110, 13)."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from newsletter.web.shelf import Edition, Kept
from newsletter.web.site import READ, Site

#: Makes a page from the parts of its path and the words of its query that it heeds.
Maker = Callable[[Site, Mapping[str, str]], Response]

_TAG = re.compile(r'(?:W/)?("[^"]*")')
#: The longest word of a query that a page heeds.
_LONGEST = 200


def page(router: APIRouter, path: str, *, heeds: Sequence[str] = (), kept: bool = True) -> Callable[[Maker], Maker]:
    """Answer GET and HEAD on a path with what the function makes; `heeds` are the words of a query that matter to it.

    A page that shows more than the record knows of, a file or a search, is not `kept`: it is made each time.
    """

    def put(make: Maker) -> Maker:
        async def answer(request: Request) -> Response:
            site: Site = request.app.state.site
            asked = {**request.path_params, **{name: _one(request, name) for name in heeds}}
            found = await run_in_threadpool(_made, site, request.scope["path"], asked, make, kept)
            return found if isinstance(found, Response) else _answer(request, found)

        router.add_route(path, answer, methods=READ, name=make.__name__)
        return make

    return put


def _one(request: Request, name: str) -> str:
    return request.query_params.get(name, "")[:_LONGEST].strip()


def _made(site: Site, path: str, asked: Mapping[str, str], make: Maker, kept: bool) -> Kept | Response:
    edition, key = site.edition(), (path, *asked.values())
    found = site.shelf.get(edition, key) if kept else None
    if found is None:
        made = make(site, asked)
        if made.status_code != 200 or "public" not in made.headers.get("cache-control", ""):
            return made
        found = _validated(made, _changed(site, edition, made))
        if kept:
            site.shelf.put(edition, key, found)
    return found


def _changed(site: Site, edition: Edition, made: Response) -> datetime:
    """Return when the page last changed: with the record, with its file, or with the settings, which a start reads."""
    said = made.headers.get("last-modified")
    moments = [site.started, edition.at, parsedate_to_datetime(said) if said else None]
    return min(max(each for each in moments if each), site.clock()).replace(microsecond=0)


def _validated(made: Response, changed: datetime) -> Kept:
    body = bytes(made.body)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {name: value for name, value in made.headers.items() if name not in ("content-length", "last-modified")}
    said = {**headers, "etag": etag, "last-modified": format_datetime(changed.astimezone(UTC), usegmt=True)}
    return Kept(status=made.status_code, body=body, headers=said, etag=etag, changed=changed)


def _answer(request: Request, page: Kept) -> Response:
    if not _has(request, page):
        return Response(page.body, page.status, page.headers)
    return Response(
        status_code=304, headers={name: value for name, value in page.headers.items() if name != "content-type"}
    )


def _has(request: Request, page: Kept) -> bool:
    """Return whether who asks has the page as it is (RFC 9110, 13.1.2 and 13.1.3: a tag goes before a date)."""
    tags = request.headers.getlist("if-none-match")
    if tags:
        said = ", ".join(tags)
        return said.strip() == "*" or page.etag in _TAG.findall(said)
    try:
        return page.changed <= parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (TypeError, ValueError):  # no date, or one without a zone
        return False


def unchanged(made: Response, since: float) -> Response:
    """Return the page with the moment at which the file behind it was changed."""
    made.headers["last-modified"] = format_datetime(datetime.fromtimestamp(since, UTC), usegmt=True)
    return made
