"""Trials: an issue's messages without a trace in the ledger, to a few addresses or into a folder."""

import re
import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session

from newsletter.delivery import audiences, few, making, message, planning, readers, rehearsals
from newsletter.delivery.audiences import Size
from newsletter.delivery.planning import PlanView
from newsletter.delivery.reader import Reader
from newsletter.delivery.replies import Outcome
from newsletter.delivery.tables import LIST, SUBSCRIBER
from newsletter.errors import Refused
from newsletter.issues import corrections, issues
from newsletter.rendering import compiled, press
from newsletter.rendering.personal import Needs
from newsletter.settings import Settings
from subscribers import addresses
from subscribers.tokens import Keyring

#: How many readers a dry run holds at a time.
_PAGE = 1000
_ODD = re.compile(r"[^A-Za-z0-9@._+-]")


def send(
    session: Session,
    settings: Settings,
    issue_id: int,
    to: Sequence[str],
    *,
    keyring: Keyring,
    now: datetime,
    trust: ssl.SSLContext | None = None,
) -> list[tuple[str, Outcome]]:
    """Send the issue to a few addresses, marked as a test; its links unsubscribe nobody. Return what became of each."""
    for address in to:
        addresses.parse(address)
    rendered = press.load(session, issue_id).whole()
    head = message.masthead(
        settings,
        issue_id,
        subject=f"[Test] {rendered.subject}",
        date=now,
        keyring=keyring,
        salt=now.isoformat(),
    )
    body = compiled.compile(rendered.html, rendered.text, boundary=f"issue-{issue_id}")
    title = settings.publication.name
    envelopes = [message.assemble(head, body, Reader(0, 0, address, 0, "test", title)) for address in to]
    return [(envelope.recipient, outcome) for envelope, outcome in few.send(settings, envelopes, trust=trust)]


def rehearse(
    session: Session, issue_id: int, *, lists: Sequence[str] = (), segments: Sequence[str] = (), actor: str,
    now: datetime,
) -> Size:  # fmt: skip
    """Count whom the issue would go to now, and keep them, until its audience is planned, for the send to compare."""
    issues.get(session, issue_id)
    plan = planning.find(session, issue_id)
    lists, segments = _terms(session, issue_id, plan, lists, segments)
    if plan:
        return audiences.count(session, issue_id, lists=lists, segments=segments, now=now)
    return rehearsals.keep(session, issue_id, lists=lists, segments=segments, actor=actor, now=now)


def write(
    session: Session,
    settings: Settings,
    issue_id: int,
    folder: Path,
    *,
    keyring: Keyring,
    now: datetime,
    lists: Sequence[str] = (),
    segments: Sequence[str] = (),
) -> int:
    """Write the message of every reader who would get one into an empty or new folder; return how many."""
    plan = planning.find(session, issue_id)
    lists, segments = _terms(session, issue_id, plan, lists, segments)
    rendered = press.load(session, issue_id)
    date = plan.planned_at if plan else now
    head = message.masthead(settings, issue_id, subject=rendered.subject, date=date, keyring=keyring)
    personal = rendered.personal
    bodies = making.bodies(issue_id, rendered)
    require_empty(folder)
    count = 0
    readers_ = _readers(session, issue_id, lists, segments, personal.needs, now)
    for count, reader in enumerate((each for each in readers_ if personal.concerns(each.traits)), start=1):
        _save(folder / _name(count, reader.email), message.assemble(head, bodies.of(reader), reader).message)
    return count


def _terms(
    session: Session, issue_id: int, plan: PlanView | None, lists: Sequence[str], segments: Sequence[str]
) -> tuple[Sequence[str], Sequence[str]]:
    lists, segments = lists or (plan.lists if plan else ()), segments or (plan.segments if plan else ())
    lists = issues.lists_of(session, issue_id, lists)
    if not lists and not corrections.carried(session, issue_id):
        raise Refused(
            f"a dry run of issue {issue_id} needs to know for whom; name a list: newsletter send {issue_id} --list LIST"
        )
    return lists, segments


def _readers(
    session: Session, issue_id: int, lists: Sequence[str], segments: Sequence[str], needs: Needs, now: datetime
) -> Iterator[Reader]:
    chosen = audiences.choose(session, issue_id, lists=lists, segments=segments, now=now).subquery()
    query = (
        select(*readers.COLUMNS)
        .join_from(chosen, SUBSCRIBER, SUBSCRIBER.c.id == chosen.c.subscriber_id)
        .join(LIST, LIST.c.id == chosen.c.list_id)
        .where(chosen.c.reason == "")
        .order_by(SUBSCRIBER.c.id)
        .limit(_PAGE)
    )
    lookup, after = readers.lookup(session, needs, now=now), 0
    while rows := session.execute(query.where(SUBSCRIBER.c.id > after)).all():
        after = rows[-1][0]
        yield from readers.read(session, rows, lookup)


def require_empty(folder: Path) -> None:
    """Refuse a folder that a dry run cannot write into, or that holds something."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = next(folder.iterdir(), None)
        probe = folder / ".probe"
        if found is None:
            probe.touch()
            probe.unlink()
    except OSError as error:
        raise Refused(f"{folder} cannot be written: {error.strerror}; name another folder for the dry run") from error
    if found is not None:
        raise Refused(f"{folder} is not empty (it holds {found.name}); name a new folder for the dry run")


def _save(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}; make room or name another folder") from error


def _name(number: int, email: str) -> str:
    return f"{number:06}-{_ODD.sub('_', email)[:100]}.eml"
