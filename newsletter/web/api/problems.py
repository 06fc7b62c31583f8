"""Problems: every refusal as one document of `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from newsletter import errors as desk
from subscribers import errors as audience

TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="The place in the request, such as body.email.")
    reason: str = Field(description="What is wrong there.")


class Problem(BaseModel):
    """Why a request was not carried out (RFC 9457)."""

    type: str = Field(default="about:blank", description="about:blank: the status says it all.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What is wrong with this request, and what to do.")
    errors: list[Fault] = Field(default=[], description="The faults, one by one, where there are several.")


class Refusal(HTTPException):
    """A request that is refused, with what is wrong and headers that tell when to come back."""


def install(app: FastAPI) -> None:
    """Let every error of the app leave as a problem."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(desk.NewsletterError, _desk)
    app.add_exception_handler(audience.AudienceError, _desk)


def answer(
    status: int, detail: str, *, faults: list[Fault] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a problem as a response."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=faults or [])
    said = problem.model_dump(exclude=set() if faults else {"errors"})
    return JSONResponse(said, status, headers=dict(headers or {}), media_type=TYPE)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return answer(error.status_code, str(error.detail), headers=error.headers)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Return what does not fit, without the values: they may be anything."""
    assert isinstance(error, RequestValidationError)
    faults = [
        Fault(where=".".join(str(part) for part in each["loc"])[:200].encode("ascii", "replace").decode(),
              reason=str(each["msg"])[:200].encode("utf-8", "replace").decode())
        for each in error.errors()[:20]
    ]  # fmt: skip
    return answer(422, "The request does not fit the document at openapi.json; nothing was changed.", faults=faults)


async def _desk(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, desk.DatabaseError):  # the reason names the database
        return answer(503, "The desk is busy; try again in a minute.", headers={"Retry-After": "60"})
    return answer(_status(error), str(error).encode("utf-8", "replace").decode())


def _status(error: Exception) -> int:
    match error:
        case desk.NotFound() | audience.NotFound():
            return 404
        case desk.Refused() | audience.Refused():
            return 409
        case audience.BadValue() | desk.BadInput():
            return 422
    return 400
