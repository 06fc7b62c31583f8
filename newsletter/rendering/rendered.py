"""The rendering as a value: what a reader's copy is made of, and where its links lead."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr
from html import escape
from typing import Any

from newsletter.issues.traits import Traits
from newsletter.rendering import slots
from newsletter.rendering.personal import NOTHING, Decision, Personal
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings
from subscribers import tokens
from subscribers.tokens import Keyring, Purpose


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """An issue as its readers get it, with marks where copies differ, and with what the marks mean."""

    subject: str
    preheader: str
    html: str
    text: str
    theme: str
    personal: Personal = NOTHING
    alternatives: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return the subject and its alternatives, numbered from 0 as deliveries are."""
        return (self.subject, *self.alternatives)

    def sha256(self, manifest: Sequence[dict[str, Any]]) -> str:
        """Return the hash of every word, of what differs by reader, and of the texts that it was made from."""
        words: list[Any] = [self.theme, self.subject, self.preheader, self.html, self.text, list(manifest)]
        if differs := self.personal.as_json():
            words.append(differs)
        if self.alternatives:
            words.append(list(self.alternatives))
        return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def whole(self) -> "Rendered":
        """Return it with every part, for nobody in particular; the markers of the slots stay."""
        return self._as(self.personal.whole, {slot: slot.marker for slot in Slot})

    def public(self, values: Mapping[Slot, str]) -> "Rendered":
        """Return it for whoever comes by: every item, and no part that is for some readers only."""
        return self._as(self.personal.public, values)

    def own(self, values: Mapping[Slot, str], traits: Traits) -> "Rendered":
        """Return the copy of one reader."""
        return self._as(self.personal.decide(traits), values)

    def _as(self, decision: Decision, values: Mapping[Slot, str]) -> "Rendered":
        shown = slots.names(values, decision.values)
        return replace(
            self,
            subject=slots.fill(self.subject, shown, decision.holds),
            alternatives=tuple(slots.fill(each, shown, decision.holds) for each in self.alternatives),
            preheader=slots.fill(self.preheader, shown, decision.holds),
            html=slots.fill(self.html, shown, decision.holds, escape),
            text=slots.fill(self.text, shown, decision.holds),
            personal=NOTHING,
        )


@dataclass(frozen=True)
class Links:
    """Where an issue's links lead that are the same for every reader; `feedback` is an address of mail, or empty."""

    online: str
    briefing: Callable[[str], str]
    standards: str
    feedback: str = ""


def links(settings: Settings, issue_id: int, *, keyring: Keyring) -> Links:
    """Return the links of an issue on the publication's pages."""
    settings.require("publication.public_url", "an issue's links")
    token = tokens.sign(keyring, Purpose.ISSUE, issue_id)
    url = settings.publication.url
    _, feedback = parseaddr(settings.sender.reply_to or settings.sender.from_)
    online = f"{url}/i/{token}"
    # Where only readers may see an issue, its briefings are read inside it: their own pages are closed.
    place = online if settings.archive.visibility == "subscribers" else f"{url}/briefings"
    return Links(online, lambda briefing: f"{place}/{briefing}", f"{url}/standards", feedback)


def story(settings: Settings, briefing: str) -> str:
    """Return the address of a briefing's own page."""
    return f"{settings.publication.url}/briefings/{briefing}"
