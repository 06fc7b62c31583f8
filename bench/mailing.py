"""A send to measure: a desk with a crowd and an issue of some 50 KB, which a process of its own sends.

As a program it is that process: `python bench/mailing.py FOLDER ISSUE` prints what the send took as JSON.
"""

import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, update

from bench import crowd
from bench import message as messages
from newsletter import db, publication
from newsletter.delivery import keys, making, sending
from newsletter.delivery.message import Envelope
from newsletter.delivery.planning import PlanView
from newsletter.delivery.reader import Reader
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import SUBSCRIBER
from newsletter.issues.content import IssueContent
from newsletter.rendering import press
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings, load
from subscribers.models import Frequency
from tests.delivery import desk as tables

ROOT = Path(__file__).parents[1]
LIST = "weekly"
CONNECTIONS = 10
DOMAIN = "news.example.com"
#: Four of the demo's briefings and so many paragraphs before them weigh 50 KB on the wire.
_ITEMS, _PARAGRAPHS = 4, 13
_RELAY = f'[[relay]]\nname = "main"\nhost = "127.0.0.1"\nport = 25\ntls = "none"\nconnections = {CONNECTIONS}\n'
_DKIM = f'\n[dkim]\ndomain = "{DOMAIN}"\nselector = "s1"\nkey = "keys/dkim-s1.pem"\n'


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a send took: seconds from the call to its return and up to the plan, CPU seconds, and peak memory in MB."""

    sent: int
    seconds: float
    planning: float
    cpu: float
    megabytes: float

    @property
    def rate(self) -> float:
        """Return messages a second, the plan included."""
        return self.sent / self.seconds

    @property
    def microseconds(self) -> float:
        """Return the CPU that a message took in microseconds: the whole process, the plan included."""
        return self.cpu / self.sent * 1e6


@dataclass
class Desk:
    """A publication in a folder, on a database of its own."""

    folder: Path
    engine: Engine

    @cached_property
    def environ(self) -> dict[str, str]:
        """Return what leads a process to its database."""
        return {"NEWSLETTER_DATABASE_URL": self.engine.url.render_as_string(hide_password=False)}

    @cached_property
    def settings(self) -> Settings:
        """Return its settings."""
        return load(self.folder, self.environ)

    @cached_property
    def size(self) -> int:
        """Return what a message weighs on the wire."""
        return len(self.copies(1)[0].message)

    def copies(self, count: int) -> list[Envelope]:
        """Return the messages of the first readers."""
        keyring = publication.keyring(self.settings)
        make = making.make(self.settings, 12, self.rendered(), date=datetime.now(UTC), keyring=keyring)
        readers = [Reader(n, n, f"reader{n}@example.com", 1, LIST, LIST) for n in range(1, count + 1)]
        return [made for made in map(make, readers) if isinstance(made, Envelope)]

    def rendered(self, subject: str = "") -> Rendered:
        """Return an issue as it is frozen."""
        made = replace(content(), subject=f"Chips, memory and the grid {subject}".rstrip())
        links = press.links(self.settings, made.id, keyring=publication.keyring(self.settings))
        return replace(press.render(made, self.settings, links), preheader="")  # its words stand in the HTML

    def send(self, port: int) -> Sent:
        """Send one more issue to everybody over a relay on that port, in a process of its own."""
        now = datetime.now(UTC)
        with db.transaction(self.engine) as session:
            issue = tables.make_issue(session, now, rendered=self.rendered(str(now)))
        run = [sys.executable, __file__, str(self.folder), str(issue)]
        environ = {**os.environ, **self.environ, "NEWSLETTER_RELAY_MAIN_PORT": str(port)}
        with subprocess.Popen(run, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ) as process:
            peak = _peak_of(process)
            assert process.stdout
            assert process.returncode == 0
            return replace(Sent(**json.loads(process.stdout.read())), megabytes=peak)


def desk(folder: Path, engine: Engine, people: int, *, dkim: bool = False) -> Desk:
    """Return a new publication in a folder, with so many subscribers in an empty database; most of them get issues."""
    relay = _RELAY + _DKIM if dkim else _RELAY
    publication.create(
        folder, name="Bench", url=f"https://{DOMAIN}", postal_address="1 Bench Street", sender=f"Bench <desk@{DOMAIN}>",
        relay=relay,
    )  # fmt: skip
    if dkim:
        keys.create(folder / "keys" / "dkim-s1.pem", domain=DOMAIN, selector="s1")
    crowd.fill(engine, people, now=datetime.now(UTC))
    with db.transaction(engine) as session:  # each round is for the same readers
        session.execute(update(SUBSCRIBER).values(frequency=Frequency.EVERY_ISSUE))
    return Desk(folder, engine)


def content() -> IssueContent:
    """Return an issue that has the reader's name in its greeting."""
    greeting = "Good morning, {{ subscriber.name | default('dear reader') }}."
    news = "A paragraph of the week's news stands here, long enough for two lines of a reader's screen, and no longer."
    intro = "\n\n".join([greeting, *[news] * _PARAGRAPHS])
    return replace(messages.content(_ITEMS, personal=False), intro=intro)


def measured(settings: Settings, issue: int) -> Sent:
    """Send an issue from this process, and return what that took."""
    engine, keyring = db.engine(settings), publication.keyring(settings)
    planned: list[float] = []

    def tell(_view: PlanView) -> None:
        planned.append(time.perf_counter())

    cpu, start = _cpu(), time.perf_counter()
    status = sending.send(engine, settings, issue, Order(lists=[LIST]), keyring=keyring, tell=tell)
    seconds, spent = time.perf_counter() - start, _cpu() - cpu
    return Sent(sent=status.sent, seconds=seconds, planning=planned[0] - start, cpu=spent, megabytes=0)


def _cpu() -> float:
    """Return the CPU seconds of this process, and of those that it had beside it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _peak_of(process: subprocess.Popen[str]) -> float:
    """Wait for a process; return the most memory that it had, with what its children had of their own (proc(5))."""
    peak = 0.0
    while process.poll() is None:
        with suppress(OSError, IndexError):  # one that ends in this moment
            own = _kilobytes(process.pid, "status", "VmHWM:")
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            private = (_kilobytes(child, "smaps_rollup", "Private_Clean:", "Private_Dirty:") for child in children)
            peak = max(peak, (own + sum(private)) / 1024)
        time.sleep(0.25)
    return peak


def _kilobytes(pid: int | str, file: str, *names: str) -> int:
    told = Path(f"/proc/{pid}/{file}").read_text()
    return sum(int(told.partition(name)[2].split()[0]) for name in names)


if __name__ == "__main__":
    print(json.dumps(asdict(measured(load(Path(sys.argv[1]), os.environ), int(sys.argv[2])))))
