"""Tokens of programs: made with a name and scopes, shown once, checked by hash, taken back."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update
from sqlmodel import Session

from newsletter.editorial.names import Shape
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.web.api.models import AccessToken
from subscribers import upsert

#: What every token begins with, so that programs which look for secrets in texts know one.
PREFIX = "newsletter_"
NAME = Shape(r"[a-z0-9][a-z0-9._-]*", "small letters a-z, digits, dots, hyphens and underscores", 1, 60)
#: How exactly it is kept when a token was used last: writing it down each time would cost each request a write.
_EXACT = timedelta(minutes=1)
_LASTING = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_TABLE = upsert.table(AccessToken)
_FIELDS = ("id", "name", "scopes", "created_at", "created_by", "expires_at", "used_at", "revoked_at", "revoked_by")


class Scope(StrEnum):
    """What a token lets its holder do."""

    #: see subscribers and suppressions
    SUBSCRIBERS_READ = "subscribers:read"
    #: sign up, change, unsubscribe and suppress
    SUBSCRIBERS_WRITE = "subscribers:write"
    #: see the lists and their counts
    LISTS_READ = "lists:read"
    #: see issues
    ISSUES_READ = "issues:read"
    #: see how sends go
    STATUS_READ = "status:read"


@dataclass(frozen=True, kw_only=True)
class TokenView:
    """A token as a listing shows it; its secret is nowhere."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str

    def valid(self, now: datetime) -> bool:
        """Return whether the token is neither taken back nor past its end."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def lasting(text: str) -> timedelta:
    """Return a stretch of time such as 12h, 90d or 4w."""
    found = _LASTING.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is no stretch of time; write it as 12h, 90d or 52w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def scopes(text: str) -> tuple[Scope, ...]:
    """Return the scopes of a list with commas."""
    named = [word for word in re.split(r"[,\s]+", text) if word]
    if not named or not {*named} <= {*Scope}:
        wrong = next((word for word in named if word not in {*Scope}), text)
        raise BadInput(f"{wrong!r} is no scope; they are {', '.join(Scope)}, with commas between several")
    return tuple(scope for scope in Scope if scope in named)


def create(
    session: Session, name: str, *, scopes: Sequence[Scope], expires: timedelta | None = None, actor: str, now: datetime
) -> tuple[TokenView, str]:
    """Make a token and return it with its secret, which nobody can see again."""
    if not NAME.fits(name):
        raise BadInput(f"{name!r} cannot be a token's name; use {NAME}")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = {
        "name": name, "secret_sha256": _digest(secret), "scopes": [str(each) for each in scopes], "created_at": now,
        "created_by": actor, "expires_at": now + expires if expires else None, "revoked_by": "",
    }  # fmt: skip
    made = session.execute(upsert.into(session, AccessToken).on_conflict_do_nothing().returning(_TABLE.c.id), row)
    if made.first() is None:
        raise Refused(f"there is a token {name} already, and records name it; choose another name")
    return _named(session, name), secret


def all(session: Session) -> list[TokenView]:
    """Return every token, by name, those that were taken back included."""
    return [_view(row) for row in session.execute(select(_TABLE).order_by(_TABLE.c.name))]


def revoke(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Take a token back: from now on nobody comes in with it."""
    found = _named(session, name)
    standing = update(_TABLE).where(_TABLE.c.name == name, _TABLE.c.revoked_at.is_(None))
    if not upsert.touched(session, standing.values(revoked_at=now, revoked_by=actor)):
        raise Refused(f"the token {name} was taken back on {found.revoked_at:%Y-%m-%d} by {found.revoked_by}")


def find(session: Session, secret: str, *, now: datetime) -> TokenView | None:
    """Return the token with this secret if it is valid, and note that it was used."""
    digest = _digest(secret)
    row = session.execute(select(_TABLE).where(_TABLE.c.secret_sha256 == digest)).first()
    if row is None or not hmac.compare_digest(row.secret_sha256, digest) or not (found := _view(row)).valid(now):
        return None
    if found.used_at is None or found.used_at <= now - _EXACT:
        session.execute(update(_TABLE).where(_TABLE.c.id == found.id).values(used_at=now))
    return found


def _named(session: Session, name: str) -> TokenView:
    row = session.execute(select(_TABLE).where(_TABLE.c.name == name)).first()
    if row is None:
        raise NotFound(f"there is no token {name!r}; all of them: newsletter tokens list")
    return _view(row)


def _view(row: Row[*tuple[Any, ...]]) -> TokenView:
    values = {field: getattr(row, field) for field in _FIELDS}
    return TokenView(**{**values, "scopes": tuple(Scope(each) for each in row.scopes if each in {*Scope})})


def _digest(secret: str) -> str:
    # The secret has 256 random bits: a slow hash, as passwords need it, would gain nothing.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
