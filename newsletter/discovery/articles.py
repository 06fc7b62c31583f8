"""Articles: what a page says, told apart from what stands around it, so that two looks at it can be compared.

`read` runs in a child process (`parsing`), as documents of the world can make a parser run for ever.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from lxml import html
from lxml.etree import ParserError

from newsletter.discovery import cleaning
from newsletter.errors import BadInput

#: Shorter stretches are captions and buttons; the most paragraphs and characters that are kept of a page.
PARAGRAPH, PARAGRAPHS, LONGEST = 40, 500, 200_000
_AROUND = ("script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "svg", "iframe")
_BLOCKS = ("p", "li", "blockquote", "pre", "td")
_CORRECTED = re.compile(r"\b(?:correct(?:ion|ions|ed)|retract(?:ion|ed))\b", re.IGNORECASE)
_PAID = re.compile(rb'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Article:
    """What a page says: its title, a hash of each paragraph, how often it speaks of a correction.

    `text` is its words where they were asked for; `paid` says that the page calls itself behind a paywall.
    """

    title: str = ""
    paragraphs: tuple[str, ...] = ()
    corrections: int = 0
    text: str = ""
    paid: bool = False

    @property
    def sha256(self) -> str:
        """Return the fingerprint of the title and the paragraphs."""
        return hashlib.sha256("\n".join((self.title, *self.paragraphs)).encode()).hexdigest()


def read(data: bytes, *, url: str, content_type: str = "", extract: bool = False) -> Article:
    """Return what a page says, with its words when `extract` asks for them; BadInput when it is no page."""
    charset = re.search(r"charset=[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    try:
        parser = html.HTMLParser(encoding=charset[1] if charset else None, no_network=True)
        tree: Any = html.document_fromstring(data, parser=parser)
    except (ParserError, ValueError, LookupError) as error:
        raise BadInput(f"{url}: the page cannot be read") from error
    title = _title(tree)
    for each in list(tree.iter(*_AROUND)):
        each.drop_tree()
    main = _main(tree)
    words = _paragraphs(main)
    return Article(
        title=title,
        paragraphs=tuple(hashlib.sha256(each.encode()).hexdigest()[:16] for each in words[:PARAGRAPHS]),
        corrections=len(_CORRECTED.findall(f"{title} {main.text_content()}")),
        text=_text(data, url) if extract else "",
        paid=bool(_PAID.search(data)),
    )


def _title(tree: Any) -> str:
    named = [*tree.xpath("//meta[@property='og:title']/@content"), *(h.text_content() for h in tree.iter("h1"))]
    named += [each.text_content() for each in tree.iter("title")]
    return next((line for each in named if (line := cleaning.plain(each, limit=500))), "")


def _main(tree: Any) -> Any:
    """Return the part of a page that is the article: the longest that says so, else all of it."""
    said = [*tree.iter("article"), *tree.iter("main")]
    longest = max(said, key=lambda each: len(each.text_content()), default=None)
    body = tree.find("body")
    return longest if longest is not None else tree if body is None else body


def _paragraphs(main: Any) -> list[str]:
    lines = (" ".join(each.text_content().split()) for each in main.iter(*_BLOCKS))
    found = list(dict.fromkeys(line for line in lines if len(line) >= PARAGRAPH))
    whole = " ".join(main.text_content().split())
    return found or ([whole] if whole else [])


def _text(data: bytes, url: str) -> str:
    import trafilatura  # an extra; who asks for words has seen that it is there

    found = trafilatura.extract(data, url=url, include_comments=False, include_tables=False)
    return (found or "")[:LONGEST]


def dump(article: Article) -> bytes:
    """Return an article as bytes that `load` reads."""
    return json.dumps(vars(article)).encode()


def load(data: bytes) -> Article:
    """Return the article that `dump` wrote."""
    made = json.loads(data)
    return Article(**{**made, "paragraphs": tuple(made["paragraphs"])})
