"""An issue in the browser: the very HTML that was frozen, without anybody's name on it."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response

from newsletter.errors import NotFound
from newsletter.issues import issues
from newsletter.rendering import press
from newsletter.rendering.rendered import Rendered
from newsletter.rendering.slots import Slot
from newsletter.web.site import PERSONAL, READ, Here
from subscribers.tokens import Purpose

router = APIRouter()

#: The frozen HTML carries its styles inside, and pictures by https.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@router.api_route("/i/{token}", methods=READ)
def show(token: str, site: Here) -> Response:
    """Show the issue, once its words are fixed and unless it was cancelled."""
    issue_id, _ = site.ticket(token, Purpose.ISSUE)
    with site.reading() as session:
        try:
            fixed = issues.get(session, issue_id).state in issues.FIXED
        except NotFound:
            fixed = False
        if not fixed:
            raise HTTPException(404)
        rendered = press.load(session, issue_id)
    return HTMLResponse(public(rendered, about=f"{site.prefix}/about-links"), headers={
        **PERSONAL, "Content-Security-Policy": POLICY,
    })  # fmt: skip


def public(rendered: Rendered, *, about: str) -> str:
    """Return frozen HTML for nobody in particular: the personal links lead to a page that says where yours are."""
    values = {
        Slot.EMAIL: "a reader",
        Slot.LIST_TITLE: "a list of this desk",
        Slot.UNSUBSCRIBE_URL: about,
        Slot.PREFERENCES_URL: about,
    }
    return rendered.public(values).html
