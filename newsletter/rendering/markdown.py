"""The desk's Markdown: as HTML that a mail can carry, and as text that reads well without it."""

import re
import textwrap
from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

from newsletter.rendering.slots import strip_controls
from newsletter.rendering.wrapping import WIDTH, columns, fold

#: Writes a link into plain text: from its words, empty where it has none of its own, and its address.
Refer = Callable[[str, str], str]

# The end of a sentence in the scripts of the world; a dot ends one only before a space and what may begin the next.
_END = re.compile(r"[!?…]+[\"'”’»)]*(?=\s|$)|\.[\"'”’»)]*(?=\s+[^\sa-z]|$)|[。！？।؟۔]+[」』”]*")
_TAGS = {"p", "a", "em", "strong", "ul", "ol", "li", "blockquote", "br", "code"}
_PARSER = MarkdownIt("commonmark", {"html": False})
# Links of every kind come through the parser; nh3 takes the dangerous ones out, and the checks name what is left.
_PARSER.validateLink = lambda url: True  # type: ignore[method-assign]


@lru_cache(maxsize=4096)
def html(text: str) -> Markup:
    """Return the Markdown's blocks as well-formed markup of a few allowed tags."""
    return _clean(_PARSER.render(strip_controls(text)))


@lru_cache(maxsize=4096)
def inline(text: str) -> Markup:
    """Return the Markdown of one line as well-formed markup, without a paragraph around it."""
    return _clean(_PARSER.renderInline(" ".join(strip_controls(text).split())))


def _clean(markup: str) -> Markup:
    schemes = {"http", "https", "mailto"}
    kept = nh3.clean(markup, tags=_TAGS, attributes={"a": {"href"}}, url_schemes=schemes, link_rel=None)
    # What nh3 writes is HTML; the MJML around it is XML, which closes every tag and knows no `nbsp`.
    return Markup(kept.replace("<br>", "<br />").replace("&nbsp;", "&#160;").strip())


def text(source: str, first: str = "", rest: str = "", refer: Refer | None = None) -> str:
    """Return the Markdown as plain text, wrapped; `first` and `rest` stand before its first and other lines.

    A link is its words with what `refer` makes of its address, else with the address itself.
    """
    lines = _blocks(_tree(strip_controls(source)), WIDTH - columns(rest), refer or _whole)
    return first + textwrap.indent(lines, rest).removeprefix(rest)


def addresses(source: str) -> set[str]:
    """Return every address that the Markdown links to."""
    return {_address(node) for node in _tree(strip_controls(source)).walk() if node.type == "link"}


def sentence(source: str, most: int = 200) -> str:
    """Return the first sentence of the Markdown as words without links, cut after a word where it is long."""
    blocks = _tree(strip_controls(source)).children
    said = " ".join(_inline(blocks[0], lambda words, url: words).split()) if blocks else ""
    end = _END.search(said)
    said = said[: end.end()] if end else said
    if len(said) <= most:
        return said
    cut = said[:most].rpartition(" ")[0] or said[:most]
    return cut.rstrip(" ,;:–—-") + "…"


def sentences(points: Iterable[str]) -> str:
    """Return points as one paragraph of Markdown, each ended by the full stop of its script where it has no end."""
    return " ".join(_ended(" ".join(point.split())) for point in points)


def _ended(point: str) -> str:
    last = point.rstrip("*_`\"'”’»)）」』")[-1:]
    if not last or last in ".!?…:;。！？।؟۔":
        return point
    return point + ("。" if columns(last) == 2 else "।" if "\u0900" <= last <= "\u097f" else ".")


@lru_cache(maxsize=4096)
def _tree(source: str) -> SyntaxTreeNode:
    return SyntaxTreeNode(_PARSER.parse(source))


def _block(node: SyntaxTreeNode, width: int, refer: Refer) -> str:
    """Return a block of the text, wrapped to the width."""
    match node.type:
        case "bullet_list" | "ordered_list":
            return _list(node, width, refer)
        case "blockquote":
            return textwrap.indent(_blocks(node, width - 2, refer), "> ", lambda line: True)
        case "fence" | "code_block":
            return textwrap.indent(node.content.rstrip("\n"), "    ")
        case "hr":
            return "* * *"
    return "\n".join(line for part in _inline(node, refer).split("\n") for line in fold(part, width=width))


def _blocks(node: SyntaxTreeNode, width: int, refer: Refer) -> str:
    tight = node.type == "list_item"
    return ("\n" if tight else "\n\n").join(_block(child, width, refer) for child in node.children)


def _list(node: SyntaxTreeNode, width: int, refer: Refer) -> str:
    start = int(str(node.attrs.get("start", 1)))
    items = []
    for number, child in enumerate(node.children, start=start):
        mark = "- " if node.type == "bullet_list" else f"{number}. "
        block = textwrap.indent(_blocks(child, width - len(mark), refer), " " * len(mark))
        items.append(mark + block[len(mark) :])
    return "\n".join(items)


def _inline(node: SyntaxTreeNode, refer: Refer) -> str:
    """Return the words of a block in one piece; a line break in it is one that the writer asked for."""
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "image":
            return node.content
        case "link":
            return _link("".join(_inline(child, refer) for child in node.children), node, refer)
    return "".join(_inline(child, refer) for child in node.children)


def _address(node: SyntaxTreeNode) -> str:
    return str(node.attrs.get("href", "")).removeprefix("mailto:")


def _link(words: str, node: SyntaxTreeNode, refer: Refer) -> str:
    """Return a link's words with its address, which stands alone where it has no words of its own."""
    url = _address(node)
    if urlsplit(str(node.attrs.get("href", ""))).scheme not in ("http", "https", "mailto"):
        return words or url
    return refer("" if words in ("", url) else words, url)


def _whole(words: str, url: str) -> str:
    return f"{words} ({url})" if words else url
