"""Writing many rows at once, where some may stand already, on both databases."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from subscribers.columns import metadata

Insert = postgresql.Insert | sqlite.Insert


def table(model: type[SQLModel]) -> Table:
    """Return the model's table: statements on it never become objects in the session."""
    return metadata.tables[str(model.__tablename__)]


def into(session: Session, model: type[SQLModel]) -> Insert:
    """Return an INSERT that can say what happens ON CONFLICT, in the words of the session's database."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table(model))
    return sqlite.insert(table(model))


def many(session: Session, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
    """Execute the statement once for each row; with no rows, not at all."""
    if rows:
        session.execute(statement, rows)


def touched(session: Session, statement: Executable) -> int:
    """Execute an UPDATE or DELETE and return how many rows it touched."""
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount
