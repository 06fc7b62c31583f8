"""The files of the desk's pages: their style, and their one script."""

from fastapi import APIRouter
from fastapi.responses import Response

from newsletter.web.site import PUBLIC, READ, Here

router = APIRouter()


@router.api_route("/desk/desk.css", methods=READ)
def style(site: Here) -> Response:
    """Return the style that the desk's pages have beside that of all pages."""
    return Response(site.write("desk/desk.css"), media_type="text/css", headers=PUBLIC)


@router.api_route("/desk/desk.js", methods=READ)
def script(site: Here) -> Response:
    """Return the script: keys, dragging, forms that do not reload the page. Every page works without it."""
    return Response(site.write("desk/desk.js"), media_type="text/javascript", headers=PUBLIC)
