"""An import with all its checks against a bare loop that writes the same rows and checks nothing.

    python bench/imports.py [--size 1000000] [--rounds 3] [--on sqlite|postgresql]

The loop reads the good rows of the same file with `csv`, gives out the numbers itself, and writes the same rows into
the same tables: sqlite3 `executemany` with the desk's pragmas, or COPY, fifty thousand people in a transaction. Each
run has a fresh database and a process of its own; the two alternate, and of each the median counts. Time of the
processor and memory are those of a run's process and of whatever it starts.
"""

import argparse
import csv
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, func, select

from bench import databases
from newsletter import db
from subscribers import imports, lists
from subscribers.models import Consent, Subscriber, SubscriberTopic, Subscription
from subscribers.tokens import Keyring

BASIS = "signed up at the fair"
TOPICS = ("semiconductors", "ai-infrastructure", "cloud", "energy", "networks", "software-supply")
COUNTRIES = ("DE", "AT", "CH", "GB", "US", "FR", "NL", "PL", "JP", "SG")
FIRST = ("Amina", "Björn", "Chiara", "Dmitri", "Élodie", "Farah", "Hana", "Ines", "João", "Kwame", "Łukasz")
LAST = ("Adeyemi", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen")
DOMAINS = ("gmail.com", "outlook.com", "web.de", "gmx.de", "yahoo.com", "icloud.com")
LEAST = 0.7
MOST_MB = 200
#: Of fewer rows the ratio says nothing: half of the time is for getting ready.
TELLING = 100_000
_LOOP = 50_000


def people(size: int) -> Iterator[tuple[list[str], bool]]:
    """Yield the rows of a file in the order people came, with one in a hundred bad or a second of its address."""
    chance = random.Random(3)
    companies = max(size // 20, 100)
    for number in range(size):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        company = f"{last.lower()}{chance.randrange(companies)}.example" if number % 2 else chance.choice(DOMAINS)
        local = f"{chance.choice('abcdefghijklmnopqrstuvwxyz')}{number:x}.{chance.randrange(900)}"
        topics = ";".join(chance.sample(TOPICS, 1 + number % 2))
        row = [
            f"{local}@{company.encode('ascii', 'ignore').decode()}",
            f"{first} {last}",
            chance.choice(COUNTRIES),
            topics,
        ]
        good = chance.random() >= 0.01
        if not good:
            kept = row[0]
            row = [row[0].replace("@", " at "), *row[1:]] if number % 2 else ["a0.0@gmail.com", *row[1:]]
            if number == 0:
                row, good = [kept, *row[1:]], True
        yield row, good


def write(home: Path, size: int) -> tuple[Path, Path]:
    """Write the file to import, and the one with its good rows only; return both."""
    dirty, clean = home / "people.csv", home / "good.csv"
    with dirty.open("w", newline="", encoding="utf-8") as all_, clean.open("w", newline="", encoding="utf-8") as some:
        writers = csv.writer(all_), csv.writer(some)
        for writer in writers:
            writer.writerow(("email", "name", "country", "topics"))
        for number, (row, good) in enumerate(people(size)):
            row = ["a0.0@gmail.com", *row[1:]] if number == 0 else row
            writers[0].writerow(row)
            if good or number == 0:
                writers[1].writerow(row)
    return dirty, clean


def desk(engine: Engine, file: Path) -> None:
    """Import the file as the command does."""
    request = imports.Request(file=file, lists=["weekly"], basis=BASIS)
    keyring = Keyring(keys={1: bytes(32)}, newest=1)
    result = imports.load(lambda: db.transaction(engine), request, keyring=keyring, now=datetime.now(UTC))
    print(f"  {result.added} added, {result.rejected} rejected", file=sys.stderr)


def loop(engine: Engine, file: Path) -> None:
    """Read the rows, give out numbers, write them."""
    put = _sqlite(engine) if engine.dialect.name == "sqlite" else _postgresql(engine)
    now: Any = datetime.now(UTC)
    if engine.dialect.name == "sqlite":
        now = now.strftime("%Y-%m-%d %H:%M:%S.%f")
    digest = hashlib.sha256(BASIS.encode()).hexdigest()
    topics = {name: number for number, name in enumerate(TOPICS, 1)}
    last = 0
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.reader(stream)
        next(reader)
        while rows := list(islice(reader, _LOOP)):
            persons, standings, proofs, choices = [], [], [], []
            for number, (email, name, country, chosen) in enumerate(rows, last + 1):
                persons.append((number, email, email.lower(), name, "", country, "", "every issue", "{}", False, False,
                                False, now))  # fmt: skip
                standings.append((1, number, "confirmed", now))
                proofs.append((number, 1, "confirmed", "import", BASIS, digest, "", "", "", "", now))
                choices.extend((number, topics[topic]) for topic in chosen.split(";"))
            last += len(rows)
            put(persons, standings, choices, proofs)


_TABLES = (
    ("subscriber", ("id", "email", "email_key", "name", "language", "country", "audience", "frequency", "attributes",
                    "smtputf8", "role_account", "disposable", "joined_at")),
    ("subscription", ("list_id", "subscriber_id", "state", "changed_at")),
    ("subscriber_topic", ("subscriber_id", "topic_id")),
    ("consent", ("subscriber_id", "list_id", "event", "method", "words", "words_sha256", "form_version", "message_id",
                 "ip", "user_agent", "at")),
)  # fmt: skip


def _sqlite(engine: Engine) -> Any:
    connection: Any = engine.raw_connection().driver_connection
    connection.execute("PRAGMA cache_size=-48000")

    def put(*tables: list[tuple[Any, ...]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for (name, columns), rows in zip(_TABLES, tables, strict=True):
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)
        connection.execute("COMMIT")

    return put


def _postgresql(engine: Engine) -> Any:
    connection: Any = engine.raw_connection().driver_connection

    def put(*tables: list[tuple[Any, ...]]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            for (name, columns), rows in zip(_TABLES, tables, strict=True):
                with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)

    return put


def child(how: str, url: str, file: Path) -> None:
    """Run one of the two in this process, and print its seconds, its peak of memory, and what stands then."""
    engine = db.open_engine(url)
    begun, worked = time.perf_counter(), time.process_time()
    {"desk": desk, "loop": loop}[how](engine, file)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
    # The process that reads for it counts too. The sum of two peaks is no less than the peak of the sum.
    here, helper = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu += helper.ru_utime + helper.ru_stime
    peak = (here.ru_maxrss + helper.ru_maxrss) / 1024
    with Session(engine) as session:
        tables = (Subscriber, Subscription, Consent, SubscriberTopic)
        stand = [session.exec(select(func.count()).select_from(table)).one() for table in tables]
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "stand": stand}))


