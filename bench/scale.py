"""Whether a message costs the same among a million as among ten thousand: `python bench/scale.py`; see README.md.

`[--sizes 10000,100000,1000000] [--on postgresql]`. Each size is an audience in a database of its own, filled by this
process and sent to by another, into smtp-sink; smtp-source before and after tells how fast the machine was just then.
"""

import argparse
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import databases, mailing, wire
from bench.mailing import CONNECTIONS, Sent

_DATABASES = {"sqlite": databases.sqlite, "postgresql": databases.postgresql}
#: How many messages smtp-source sends each time.
_REFERENCE = 10_000


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A send to an audience of one size, and how fast smtp-source was at the time."""

    ours: Sent
    theirs: float

    @property
    def sending(self) -> float:
        """Return the microseconds that a message took, the plan left out."""
        return (self.ours.seconds - self.ours.planning) / self.ours.sent * 1e6

    @property
    def whole(self) -> float:
        """Return the microseconds that a message took with its part of the plan."""
        return 1e6 / self.ours.rate

    @property
    def relative(self) -> float:
        """Return what a message took, the plan included, over what one of smtp-source's took just then."""
        return self.theirs / self.ours.rate


def measure(database: str, size: int) -> Seen:
    """Fill a database with so many subscribers, and send to them."""
    with databases.folder() as home, wire.sink() as port:
        engine = _DATABASES[database](home)
        desk = mailing.desk(home / "desk", engine, size)
        count = min(size, _REFERENCE)
        before = wire.source(port, count, size=desk.size, connections=CONNECTIONS)
        ours = desk.send(port)
        after = wire.source(port, count, size=desk.size, connections=CONNECTIONS)
        engine.dispose()
    return Seen(ours=ours, theirs=(before + after) / 2)


def say(size: int, seen: Seen, first: Seen) -> None:
    """Print what a message took, and how that compares with the first size."""
    ours = seen.ours
    print(
        f"{size:,} subscribers, {ours.sent:,} messages: {seen.sending:.0f} us each, {seen.whole:.0f} us with the plan "
        f"({ours.planning:.1f} s); {seen.relative:.2f} times smtp-source's; CPU {ours.microseconds:.0f} us; "
        f"peak memory {ours.megabytes:.0f} MB (at most 150)"
    )
    if seen is not first:
        clock, planned = seen.sending / first.sending, seen.whole / first.whole
        relative, cpu = seen.relative / first.relative, ours.microseconds / first.ours.microseconds
        print(
            f"over the first size: {clock:.2f} times its time, {planned:.2f} times with the plan, {relative:.2f} times "
            f"in terms of smtp-source, {cpu:.2f} times its CPU (0.85 to 1.15)",
            flush=True,
        )


def main(sizes: Sequence[int], database: str) -> None:
    """Measure each size in turn, and print."""
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, load {load:.1f}, {database}")
    first: Seen | None = None
    for size in sizes:
        seen = measure(database, size)
        first = first or seen
        say(size, seen, first)


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--sizes", default="10000,100000,1000000", help="how many subscribers; 5 in 100 get none")
    given.add_argument("--on", choices=_DATABASES, default="sqlite")
    asked = given.parse_args()
    main([int(size) for size in asked.sizes.split(",")], asked.on)
