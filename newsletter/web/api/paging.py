"""Pages of a listing: so many at a time, and a cursor for the next."""

from base64 import b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from newsletter.web.api.problems import Refusal

Item = TypeVar("Item")
Key = TypeVar("Key")

#: How many things a page holds at most, as a route asks for it.
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
#: Where a page begins.
Cursor = Annotated[str, Query(max_length=200, description="The `next` of the page before.")]
_BAD = "This cursor is none of ours; begin without one."


class Page(BaseModel, Generic[Item]):
    """Some of a listing's items, and where it goes on."""

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


def cut(found: Sequence[Key], limit: int, place: Callable[[Key], object]) -> tuple[Sequence[Key], str | None]:
    """Return the first `limit` of one more than that, and the cursor that goes on after them."""
    if len(found) <= limit:
        return found, None
    return found[:limit], urlsafe_b64encode(str(place(found[limit - 1])).encode()).decode().rstrip("=")


def after(cursor: str) -> str:
    """Return the place that a cursor names, empty for the beginning."""
    try:
        place = b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (Error, ValueError) as error:
        raise Refusal(400, _BAD) from error
    if not place.isprintable() or bool(place) != bool(cursor):
        raise Refusal(400, _BAD)
    return place


def number(cursor: str) -> int:
    """Return the number that a cursor names, 0 for the beginning."""
    place = after(cursor) or "0"
    if not place.isascii() or not place.isdigit() or len(place) > 9:
        raise Refusal(400, _BAD)
    return int(place)
