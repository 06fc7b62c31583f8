"""The main job from end to end, on sample data, through the functions that the commands call."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db, publication
from newsletter.delivery import inspection, report, sending
from newsletter.delivery.sending import Order
from newsletter.demo import crowd, samples, sink
from newsletter.discovery import feeds
from newsletter.editorial import approvals, briefings, gate, people
from newsletter.errors import Blocked, NewsletterError, Refused
from newsletter.feedback import leaving
from newsletter.issues import issues
from newsletter.rendering import press
from newsletter.rendering import preview as previews
from newsletter.settings import Settings, load
from subscribers import imports, lists, segments, subscribers, suppressions
from subscribers.models import SuppressionReason
from subscribers.tokens import Keyring

MARK = ".newsletter-demo"
WRITERS = {"mara": "Mara Winter", "jonas": "Jonas Okafor"}
#: How many of the samples the first issue takes; the rest stay approved and are what it relates to.
TAKEN = 6


class WrongCount(NewsletterError):
    """The demo found that somebody was skipped, or got the issue twice."""


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What came of the walk; paths are absolute."""

    folder: Path
    issue: int
    status: report.Status
    filed: int
    preview: Path
    message: Path
    seconds: float


def walk(folder: Path, *, tell: Callable[[str], None]) -> Walked:
    """Walk the whole road in `folder` and count what arrived; WrongCount when anybody is off by one."""
    begun = datetime.now(UTC)
    _clear(folder)
    with sink.listening(folder / "Maildir") as port:
        settings = _found(folder, port)
        engine = db.engine(settings)
        db.upgrade(engine)
        tell("a publication, a database")
        with db.transaction(engine) as session:
            written = _write(session, settings, begun)
            tell(f"{written} briefings written by one person and approved by another")
        tell(_import(engine, publication.keyring(settings), begun))
        issue = _compose(engine, settings, begun)
        tell(f"issue {issue} composed, checked, frozen")
        status = _send(engine, settings, issue)
    filed = sink.recipients(folder / "Maildir")
    _count(engine, issue, status, filed)
    preview = folder / f"issue-{issue}.html"
    with db.reading(engine) as session:
        shown = previews.filled(press.load(session, issue), settings, keyring=publication.keyring(settings))
    preview.write_text(shown.html, "utf-8")
    message = folder / "received.eml"
    shutil.copyfile(sink.one(folder / "Maildir"), message)
    engine.dispose()
    return Walked(
        folder=folder, issue=issue, status=status, filed=len(filed), preview=preview, message=message,
        seconds=(datetime.now(UTC) - begun).total_seconds(),
    )  # fmt: skip


