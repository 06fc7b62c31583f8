"""A publication's settings: `newsletter.toml`, then `NEWSLETTER_*` variables, then `*_FILE` for secrets.

The variable of a key is its path in capitals: `[sender] reply_to` is `NEWSLETTER_SENDER_REPLY_TO`, and the
password of the relay named `main` is `NEWSLETTER_RELAY_MAIN_PASSWORD` (or `..._PASSWORD_FILE`, a path).
"""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from email.utils import getaddresses, parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from newsletter import looks
from newsletter.errors import BadInput, NotFound, SettingsError
from newsletter.hooks import Webhook
from newsletter.looks import Look, Theme
from newsletter.recurring import Recurring
from newsletter.rights import Right
from newsletter.sections import Section
from newsletter.tracking import Tracking
from newsletter.transport import Dkim, Lane, Relay, Sending
from subscribers.addresses import parse as parse_address
from subscribers.errors import BadAddress

FILE = "newsletter.toml"
#: Sections of which there may be several, each with a name of its own.
_NAMED: dict[str, type[Section]] = {"relay": Relay, "webhook": Webhook}
#: What tomllib says of a table that begins twice.
_TWICE = re.compile(r"Cannot declare \((?P<names>.*)\) twice \((?P<place>.*)\)")
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_FONTS = "names of fonts with commas between them, the last one serif, sans-serif, monospace or system-ui"


class Publication(Section):
    """What the publication is called and what it says of itself."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    public_url: str = Field(default="", pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)?$")
    postal_address: str = ""
    reports: str = ""
    standards: str = "standards.md"
    solo: bool = False
    clearance: bool = False
    language: str = "en"
    theme: str = "briefing"

    @property
    def url(self) -> str:
        """Return the public address without a slash at its end."""
        return self.public_url.rstrip("/")


class Sender(Section):
    """Whose name stands on the mail."""

    from_: str = Field(default="", alias="from")
    reply_to: str = ""
    bounce_domain: str = ""

    @model_validator(mode="after")
    def addresses(self) -> Self:
        """Refuse line breaks (they would start a new header, RFC 5322 2.2) and what no mail can come from or go to."""
        for key, value in (("from", self.from_), ("reply_to", self.reply_to), ("bounce_domain", self.bounce_domain)):
            if any(ord(mark) < 32 for mark in value):
                raise ValueError(f"{key} must be one line, without control characters")
            address = f"bounces@{value}" if key == "bounce_domain" else _only(value)
            try:
                if value:
                    parse_address(address)
            except BadAddress as error:
                form = "a domain" if key == "bounce_domain" else "an address, such as Desk <desk@example.com>"
                raise ValueError(f"{key} must hold {form}; it is {value!r} ({error.reason})") from error
        return self

    @property
    def address(self) -> str:
        """Return the bare address of `from`."""
        return parseaddr(self.from_)[1]

    @property
    def domain(self) -> str:
        """Return the domain that stands behind the mail's own identifiers."""
        return self.address.rpartition("@")[2].lower()


def _only(text: str) -> str:
    """Return the one address that a header's value holds, or the value itself where there is not exactly one."""
    found = getaddresses([text])
    return found[0][1] if len(found) == 1 else text


class Database(Section):
    """Where the desk keeps its records."""

    url: str = "sqlite:///newsletter.db"


class Check(Section):
    """What `newsletter check` asks besides its own rules, and what it takes for graver than they do."""

    #: a running spamd, as host:port; empty asks none
    spamd: str = Field(default="", pattern=r"^([A-Za-z0-9.-]+:[0-9]{1,5})?$")
    #: rules that only warn by themselves, and that block here
    block: tuple[str, ...] = ()


class Discovery(Section):
    """What the desk reads of the pages that briefings cite."""

    #: take the articles' words, as far as robots.txt allows, to compare texts with them
    fulltext: bool = False
    #: minutes after which the pages are looked at again before a freeze and a send; 0 never does
    recheck: int = Field(default=60, ge=0, le=7 * 24 * 60)


class Keys(Section):
    """Where the secret behind the links in mail lies."""

    links: str = "keys/links.key"


