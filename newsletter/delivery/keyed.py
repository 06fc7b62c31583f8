"""Words by the number of their delivery, handed as one value to a statement that is built once for any count."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Subquery, Text, bindparam, cast, column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from newsletter.delivery.tables import DELIVERY


class _Pairs(FunctionElement[Any]):
    """The members of a JSON object as rows."""

    name = "pairs"
    inherit_cache = True


@compiles(_Pairs, "sqlite")
def _on_sqlite(pairs: _Pairs, compiler: SQLCompiler, **told: Any) -> str:
    return f"json_each({compiler.process(pairs.clauses, **told)})"


@compiles(_Pairs, "postgresql")
def _on_postgresql(pairs: _Pairs, compiler: SQLCompiler, **told: Any) -> str:
    return f"json_each_text(CAST({compiler.process(pairs.clauses, **told)} AS JSON))"


def rows(parameter: str) -> Subquery:
    """Return what the parameter holds as rows of `delivery` and `word`."""
    held = _Pairs(bindparam(parameter, type_=Text())).table_valued(column("key", Text()), column("value", Text()))
    delivery = cast(held.c.key, DELIVERY.c.id.type)
    return select(delivery.label("delivery"), held.c.value.label("word")).subquery(parameter)


def value(words: Mapping[int, str]) -> str:
    """Return the words as the parameter takes them."""
    return json.dumps(words)