def _clear(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Refused(f"{folder} is not empty and no demo made it; name another folder: newsletter demo --dir DIR")
    try:
        shutil.rmtree(folder, ignore_errors=False) if folder.exists() else None
        folder.mkdir(parents=True)
        (folder / MARK).write_text("Made by `newsletter demo`, which makes it anew at each run.\n")
    except OSError as error:
        raise Refused(
            f"{folder} cannot be written: {error.strerror}; name another: newsletter demo --dir DIR"
        ) from error


def _found(folder: Path, port: int) -> Settings:
    publication.create(
        folder,
        name="SignalDesk",
        url="https://news.example.com",
        postal_address="SignalDesk, 12 Sample Street, 10115 Berlin, Germany",
        sender="SignalDesk <briefings@news.example.com>",
        relay=publication.relay_table(f"127.0.0.1:{port}"),
    )
    return load(folder, {})


def _write(session: Session, settings: Settings, now: datetime) -> int:
    for handle, name in WRITERS.items():
        people.add(session, handle, name=name, now=now)
    feeds.read(session, samples.feed(now), url="https://wire.example.org/feed.xml", name="Sample wire", now=now)
    texts = samples.briefings(now)
    with tempfile.TemporaryDirectory() as desk:
        for file, text in texts:
            path = Path(desk) / file
            path.write_text(text, "utf-8")
            author = next(handle for handle in WRITERS if f"author: {handle}" in text)
            other = next(handle for handle in WRITERS if handle != author)
            made = briefings.import_file(session, path, folder=settings.briefings, actor=author, now=now)
            briefings.submit(session, made.id, actor=author, now=now)
            approvals.approve(session, made.id, actor=other, solo=settings.publication.solo, now=now)
    return len(texts)


def _import(engine: Engine, keyring: Keyring, now: datetime) -> str:
    titles = {"weekly": "The weekly digest", "alerts": "Alerts as they come"}
    with db.transaction(engine) as session:
        for name, title in titles.items():
            lists.create(session, name, title=title, now=now)
        for name, condition in crowd.SEGMENTS.items():
            segments.create(session, name, condition, now=now)
    with tempfile.TemporaryDirectory() as desk:
        for name, text in crowd.files().items():
            path = Path(desk) / f"{name}.csv"
            path.write_text(text, "utf-8")
            request = imports.Request(file=path, lists=[name], basis="sample data", declare=True)
            imports.load(lambda: db.transaction(engine), request, keyring=keyring, now=now - timedelta(days=1))
    return f"{crowd.SIZE} subscribers on {len(titles)} lists, {len(crowd.SEGMENTS)} segments"


def _compose(engine: Engine, settings: Settings, now: datetime) -> int:
    words = issues.Words(
        subject="Chips, memory and the grid: six stories",
        intro="Good morning{{ ', ' ~ subscriber.name.split(' ')[0] if subscriber.name }}. Six stories this week, each "
        "with what it means for the people who buy, run or plan the technology.",
    )
    with db.transaction(engine) as session:
        picks = [standing.id for standing in briefings.all(session)][:TAKEN]
        issue = issues.compose(session, picks, words=words, actor="mara", now=now).id
    with db.transaction(engine) as session:
        _check(session, settings, issue, now)
        press.freeze(session, issue, settings, keyring=publication.keyring(settings), actor="mara", now=now)
    return issue


def _check(session: Session, settings: Settings, issue: int, now: datetime) -> None:
    """Hold the issue against all that `newsletter check` does; Blocked when anything must be mended first."""
    findings = inspection.inspect(session, issue, settings, keyring=publication.keyring(settings), now=now)
    blocking = gate.blocks(findings)
    if blocking:
        raise Blocked(f"issue {issue} of the demo cannot go out; what blocks it:", blocking)


def _send(engine: Engine, settings: Settings, issue: int) -> report.Status:
    now = datetime.now(UTC)
    sending.plan(engine, settings, issue, Order(lists=list(crowd.LISTS)), actor="mara", now=now)
    with db.transaction(engine) as session:  # between the plan and the send, two readers leave
        first, second = subscribers.all(session, limit=2)
        weekly = lists.get(session, "weekly")
        leaving.leave(
            session,
            subscriber_id=first.id,
            list_id=weekly.id,
            method="one-click",
            ip="127.0.0.1",
            user_agent="demo",
            now=now,
        )
        suppressions.add(
            session, second.email, reason=SuppressionReason.COMPLAINT, source="a complaint in the demo", now=now
        )
    return sending.send(engine, settings, issue, keyring=publication.keyring(settings))


def _count(engine: Engine, issue: int, status: report.Status, filed: list[str]) -> None:
    """Hold the ledger's counts against what the mail server filed, person by person."""
    with db.reading(engine) as session:
        known = {subscriber.email for subscriber in subscribers.all(session)}
        skipped = {row.email for row in report.who(session, issue, "skipped")}
    faults = []
    if (
        status.audience != crowd.SIZE
        or status.audience != status.sent + status.failed + status.skipped + status.unknown
    ):
        faults.append(f"the audience of {status.audience} does not add up: {status.as_json()}")
    if len(filed) != status.sent:
        faults.append(f"{status.sent} are recorded as sent and {len(filed)} messages arrived")
    if len(set(filed)) != len(filed):
        faults.append("somebody has two copies")
    if set(filed) != known - skipped:
        faults.append(f"these were missed or are strangers: {sorted(set(filed) ^ (known - skipped))[:5]}")
    if faults:
        raise WrongCount("the demo's count is wrong: " + "; ".join(faults))