class Web(Section):
    """Whom `newsletter serve` believes, and how much it takes of one program."""

    #: proxies whose word on where a request came from is taken: addresses or networks, such as 127.0.0.1
    trusted_proxies: tuple[str, ...] = ()
    #: how many requests a minute one token of the API may make
    api_rate: int = Field(default=600, ge=1)
    #: networks from which /metrics may be read
    metrics_from: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    #: the token with which it may be read from anywhere; empty is no such token
    metrics_token: str = Field(default="", repr=False)
    metrics_token_file: str = ""

    @field_validator("metrics_from")
    @classmethod
    def networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no network."""
        for each in value:
            ip_network(each, strict=False)
        return value


class Archive(Section):
    """Who can see what was sent."""

    #: of issues that `newsletter issues publish` says nothing else of
    visibility: Literal["public", "unlisted", "subscribers"] = "public"


class Settings(Section):
    """Everything the file says, with the folder it lies in."""

    publication: Publication
    sender: Sender = Sender()
    database: Database = Database()
    dkim: Dkim | None = None
    relay: tuple[Relay, ...] = ()
    webhook: tuple[Webhook, ...] = ()
    schedule: tuple[Recurring, ...] = ()
    sending: Sending = Sending()
    discovery: Discovery = Discovery()
    keys: Keys = Keys()
    check: Check = Check()
    rights: tuple[Right, ...] = ()
    web: Web = Web()
    archive: Archive = Archive()
    tracking: Tracking = Tracking()
    theme: Theme = Theme()

    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """Return the publication's folder."""
        return self._folder

    @property
    def briefings(self) -> Path:
        """Return the folder of the briefings' files."""
        return self._folder / "briefings"

    @property
    def templates(self) -> Path:
        """Return the folder of the publication's own templates, which may be missing."""
        return self._folder / "templates"

    def look(self, theme: str = "") -> Look:
        """Return how a theme, else the publication's, looks under the settings; refused where a text is too faint."""
        return looks.look(theme or self.publication.theme, self.theme, self.templates, where=self.path(FILE))

    def path(self, name: str) -> Path:
        """Return a path of the file, taken from the publication's folder."""
        return self._folder / name

    def require(self, key: str, who: str) -> str:
        """Return the text at `section.key`, or say who needs it."""
        section, _, name = key.partition(".")
        value = getattr(getattr(self, section), "from_" if name == "from" else name)
        if not value:
            raise SettingsError(f"{who} needs {name} in [{section}] of {self.path(FILE)}; set it and run again")
        return str(value)


def find(start: Path) -> Path:
    """Return the publication's folder: `start` or the nearest folder above it that holds newsletter.toml."""
    if not start.is_dir():
        raise NotFound(f"there is no folder {start}; name a publication's folder with --publication DIR")
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FILE).is_file():
            return folder
    raise NotFound(
        f"no {FILE} in {start.absolute()} or above it; go to a publication's folder, name one with "
        "--publication DIR, or make one: newsletter init DIR"
    )


def load(folder: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of the publication in `folder`; errors name the file, the key and the reason."""
    path = folder / FILE
    try:
        settings = parse(path.read_text("utf-8"), environ, where=path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is no TOML: {error}; save it as UTF-8 and run again") from error
    settings._folder = folder.absolute()
    settings.look()
    return settings


def parse(text: str, environ: Mapping[str, str], *, where: Path) -> Settings:
    """Return the settings that a file's text holds, under the environment's."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{where} is no TOML: {_unreadable(error)} and run again") from error
    overlay(tables, environ)
    try:
        settings = Settings.model_validate(tables)
    except ValidationError as error:
        raise SettingsError(f"{where}: {_explain(error, tables)}") from error
    for section in (*_NAMED, "schedule"):
        several = getattr(settings, section)
        if len({each.name for each in several}) < len(several):
            raise SettingsError(f"{where}: two [[{section}]] tables have one name; give each its own")
    return settings


def _unreadable(error: tomllib.TOMLDecodeError) -> str:
    """Return what is wrong with a file's TOML and what to do, in plain words for a table that begins twice."""
    if not (twice := _TWICE.fullmatch(str(error))):
        return f"{error}; mend it"
    table = ".".join(re.findall(r"'([^']*)'", twice["names"]))
    return f"[{table}] stands there already, and cannot begin again {twice['place']}; put the keys under the first one"


