"""For the machines that watch the desk."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from newsletter import db
from newsletter.errors import DatabaseError
from newsletter.web.site import READ, Here

router = APIRouter()


@router.api_route("/healthz", methods=READ)
def healthy() -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


@router.api_route("/readyz", methods=READ)
def ready(site: Here) -> Response:
    """Say whether the database answers and has this program's schema."""
    try:
        db.require_version(site.engine)
    except DatabaseError:  # the reason names the database: `newsletter doctor` tells it, a public page does not
        return PlainTextResponse("the database is not ready\n", 503)
    return PlainTextResponse("ready\n")
