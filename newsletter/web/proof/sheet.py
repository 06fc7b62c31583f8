"""What the proof shows: one issue taken afresh whenever a file or a row that it is made from has changed."""

import hashlib
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db, publication
from newsletter.delivery import inspection
from newsletter.editorial import briefings
from newsletter.editorial.gate import Finding
from newsletter.editorial.names import UNSEEN
from newsletter.errors import NewsletterError, TemplateError
from newsletter.issues import issues
from newsletter.rendering import checks, preview
from newsletter.settings import FILE, Settings, load

_SHIPPED = [Path(__file__).parents[2] / "templates", Path(__file__).parents[3] / "templates"]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """An issue as it is now; `trouble` says why it cannot be shown, where it cannot."""

    version: str
    issue: int
    state: str = ""
    name: str = ""
    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    headers: str = ""
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    trouble: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return everything but the version's cause, ready for the page."""
        return asdict(self)


class Proof:
    """Takes the sheet of one issue, and takes it again only when something changed."""

    def __init__(self, folder: Path, engine: Engine, issue: int, *, environ: Mapping[str, str] = os.environ) -> None:
        self.folder, self.engine, self.issue, self.environ = folder, engine, issue, environ
        self._lock = threading.Lock()
        self._sheet: Sheet | None = None

    def sheet(self) -> Sheet:
        """Return the issue as it is now."""
        with self._lock:
            version = self.version()
            if self._sheet is None or self._sheet.version != version:
                self._sheet = self._take(version)
            return self._sheet

    def version(self) -> str:
        """Return a word that differs whenever a file or a row differs that the issue is made from."""
        seen = hashlib.sha256()
        for path in sorted(self._files()):
            try:
                told = path.stat()
            except OSError:
                continue  # gone since it was listed
            seen.update(f"{path}:{told.st_mtime_ns}:{told.st_size}\n".encode())
        with db.reading(self.engine) as session:
            seen.update(repr(issues.get(session, self.issue)).encode("utf-8", "backslashreplace"))
            for item in issues.items(session, self.issue):
                seen.update(f"{item.position}:{item.briefing_id}:{item.sha256}\n".encode())
        return seen.hexdigest()[:16]

    def _files(self) -> Iterator[Path]:
        yield self.folder / FILE
        yield from (self.folder / "briefings").glob("*.md")
        for folder in (self.folder / "templates", *_SHIPPED):
            yield from (path for path in folder.rglob("*") if path.is_file())

    def _take(self, version: str) -> Sheet:
        try:
            settings = load(self.folder, self.environ)
            with db.transaction(self.engine) as session:
                briefings.refresh(session, settings.briefings, actor=UNSEEN, now=datetime.now(UTC))
                try:
                    return self._read(session, settings, version)
                finally:
                    session.rollback()  # the proof looks, and records nothing
        except NewsletterError as error:
            return Sheet(version=version, issue=self.issue, trouble=str(error))
        except Exception as error:  # an editor's half-written template may fail in any way, and the page goes on
            return Sheet(version=version, issue=self.issue, trouble=f"{type(error).__name__}: {error}")

    def _read(self, session: Session, settings: Settings, version: str) -> Sheet:
        now, keyring = datetime.now(UTC), publication.keyring(settings)
        state = issues.get(session, self.issue).state.value
        blank = Sheet(version=version, issue=self.issue, state=state, name=settings.publication.name)
        try:
            rendered = preview.current(session, self.issue, settings, keyring=keyring, now=now)
        except TemplateError as error:
            found = checks.broken(str(error), settings)
            return replace(blank, findings=found, trouble=str(error))
        findings = inspection.inspect(session, self.issue, settings, keyring=keyring, now=now)
        shown = preview.filled(rendered, settings, keyring=keyring)
        headers = ""
        if settings.sender.from_:
            wire = inspection.specimen(rendered, self.issue, settings, keyring=keyring, now=now)
            headers = wire.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r\n", "\n")
        return replace(
            blank, subject=shown.subject, preheader=shown.preheader, html=shown.html, text=shown.text, headers=headers,
            bytes=len(rendered.html.encode()), findings=findings,
        )  # fmt: skip


_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_META = re.compile(r'(<meta\b[^>]*name="(?:supported-)?color-schemes?"[^>]*content=")[^"]*(")')


def in_scheme(html: str, scheme: str) -> str:
    """Return the page as a mail program in `light` or `dark` mode shows it, whatever mode the browser is in."""
    always, never = "(min-width: 0px)", "(max-width: 0px)"
    html = _SCHEME.sub(lambda found: always if found[1] == scheme else never, html)
    return _META.sub(lambda found: f"{found[1]}{scheme}{found[2]}", html)
