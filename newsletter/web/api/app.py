"""The interface for programs, as the site mounts it under /api/v1."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from newsletter import __version__
from newsletter.web.api import issues, problems, subscribers, suppressions
from newsletter.web.api.door import Threshold
from newsletter.web.api.problems import Problem
from newsletter.web.site import Site

#: Where it stands; a change that breaks programs gets another number.
PATH = "/api/v1"
_WHEN = {
    400: "The request cannot be read.", 401: "No token that is valid was shown.",
    403: "The token lacks the scope.", 404: "There is no such thing.", 409: "Its state forbids the step.",
    413: "The body is too long.", 422: "A value is not what it must be.", 429: "Too many requests in a minute.",
    503: "The database is busy.",
}  # fmt: skip
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {problems.TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, words in _WHEN.items()
}


def create(site: Site) -> FastAPI:
    """Return the interface of one publication; its document stands at `openapi.json` under it."""
    app = FastAPI(
        title=f"{site.settings.publication.name}: API",
        version=__version__,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=_PROBLEMS,
        middleware=[Middleware(Threshold)],
    )
    app.state.site = site
    problems.install(app)
    for room in (issues, subscribers, suppressions):
        app.include_router(room.router)
    written = app.openapi

    def document() -> dict[str, Any]:
        said = written()
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        said["components"]["schemas"] |= {**problem.pop("$defs", {}), "Problem": problem}
        return said

    app.openapi = document  # type: ignore[method-assign]
    return app
