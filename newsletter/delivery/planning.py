"""Planning: the audience becomes deliveries in batches, all inside the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, func, insert, literal, null, select
from sqlmodel import Session

from newsletter import audit
from newsletter.delivery import audiences, batches, differences, holders, parts, rehearsals, schedules
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.parts import UNDIVIDED, Parts
from newsletter.delivery.tables import AUDIENCE, DELIVERY
from newsletter.errors import Refused
from newsletter.issues import corrections, issues


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
    share: float = 0,
    variants: int = 1,
    rehearsed: bool = False,
    actor: str,
    now: datetime,
) -> PlanView:
    """Write one delivery for each reader of the audience; a plan that stands is returned as it is.

    It waits, or is skipped where its reader paused or wants fewer mails. With a `share` so many of the readers, chosen
    by lot, are part 1, evenly under the `variants` of the subject. `rehearsed` refuses an audience that no dry run
    counted.
    """
    divided = Parts(share=share, variants=variants)
    standing = find(session, issue_id)
    if standing:
        return _require_same(standing, lists, segments)
    lists = issues.lists_of(session, issue_id, lists)
    carried = corrections.carried(session, issue_id)
    if carried:
        holders.require_settled(session, carried.briefing)
    elif not lists:
        raise Refused(f"issue {issue_id} has no audience yet; name a list: newsletter send {issue_id} --list LIST")
    size = _write(session, issue_id, lists=lists, segments=segments, batch=batch, divided=divided, now=now)
    words = {"lists": list(lists), "segments": list(segments)}
    session.execute(insert(AUDIENCE).values(issue_id=issue_id, size=size, planned_at=now, planned_by=actor, **words))
    if rehearsed:
        differences.require_none(session, issue_id, lists=lists, segments=segments, now=now)
    rehearsals.forget(session, issue_id)
    schedules.forget(session, issue_id)
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


def _write(
    session: Session, issue_id: int, *, lists: Sequence[str], segments: Sequence[str], batch: int, divided: Parts,
    now: datetime,
) -> int:  # fmt: skip
    """Write the deliveries and their batches and return how many deliveries; an issue for nobody is refused."""
    if divided:
        room = range(0)
    else:
        expected = audiences.count(session, issue_id, lists=lists, segments=segments, now=now)
        room = batches.reserve(session, issue_id, -(-expected.audience // batch))
    size = insert_deliveries(
        session, issue_id, lists=lists, segments=segments, room=room, batch=batch, divided=divided, now=now
    )
    if not room:
        batches.form(session, issue_id, batch=batch, now=now)
    pending = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.state == DeliveryState.PENDING)
    if session.scalar(select(DELIVERY.c.id).where(*pending).limit(1)):
        return size
    named = " ".join(_options(lists, segments))
    if size:
        raise Refused(
            f"issue {issue_id} has nobody to go to: all {size} of its readers want fewer mails, and had one lately, or "
            f"paused; see how many: newsletter send {issue_id} {named} --count"
        )
    if not lists:
        raise Refused(f"issue {issue_id} has nobody to go to: whoever had the briefing left since, or never got it")
    raise Refused(
        f"issue {issue_id} has nobody to go to: no reader of {', '.join([*lists, *segments])} is confirmed, chosen and "
        "free of suppressions; see who is on what: newsletter lists list"
    )


def insert_deliveries(
    session: Session, issue_id: int, *, lists: Sequence[str], segments: Sequence[str], room: range, batch: int,
    divided: Parts = UNDIVIDED, now: datetime,
) -> int:  # fmt: skip
    """Write the deliveries into those batches and return how many there are.

    Whoever finds no room, because the audience grew a moment ago or is divided, is left to `batches.form`.
    """
    chosen = audiences.choose(session, issue_id, lists=lists, segments=segments, now=now)
    if divided:
        reader = parts.divided(chosen.subquery(), issue_id, divided)
        part = {"part": reader.c.part, "variant": reader.c.variant}
    else:
        reader = chosen.add_columns(((func.row_number().over() - 1) // batch).label("place")).subquery()
        part = {}
    waits, state = reader.c.reason == "", DELIVERY.c.state.type
    values: dict[str, ColumnElement[Any]] = {
        "issue_id": literal(issue_id),
        "subscriber_id": reader.c.subscriber_id,
        "list_id": reader.c.list_id,
        "batch_id": null() if divided else _place(reader, room),
        "state": case((waits, literal(DeliveryState.PENDING, state)), else_=literal(DeliveryState.SKIPPED, state)),
        "reason": reader.c.reason,
        "reply": literal(""),
        "attempts": literal(0),
        "changed_at": literal(now, DELIVERY.c.changed_at.type),
        **part,
    }
    rows = select(*values.values())
    if divided:  # else the draw's order would scatter a batch's readers over the tables
        rows = rows.order_by(reader.c.part.desc(), reader.c.subscriber_id)
    planned = insert(DELIVERY).from_select(list(values), rows)
    made = session.execute(planned.execution_options(preserve_rowcount=True))
    size: int = made.rowcount  # type: ignore[attr-defined]
    return size


def _place(reader: Subquery, room: range) -> ColumnElement[Any]:
    return case((and_(reader.c.reason == "", reader.c.place < len(room)), room.start + reader.c.place))
