"""Views of an issue that stand inside its page: the mail in a frame, and how far a send is."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from newsletter.delivery import report
from newsletter.errors import NewsletterError
from newsletter.rendering import preview as previews
from newsletter.web.desk.visit import Number, Seen, there
from newsletter.web.site import PERSONAL, READ

router = APIRouter()

#: The mail runs nothing, sends nothing, and is nobody: its styles stand in it, its pictures come by https.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
_FRAMED = {**PERSONAL, "Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN"}


@router.api_route("/desk/issues/{issue}/mail", methods=READ)
def mail(visit: Seen, issue: Number) -> Response:
    """Show the mail as its readers will see it: as it is frozen, or as it would be now."""
    site = visit.site
    try:
        with there(), site.reading() as session:
            found = previews.current(session, issue, site.settings, keyring=site.keyring, now=visit.now)
    except NewsletterError as error:
        return PlainTextResponse(f"{error}\n", 409, _FRAMED)
    return HTMLResponse(previews.filled(found, site.settings, keyring=site.keyring).html, headers=_FRAMED)


@router.api_route("/desk/issues/{issue}/progress", methods=READ)
def progress(visit: Seen, issue: Number) -> Response:
    """Show how far a send is; the script of the page asks again while it goes on."""
    with there(), visit.site.reading() as session:
        found = report.status(session, issue, now=visit.now)
    return visit.page("progress", told=found)
