"""What a reader sends: the fields of a form, and where the word came from."""

import ipaddress
from typing import Annotated

from fastapi import Depends, Request

from newsletter.feedback.leaving import Word
from newsletter.web.site import Here

Fields = dict[str, list[str]]


async def _fields(request: Request) -> Fields:
    async with request.form() as form:
        return {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form}


#: The fields of an urlencoded or multipart body, as a route asks for them; any other body has none.
Sent = Annotated[Fields, Depends(_fields)]


def one(sent: Fields, name: str) -> str:
    """Return what a form says in the field; empty where it has none, or says several things."""
    found = sent.get(name, [])
    return found[0].strip() if len(found) == 1 else ""


def network(ip: str) -> str:
    """Return the network that an address is in, as providers give them out: whole /64s, where they can."""
    try:
        return str(ipaddress.ip_network(f"{ip}/{64 if ':' in ip else 24}", strict=False))
    except ValueError:
        return ip


def word(request: Request, site: Here) -> Word:
    """Return who spoke and when, for the consent row; the method is the page's own."""
    agent = request.headers.get("user-agent", "")
    return {
        "method": "page",
        "now": site.clock(),
        "ip": request.client.host[:45] if request.client else "",
        "user_agent": "".join(mark for mark in agent if mark.isprintable())[:400],
    }


#: How and from where the reader spoke, as a route asks for it.
Spoken = Annotated[Word, Depends(word)]
