"""What is wrong with a set-up: settings, keys, database, relays, clock; each finding with its next step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import Engine, text
from sqlmodel import col, select

from newsletter import db, publication
from newsletter.audit import AuditEntry
from newsletter.delivery import keys, probes
from newsletter.delivery.keys import SigningKey
from newsletter.errors import DatabaseError, NewsletterError, SettingsError
from newsletter.feedback import webhooks
from newsletter.hooks import Webhook
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
    return [*_settings(settings), *_database(settings, now), *_relays(settings)]


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
    yield _dkim(settings)
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
    yield from _webhooks(settings, engine, now)
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


def _webhooks(settings: Settings, engine: Engine, now: datetime) -> Iterator[Diagnosis]:
    with db.reading(engine) as session:
        troubles = webhooks.troubles(session, now=now)
    for hook in settings.webhook:
        part, trouble = f"webhook {hook.name}", troubles.get(hook.name)
        if trouble:
            words = f"{trouble}; mend it, then: newsletter webhooks test {hook.name}, newsletter webhooks redeliver"
            yield Diagnosis(part=part, verdict=Verdict.WRONG, words=words)
        else:
            yield _try(part, partial(_signed, settings, hook))


def _signed(settings: Settings, hook: Webhook) -> str:
    webhooks.secret(settings, hook)
    return f"{hook.url} is told of {', '.join(hook.events)}"


def _relays(settings: Settings) -> Iterator[Diagnosis]:
    if not settings.relay:
        yield _try("relay", lambda: str(probes.choose(settings)))
        return
    for relay, found in zip(settings.relay, probes.probe(settings, settings.relay), strict=True):
        part = "relay" if len(settings.relay) == 1 else f"relay {relay.name}"
        wrong = f"{found.reason}; correct [[relay]] in {FILE} if it is wrong"
        words = f"{relay.host}:{relay.port} takes mail, {found.tls or 'in the clear'}" if found.ok else wrong
        yield Diagnosis(part=part, verdict=Verdict.OK if found.ok else Verdict.WRONG, words=words)


def _dkim(settings: Settings) -> Diagnosis:
    try:
        found = keys.of(settings)
        for key in found:
            key.prove()
    except NewsletterError as error:
        return Diagnosis(part="dkim", verdict=Verdict.WRONG, words=str(error))
    if not found:
        words = "mail is not signed here, so the relay has to; or make a key: newsletter dkim keygen"
        return Diagnosis(part="dkim", verdict=Verdict.OK, words=words)
    doubt = _doubt(found, settings.sender.domain)
    signs = ", ".join(f"{key.selector} ({key.algorithm}, {key.bits} bits)" for key in found)
    signed = f"mail is signed for {found[0].domain} by {signs}; DNS was not asked"
    words = doubt or f"{signed}, so compare what it has with newsletter dkim show"
    return Diagnosis(part="dkim", verdict=Verdict.WARN if doubt else Verdict.OK, words=words)


def _doubt(found: Sequence[SigningKey], sender: str) -> str:
    """Return why signatures that hold may still not count, empty where nothing speaks against them."""
    first = found[0]
    if first.algorithm == "rsa-sha256" and first.bits < keys.ADVISED:
        return (
            f"the key of {first.selector} has {first.bits} bits, and mailbox providers ask for {keys.ADVISED}; make "
            "another: newsletter dkim keygen --selector NAME"
        )
    if sender and not keys.aligned(first.domain, sender):
        return (
            f"mail is signed for {first.domain} and comes from {sender}: to DMARC such a signature says nothing "
            "(RFC 7489 3.1.1); set domain in [dkim] to the sender's, and make a key for it: newsletter dkim keygen"
        )
    return ""


def _try(part: str, look: Callable[[], str]) -> Diagnosis:
    try:
        return Diagnosis(part=part, verdict=Verdict.OK, words=look())
    except (NewsletterError, AudienceError, OSError) as error:
        return Diagnosis(part=part, verdict=Verdict.WRONG, words=str(error))
