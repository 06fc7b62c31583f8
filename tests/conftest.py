"""What every test may ask for: an empty desk on SQLite and on PostgreSQL, and a publication around it."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck
from sqlalchemy import Engine, text

from newsletter import db
from newsletter.settings import Settings, load
from tests.support import postgres, statements, stores
from tests.support.stores import Keeper

HOME = "NEWSLETTER_TEST_HOME"
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

# A machine under load is slow, and that is no finding.
hypothesis.settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.settings.load_profile("desk")


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that the run's servers share."""
    if HOME not in os.environ:
        os.environ[HOME] = tempfile.mkdtemp(prefix="desk-tests-")
        os.chmod(os.environ[HOME], 0o755)
        config.stash[_made] = Path(os.environ[HOME])
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_") and name != HOME]:
        del os.environ[name]
    os.environ["NEWSLETTER_DISCOVERY_RECHECK"] = "0"  # no test looks at pages of the world
    statements.share()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with & hears no Ctrl-C
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a program that a test starts is not compiled each time


_made = pytest.StashKey[Path]()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers that the run started."""
    home = config.stash.get(_made, None)
    if home:
        postgres.stop(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def now() -> datetime:
    """Return the moment at which tests happen."""
    return NOW


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated, empty SQLite file."""
    path = tmp_path_factory.mktemp("template") / "newsletter.db"
    made = db.open_engine(f"sqlite:///{path}")
    db.upgrade(made)
    made.dispose()  # the last connection to close writes the log back into the file
    return path


@pytest.fixture(scope="session")
def postgres_database(worker_id: str) -> str:
    """Return the address of a migrated PostgreSQL database of this worker's own."""
    server = postgres.url(Path(os.environ[HOME]))
    name = f"desk_{worker_id}"
    admin = db.open_engine(server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    address = server.removesuffix("/postgres") + f"/{name}"
    made = db.open_engine(address)
    db.upgrade(made)
    made.dispose()
    return address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a migrated, empty database: each test that asks runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "newsletter.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    address: str = request.getfixturevalue("postgres_database")
    stores.Postgres(address).clear()
    return address


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Return an engine on an empty, migrated database."""
    made = db.open_engine(database_url)
    yield made
    made.dispose()


TOML = """\
[publication]
name = "Harbour Brief"
public_url = "https://news.harbour.example"
postal_address = "Harbour Brief, 1 Quay Street, Port Ellen"
reports = "outside sources lead us to stories; our editors add context and say where each story came from."

[sender]
from = "Harbour Brief <desk@news.harbour.example>"
reply_to = "editors@news.harbour.example"
bounce_domain = "bounces.harbour.example"

[database]
url = "{url}"

[[relay]]
name = "main"
host = "127.0.0.1"
port = {port}
tls = "none"
"""


def make_publication(folder: Path, url: str, port: int = 2525) -> Settings:
    """Return the settings of a publication written into `folder`, on the database at `url`."""
    (folder / "briefings").mkdir(parents=True)
    (folder / "keys").mkdir()
    (folder / "keys" / "links.key").write_text("1:" + "5a" * 32 + "\n")
    (folder / "standards.md").write_text("# How we report\n\nWe name our sources.\n")
    (folder / "newsletter.toml").write_text(TOML.format(url=url, port=port))
    return load(folder, {})


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Return the settings of a fresh publication on an empty, migrated database."""
    return make_publication(tmp_path / "publication", database_url)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which a worker keeps the states that tests begin with."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def once(settings: Settings, database_url: str, kept: Path) -> Keeper:
    """Return what makes a state of the publication once, and copies it for the tests after the first."""
    return Keeper(kept, stores.at(database_url), settings.folder)
