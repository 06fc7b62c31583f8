"""What is wrong with a set-up: settings, database, relay, clock; each finding with its next step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Engine, text
from sqlmodel import col, select

from newsletter import db, publication
from newsletter.audit import AuditEntry
from newsletter.delivery import single
from newsletter.errors import DatabaseError, NewsletterError, SettingsError
from newsletter.settings import FILE, Settings
from subscribers.errors import AudienceError

#: A clock that is further off than this signs and dates wrongly.
SKEW = timedelta(minutes=5)
NEEDED = {
    "sender.from": "the address that mail is from",
    "publication.public_url": "what links in mail begin with",
    "publication.postal_address": "the address that stands in each mail",
}


class Verdict(StrEnum):
    """What an examination found."""

    #: as it should be
    OK = "ok"
    #: works, and an editor should know
    WARN = "warn"
    #: something will fail because of it
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One thing that was looked at; `words` say what was found and what to do."""

    part: str
    verdict: Verdict
    words: str


def examine(settings: Settings, *, now: datetime) -> list[Diagnosis]:
    """Look at every part of the set-up; a part that fails does not keep the next from being looked at."""
    return [*_settings(settings), *_database(settings, now), _relay(settings)]


def _settings(settings: Settings) -> Iterator[Diagnosis]:
    missing = [f"{key} ({what})" for key, what in NEEDED.items() if not _has(settings, key)]
    if missing:
        words = f"{settings.path(FILE)} lacks what a send needs: {'; '.join(missing)}"
        yield Diagnosis(part="settings", verdict=Verdict.WRONG, words=words)
    elif not settings.publication.public_url.startswith("https://"):
        words = "public_url is not https: mail programs ignore one-click unsubscribe there (RFC 8058 3.1)"
        yield Diagnosis(part="settings", verdict=Verdict.WRONG, words=words)
    else:
        yield Diagnosis(part="settings", verdict=Verdict.OK, words=str(settings.path(FILE)))
    yield _try("link key", lambda: _key(settings))
    standards = settings.path(settings.publication.standards)
    if not standards.is_file():
        words = f"{standards} is missing; every mail links to it, so write it"
        yield Diagnosis(part="standards", verdict=Verdict.WRONG, words=words)
    if settings.dkim:
        words = "[dkim] is set, and this version does not sign yet; let the relay sign"
        yield Diagnosis(part="dkim", verdict=Verdict.WARN, words=words)
    if settings.publication.solo:
        words = "solo = true: one person may write and approve, and each approval says so"
        yield Diagnosis(part="approval", verdict=Verdict.WARN, words=words)


def _has(settings: Settings, key: str) -> bool:
    try:
        return bool(settings.require(key, "a send"))
    except SettingsError:
        return False


def _key(settings: Settings) -> str:
    publication.keyring(settings)
    path = settings.path(settings.keys.links)
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"{path} can be read by others; close it: chmod 600 {path}")
    return str(path)


def _database(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    try:
        engine = db.connect(settings)
    except DatabaseError as error:
        yield Diagnosis(part="database", verdict=Verdict.WRONG, words=str(error))
        return
    yield _try("database", lambda: _tables(engine))
    yield _try("clock", lambda: _clock(engine, now))
    engine.dispose()


def _tables(engine: Engine) -> str:
    if found := db.differences(engine):
        raise DatabaseError(f"the tables differ from this program's: {'; '.join(found)}; compare with a backup")
    return f"{db.shown(engine)}, version {db.VERSIONS[-1]}"


def _clock(engine: Engine, now: datetime) -> str:
    with db.reading(engine) as session:
        newest = session.exec(select(AuditEntry.at).order_by(col(AuditEntry.id).desc()).limit(1)).first()
        server = session.execute(text("SELECT CURRENT_TIMESTAMP")).scalar_one()
    if isinstance(server, datetime) and abs(server.astimezone(UTC) - now) > SKEW:
        raise NewsletterError(
            f"this machine says {now:%H:%M:%S} UTC and the database {server:%H:%M:%S %Z}; set the clocks"
        )
    if newest and newest > now + SKEW:
        raise NewsletterError(
            f"the newest record is of {newest:%Y-%m-%d %H:%M} UTC, ahead of this clock; set the clock"
        )
    return f"{now:%Y-%m-%d %H:%M:%S} UTC"


def _relay(settings: Settings) -> Diagnosis:
    def reach() -> str:
        relay = single.relay(settings)
        try:
            relay.connect()
            return f"{relay} answers"
        finally:
            relay.close()

    return _try("relay", reach)


def _try(part: str, look: Callable[[], str]) -> Diagnosis:
    try:
        return Diagnosis(part=part, verdict=Verdict.OK, words=look())
    except (NewsletterError, AudienceError, OSError) as error:
        return Diagnosis(part=part, verdict=Verdict.WRONG, words=str(error))
