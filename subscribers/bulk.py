"""Rows by the ten thousand: looked up by one bound value, numbered beforehand, and written as the driver likes best."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, any_, bindparam, cast, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from subscribers import upsert

#: Rows of one INSERT on SQLite, which takes at most 32,766 bound values (SQLITE_MAX_VARIABLE_NUMBER, since 3.32).
_ROWS = 512


def prepare(session: Session) -> None:
    """Let SQLite keep more pages in memory, and copy them from its log into the file after several transactions."""
    if not _postgresql(session):
        for pragma in ("cache_size=-16000", "wal_autocheckpoint=32000"):
            session.connection().exec_driver_sql(f"PRAGMA {pragma}")


def among(session: Session, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of the values, which are bound as one."""
    if _postgresql(session):
        return column == any_(bindparam(None, list(values), ARRAY(column.type), unique=True))
    held = func.json_each(json.dumps(values)).table_valued("value")
    return column.in_(select(cast(held.c.value, column.type)))


def numbers(session: Session, model: type[SQLModel], count: int) -> Sequence[int]:
    """Return so many numbers for new rows of a model, in rising order, that no other row will have."""
    if not count:
        return ()
    table = upsert.table(model).name
    if _postgresql(session):
        # One row of text: twenty thousand rows of a number each take three times as long to come.
        drawn = "string_agg(nextval(pg_get_serial_sequence(:name, 'id'))::text, ',') FROM generate_series(1, :count)"
        text_ = session.execute(text(f"SELECT {drawn}"), {"name": table, "count": count}).scalar_one()
        return sorted(map(int, text_.split(",")))
    last = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table}) or 0
    return range(last + 1, last + 1 + count)


def moments(session: Session) -> Callable[[datetime], Any]:
    """Return how the driver takes a moment."""
    kind = UTCDateTime().dialect_impl(session.get_bind().dialect)
    processor: Callable[[Any], Any] | None = kind.bind_processor(session.get_bind().dialect)
    return lru_cache(5000)(processor) if processor else lambda moment: moment


def insert(session: Session, model: type[SQLModel], names: Sequence[str], values: Sequence[Any]) -> None:
    """Insert rows of a model; the values of the named columns follow row on row, as the driver takes them."""
    into = f"{upsert.table(model).name} ({', '.join(names)})"
    if values and _postgresql(session):
        _copy(session.connection(), f"COPY {into} FROM STDIN", values, len(names))
    elif values:
        _values(session.connection(), f"INSERT INTO {into} VALUES ", values, len(names))


def _values(connection: Connection, statement: str, values: Sequence[Any], width: int) -> None:
    # Statements for many rows: while one works the driver lets other threads run. Of few sizes: it keeps each of them.
    row, size, start = f"({', '.join('?' * width)})", _ROWS, 0
    while start < len(values):
        while size * width > len(values) - start:
            size //= 2
        bound = tuple(values[start : start + size * width])
        connection.exec_driver_sql(statement + ", ".join([row] * size), bound)
        start += size * width


def _copy(connection: Connection, statement: str, values: Sequence[Any], width: int) -> None:
    dbapi = connection.dialect.loaded_dbapi
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for start in range(0, len(values), width):
                copy.write_row(values[start : start + width])
    except dbapi.Error as error:
        raise DBAPIError.instance(statement, None, error, dbapi.Error, dialect=connection.dialect) from error


def _postgresql(session: Session) -> bool:
    return bool(session.get_bind().dialect.name == "postgresql")
