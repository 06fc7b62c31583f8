"""Ten thousand readers leave by one click while their issue goes out: none is lost, and each is left out in time.

`python bench/exodus.py [--leavers 10000] [--rate 250] [--on sqlite|postgresql]`: the issue has twice as many readers,
and goes out at that many messages a second at most. No ratio: it is right, or it ends with 1.
"""

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import databases
from tests.conftest import make_publication
from tests.support import smtp
from tests.web import exodus
from tests.web.exodus import Exodus

_DATABASES = {"sqlite": databases.sqlite, "postgresql": databases.postgresql}
#: A copy that was on its way already may come so many seconds after the answer.
LATE = 1.0


def say(found: Exodus) -> bool:
    """Print what came of it; return whether all is right."""
    status, late = found.status, [seconds for seconds in found.sent.values() if seconds > LATE]
    skipped = len(found.leavers) - len(found.sent)
    print(f"{len(found.leavers)} left in {found.seconds:.0f} s; {found.refused} refused, {len(found.lost)} lost")
    print(f"{skipped} of them were left out; {len(found.sent)} had it, {len(late)} later than {LATE:.0f} s after that")
    print(f"audience {status.audience}: {status.sent} sent, {status.skipped} skipped, {status.state}")
    whole = status.audience == status.sent + status.skipped and status.skipped == skipped and status.state == "sent"
    return whole and not (found.refused or found.lost or late)


def main() -> None:
    """Try it, and tell."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--leavers", type=int, default=10_000)
    given.add_argument("--rate", type=float, default=250.0, help="messages a second")
    given.add_argument("--on", choices=_DATABASES, default="sqlite")
    asked = given.parse_args()
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, load {load:.1f}, {asked.on}")
    with databases.folder() as home, smtp.serving() as server:
        engine = _DATABASES[asked.on](home)
        settings = make_publication(Path(home) / "publication", engine.url.render_as_string(hide_password=False))
        found = exodus.leave(
            engine, settings, server, readers=2 * asked.leavers, leavers=asked.leavers, rate=asked.rate
        )
        engine.dispose()
    sys.exit(not say(found))


if __name__ == "__main__":
    main()
