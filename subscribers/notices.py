"""Notices: facts that receivers elsewhere are to be told, written in the transaction of the fact itself.

Who is told of what is an option of the engine; without it nothing is written. A notice names rows and holds no address:
when somebody is erased, what was to be told of them goes too.
"""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert
from sqlmodel import Session

from subscribers import upsert
from subscribers.models import MailingList, Notice, NoticeState

#: The facts of this room.
CONFIRMED, UNSUBSCRIBED, SUPPRESSED = "subscriber.confirmed", "subscriber.unsubscribed", "suppression.added"

_OPTION = "notices"
_TABLE, _LIST = upsert.table(Notice), upsert.table(MailingList)


def wanted(engine: Engine, receivers: Mapping[str, Collection[str]]) -> Engine:
    """Return the engine with whom to tell: the names of receivers, each with the facts that it wants."""
    return engine.execution_options(**{_OPTION: receivers}) if receivers else engine


def tell(
    session: Session, fact: str, *, subscriber_id: int | None = None, list_id: int | None = None,
    suppression_id: int | None = None, data: Mapping[str, Any] | None = None, now: datetime,
) -> None:  # fmt: skip
    """Write a notice of a fact for every receiver that wants it."""
    receivers: Mapping[str, Collection[str]] = session.get_bind().get_execution_options().get(_OPTION, {})
    if not receivers:
        return
    row = {
        "fact": fact, "state": NoticeState.WAITING, "subscriber_id": subscriber_id, "list_id": list_id,
        "suppression_id": suppression_id, "data": dict(data or {}), "at": now, "since": now, "due_at": now,
        "changed_at": now, "attempts": 0, "answer": "",
    }  # fmt: skip
    rows = [
        {**row, "receiver": name, "message_id": f"msg_{secrets.token_hex(12)}"}
        for name, facts in receivers.items()
        if fact in facts
    ]
    upsert.many(session, insert(_TABLE), rows)
