"""Views of an issue that stand inside its page: the mail in a frame, and how far a send is."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from sqlmodel import Session

from newsletter.delivery import report
from newsletter.editorial.models import Role
from newsletter.errors import NewsletterError, NotFound
from newsletter.issues import issues
from newsletter.rendering import preview as previews
from newsletter.web.desk import steps
from newsletter.web.desk.visit import Doing, Number, Seen, Visit, there
from newsletter.web.forms import Sent
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
    with there(), visit.site.reading() as session:
        return _mail(visit, session, issue)


@router.post("/desk/issues/{issue}/mail")
def typed(visit: Doing, issue: Number, sent: Sent) -> Response:
    """Show the mail as it would be with the words that somebody types, and keep none of them."""
    try:
        with there(), visit.acting(Role.EDITOR) as session:
            changes = steps.words(issues.get(session, issue), sent)
            issues.edit(session, issue, changes=changes, actor=visit.who, now=visit.now)
            shown = _mail(visit, session, issue)
            session.rollback()
    except NewsletterError as error:
        return PlainTextResponse(f"{error}\n", 409, _FRAMED)
    return shown


def _mail(visit: Visit, session: Session, issue: int) -> Response:
    site = visit.site
    try:
        found = previews.current(session, issue, site.settings, keyring=site.keyring, now=visit.now)
    except NotFound:
        raise
    except NewsletterError as error:
        return PlainTextResponse(f"{error}\n", 409, _FRAMED)
    return HTMLResponse(previews.filled(found, site.settings, keyring=site.keyring).html, headers=_FRAMED)


@router.api_route("/desk/issues/{issue}/progress", methods=READ)
def progress(visit: Seen, issue: Number) -> Response:
    """Show how far a send is; the script of the page asks again while it goes on."""
    with there(), visit.site.reading() as session:
        found = report.status(session, issue, now=visit.now)
    return visit.page("progress", told=found)
