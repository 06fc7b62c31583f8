"""A sender in a process of its own, to be killed."""

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from newsletter import db
from newsletter.delivery import journal, ledger, sending
from newsletter.delivery.dispatch import Dispatch
from newsletter.delivery.journal import Journal
from newsletter.delivery.sending import Order as Sending
from newsletter.errors import NewsletterError
from newsletter.settings import load
from tests.delivery.desk import KEYRING

#: Where a sender can be told to die: what is called, and whether death comes before it or after.
MOMENTS: dict[str, tuple[Any, str, bool]] = {
    "planned": (sending, "_recover", True),
    "batch claimed": (Dispatch, "add", True),
    "batch claimed but not committed": (ledger, "claim", False),
    "text about to begin": (Journal, "began", True),
    "text begun": (Journal, "began", False),
    "reply read": (Journal, "done", True),
    "reply noted": (Journal, "done", False),
    "results written but not committed": (ledger, "record", False),
    "results committed": (Journal, "remove", True),
    "all sent": (sending, "_leave", True),
    "issue closed": (journal, "sweep", True),
}
_processes = multiprocessing.get_context("forkserver")  # quick, and without this process's threads
_processes.set_forkserver_preload(["tests.delivery.sender"])


@dataclass(frozen=True)
class Order:
    """What a sender is to do, and when to die."""

    folder: Path
    issue: int
    environ: dict[str, str]
    moment: str = ""
    occasion: int = 1
    #: so many bytes at most has each file that it writes; 0 is no limit
    largest: int = 0
    lists: tuple[str, ...] = ("weekly",)


def start(order: Order) -> BaseProcess:
    """Start a sender; where an error ends it, that stands in `said.txt` of its publication's folder."""
    process = _processes.Process(target=_run, args=(order,), daemon=True)
    process.start()
    return process


def _run(order: Order) -> None:
    if order.moment:
        _die_at(*MOMENTS[order.moment], order.occasion)
    settings = load(order.folder, order.environ)
    engine = db.engine(settings)
    if order.largest:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit is an error, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest, order.largest))
    try:
        sending.send(engine, settings, order.issue, Sending(lists=order.lists), keyring=KEYRING, actor="mara")
    except NewsletterError as error:
        (order.folder / "said.txt").write_text(str(error))
        sys.exit(1)


def _die_at(owner: Any, name: str, before: bool, occasion: int) -> None:
    real: Callable[..., Any] = getattr(owner, name)
    times = 0

    def deadly(*args: Any, **more: Any) -> Any:
        nonlocal times
        times += 1
        if before and times == occasion:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **more)
        if times == occasion:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
