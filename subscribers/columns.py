"""Column kinds that the tables of both packages share, on one metadata."""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, or_
from sqlalchemy import Enum as SAEnum
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

metadata = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

#: A key that counts past 2**31 on PostgreSQL; SQLite only numbers rows of plain INTEGER keys.
BigKey: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")


def one_of(words: type[StrEnum]) -> Any:
    """Return a column type that stores the member's value as text, so a new member needs no migration."""
    return SAEnum(
        words,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=False,
        length=24,
    )


def among(column: ColumnElement[Any], *words: StrEnum) -> ColumnElement[bool]:
    """Return the condition that a column holds one of a few words, for a statement that is executed often.

    What `in_` makes is written anew at each execution, as its values could be more by then.
    """
    return or_(*(column == word for word in words))
