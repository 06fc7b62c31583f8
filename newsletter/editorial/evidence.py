"""What a text is held against beside itself, as values: the moment, the sources' words, what was sent before."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.editorial.claims import Unsupported
from newsletter.editorial.overlap import Overlap
from newsletter.editorial.sources import Held
from newsletter.rights import Right


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A briefing that readers have, and what it has in common with the text: a source's address, or its words."""

    briefing: str
    at: datetime
    url: str = ""
    cosine: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A source that reads otherwise than when the text was approved; `corrected` when it says that it was wrong.

    `gone` when it is there no more, `unseen` when nobody could look; `told` says more where there is more to say.
    """

    source: int
    name: str
    corrected: bool
    gone: bool = False
    unseen: bool = False
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the rules may look at beside the text.

    `rights` is the desk's table of them. `overlap` and `unsupported` are None where nobody looked for the sources'
    words, or none are held; a text can then be held only against the rules that need nothing but itself.
    """

    now: datetime
    sources: tuple[Held, ...] = ()
    overlap: Overlap | None = None
    unsupported: Unsupported | None = None
    sent: tuple[Sent, ...] = ()
    drift: tuple[Drift, ...] = ()
    rights: tuple[Right, ...] = ()
