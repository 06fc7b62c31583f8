"""The report of an issue that went out, as a page of the desk."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from newsletter.errors import Refused
from newsletter.feedback import figures, sheet
from newsletter.web.desk.visit import Number, Seen, there
from newsletter.web.online import POLICY
from newsletter.web.site import PERSONAL, READ

router = APIRouter()


@router.api_route("/desk/issues/{issue}/report", methods=READ)
def report(visit: Seen, issue: Number) -> Response:
    """Show what became of an issue; one that nobody was sent has its own page instead, which says so."""
    site = visit.site
    try:
        with there(), site.reading() as session:
            found = figures.of(session, issue, now=visit.now)
    except Refused as error:
        return visit.to(f"/issues/{issue}", said=str(error))
    # The sheet stands by itself and carries its style; it has no script.
    return HTMLResponse(sheet.page(found, site.settings), headers={**PERSONAL, "Content-Security-Policy": POLICY})
