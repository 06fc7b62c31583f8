"""Getting past the guards of the appended tables, as somebody with the database itself in hands could."""

from sqlalchemy import Connection, text


def unguard(connection: Connection, table: str) -> None:
    """Let this transaction change the table's rows."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    for word in ("changed", "deleted"):
        connection.execute(text(f"DROP TRIGGER {table}_is_never_{word}"))
