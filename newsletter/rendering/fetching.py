"""Asking whether the addresses of an issue answer, several hosts at once and each in turn; no page is read."""

import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from newsletter import fetching, hosts, network
from newsletter.fetching import Client, NoAnswer

AGENT = f"{fetching.AGENT} (link check)"
#: How many addresses are asked at a time, and how long, in seconds, one host is left alone after a question.
AT_ONCE, PAUSE = 8, 0.3


@dataclass(frozen=True)
class Answer:
    """What an address answered: the status after redirects, or in `trouble` why there is none."""

    url: str
    status: int = 0
    trouble: str = ""
    size: int | None = None
    redirects: tuple[str, ...] = ()

    @property
    def dead(self) -> bool:
        """Return whether a reader would find nothing there; a page that only turns programs away is none."""
        return bool(self.trouble) or (
            self.status >= 400 and self.status not in (401, 403, 405, 406, 429, 451, 503, 999)
        )


@dataclass(frozen=True)
class _Link:
    url: str


@dataclass
class Fetcher:
    """Asks addresses, on any port of the public internet, within `timeout` seconds each.

    `allowed` judges the IP addresses that a name stands for; only tests, whose servers stand on loopback, pass their
    own. `context` is how certificates are checked, `tell` is called with how many are done, and of how many.
    """

    timeout: float = 10.0
    allowed: Callable[[str], bool] = network.public
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    pause: float = PAUSE
    tell: Callable[[int, int | None], object] = field(default=lambda done, size: None, repr=False)

    def ask_all(self, urls: Iterable[str]) -> dict[str, Answer]:
        """Return the answer of each address."""
        links = [_Link(url) for url in dict.fromkeys(urls)]
        answers: dict[str, Answer] = {}
        with hosts.asking(links, lambda link: self.ask(link.url), workers=AT_ONCE, pause=self.pause) as brought:
            while len(answers) < len(links):
                answer = hosts.sound(brought.get())
                answers[answer.url] = answer
                self.tell(len(answers), len(links))
        return answers

    def ask(self, url: str) -> Answer:
        """Return what the address answers, after redirects."""
        client = Client(self.allowed, ports=None, wall=self.timeout, context=self.context, agent=AGENT)
        try:
            found = client.look(url)
        except NoAnswer as error:
            return Answer(url, trouble=str(error), redirects=error.redirects)
        size = found.headers.get("content-length", "")
        return Answer(url, found.status, size=int(size) if size.isdecimal() else None, redirects=found.redirects)
