"""How fast an issue leaves, beside Postfix's own smtp-source: `make bench-sending`. See README.md for how to read it.

`python bench/sending.py [--on postgresql] [--recipients 20000] [--rounds 3] [--dkim]`. Personal messages of 50 KB, the
ledger and its journal as they are set by default, ten connections into `smtp-sink -c` over the loopback.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from bench import databases, mailing, wire
from bench.mailing import CONNECTIONS, Desk, Sent
from newsletter.delivery import keys

_DATABASES = {"sqlite": databases.sqlite, "postgresql": databases.postgresql}
#: The hash of what a signature covers, which is about so long.
_SIGNED = sha256(b"x" * 1500).digest()
_SIGNATURES = 1000


@dataclass(frozen=True, kw_only=True)
class Bare:
    """The library's own RSA-2048 signatures: CPU microseconds for one on one thread, and for one while all cores sign.

    `rate` is how many a second all cores make.
    """

    alone: float
    together: float
    rate: float


NONE = Bare(alone=0, together=0, rate=0)


@dataclass(frozen=True, kw_only=True)
class Round:
    """One send of ours between two runs of smtp-source; with DKIM also the bare signatures of the library."""

    ours: Sent
    theirs: float
    bare: Bare = NONE

    @property
    def ratio(self) -> float:
        """Return our messages a second over the reference's."""
        return self.ours.rate / self.theirs


def measure(desk: Desk, port: int, *, count: int, dkim: bool) -> Round:
    """Send once, with the reference before and after, `count` messages each time."""
    bare = signatures(desk) if dkim else NONE
    before = wire.source(port, count, size=desk.size, connections=CONNECTIONS)
    ours = desk.send(port)
    after = wire.source(port, count, size=desk.size, connections=CONNECTIONS)
    return Round(ours=ours, theirs=(before + after) / 2, bare=bare)


def signatures(desk: Desk) -> Bare:
    """Sign with nothing around it."""
    (key,) = keys.of(desk.settings)
    cores = os.cpu_count() or 1

    def sign(_: object = None) -> None:
        for _ in range(_SIGNATURES):
            key.sign(_SIGNED)

    start = time.process_time()
    sign()
    alone = time.process_time() - start
    with ThreadPoolExecutor(cores) as threads:
        start, begun = time.process_time(), time.perf_counter()
        for _ in threads.map(sign, range(cores)):
            pass
        together, seconds = time.process_time() - start, time.perf_counter() - begun
    count = cores * _SIGNATURES
    return Bare(alone=alone / _SIGNATURES * 1e6, together=together / count * 1e6, rate=count / seconds)


def median(rounds: list[Round], figure: Callable[[Round], float]) -> float:
    """Return the middle of a figure over the rounds."""
    return statistics.median(figure(each) for each in rounds)


def say(rounds: list[Round], desk: Desk, *, dkim: bool) -> None:
    """Print how we stand beside smtp-source, and what a message takes of the machine."""
    rate, theirs = median(rounds, lambda each: each.ours.rate), median(rounds, lambda each: each.theirs)
    count, each = rounds[0].ours.sent, ", ".join(f"{one.ratio:.2f}" for one in rounds)
    print(f"{count} messages of {desk.size:,} bytes: {rate:.0f}/s, the plan included; smtp-source {theirs:.0f}/s")
    least, most = ("", "") if dkim else (" (at least 1.0; the aim is 1.2)", " (at most 250)")
    print(f"{median(rounds, lambda one: one.ratio):.2f} times smtp-source{least}; each round: {each}")
    cpu, peak = median(rounds, lambda one: one.ours.microseconds), median(rounds, lambda one: one.ours.megabytes)
    print(f"CPU of the sending process: {cpu:.0f} us a message{most}; peak memory {peak:.0f} MB (at most 150)")


def say_signing(rounds: list[Round]) -> None:
    """Print how we stand beside the bare signatures of the library."""
    alone, together = median(rounds, lambda each: each.bare.alone), median(rounds, lambda each: each.bare.together)
    print(f"a bare RSA-2048 signature: {together:.0f} us of CPU while every core signs, {alone:.0f} us on one thread")
    share = median(rounds, lambda each: each.bare.together / each.ours.microseconds)
    least = median(rounds, lambda each: each.bare.alone / each.ours.microseconds)
    print(f"{share:.2f} times its rate on the CPU used (at least 0.70); {least:.2f} times that of one thread")
    whole, part = (
        median(rounds, lambda each: each.bare.rate),
        median(rounds, lambda each: each.ours.rate / each.bare.rate),
    )
    print(f"{part:.2f} times the {whole:.0f} bare signatures/s of all cores, smtp-sink's own CPU included")


def main() -> None:
    """Measure, and print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--on", choices=_DATABASES, default="sqlite")
    given.add_argument("--recipients", type=int, default=20_000, help="how many subscribers; 5 in 100 of them get none")
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--dkim", action="store_true", help="sign by RSA-2048")
    asked = given.parse_args()
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, load {load:.1f}, {asked.on}")
    with databases.folder() as home, wire.sink() as port:
        engine = _DATABASES[asked.on](home)
        desk = mailing.desk(home / "desk", engine, asked.recipients, dkim=asked.dkim)
        rounds = [measure(desk, port, count=asked.recipients // 2, dkim=asked.dkim) for _ in range(asked.rounds)]
        engine.dispose()
    say(rounds, desk, dkim=asked.dkim)
    if asked.dkim:
        say_signing(rounds)


if __name__ == "__main__":
    main()
