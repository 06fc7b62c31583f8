"""The letter that lets a person of the desk in: sent at once and once, for the link in it is good for minutes."""

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from newsletter import db
from newsletter.delivery import letters as post
from newsletter.delivery.replies import Kind
from newsletter.editorial import logins
from newsletter.errors import NewsletterError
from newsletter.rendering import letters
from newsletter.settings import Settings

_log = logging.getLogger(__name__)


def send(engine: Engine, settings: Settings, address: str, *, clock: Callable[[], datetime]) -> bool:
    """Mail a link to who works here under an address; return whether a relay took it. The log never has the address."""
    now = clock()
    with db.transaction(engine) as session:
        asked = logins.ask(session, address, now=now)
    if asked is None:
        return False
    handle = asked.person.handle
    try:
        public = settings.require("publication.public_url", "a link to the desk").rstrip("/")
        link = f"{public}/desk/login/{asked.token}"
        letter = letters.login(settings, person=asked.person.name, link=link, until=asked.expires_at)
        _, envelope = post.assemble(settings, letter, to=asked.person.email, now=now)
        outcome = post.send(settings, envelope)
    except NewsletterError as error:
        _log.error("the link that lets %s in was not mailed: %s", handle, error)
        return False
    if outcome.kind is not Kind.SENT:
        _log.error("the link that lets %s in was not mailed: %s %s", handle, outcome.kind, outcome.code)
    return outcome.kind is Kind.SENT
