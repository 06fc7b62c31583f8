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
class Round:
    """One send of ours between two runs of smtp-source; with DKIM also the bare signatures of the library."""

    ours: Sent
    theirs: float
    #: CPU seconds for one signature, and signatures a second on every core
    raw: float = 0.0
    raw_rate: float = 0.0

    @property
    def ratio(self) -> float:
        """Return our messages a second over the reference's."""
        return self.ours.rate / self.theirs

    @property
    def share(self) -> float:
        """Return the CPU of a bare signature over that of a message."""
        return self.raw * 1e6 / self.ours.microseconds


def measure(desk: Desk, port: int, *, count: int, dkim: bool) -> Round:
    """Send once, with the reference before and after, `count` messages each time."""
    raw, raw_rate = signatures(desk) if dkim else (0.0, 0.0)
    before = wire.source(port, count, size=desk.size, connections=CONNECTIONS)
    ours = desk.send(port)
    after = wire.source(port, count, size=desk.size, connections=CONNECTIONS)
    return Round(ours=ours, theirs=(before + after) / 2, raw=raw, raw_rate=raw_rate)


def signatures(desk: Desk) -> tuple[float, float]:
    """Return the CPU seconds of a bare RSA signature on one thread, and how many a second all cores make."""
    (key,) = keys.of(desk.settings)
    start = time.process_time()
    for _ in range(_SIGNATURES):
        key.sign(_SIGNED)
    one, cores = (time.process_time() - start) / _SIGNATURES, os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as threads:
        begun = time.perf_counter()
        for _ in threads.map(lambda _: [key.sign(_SIGNED) for _ in range(_SIGNATURES)], range(cores)):
            pass
        return one, cores * _SIGNATURES / (time.perf_counter() - begun)


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
    raw, share = median(rounds, lambda one: one.raw * 1e6), median(rounds, lambda one: one.share)
    print(f"a bare RSA-2048 signature: {raw:.0f} us; {share:.2f} times its rate on the CPU used (at least 0.70)")
    whole, part = median(rounds, lambda one: one.raw_rate), median(rounds, lambda one: one.ours.rate / one.raw_rate)
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
