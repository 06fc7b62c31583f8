"""Errands: what the serving process does beside answering, every few seconds, in a thread of its own."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine

from newsletter import db
from newsletter.delivery import letterbox
from newsletter.errors import NewsletterError
from newsletter.feedback import clicks, webhooks
from newsletter.settings import Settings

#: Seconds between two rounds.
PAUSE = 5.0

_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


def run(engine: Engine, settings: Settings, *, clock: Callable[[], datetime] = _now) -> None:
    """Send what waits and is due now; trouble is told in the log and met again in the next round."""
    for errand in (letterbox.send, webhooks.deliver, _forget):
        try:
            errand(engine, settings, clock=clock)
        except NewsletterError as error:
            _log.warning("put off: %s", error)
        except Exception:
            _log.exception("an errand failed")


def _forget(engine: Engine, _settings: Settings, *, clock: Callable[[], datetime]) -> None:
    """Empty what is old of who followed links."""
    with db.reading(engine) as session:
        due = clicks.due(session, now=clock())
    if due:
        with db.transaction(engine) as session:
            clicks.forget(session, now=clock())


@contextmanager
def running(engine: Engine, settings: Settings, *, pause: float = PAUSE) -> Iterator[None]:
    """Run errands beside the block, round after round."""
    over = threading.Event()

    def rounds() -> None:
        while not over.wait(pause):
            run(engine, settings)

    thread = threading.Thread(target=rounds, name="errands", daemon=True)  # a relay that hangs must not hold the end up
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=pause)