def overlay(tables: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Lay the environment's values over the file's, in place."""
    for section, field in Settings.model_fields.items():
        if section in _NAMED:
            several = tables.get(section, [])
            for each in several if isinstance(several, list) else []:
                if isinstance(each, dict):
                    prefix = f"NEWSLETTER_{section.upper()}_{str(each.get('name', '')).upper()}"
                    _lay(each, _NAMED[section], prefix, environ)
            continue
        if get_origin(field.annotation) is tuple:  # tables without a name of their own have no variables
            continue
        kind = Dkim if section == "dkim" else field.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, Section)
        table = tables.get(section, {})
        if isinstance(table, dict):
            _lay(table, kind, f"NEWSLETTER_{section.upper()}", environ)
            if table:
                tables[section] = table


def _lay(table: dict[str, Any], kind: type[Section], prefix: str, environ: Mapping[str, str]) -> None:
    for name, field in kind.model_fields.items():
        key = field.alias or name
        variable = f"{prefix.replace('-', '_')}_{key.upper()}"
        inner = _section(field.annotation)
        if inner is not None:
            nested = table.get(key, {})
            if isinstance(nested, dict):
                _lay(nested, inner, variable, environ)
                table |= {key: nested} if nested else {}
        elif variable in environ:
            table[key] = environ[variable]
        elif f"{variable}_FILE" in environ:
            try:
                table[key] = Path(environ[f"{variable}_FILE"]).read_text("utf-8").rstrip("\n")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{variable}_FILE cannot be read: {error}") from error


def _section(annotation: Any) -> type[Section] | None:
    """Return the table that a key holds, None where it holds a value or tables by names of their own."""
    if get_origin(annotation) is dict:
        return None
    kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
    return next((kind for kind in kinds if issubclass(kind, Section)), None)


def _explain(error: ValidationError, tables: Mapping[str, Any]) -> str:
    first = error.errors()[0]
    where = _where(first["loc"], tables)
    if first["type"] == "extra_forbidden":
        near = get_close_matches(str(first["loc"][-1]), _keys(first["loc"]), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{where} is no setting{hint}"
    if first["type"] == "missing":
        return f"{where} is missing; add it"
    if first["loc"] == ("publication", "name"):
        return f"{where} must be one line of 1 to 200 characters"
    if first["loc"] == ("publication", "public_url"):
        return f"{where} is no web address: {first['input']!r}; write it as https://news.example.com"
    if first["loc"][0] == "theme" and first["type"] == "string_pattern_mismatch":
        forms = {"url": "an https address", "alt": "one line of words", "font": _FONTS, "label_font": _FONTS}
        return f"{where}: {first['input']!r} must be {forms.get(str(first['loc'][-1]), 'a colour such as #7a2618')}"
    written = f", not {first['input']!r}" if first["type"] in ("literal_error", "enum") else ""
    return f"{where}: {first['msg'].removeprefix('Value error, ')}{written}"


def _where(path: tuple[int | str, ...], tables: Mapping[str, Any]) -> str:
    """Return where a value stands; one of several tables goes by its name, else by its place."""
    if len(path) < 2 or not isinstance(number := path[1], int):
        return ".".join(map(str, path)) or "the file"
    section, inner = str(path[0]), path[2:]
    table = tables[section][number]
    name = table.get("name", "") if isinstance(table, dict) else ""
    place = _PLACES[number] if number < len(_PLACES) else f"{number + 1}th"
    which = f"[[{section}]] {name}" if name else f"the {place} [[{section}]]"
    return f"{which}: {'.'.join(map(str, inner))}" if inner else which


def _keys(path: tuple[int | str, ...]) -> list[str]:
    kinds: dict[str, type[Section]] = {
        "publication": Publication, "sender": Sender, "database": Database, "dkim": Dkim,
        "relay": Relay, "webhook": Webhook, "schedule": Recurring, "sending": Sending, "keys": Keys, "theme": Theme,
        "rights": Right, "check": Check, "web": Web, "discovery": Discovery, "archive": Archive, "tracking": Tracking,
    }  # fmt: skip
    kind = kinds.get(str(path[0]), Settings) if len(path) > 1 else Settings
    if path[0] == "relay" and "domains" in path[:-1]:
        kind = Lane
    return [field.alias or name for name, field in kind.model_fields.items()]
