"""Statements compiled once in a process: each test has databases of its own, and puts the same questions to them."""

from typing import Any

import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from newsletter import db


def share() -> None:
    """Let engines share what they compile: it depends on the kind of database alone, and took a fifth of the suite."""
    compiled: LRUCache[Any, Any] = LRUCache(5000)

    def create(*words: Any, **options: Any) -> Engine:
        made = sqlalchemy.create_engine(*words, **options)
        made.update_execution_options(compiled_cache=compiled)
        return made

    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):  # the library keeps what it compiled by the dialect
        setattr(kind, "__eq__", lambda one, other: type(one) is type(other))  # noqa: B010
        setattr(kind, "__hash__", lambda one: hash(type(one)))  # noqa: B010
    setattr(db, "create_engine", create)  # noqa: B010
