"""What every page is made with: settings, database, keys, templates, the time."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db, publication
from newsletter.feedback import leaving
from newsletter.issues import archive
from newsletter.issues.archive import Archive
from newsletter.looks import Look
from newsletter.settings import Settings
from newsletter.web.heads import Heads
from newsletter.web.shelf import Edition, Shelf
from newsletter.web.together import Together
from subscribers import tokens
from subscribers.consent import Saying

#: How a page may be asked for; neither changes anything.
READ = ["GET", "HEAD"]
#: For pages behind a token: no cache keeps them, no index lists them.
PERSONAL = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
#: For pages that are the same for everyone.
PUBLIC = {"Cache-Control": "public, max-age=300"}
#: For pages that everyone may see who has their address, and no index lists.
UNLISTED = {**PUBLIC, "X-Robots-Tag": "noindex"}


@dataclass(frozen=True, kw_only=True)
class Site:
    """One publication's web side."""

    settings: Settings
    engine: Engine
    templates: Environment
    clock: Callable[[], datetime]
    #: when the process began: with the settings as they are
    started: datetime
    shelf: Shelf = field(default_factory=Shelf)
    heads: Heads = field(default_factory=Heads)

    @property
    def keyring(self) -> tokens.Keyring:
        """Return the keys as they stand now: mail may be signed by one that is newer than this process."""
        return publication.keyring(self.settings)

    @property
    def prefix(self) -> str:
        """Return the path of the public address: links in mail begin with it."""
        return urlsplit(self.settings.publication.url).path

    @cached_property
    def look(self) -> Look:
        """Return how the theme of the mail looks, for the pages belong to it."""
        return self.settings.look()

    @cached_property
    def leavings(self) -> Together[Saying]:
        """Return what takes readers off lists, those of one moment in one transaction."""
        return Together(self._leave)

    def _leave(self, wishes: Sequence[Saying]) -> None:
        with self.transaction() as session:
            leaving.leave_each(session, wishes)

    @property
    def secure(self) -> bool:
        """Return whether readers come by https."""
        return urlsplit(self.settings.publication.url).scheme == "https"

    def reading(self) -> AbstractContextManager[Session]:
        """Open a transaction that only reads."""
        return db.reading(self.engine)

    def transaction(self) -> AbstractContextManager[Session]:
        """Open a transaction that writes."""
        return db.transaction(self.engine)

    def edition(self) -> Edition:
        """Return what is published as it stands now; it changes with each thing that the desk does on record."""
        with db.asking(self.engine) as connection:  # each public page asks this
            number, sha256, at = archive.version(connection)
        return Edition(number=number, sha256=sha256, at=at)

    def archive(self) -> Archive:
        """Return what is listed now."""
        return self.shelf.archive(self.edition(), self._read)

    def _read(self) -> Archive:
        with self.reading() as session:
            return archive.read(session, default=self.settings.archive.visibility)

    def write(self, file: str, **values: Any) -> str:
        """Return the text of `templates/web/FILE`."""
        template = self.templates.get_template(f"web/{file}")
        return template.render(publication=self.settings.publication, prefix=self.prefix, look=self.look, **values)

    def page(
        self, name: str, /, *, status: int = 200, headers: dict[str, str] = PERSONAL, **values: Any
    ) -> HTMLResponse:
        """Return the page of `templates/web/NAME.html.j2`; it is a reader's own unless `headers` say otherwise."""
        text = self.write(f"{name}.html.j2", robots=headers.get("X-Robots-Tag", ""), **values)
        return HTMLResponse(text, status, headers)

    def ticket(self, token: str, purpose: tokens.Purpose) -> tuple[int, int]:
        """Return the two numbers that a link's token carries, or answer that there is no such page."""
        numbers = tokens.read(self.keyring, purpose, token)
        if numbers is None:
            raise HTTPException(404)
        return numbers


async def _here(request: Request) -> Site:  # one that is not async would wait for a thread
    site: Site = request.app.state.site
    return site


#: The site, as a route asks for it.
Here = Annotated[Site, Depends(_here)]
