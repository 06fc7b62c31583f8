"""A visit: who came to the desk page, what they may see of it, and whether a form is really theirs."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from newsletter.editorial import briefings, people, roles, sessions
from newsletter.editorial.models import Role
from newsletter.editorial.names import UNSEEN
from newsletter.editorial.people import PersonView
from newsletter.editorial.sessions import SessionView
from newsletter.errors import BadInput, NotFound
from newsletter.web.forms import Fields, Sent, one
from newsletter.web.site import PERSONAL, Here, Site

#: The cookie that holds a session's token.
COOKIE = "desk"
#: The desk runs its own script and frames its own previews; nothing comes from or goes to anywhere else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {**PERSONAL, "Content-Security-Policy": POLICY}


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Somebody at the desk page, with the secret that only their browser and we have."""

    site: Site
    person: PersonView
    session: SessionView
    secret: str

    @property
    def who(self) -> str:
        """Return the short name in which they act."""
        return self.person.handle

    @property
    def now(self) -> datetime:
        """Return this moment."""
        return self.site.clock()

    @property
    def csrf(self) -> str:
        """Return what each form of this session carries."""
        return self._mac("form")

    def may(self, *fitting: Role) -> str:
        """Return who acts, or refuse whoever has none of the roles before anything is done."""
        with self.site.reading() as session:
            roles.require(session, self.who, *fitting)
        return self.who

    @contextmanager
    def acting(self, *fitting: Role) -> Iterator[Session]:
        """Open the one transaction of a form that takes one of the roles."""
        with self.site.transaction() as session:
            roles.require(session, self.who, *fitting)
            yield session

    def look(self, *ids: str, who: str = UNSEEN) -> None:
        """Record edits to the named briefings' files, or to all of them; a named one that cannot be read is refused."""
        with self.site.transaction() as session:
            self._refresh(session, who, ids)

    @contextmanager
    def glance(self, *ids: str) -> Iterator[Session]:
        """Open the one transaction of a page that shows briefings as their files stand, and records nothing."""
        with self.site.transaction() as session:
            self._refresh(session, UNSEEN, ids)
            yield session
            session.rollback()

    def _refresh(self, session: Session, who: str, ids: tuple[str, ...]) -> None:
        folder = self.site.settings.briefings
        problems = briefings.refresh(session, folder, actor=who, now=self.now, only=ids or None)
        if ids and problems:
            raise BadInput("; ".join(problem.message for problem in problems))

    def page(self, name: str, /, *, status: int = 200, **values: Any) -> Response:
        """Return the page of `templates/web/desk/NAME.html.j2`."""
        said = {"said": "", "failed": False, **values}
        return self.site.page(f"desk/{name}", status=status, headers=HEADERS, visit=self, **said)

    def to(self, path: str, *, said: str = "") -> Response:
        """Send the browser on to a page of the desk, which says so: looked at again, it sends no form again."""
        told = f"?said={self.seal(said)}" if said else ""
        return RedirectResponse(f"{self.site.prefix}/desk{path}{told}", 303)

    def told(self, sealed: str) -> str:
        """Return what a form came to, of which the address of a page tells; empty where that is not our word."""
        try:
            return str(self.unseal(sealed)) if sealed else ""
        except HTTPException:
            return ""

    def seal(self, value: Any) -> str:
        """Return a value as a form can carry it to this session's next request and nobody can have altered it."""
        text = json.dumps(value, separators=(",", ":"))
        return f"{urlsafe_b64encode(text.encode()).decode()}.{self._mac(text)}"

    def unseal(self, sealed: str) -> Any:
        """Return the value that was sealed; HTTPException where it is none of this session's."""
        try:
            text = urlsafe_b64decode(sealed.partition(".")[0]).decode()
        except ValueError as error:
            raise HTTPException(400) from error
        if not hmac.compare_digest(self._mac(text), sealed.partition(".")[2]):
            raise HTTPException(400)
        return json.loads(text)

    def _mac(self, text: str) -> str:
        return hmac.new(self.secret.encode(), f"desk\0{text}".encode(), "sha256").hexdigest()


def own(request: Request) -> None:
    """Refuse what a page of somebody else's sends; browsers say where a request comes from (Fetch Metadata)."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "This form was sent by another site; nothing was changed.")


def _visit(request: Request, site: Here) -> Visit:
    secret, now = request.cookies.get(COOKIE, ""), site.clock()
    with site.reading() as session:
        found = sessions.find(session, secret, now=now) if secret else None
        if found is None:
            raise HTTPException(303, "Come in first.", {"Location": f"{site.prefix}/desk/login"})
        person = people.get(session, found.person)
    if sessions.rests(found, now=now):
        with site.transaction() as session:
            sessions.touch(session, found.id, now=now)
    return Visit(site=site, person=person, session=found, secret=secret)


#: Who looks at a page, as a route asks for them.
Seen = Annotated[Visit, Depends(_visit)]


def _doing(request: Request, visit: Seen, sent: Sent) -> Visit:
    own(request)
    if not hmac.compare_digest(one(sent, "csrf").encode(), visit.csrf.encode()):
        raise HTTPException(403, "This form is none of your session's; load the page again. Nothing was changed.")
    return visit


#: Who sends a form of the desk's own, as a route asks for them.
Doing = Annotated[Visit, Depends(_doing)]


@contextmanager
def there() -> Iterator[None]:
    """Answer that there is no such page where the block finds no such thing."""
    try:
        yield
    except NotFound as error:
        raise HTTPException(404) from error


def number(issue: str) -> int:
    """Return the number of an issue from the address of its page."""
    if not (issue.isdecimal() and issue.isascii() and len(issue) < 10):
        raise HTTPException(404)
    return int(issue)


#: The issue that a page is about, as a route asks for it.
Number = Annotated[int, Depends(number)]


def several(sent: Fields, name: str) -> tuple[str, ...]:
    """Return all that a form says in the field, without what is empty."""
    return tuple(filter(None, (each.strip() for each in sent.get(name, []))))
