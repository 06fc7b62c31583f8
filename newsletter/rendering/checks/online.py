"""Rules that need others to answer: the links of an issue, its images, and spamd. Asked only when somebody wants it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.rendering.checks.rule import WARN, Fault, Rule
from newsletter.rendering.fetching import Answer
from newsletter.rendering.proof import Proof
from newsletter.rendering.spam import Report

HEAVY = 1_000_000
SCORE = 2.0


@dataclass(frozen=True)
class Online:
    """A rendering with what its addresses answered."""

    sheet: Proof
    answers: Mapping[str, Answer]


def addresses(sheet: Proof) -> list[str]:
    """Return the addresses to ask: each link and image of the HTML that leads to the web, once.

    The publication's own are left out: its pages about an issue are there only once the issue is sent.
    """
    own = sheet.settings.publication.url
    found = [_target(each) for each in sheet.all("a", "img")]
    return list(dict.fromkeys(url for url in found if re.match("https?://", url, re.I) and not url.startswith(own)))


def _target(element: Any) -> str:
    return (element.get("src" if element.tag == "img" else "href") or "").strip()


def _dead(online: Online) -> Iterator[Fault]:
    told = set()
    for element in online.sheet.all("a", "img"):
        url = _target(element)
        answer = online.answers.get(url)
        if answer and answer.dead and url not in told:
            told.add(url)
            after = f" after {len(answer.redirects)} redirect(s)" if answer.redirects else ""
            yield online.sheet.place(element), f"{url}: {answer.trouble or f'it answers {answer.status}'}{after}"


def _heavy(online: Online) -> Iterator[Fault]:
    for image in online.sheet.all("img"):
        answer = online.answers.get(_target(image))
        if answer and (answer.size or 0) > HEAVY:
            yield online.sheet.place(image), f"{answer.url} has {answer.size:,} bytes"


def _spam(report: Report) -> Iterator[Fault]:
    if report.trouble:
        yield "message", report.trouble
    elif report.score > SCORE:
        yield "message", f"SpamAssassin gives {report.score:g} of {report.threshold:g}: {', '.join(report.rules)}"


LINKS: tuple[Rule[Online], ...] = (
    Rule("email.dead", WARN, _dead, "with --links: a link or an image that does not answer",
         "readers would find nothing there", "correct the address, or take the link out"),
    Rule("email.image_weight", WARN, _heavy, f"with --links: an image of more than {HEAVY:,} bytes",
         "it costs readers time and money, and some programs do not load it", "save it smaller"),
)  # fmt: skip

SPAM: tuple[Rule[Report], ...] = (
    Rule("email.spam", WARN, _spam, f"with [check] spamd: a SpamAssassin score above {SCORE:g}",
         "other filters think alike", "look up the named rules, and mend what they found"),
)  # fmt: skip
