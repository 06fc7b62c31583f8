"""A crowd for benchmarks: subscribers and what a desk knows of them, always the same, written by the driver."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine, text

#: How many subscribers are made and written at a time.
CHUNK = 20_000
LISTS = ("weekly", "alerts")
TOPICS = (
    "ai-chips", "energy", "grid", "batteries", "nuclear", "hydrogen", "solar", "wind", "shipping", "rail", "aviation",
    "robotics", "quantum", "biotech", "space", "security", "cloud", "open-source", "policy", "markets",
)  # fmt: skip
#: How many days ago each issue was sent.
ISSUES = {1: 180, 2: 60, 3: 10}
COUNTRIES = {"US": 30, "DE": 18, "GB": 12, "FR": 8, "IN": 8, "AT": 4, "NL": 4, "": 16}
LANGUAGES = {"en": 60, "de": 22, "fr": 9, "nl": 4, "": 5}
AUDIENCES = {"": 70, "chip-buyers": 10, "engineers": 12, "policy": 8}
FREQUENCIES = {"every issue": 90, "weekly": 7, "monthly": 3}
PLANS = {"free": 60, "trial": 15, "pro": 15, "team": 5, "": 5}
STATES = {"confirmed": 96, "pending": 2, "unsubscribed": 2}
#: The share of a sent copy's readers of whom each came back, within three days.
EVENTS = {"opened": 0.3, "clicked": 0.05, "bounced": 0.01, "complained": 0.001}

_COLUMNS = {
    "list": "id name title description identifier opt_in public created_at",
    "topic": "id name title",
    "attribute": "name type description created_at",
    "issue": "id state subject preheader intro rendering note composed_at composed_by sent_at",
    "subscriber": "id email email_key name language country audience frequency attributes smtputf8 role_account "
    "disposable joined_at",
    "subscription": "list_id subscriber_id state changed_at",
    "subscriber_topic": "subscriber_id topic_id",
    "delivery": "issue_id subscriber_id list_id state reason reply attempts changed_at",
    "click": "issue_id subscriber_id number by why visitor at",
    "event": "kind issue_id subscriber_id list_id detail at",
    "suppression": "email_key reason source at lifted_by",
}
Rows = dict[str, list[tuple[Any, ...]]]


def fill(engine: Engine, size: int, *, now: datetime, seed: int = 1) -> None:
    """Fill a migrated, empty database with subscribers numbered from 1, their choices and three sent issues."""
    draw = Random(seed)
    with engine.begin() as connection:
        _write(connection, _desk(now))
    for first in range(1, size + 1, CHUNK):
        with engine.begin() as connection:
            _write(connection, _people(draw, range(first, min(first + CHUNK, size + 1)), now))
    _settle(engine)


def _desk(now: datetime) -> Rows:
    ago = {issue: now - timedelta(days=days) for issue, days in ISSUES.items()}
    return {
        "list": [(n, name, name, "", "", "double", True, now) for n, name in enumerate(LISTS, 1)],
        "topic": [(n, name, "") for n, name in enumerate(TOPICS, 1)],
        "attribute": [("plan", "str", "", now), ("seats", "int", "", now)],
        "issue": [(n, "sent", f"Issue {n}", "", "", "", "", at, "bench", at) for n, at in ago.items()],
    }


def _people(draw: Random, numbers: Sequence[int], now: datetime) -> Rows:
    rows: Rows = {name: [] for name in _COLUMNS}
    chosen = [_drawn(draw, shares, len(numbers)) for shares in (COUNTRIES, LANGUAGES, AUDIENCES, FREQUENCIES, PLANS)]
    topics = draw.choices((1, 2, 3), (50, 30, 20), k=len(numbers))
    for n, country, language, audience, frequency, plan, many in zip(numbers, *chosen, topics, strict=True):
        joined = now - timedelta(seconds=draw.randrange(3 * 365 * 86_400))
        email = f"reader{n}@{draw.choice(('example.com', 'example.net', 'mail.example.org'))}"
        known = {"plan": plan, "seats": draw.randrange(1, 200)} if plan else {}
        rows["subscriber"].append(
            (n, email, email, f"Reader {n}", language, country, audience, frequency, json.dumps(known), False,
             False, False, joined)
        )  # fmt: skip
        rows["subscriber_topic"] += [(n, topic) for topic in draw.sample(range(1, len(TOPICS) + 1), many)]
        _subscribe(draw, rows, n, joined)
        _deliver(draw, rows, n, joined, now)
        if draw.random() < 0.01:
            rows["suppression"].append((email, draw.choice(("hard_bounce", "complaint")), "bench", now, ""))
    return rows


def _drawn(draw: Random, shares: dict[str, int], count: int) -> list[str]:
    return draw.choices(list(shares), list(shares.values()), k=count)


def _subscribe(draw: Random, rows: Rows, n: int, joined: datetime) -> None:
    (state,) = _drawn(draw, STATES, 1)
    rows["subscription"].append((1, n, state, joined))
    if draw.random() < 0.3:
        rows["subscription"].append((2, n, "confirmed", joined))


def _deliver(draw: Random, rows: Rows, n: int, joined: datetime, now: datetime) -> None:
    for issue, days in ISSUES.items():
        sent = now - timedelta(days=days)
        if joined > sent or draw.random() > 0.4:
            continue
        rows["delivery"].append((issue, n, 1, "sent", "", "250 2.0.0 Ok", 1, sent))
        for kind, share in EVENTS.items():
            if draw.random() < share:
                at = sent + timedelta(seconds=draw.randrange(1, 3 * 86_400))
                if kind == "clicked":
                    rows["click"].append((issue, n, 1, "human", "", "", at))
                else:
                    rows["event"].append((kind, issue, n, 1, "{}", at))


def _write(connection: Connection, rows: Rows) -> None:
    driver = connection.connection.driver_connection
    for table, given in rows.items():
        columns = _COLUMNS[table].split()
        if connection.dialect.name == "postgresql":
            with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in given:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(columns))
            driver.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", _texts(given))


def _texts(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows with moments as SQLite keeps them: UTC, without saying so."""
    for row in rows:
        yield tuple(f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value for value in row)


def _settle(engine: Engine) -> None:
    """Let new rows be numbered after these, and let the planner know what is there."""
    if engine.dialect.name != "postgresql":
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table, columns in _COLUMNS.items():
            if "id" in columns.split():
                newest = f"SELECT max(id) FROM {table}"
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), ({newest}))"))
        connection.execute(text("VACUUM ANALYZE"))
