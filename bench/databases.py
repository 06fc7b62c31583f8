"""The databases that benchmarks run on: an SQLite file, and a PostgreSQL server of their own, durable as in earnest."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from newsletter import db
from tests.support import postgres


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder for the length of the block; a PostgreSQL server in it ends with it."""
    made = Path(tempfile.mkdtemp(prefix="desk-bench-"))
    os.chmod(made, 0o755)
    try:
        yield made
    finally:
        postgres.stop(made)
        shutil.rmtree(made, ignore_errors=True)


def sqlite(home: Path, name: str = "newsletter") -> Engine:
    """Return an engine on a migrated, empty SQLite file."""
    return _migrated(f"sqlite:///{home / name}.db")


def postgresql(home: Path, name: str = "newsletter") -> Engine:
    """Return an engine on a migrated, empty database of the block's PostgreSQL server, started at the first call."""
    known = home / "postgres.url"
    if not known.exists():
        known.write_text(postgres.start(home, durable=True, shared_buffers="1GB", max_wal_size="4GB"))
    server = known.read_text()
    admin = db.open_engine(server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return _migrated(server.removesuffix("/postgres") + f"/{name}")


def _migrated(url: str) -> Engine:
    made = db.open_engine(url)
    db.upgrade(made)
    return made
