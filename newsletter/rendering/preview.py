"""An issue as a reader will see it, before anybody is sent to."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from newsletter.issues import contents, issues
from newsletter.issues.models import IssueState
from newsletter.rendering import press, slots
from newsletter.rendering.rendered import Rendered, links
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings
from subscribers import tokens
from subscribers.tokens import Keyring, Purpose

#: Stands where the reader's address will.
READER = "reader@example.com"


def current(session: Session, issue_id: int, settings: Settings, *, keyring: Keyring, now: datetime) -> Rendered:
    """Return the issue's rendering: the frozen one, or while it is assembled what it would be now."""
    if issues.get(session, issue_id).state is not IssueState.ASSEMBLING:
        return press.load(session, issue_id)
    content = contents.read(session, issue_id, now=now)
    return press.render(content, settings, links(settings, issue_id, keyring=keyring), dated=now.date())


def filled(rendered: Rendered, settings: Settings, *, keyring: Keyring) -> Rendered:
    """Return the rendering with a made-up reader's values; its links answer as those of a test message do."""
    url = settings.publication.url
    values = {
        Slot.EMAIL: READER,
        Slot.LIST_TITLE: settings.publication.name,
        Slot.UNSUBSCRIBE_URL: f"{url}/u/{tokens.sign(keyring, Purpose.UNSUBSCRIBE, 0)}",
        Slot.PREFERENCES_URL: f"{url}/p/{tokens.sign(keyring, Purpose.PREFERENCES, 0)}",
    }
    whole = rendered.whole()
    html, text = slots.fill_html(whole.html, values), slots.fill_text(whole.text, values)
    return replace(whole, html=html, text=text)