def run(how: str, kind: str, home: Path, name: str, file: Path) -> dict[str, Any]:
    """Run one of the two on a fresh database in a process of its own."""
    engine = getattr(databases, kind)(home, name)
    with db.transaction(engine) as session:
        lists.create(session, "weekly", now=datetime.now(UTC))
        for topic in TOPICS:
            session.connection().exec_driver_sql(f"INSERT INTO topic (name, title) VALUES ('{topic}', '')")
    url = engine.url.render_as_string(hide_password=False)
    engine.dispose()
    command = [sys.executable, "-m", "bench.imports", "--run", how, "--url", url, "--file", str(file)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    if kind == "sqlite":
        for each in home.glob(f"{name}.db*"):
            os.unlink(each)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(kind: str, home: Path, size: int, rounds: int) -> bool:
    """Measure both in turns and print the ratio; return whether it and the memory are as they should be."""
    dirty, clean = write(home, size)
    good = sum(1 for _ in clean.open(encoding="utf-8")) - 1
    runs: dict[str, list[dict[str, Any]]] = {"desk": [], "loop": []}
    for number in range(rounds):
        for how, file in (("loop", clean), ("desk", dirty)):
            found = run(how, kind, home, f"{how}{size}n{number}", file)
            runs[how].append(found)
            rows = good if how == "loop" else size
            print(
                f"{kind} {size} {how}: {rows / found['seconds']:,.0f} rows/s, {found['cpu']:.1f} s CPU here, "
                f"peak {found['peak']:.0f} MB", flush=True,
            )  # fmt: skip
    assert len({tuple(found["stand"]) for each in runs.values() for found in each}) == 1, "the two wrote different rows"
    desk_, loop_ = (median(found["seconds"] for found in runs[how]) for how in ("desk", "loop"))
    peak = max(found["peak"] for found in runs["desk"])
    ratio = (size / desk_) / (good / loop_)
    print(f"{kind} {size}: {ratio:.2f} times the bare loop's rows/s (at least {LEAST}), peak {peak:.0f} MB", flush=True)
    return size < TELLING or (ratio >= LEAST and peak <= MOST_MB)


def main() -> None:
    """Run what the command line asks for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--size", type=int, action="append")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--on", choices=("sqlite", "postgresql"), action="append")
    asked.add_argument("--run", choices=("desk", "loop"), help=argparse.SUPPRESS)
    asked.add_argument("--url", help=argparse.SUPPRESS)
    asked.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.run:
        child(given.run, given.url, given.file)
        return
    good = []
    for kind in given.on or ("sqlite", "postgresql"):
        for size in given.size or (100_000, 1_000_000):
            with databases.folder() as home:
                good.append(compare(kind, home, size, given.rounds))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
