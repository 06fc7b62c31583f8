"""How fast an issue leaves over a long way, beside what others make of it: `make bench-sending`; see README.md.

`python bench/latency.py [--recipients 4000] [--rounds 3]`. Ten connections, 50 ms there and back. By PIPELINING into
smtp-sink, beside aiosmtplib and nodemailer; by CHUNKING into a real Postfix, beside the same Postfix next door.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import String, cast, literal, update

from bench import databases, delay, mailing, wire
from bench.mailing import Desk
from newsletter import db
from newsletter.delivery.tables import SUBSCRIBER
from newsletter.rendering.slots import Slot
from tests.support import postfix

PEERS = Path(__file__).parent / "peers"
#: One message of a connection takes so many round trips: the fewer messages, the longer each is on the way.
_SHARES = {"aiosmtplib": 0.2, "nodemailer": 0.4}


@dataclass
class Rates:
    """Messages a second, by who sent them, one for each round."""

    seen: dict[str, list[float]] = field(default_factory=dict)

    def add(self, who: str, rate: float) -> None:
        """Write one down."""
        self.seen.setdefault(who, []).append(rate)

    def median(self, who: str) -> float:
        """Return the middle of somebody's."""
        return statistics.median(self.seen[who])

    def ratio(self, who: str, other: str) -> float:
        """Return the middle of what somebody was faster than another in the same round."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.seen[who], self.seen[other], strict=True))


def issue(desk: Desk) -> str:
    """Return the issue as the peers get it: its final HTML and text, with marks of their own."""
    whole = desk.rendered().whole()
    marks = {
        Slot.EMAIL.marker: "%address%",
        Slot.UNSUBSCRIBE_URL.marker: "https://news.example.com/u/%token%",
        Slot.PREFERENCES_URL.marker: "https://news.example.com/p/%token%",
        Slot.LIST_TITLE.marker: "weekly",
        "dear reader": "%name%",
    }
    parts = {"html": whole.html, "text": whole.text}
    for mark, instead in marks.items():
        parts = {name: words.replace(mark, instead) for name, words in parts.items()}
    assert "%name%" in parts["html"]
    return json.dumps({"from": "Bench <desk@news.example.com>", "subject": "Chips, memory and the grid", **parts})


def peers(desk: Desk) -> dict[str, Callable[[int, int], float]]:
    """Return what sends so many messages to a port by each peer, and returns how many a second."""
    node, words = shutil.which("node"), issue(desk)
    if node is None or not (PEERS / "node_modules").is_dir():
        raise SystemExit(f"nodemailer is not here; with Node: npm ci --prefix {os.path.relpath(PEERS)}")

    def by(*command: str) -> Callable[[int, int], float]:
        def run(port: int, count: int) -> float:
            asked = [*command, str(port), str(count)]
            return float(subprocess.run(asked, input=words, check=True, stdout=subprocess.PIPE, text=True).stdout)

        return run

    return {
        "aiosmtplib": by(sys.executable, str(PEERS / "by_aiosmtplib.py")),
        "nodemailer": by(node, str(PEERS / "by_nodemailer.mjs")),
    }


def say_pipelining(desk: Desk, recipients: int, rounds: int) -> None:
    """Compare what PIPELINING makes of the way with what the peers make of it."""
    rates, others = Rates(), peers(desk)
    with wire.sink() as near, delay.away(near) as port:
        for _ in range(rounds):  # alternating
            for who, send in others.items():
                rates.add(who, send(port, max(int(recipients * _SHARES[who]), 10)))
            rates.add("ours", desk.send(port).rate)
    said = ", ".join(f"{who} {rates.median(who):.0f}/s" for who in rates.seen)
    print(f"PIPELINING, {desk.size:,} bytes: {said} (200 is one round trip for each message)")
    print(
        f"{rates.ratio('ours', 'aiosmtplib'):.2f} times aiosmtplib (at least 5); "
        f"{rates.ratio('ours', 'nodemailer'):.2f} times nodemailer (at least 2.4)"
    )


def say_chunking(desk: Desk, rounds: int) -> None:
    """Compare what CHUNKING makes of the way with a Postfix that is not away."""
    rates = Rates()
    with postfix.postfix() as server, delay.away(server.port) as far:
        for _ in range(rounds):  # alternating
            for where, port in (("far", far), ("near", server.port)):
                sent = desk.send(port)
                rates.add(where, sent.rate)
                server.collected(sent.sent, within=120)  # what is still being delivered would slow the next
    print(f"CHUNKING into Postfix: {rates.median('far'):.0f}/s, and without the way {rates.median('near'):.0f}/s")
    print(f"{rates.ratio('far', 'near'):.2f} times the rate without the way (at least 0.9)")


def main() -> None:
    """Measure, and print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--recipients", type=int, default=4000, help="how many subscribers; 5 in 100 of them get none")
    given.add_argument("--rounds", type=int, default=3)
    asked = given.parse_args()
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, load {load:.1f}, 50 ms")
    with databases.folder() as home:
        engine = databases.sqlite(home)
        desk = mailing.desk(home / "desk", engine, asked.recipients)
        _move(desk, postfix.DOMAIN)
        say_pipelining(desk, asked.recipients, asked.rounds)
        if os.geteuid() == 0:
            say_chunking(desk, asked.rounds)
        else:
            print("CHUNKING: Postfix starts as root only; run this as root for it")
        engine.dispose()


def _move(desk: Desk, domain: str) -> None:
    """Let all subscribers have their mailbox at one domain, whose Postfix delivers."""
    address = literal("reader") + cast(SUBSCRIBER.c.id, String) + literal(f"@{domain}")
    with db.transaction(desk.engine) as session:
        session.execute(update(SUBSCRIBER).values(email=address, email_key=address))


if __name__ == "__main__":
    main()
