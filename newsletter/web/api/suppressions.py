"""Suppressions for programs: the addresses that must not be mailed. Only a person of the desk lifts one."""

from fastapi import APIRouter, Response
from sqlmodel import Session

from newsletter import audit
from newsletter.web.api import answers, paging, shapes
from newsletter.web.api.answers import Key, Said
from newsletter.web.api.door import Caller, Reader, Writer
from newsletter.web.api.paging import Cursor, Limit, Page
from newsletter.web.api.shapes import NewSuppression, Suppressed, SuppressionOut
from subscribers import suppressions

router = APIRouter(prefix="/suppressions")


@router.get("")
def all_suppressions(caller: Reader, limit: Limit = 50, cursor: Cursor = "") -> Page[SuppressionOut]:
    """Return the standing suppressions in the order in which they came."""
    with caller.site.reading() as session:
        found = suppressions.all(session, limit=limit + 1, after=paging.number(cursor))
    page, more = paging.cut(found, limit, lambda each: each.id)
    return Page(items=[shapes.of_suppression(each) for each in page], next=more)


@router.post("", status_code=201)
def suppress(caller: Writer, body: NewSuppression, response: Response, key: Key = None) -> Suppressed:
    """Suppress an address from now on, a running send included."""
    with caller.site.transaction() as session:
        said = answers.once(session, caller, key, ("suppress", body), lambda: _suppress(session, caller, body))
    if said.again:
        response.headers["Idempotency-Replayed"] = "true"
    return Suppressed.model_validate(said.body)


def _suppress(session: Session, caller: Caller, body: NewSuppression) -> Said:
    on, source = body.list or "", body.source or caller.who
    new = suppressions.add(session, body.email, reason=body.reason, source=source, list=on, now=caller.now)
    said = {"list": body.list, "reason": str(body.reason), "new": new}
    audit.append(session, "suppressed", actor=caller.who, kind="address", name="-", now=caller.now, **said)
    return Said(body=said)
