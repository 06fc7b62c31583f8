"""Kill a sender again and again, and count who got nothing and who got two.

`python bench/soak.py --recipients 60000 --kills 60 [--on postgresql] [--hold]`. The sender is a process of its own,
killed by SIGKILL at random moments of its run (each sixth at any moment since its first, planning and recovery
included), and so is the server, which writes down each message before its 250. Exits with 1 where a promise is broken.
"""

import argparse
import os
import platform
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import databases
from tests.conftest import make_publication
from tests.delivery import logbook
from tests.delivery.soak import Soak, Toll

_DATABASES = {"sqlite": databases.sqlite, "postgresql": databases.postgresql}


def say(toll: Toll, *, hold: bool) -> None:
    """Print what a soak came to."""
    status = toll.status
    print(f"{toll.recipients} recipients, {toll.kills} kills, {toll.window} connections, {toll.seconds:.0f} s")
    print(f"a sender lived {min(toll.lives):.2f} to {max(toll.lives):.2f} s")
    print(f"skipped: {len(toll.skipped)}")
    print(f"duplicates: {toll.duplicates}, of at most {0 if hold else toll.kills * toll.window}")
    print(f"in flight at a kill: {toll.in_flight}; resent: {status.resent}; held as unknown: {status.unknown}")
    print(
        f"audience {status.audience} = sent {status.sent} + failed {status.failed} + skipped {status.skipped} "
        f"+ unknown {status.unknown}"
    )
    for words in toll.broken(hold=hold):
        print(f"BROKEN: {words}")


def main() -> None:
    """Soak, and tell."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--recipients", type=int, default=60_000)
    given.add_argument("--kills", type=int, default=60)
    given.add_argument("--connections", type=int, default=10)
    given.add_argument("--processes", type=int, default=1, help="how many send, each over a part of the connections")
    given.add_argument("--on", choices=_DATABASES, default="sqlite")
    given.add_argument("--hold", action="store_true", help="hold what was in flight, and send nothing twice")
    given.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = given.parse_args()
    now, load = datetime.now(UTC), os.getloadavg()[0]
    print(
        f"{now:%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, load {load:.1f}, {asked.on}, seed {asked.seed}"
    )
    with databases.folder() as home, logbook.serving(home / "log") as book:
        engine = _DATABASES[asked.on](home)
        settings = make_publication(Path(home) / "publication", engine.url.render_as_string(hide_password=False))
        soak = Soak(
            engine=engine, settings=settings, book=book, recipients=asked.recipients, kills=asked.kills,
            connections=asked.connections, processes=asked.processes, hold=asked.hold, chance=random.Random(asked.seed),
        )  # fmt: skip
        toll = soak.run()
        engine.dispose()
    say(toll, hold=asked.hold)
    sys.exit(bool(toll.broken(hold=asked.hold)))


if __name__ == "__main__":
    main()
