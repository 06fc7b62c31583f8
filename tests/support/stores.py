"""The databases of a test: emptied for it, or brought back to what stood in them at an earlier moment."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy import make_url

#: A table that was never vacuumed is planned for as if it had ten pages: what is deleted from so small a one, instead
#: of truncated, changes no plan, and costs a tenth.
_SMALL = 10
_FILLED = """\
SELECT relname, pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
AND relname <> 'alembic_version'
"""
_NUMBERS = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
_RESTART = "SELECT setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"


class Store(Protocol):
    """One database of a test."""

    kind: str

    def keep(self, place: Path) -> None:
        """Keep what stands in it in a file or folder that is not there yet."""

    def bring(self, place: Path) -> None:
        """Let nothing stand in it but what was kept there."""


class Sqlite:
    """A file, which others may have open."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, place: Path) -> None:
        _copy(self._path, place)

    def bring(self, place: Path) -> None:
        _copy(place, self._path)


def _copy(path: Path, to: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


class Postgres:
    """A migrated database on a server of which the user is the owner."""

    kind = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url.replace("+psycopg", "")

    def clear(self) -> None:
        """Let no rows stand in it, and number the next ones from 1."""
        with psycopg.connect(self._url) as connection:
            _clear(connection)

    def keep(self, place: Path) -> None:
        place.mkdir()
        with psycopg.connect(self._url) as connection:
            for table, _ in connection.execute(_FILLED).fetchall():
                query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
                with connection.cursor() as cursor, cursor.copy(query) as rows:
                    (place / f"{table}.rows").write_bytes(b"".join(rows))
            for name, last in connection.execute(_NUMBERS).fetchall():
                (place / f"{name}.last").write_text(str(last))

    def bring(self, place: Path) -> None:
        with psycopg.connect(self._url) as connection:
            _clear(connection)
            for path in place.glob("*.rows"):
                query = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(path.stem))
                with connection.cursor() as cursor, cursor.copy(query) as copy:
                    copy.write(path.read_bytes())
            for path in place.glob("*.last"):
                connection.execute("SELECT setval(quote_ident(%s)::regclass, %s)", (path.stem, int(path.read_text())))


def _clear(connection: "psycopg.Connection[tuple[str, int]]") -> None:
    connection.execute("SET LOCAL session_replication_role = replica")  # no trigger guards, no order of keys
    filled = connection.execute(_FILLED).fetchall()
    for table, pages in filled:
        verb = "TRUNCATE {} CASCADE" if pages > _SMALL else "DELETE FROM {}"
        connection.execute(sql.SQL(verb).format(sql.Identifier(table)))
    connection.execute(_RESTART)


def at(url: str) -> Store:
    """Return the store that has the address."""
    path = make_url(url).database
    return Sqlite(Path(path or "")) if url.startswith("sqlite") else Postgres(url)


class Keeper:
    """Brings a publication to a state that is costly to come by: made once, and copied from then on."""

    def __init__(self, home: Path, store: Store, folder: Path) -> None:
        self._home, self._store, self._folder = home, store, folder

    def __call__(self, state: str, make: Callable[[], object]) -> None:
        """Let the database and the files be as `make` leaves them, but for the settings, which are a test's own."""
        place = self._home / f"{state} on {self._store.kind}"
        rows, files = place / "rows", place / "files"
        if place.exists():
            self._store.bring(rows)
            shutil.copytree(files, self._folder, dirs_exist_ok=True)
            return
        make()
        place.mkdir()
        self._store.keep(rows)
        shutil.copytree(self._folder, files, ignore=shutil.ignore_patterns("newsletter.toml"))
