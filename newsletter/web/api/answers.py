"""Answers that are kept: a request with a key of its own is carried out once, however often it comes.

The key stands in the transaction of what it asks for: of two requests at once the second waits for the first, and is
given its answer (draft-ietf-httpapi-idempotency-key-header).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel
from sqlalchemy import delete, select, update
from sqlmodel import Session

from newsletter.web.api.door import Caller
from newsletter.web.api.models import KeptAnswer
from newsletter.web.api.problems import Refusal
from subscribers import upsert

#: How long an answer is kept.
KEPT = timedelta(days=1)
_TABLE = upsert.table(KeptAnswer)

#: The key of a request, as a route asks for it.
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[!-~]+$",
           description="Any word of yours that is new for each wish: the same request under it is carried out once."),
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is answered; `about` is the subscriber whom it tells of."""

    body: Mapping[str, Any]
    about: int | None = None
    again: bool = False


def once(
    session: Session, caller: Caller, key: str | None, request: tuple[str, BaseModel], act: Callable[[], Said]
) -> Said:
    """Return the answer of `act`, or the one that was kept for the key; another request under the key is refused."""
    if key is None:
        return act()
    session.execute(delete(_TABLE).where(_TABLE.c.at <= caller.now - KEPT))
    path, body = request
    digest = hashlib.sha256(f"{path}\n{body.model_dump_json()}".encode()).hexdigest()
    row = {
        "token_id": caller.token.id, "key": key, "request_sha256": digest, "body": {}, "at": caller.now,
    }  # fmt: skip
    fresh = upsert.into(session, KeptAnswer).on_conflict_do_nothing().returning(_TABLE.c.id)
    number = session.scalar(fresh, row)
    if number is None:
        return _kept(session, caller, key, digest)
    said = act()
    values = {"subscriber_id": said.about, "body": dict(said.body)}
    session.execute(update(_TABLE).where(_TABLE.c.id == number).values(values))
    return said


def _kept(session: Session, caller: Caller, key: str, digest: str) -> Said:
    found = session.execute(select(_TABLE).where(_TABLE.c.token_id == caller.token.id, _TABLE.c.key == key)).one()
    if found.request_sha256 != digest:
        raise Refusal(422, "This Idempotency-Key belongs to another request; use a new one for each wish.")
    return Said(body=found.body, about=found.subscriber_id, again=True)
