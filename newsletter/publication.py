"""A publication's folder: made by `init`, and the keys inside it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from string import Template

from newsletter.errors import Refused, SettingsError, UsageError
from newsletter.settings import FILE, Settings, parse
from newsletter.transport import Tls
from subscribers import tokens
from subscribers.errors import AudienceError

SCAFFOLD = Path(__file__).parent / "scaffold"
NO_RELAY = """\
# [[relay]]
# name = "main"
# host = "smtp.example.com"
# port = 587
# tls = "require"            # require | opportunistic | implicit | none
# username = "desk"
# password_file = "keys/relay-password"
"""
RELAY = """\
[[relay]]
name = "main"
host = {host}
port = {port}
tls = "{tls}"                # require | opportunistic | implicit | none
"""
IGNORED = "keys/\njournal/\n*.db\n*.db-wal\n*.db-shm\n"


def create(
    folder: Path, *, name: str, url: str = "", postal_address: str = "", sender: str = "", relay: str = NO_RELAY
) -> None:
    """Write a publication's files into `folder`; refuse where one stands already."""
    if (folder / FILE).exists():
        raise Refused(f"{folder / FILE} is there already; edit it, or name another folder: newsletter init DIR")
    words = Template((SCAFFOLD / FILE).read_text("utf-8")).substitute(
        name=_toml(name), url=_toml(url), postal=_toml(postal_address), sender=_toml(sender), relay=relay
    )
    parse(words, {}, where=folder / FILE)  # what cannot be read back is refused before anything stands
    try:
        for part in (folder, folder / "briefings", folder / "templates", folder / "keys"):
            part.mkdir(parents=True, exist_ok=True)
        (folder / "keys").chmod(0o700)
        _write_new(folder / "keys" / "links.key", tokens.generate(), mode=0o600)
        _write_new(folder / "standards.md", (SCAFFOLD / "standards.md").read_text("utf-8"))
        _write_new(folder / ".gitignore", IGNORED)
        _write_new(folder / FILE, words)  # last: a folder with this file is whole
    except OSError as error:
        raise Refused(
            f"{error.filename or folder} cannot be written: {error.strerror}; choose another folder, or mend its rights"
        ) from error


def relay_table(address: str) -> str:
    """Return the settings of a relay at HOST:PORT; a relay on this machine is taken without TLS."""
    if not address:
        return NO_RELAY
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--relay {address} is no HOST:PORT, such as smtp.example.com:587")
    tls = Tls.NONE if host in ("127.0.0.1", "localhost", "[::1]") else Tls.REQUIRE
    return RELAY.format(host=_toml(host.strip("[]")), port=port, tls=tls)


def _write_new(path: Path, text: str, *, mode: int = 0o644) -> None:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a basic string of TOML


def keyring(settings: Settings) -> tokens.Keyring:
    """Return the keys that sign and verify the links in mail, as their file has them now."""
    path = settings.path(settings.keys.links)
    try:
        now = path.stat()
        return _keyring(path, (now.st_ino, now.st_size, now.st_mtime_ns))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read ({error}); restore it from a backup: with other keys, links in mail already "
            "sent stop working"
        ) from error
    except (AudienceError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error


@lru_cache(maxsize=8)
def _keyring(path: Path, _version: tuple[int, ...]) -> tokens.Keyring:
    return tokens.Keyring.parse(path.read_text("ascii"))


def rotate(settings: Settings) -> int:
    """Add a fresh key to the file, which signs from now on, and return its number; the file is never half written."""
    path = settings.path(settings.keys.links)
    fresh = path.with_suffix(".new")
    try:
        with _alone(path.parent):
            keyring(settings)
            number, text = tokens.rotated(path.read_text("ascii"))
            fresh.unlink(missing_ok=True)  # of a rotation that broke off
            _write_new(fresh, text, mode=0o600)
            os.replace(fresh, path)
    except AudienceError as error:
        raise Refused(f"{path}: {error}") from error
    except OSError as error:
        raise Refused(f"{path} cannot be changed: {error.strerror}; mend the rights of its folder") from error
    return number


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from changing the keys meanwhile; one that dies lets go by that."""
    try:
        import fcntl
    except ImportError:  # Windows, where two people rotate one after the other
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
