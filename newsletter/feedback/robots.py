"""Robots: the rules by which a click is a person's, a machine's, or nobody can say. The first that holds decides."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from newsletter.feedback.models import ClickBy
from newsletter.tracking import Tracking

#: So many different links of a copy within this time are more than a person follows.
MANY, AT_ONCE = 3, timedelta(seconds=2)
#: How near to a machine's visit to a copy a click is doubtful.
NEAR = timedelta(minutes=1)
#: How soon after a copy was delivered a click is doubtful.
SOON = 60.0
# Names of scanners, and of libraries that programs are written with. Browsers of people begin with "Mozilla/".
_PROGRAM = re.compile(
    r"(?<!cu)bot\b|crawl|spider|scanner|scanning|preview|headless|phantomjs|monitor|python|curl/|wget|go-http|okhttp|"
    r"java/|libwww|axios|node-fetch|undici|ruby|guzzle|http-?client|safelinks|barracuda|proofpoint|mimecast|ironport|"
    r"trendmicro|symantec|fireeye|trellix|zscaler|forcepoint|fortiguard|cloudmark|urldefense|imageproxy|mailproxy|"
    r"facebookexternalhit|whatsapp",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What is known of one click, and forgotten once it is judged.

    `age` is how many seconds the copy has been delivered, None where that is not recorded. `links` is how many of the
    copy's links were followed at once, with this one.
    """

    canary: bool = False
    agent: str = ""
    network: bool = False
    ahead: bool = False
    headed: bool = False
    caught: bool = False
    near: bool = False
    links: int = 1
    age: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Whose click it is where the rule holds, and why, in words."""

    by: ClickBy
    why: str
    holds: Callable[[Signs, Tracking], bool]


def _named(signs: Signs, tracking: Tracking) -> bool:
    agent = signs.agent.lower()
    return bool(_PROGRAM.search(agent)) or any(each.strip().lower() in agent for each in tracking.agents)


def _rule(by: ClickBy, why: str, holds: Callable[[Signs, Tracking], bool]) -> Rule:
    return Rule(by=by, why=why, holds=holds)


CANARY = "it followed the link that no person sees"
BURST = f"{MANY} links or more were followed within {AT_ONCE.seconds} seconds"
RULES = (
    _rule(ClickBy.MACHINE, CANARY, lambda signs, _: signs.canary),
    _rule(ClickBy.MACHINE, "it gave no name", lambda signs, _: not signs.agent.strip()),
    _rule(ClickBy.MACHINE, "it gave the name of a program", _named),
    _rule(ClickBy.MACHINE, "it came from a network that scans mail", lambda signs, _: signs.network),
    _rule(ClickBy.MACHINE, "a browser fetched it ahead", lambda signs, _: signs.ahead),
    _rule(ClickBy.MACHINE, "it looked at the link by HEAD before", lambda signs, _: signs.headed),
    _rule(ClickBy.MACHINE, "its visitor followed a link that no person sees", lambda signs, _: signs.caught),
    _rule(ClickBy.MACHINE, BURST, lambda signs, _: signs.links >= MANY),
    _rule(ClickBy.MACHINE, "it came within seconds of the delivery",
          lambda signs, tracking: signs.age is not None and signs.age < tracking.seconds),
    _rule(ClickBy.UNKNOWN, "the delivery was not recorded yet", lambda signs, _: signs.age is None),
    _rule(ClickBy.UNKNOWN, "it came within a minute of the delivery", lambda signs, _: (signs.age or 0) < SOON),
    _rule(ClickBy.UNKNOWN, "a machine visited the copy within a minute", lambda signs, _: signs.near),
    _rule(ClickBy.UNKNOWN, "it gave no browser's name", lambda signs, _: not signs.agent.startswith("Mozilla/")),
    _rule(ClickBy.HUMAN, "nothing speaks against a person", lambda *_: True),
)  # fmt: skip


def judge(signs: Signs, tracking: Tracking) -> Rule:
    """Return the rule that says whose click it is."""
    return next(rule for rule in RULES if rule.holds(signs, tracking))
