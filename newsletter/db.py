"""The database: one engine for SQLite and PostgreSQL, one transaction for each use case, migrations inside."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import Session

from newsletter.errors import DatabaseError
from newsletter.settings import Settings
from subscribers import history, notices
from subscribers.columns import metadata

if TYPE_CHECKING:
    from alembic.config import Config

#: The schema's versions, oldest first; the last is what this program works with. A test holds them to the files.
VERSIONS = tuple(f"{number:04}" for number in range(1, 18))
_LOCK = 0x6D696772
_TABLES = (
    "subscribers.models", "newsletter.audit", "newsletter.discovery.models", "newsletter.editorial.models",
    "newsletter.issues.models", "newsletter.rendering.models", "newsletter.delivery.models",
    "newsletter.feedback.models", "newsletter.web.api.models",
)  # fmt: skip


def _history() -> dict[str, Any]:
    return dict(importlib.import_module("newsletter.feedback.history").FACTS)


history.keep(_history)  # whoever opens the desk's database can ask conditions about mail


def engine(settings: Settings) -> Engine:
    """Return an engine for the publication's database; a relative SQLite path is taken from its folder."""
    try:
        url = make_url(settings.database.url)
    except (ArgumentError, ValueError) as error:
        raise DatabaseError(f"[database] url {settings.database.url!r} is no database address: {error}") from error
    if url.drivername == "sqlite":
        if url.database and url.database != ":memory:":
            url = url.set(database=str(settings.folder / url.database))
    elif url.drivername != "postgresql+psycopg":
        raise DatabaseError(
            f"[database] url speaks of {url.drivername}; the desk works with sqlite:///FILE and "
            "postgresql+psycopg://USER@HOST/NAME"
        )
    made = open_engine(url.render_as_string(hide_password=False))
    return notices.wanted(made, {each.name: frozenset(each.events) for each in settings.webhook})


def open_engine(url: str) -> Engine:
    """Return an engine whose connections are set up the way the desk relies on."""
    made = create_engine(url, hide_parameters=True)  # logs must not hold addresses
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _set_up_sqlite)
        event.listen(made, "begin", _begin_sqlite)
    return made


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin or commit on its own: DDL too is transactional
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can be refused at the write; so writers begin with the write.
    reads = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Open one transaction that commits at the end of the block, or leaves nothing behind."""
    with _clear_errors(engine), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Open one transaction that only reads, beside any writer."""
    reader = engine.execution_options(read_only=True)
    with _clear_errors(engine), Session(reader, expire_on_commit=False) as session, session.begin():
        yield session
        session.rollback()


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """Open a connection for one short question: a session around it would cost several times as much."""
    with _clear_errors(engine), engine.connect() as connection:
        yield connection.execution_options(read_only=True)


@contextmanager
def _clear_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(f"the database {shown(engine)} refused: {_reason(error)}") from error


def shown(engine: Engine) -> str:
    """Return the database's address without its password."""
    return engine.url.render_as_string(hide_password=True)


def _reason(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())


def version(engine: Engine) -> str | None:
    """Return the version of the schema that stands in the database, None where there is none."""
    with reading(engine) as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        return session.execute(text("SELECT version_num FROM alembic_version")).scalar()


def connect(settings: Settings) -> Engine:
    """Return the engine of a database that has this program's schema, or say what to do about it."""
    made = engine(settings)
    path = made.url.database if made.dialect.name == "sqlite" else None
    if path and path != ":memory:" and not Path(path).exists():
        raise DatabaseError(f"there is no database at {path}; make it with: newsletter db upgrade")
    require_version(made)
    return made


def require_version(engine: Engine) -> None:
    """Refuse a database whose schema is older or newer than this program."""
    found = version(engine)
    if found == VERSIONS[-1]:
        return
    if found is None or found in VERSIONS:
        standing = f"at version {found}" if found else "empty"
        raise DatabaseError(f"the database {shown(engine)} is {standing}; bring it up to date: newsletter db upgrade")
    raise DatabaseError(
        f"the database {shown(engine)} is at version {found}, newer than this program knows ({VERSIONS[-1]}); "
        "nothing was changed; upgrade the program"
    )


def tables() -> Any:
    """Return the metadata with the tables of every room."""
    for name in _TABLES:
        importlib.import_module(name)
    return metadata


def alembic_config(connection: Connection) -> "Config":
    """Return Alembic's configuration for the migrations inside this package, on an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Bring the schema up to date in one transaction; return the versions before and after."""
    from alembic import command

    try:
        before = version(engine)
        if before is not None and before not in VERSIONS:
            require_version(engine)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            command.upgrade(alembic_config(connection), "head")
    except DBAPIError as error:
        raise DatabaseError(f"the database {shown(engine)} cannot be opened: {_reason(error)}") from error
    return before, VERSIONS[-1]


def differences(engine: Engine) -> list[str]:
    """Return where the database's tables differ from the program's, a line each; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        # What full-text search keeps in tables of its own is no table of ours.
        told = {"compare_type": True, "include_name": lambda name, *_: not str(name).startswith("search_index")}
        context = MigrationContext.configure(connection, opts=told)
        return [str(difference) for difference in compare_metadata(context, tables())]
