"""Planning: the audience becomes deliveries, and deliveries become batches, all inside the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, insert, literal, or_, select, update
from sqlmodel import Session

from newsletter import audit
from newsletter.delivery import audiences, differences, rehearsals
from newsletter.delivery.models import BatchState, DeliveryState
from newsletter.delivery.tables import AUDIENCE, BATCH, DELIVERY
from newsletter.errors import Refused

_RETRIED = case((DELIVERY.c.reason != "", 1), else_=0)


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """Whom an issue goes to; `new` tells a plan made now from one found."""

    issue_id: int
    lists: tuple[str, ...]
    segments: tuple[str, ...]
    size: int
    planned_at: datetime
    new: bool = False


def plan(
    session: Session,
    issue_id: int,
    *,
    lists: Sequence[str],
    segments: Sequence[str],
    batch: int,
    rehearsed: bool = False,
    actor: str,
    now: datetime,
) -> PlanView:
    """Write one delivery for each reader of the audience; a plan that stands is returned as it is.

    It waits, or is skipped where its reader wants fewer mails. `rehearsed` refuses an audience that no dry run counted.
    """
    standing = find(session, issue_id)
    if standing:
        return _require_same(standing, lists, segments)
    if not lists:
        raise Refused(f"issue {issue_id} has no audience yet; name a list: newsletter send {issue_id} --list LIST")
    named = " ".join(_options(lists, segments))
    size = _insert(session, issue_id, lists=lists, segments=segments, now=now)
    words = {"lists": list(lists), "segments": list(segments)}
    session.execute(insert(AUDIENCE).values(issue_id=issue_id, size=size, planned_at=now, planned_by=actor, **words))
    if not form_batches(session, issue_id, batch=batch, now=now):
        raise Refused(
            f"issue {issue_id} has nobody to go to: all {size} of its readers want fewer mails, and had one lately; "
            f"see them: newsletter send {issue_id} {named} --count"
        )
    if rehearsed:
        differences.require_none(session, issue_id, lists=lists, segments=segments, now=now)
    rehearsals.forget(session, issue_id)
    audit.append(session, "planned", actor=actor, kind="issue", name=issue_id, now=now, audience=size, **words)
    return PlanView(
        issue_id=issue_id, lists=tuple(lists), segments=tuple(segments), size=size, planned_at=now, new=True
    )


def find(session: Session, issue_id: int) -> PlanView | None:
    """Return the plan of an issue, None where there is none yet."""
    row = session.execute(select(AUDIENCE).where(AUDIENCE.c.issue_id == issue_id)).first()
    if row is None:
        return None
    lists, segments = tuple(row.lists), tuple(row.segments)
    return PlanView(issue_id=issue_id, lists=lists, segments=segments, size=row.size, planned_at=row.planned_at)


def _require_same(standing: PlanView, lists: Sequence[str], segments: Sequence[str]) -> PlanView:
    asked = set(lists), set(segments)
    if any(asked) and asked != (set(standing.lists), set(standing.segments)):
        words = _options(standing.lists, standing.segments)
        raise Refused(
            f"issue {standing.issue_id} is on its way to an audience of {standing.size} ({' '.join(words)}), which "
            f"cannot change now; go on with it: newsletter send {standing.issue_id}"
        )
    return standing


def _options(lists: Sequence[str], segments: Sequence[str]) -> list[str]:
    return [f"--list {name}" for name in lists] + [f"--segment {name}" for name in segments]


def _insert(session: Session, issue_id: int, *, lists: Sequence[str], segments: Sequence[str], now: datetime) -> int:
    """Write the deliveries and return how many there are; nobody at all is refused."""
    chosen = audiences.choose(session, issue_id, lists=lists, segments=segments, now=now).subquery()
    waits, state = chosen.c.reason == "", DELIVERY.c.state.type
    values: dict[str, ColumnElement[object]] = {
        "issue_id": literal(issue_id),
        "subscriber_id": chosen.c.subscriber_id,
        "list_id": chosen.c.list_id,
        "state": case((waits, literal(DeliveryState.PENDING, state)), else_=literal(DeliveryState.SKIPPED, state)),
        "reason": chosen.c.reason,
        "reply": literal(""),
        "attempts": literal(0),
        "changed_at": literal(now, DELIVERY.c.changed_at.type),
    }
    planned = insert(DELIVERY).from_select(list(values), select(*values.values()))
    made = session.execute(planned.execution_options(preserve_rowcount=True))
    size: int = made.rowcount  # type: ignore[attr-defined]
    if not size:
        named = ", ".join([*lists, *segments])
        raise Refused(
            f"issue {issue_id} has nobody to go to: no reader of {named} is confirmed, chosen and free of "
            "suppressions; see who is on what: newsletter lists list"
        )
    return size


def form_batches(session: Session, issue_id: int, *, batch: int, now: datetime) -> int:
    """Put the deliveries that wait and are due into open batches; return how many batches that made.

    To be called when no batch of the issue is open.
    """
    runs = session.execute(_runs(issue_id, batch, now)).all()
    if not runs:
        return 0
    opened = {"issue_id": issue_id, "state": BatchState.OPEN, "fence": 0, "worker": ""}
    session.execute(insert(BATCH), [opened] * len(runs))
    is_open = and_(BATCH.c.issue_id == issue_id, BATCH.c.state == BatchState.OPEN)
    ids = session.execute(select(BATCH.c.id).where(is_open).order_by(BATCH.c.id)).scalars().all()
    # By ranges of keys, because SQLite joins an UPDATE ... FROM of numbered rows as batches times deliveries; and
    # "+ 0" and coalesce keep it from walking another index for each range.
    in_range = (
        DELIVERY.c.id.between(bindparam("first"), bindparam("last")),
        DELIVERY.c.issue_id + 0 == issue_id,
        func.coalesce(DELIVERY.c.batch_id, 0) == 0,
        bindparam("again") == _RETRIED,
        _waits(now),
    )
    put = update(DELIVERY).where(*in_range).values(batch_id=bindparam("batch"))
    session.execute(put, [{"batch": key, **run._mapping} for key, run in zip(ids, runs, strict=True)])
    return len(runs)


def _runs(issue_id: int, batch: int, now: datetime) -> Select[Any]:
    """Return the query of what each batch is to hold: whether it is a first try, and the range of its keys.

    Whom the relay refused or put off before comes last, so that none of them can keep the others waiting.
    """
    place = func.row_number().over(partition_by=_RETRIED, order_by=DELIVERY.c.id) - 1
    free = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.batch_id.is_(None), _waits(now))
    due = select(DELIVERY.c.id, _RETRIED.label("again"), place.label("place")).where(*free).subquery()
    run = (due.c.again, due.c.place // batch)
    ends = (func.min(due.c.id).label("first"), func.max(due.c.id).label("last"))
    return select(due.c.again, *ends).group_by(*run).order_by(*run)


def _waits(now: datetime) -> ColumnElement[bool]:
    deferred = and_(DELIVERY.c.state == DeliveryState.DEFERRED, DELIVERY.c.due_at <= now)
    return or_(DELIVERY.c.state == DeliveryState.PENDING, deferred)
