"""The rendering as a value: what a reader's copy is made of, and where its links lead."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.settings import Settings
from subscribers import tokens
from subscribers.tokens import Keyring, Purpose


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """An issue as every reader gets it, with markers where a reader's own values go."""

    subject: str
    preheader: str
    html: str
    text: str
    theme: str

    def sha256(self, manifest: Sequence[dict[str, Any]]) -> str:
        """Return the hash of every word, and of the list of the texts that it was made from."""
        words = [self.theme, self.subject, self.preheader, self.html, self.text, list(manifest)]
        return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Links:
    """Where an issue's links lead that are the same for every reader."""

    online: str
    briefing: Callable[[str], str]
    standards: str


def links(settings: Settings, issue_id: int, *, keyring: Keyring) -> Links:
    """Return the links of an issue on the publication's pages."""
    settings.require("publication.public_url", "an issue's links")
    token = tokens.sign(keyring, Purpose.ISSUE, issue_id)
    url = settings.publication.url
    return Links(f"{url}/i/{token}", lambda briefing: story(settings, briefing), f"{url}/standards")


def story(settings: Settings, briefing: str) -> str:
    """Return the address of a briefing's own page."""
    return f"{settings.publication.url}/briefings/{briefing}"
