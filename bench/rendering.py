"""How long an issue of twelve items takes from its texts to a checked message: `python bench/rendering.py`.

Every step by itself and all of them together, warm, CPU, median of three rounds. The limit is 150 ms, the aim 60.
"""

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from newsletter.delivery import inspection
from newsletter.demo import samples
from newsletter.editorial import format as texts
from newsletter.issues.content import IssueContent, ItemContent
from newsletter.rendering import checks, compiled, press
from newsletter.settings import Publication, Sender, Settings
from subscribers.tokens import Keyring

ITEMS, ROUNDS, TIMES = 12, 3, 10
LIMIT, AIM = 150, 60
URL = "https://news.example.com"
KEYRING = Keyring(keys={1: b"k" * 32}, newest=1)


def cpu(work: Callable[[], object]) -> float:
    """Return the milliseconds of CPU that one run of the work takes."""
    start = time.process_time()
    for _ in range(TIMES):
        work()
    return (time.process_time() - start) / TIMES * 1000


def issue(now: datetime) -> IssueContent:
    """Return an issue of the demo's briefings, as often as it takes."""
    documents = [texts.parse(text, where=name) for name, text in samples.briefings(now)]
    items = tuple(
        ItemContent(
            position=number + 1, sha256="", document=replace(documents[number % len(documents)], id=f"b-{number}")
        )
        for number in range(ITEMS)
    )
    return IssueContent(
        id=1, subject="Twelve briefings of this week", preheader="What the bench reads, and nobody else ever will",
        intro="Good morning.", items=items,
    )  # fmt: skip


def main() -> None:
    """Print the figures."""
    now = datetime.now(UTC)
    settings = Settings(
        publication=Publication(name="Bench", public_url=URL, postal_address="1 Bench Street"),
        sender=Sender(**{"from": "Bench <desk@news.example.com>"}),
    )
    settings._folder = Path("/nonexistent")
    content, links = issue(now), press.Links(f"{URL}/i/x", lambda name: f"{URL}/briefings/{name}", f"{URL}/standards")
    rendered = press.render(content, settings, links, dated=now.date())
    wire = inspection.specimen(rendered, 1, settings, keyring=KEYRING, now=now)
    steps: dict[str, Callable[[], object]] = {
        "render + inline": lambda: press.render(content, settings, links, dated=now.date()),
        "compile": lambda: compiled.compile(rendered.html, rendered.text, boundary="b", personal=rendered.personal),
        "check": lambda: checks.check(content, rendered, settings),
        "check of the wire": lambda: checks.check_message(wire, settings),
    }
    found = checks.check(content, rendered, settings)
    print(f"Python {platform.python_version()}, {ITEMS} items, {len(rendered.html):,} characters of HTML, "
          f"{len(checks.EVERY)} rules, {len(found)} findings, median of {ROUNDS}")  # fmt: skip
    rounds = [{name: cpu(work) for name, work in steps.items()} for _ in range(ROUNDS)]
    for name in steps:
        print(f"{name}: {statistics.median(each[name] for each in rounds):.1f} ms CPU")
    whole = statistics.median(sum(each.values()) for each in rounds)
    print(f"all together: {whole:.1f} ms CPU ({whole / LIMIT:.2f} of the {LIMIT} ms allowed; the aim is {AIM})")


if __name__ == "__main__":
    main()
