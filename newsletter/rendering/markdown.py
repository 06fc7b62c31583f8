"""The desk's Markdown: as HTML that a mail can carry, and as text that reads well without it."""

import textwrap
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

from newsletter.rendering.slots import strip_controls

#: How long a line of plain text may be, unless a link is longer.
WIDTH = 72
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


@lru_cache(maxsize=4096)
def text(source: str, first: str = "", rest: str = "") -> str:
    """Return the Markdown as plain text, wrapped; `first` and `rest` stand before its first and other lines."""
    lines = _blocks(SyntaxTreeNode(_PARSER.parse(strip_controls(source))), WIDTH - len(rest))
    return first + textwrap.indent(lines, rest).removeprefix(rest)


def wrap(text: str, first: str = "", rest: str = "") -> str:
    """Return one paragraph of plain text in lines of at most 72 characters; a longer word (a link) stays whole."""
    return "\n".join(_fold(text, WIDTH, first, rest))


def _fold(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _block(node: SyntaxTreeNode, width: int) -> str:
    """Return a block of the text, wrapped to the width."""
    match node.type:
        case "bullet_list" | "ordered_list":
            return _list(node, width)
        case "blockquote":
            return textwrap.indent(_blocks(node, width - 2), "> ", lambda line: True)
        case "fence" | "code_block":
            return textwrap.indent(node.content.rstrip("\n"), "    ")
        case "hr":
            return "* * *"
    return "\n".join(line for part in _inline(node).split("\n") for line in _fold(part, width))


def _blocks(node: SyntaxTreeNode, width: int) -> str:
    tight = node.type == "list_item"
    return ("\n" if tight else "\n\n").join(_block(child, width) for child in node.children)


def _list(node: SyntaxTreeNode, width: int) -> str:
    start = int(str(node.attrs.get("start", 1)))
    items = []
    for number, child in enumerate(node.children, start=start):
        mark = "- " if node.type == "bullet_list" else f"{number}. "
        block = textwrap.indent(_blocks(child, width - len(mark)), " " * len(mark))
        items.append(mark + block[len(mark) :])
    return "\n".join(items)


def _inline(node: SyntaxTreeNode) -> str:
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
            return _link("".join(map(_inline, node.children)), str(node.attrs.get("href", "")))
    return "".join(map(_inline, node.children))


def _link(words: str, url: str) -> str:
    if not words or words == url or f"mailto:{words}" == url:
        return words or url
    return f"{words} ({url.removeprefix('mailto:')})"
