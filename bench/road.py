"""How long the road takes: `make bench`. Prints ratios against the reference beside each; see RESULTS.md."""

import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from newsletter import db, publication
from newsletter.demo import samples
from newsletter.editorial import approvals, briefings, people
from newsletter.issues import contents, issues
from newsletter.rendering import checks, press
from newsletter.settings import load
from tests.support.texts import briefing

ROUNDS = 3


def cpu(*command: str) -> float:
    """Return the CPU seconds that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median(measure: Callable[[], float]) -> float:
    """Return the middle of three rounds."""
    return statistics.median(measure() for _ in range(ROUNDS))


def say_help() -> None:
    """Compare `newsletter --help` with the bare interpreter."""
    bare, helped = [], []
    for _ in range(ROUNDS):  # alternating
        bare.append(cpu(sys.executable, "-c", "pass"))
        helped.append(cpu(sys.executable, "-m", "newsletter", "--help"))
    low, high = statistics.median(bare), statistics.median(helped)
    over = f"{high - low:.3f} s over it, of the 0.150 s allowed"
    print(f"newsletter --help: {high:.3f} s CPU, {high / low:.1f} x `python -c pass`; {over}")


def say_start() -> None:
    """Compare what commands load before they do anything with the library that their tables need."""
    nouns = ("lists", "send")
    bare: list[float] = []
    seen: dict[str, list[float]] = {noun: [] for noun in nouns}
    for _ in range(ROUNDS):  # alternating
        bare.append(cpu(sys.executable, "-c", "import sqlmodel"))
        for noun in nouns:
            seen[noun].append(cpu(sys.executable, "-m", "newsletter", noun, "--help"))
    low = statistics.median(bare)
    for noun in nouns:
        high = statistics.median(seen[noun])
        print(f"newsletter {noun}: {high:.2f} s CPU before it does anything, {high / low:.1f} x `import sqlmodel`")


def say_issue() -> None:
    """Time compose + freeze + check of an issue of twelve briefings."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        publication.create(
            Path(folder), name="Bench", url="https://news.example.com", postal_address="1 Bench Street",
            sender="Bench <desk@news.example.com>", relay=publication.relay_table("127.0.0.1:25"),
        )  # fmt: skip
        settings = load(Path(folder), {})
        engine = db.engine(settings)
        db.upgrade(engine)
        with db.transaction(engine) as session:
            for handle in ("mara", "jonas"):
                people.add(session, handle, now=now)
            picks = [_approved(session, settings, text, number, now) for number, text in enumerate(_twelve(now))]
        seconds = median(lambda: _publish(engine, settings, picks, now))
        print(f"compose + freeze + check, 12 briefings: {seconds:.3f} s ({seconds / 1.0:.2f} of the 1.0 s allowed)")
        with db.transaction(engine) as session:
            issue = issues.compose(session, picks, words=issues.Words(subject="Twelve"), actor="mara", now=now).id
        with db.reading(engine) as session:
            content = contents.read(session, issue, now=now)
        links = press.links(settings, issue, keyring=publication.keyring(settings))
        seconds = median(lambda: _cpu(lambda: press.render(content, settings, links, dated=now.date())))
        print(f"render alone, 12 items: {seconds:.3f} s CPU")
        engine.dispose()


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _twelve(now: datetime) -> list[str]:
    texts = [text for _, text in samples.briefings(now)]
    return [*texts, *(briefing(f"bench-{number}", now=now) for number in range(len(texts), 12))]


def _approved(session, settings, text, number, now):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    lines = [f"id: bench-{number:03d}" if line.startswith("id: ") else line for line in text.splitlines()]
    lines = ["author: mara" if line.startswith("author: ") else line for line in lines]
    path = settings.folder / f"bench-{number:03d}.md"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    made = briefings.import_file(session, path, folder=settings.briefings, actor="mara", now=now)
    briefings.submit(session, made.id, actor="mara", now=now)
    approvals.approve(session, made.id, actor="jonas", solo=False, now=now)
    return made.id


def _publish(engine, settings, picks, now):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    start = time.perf_counter()
    with db.transaction(engine) as session:
        issue = issues.compose(session, picks, words=issues.Words(subject="Twelve"), actor="mara", now=now).id
    with db.transaction(engine) as session:
        press.freeze(session, issue, settings, keyring=publication.keyring(settings), actor="mara", now=now)
    with db.reading(engine) as session:
        checks.check(contents.read(session, issue, now=now), press.load(session, issue), settings)
    seconds = time.perf_counter() - start
    with db.transaction(engine) as session:
        issues.cancel(session, issue, actor="mara", now=now)
    return seconds


def say_demo() -> None:
    """Time the whole demo."""

    def once() -> float:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            subprocess.run([sys.executable, "-m", "newsletter", "demo", "--dir", f"{folder}/demo"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
            return time.perf_counter() - start

    seconds = median(once)
    print(f"newsletter demo: {seconds:.1f} s ({seconds / 60:.2f} of the 60 s allowed)")


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, median of {ROUNDS}")
    say_help()
    say_start()
    say_issue()
    say_demo()
