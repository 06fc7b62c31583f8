"""Lines of plain text, measured as a screen shows them: wide characters count two, combining ones nothing."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

#: How long a line of plain text may be, unless a word (a link) is longer.
WIDTH = 72
# What must not begin a line, and what must not end one, in scripts that have no spaces to break at (JIS X 4051).
_CLOSING = frozenset("、。，．・：；？！）］｝」』】〉》〕〗”’…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ")
_OPENING = frozenset("（［｛「『【〈《〔〖“‘")
_JOINER, _EMOJI = "\u200d", "\ufe0f"
_WORD = re.compile(r"\S+")


def wrap(text: str, first: str = "", rest: str = "", width: int = WIDTH) -> str:
    """Return one paragraph in lines of at most so many columns; `first` and `rest` stand before its lines."""
    return "\n".join(fold(text, first, rest, width))


def fold(text: str, first: str = "", rest: str = "", width: int = WIDTH) -> list[str]:
    """Return the lines of one paragraph; none where it has no words."""
    lines: list[str] = []
    line, used = first, columns(first)
    begun = False
    for glue, atom in _atoms(text):
        size = columns(atom)
        if begun and used + len(glue) + size > width:
            lines.append(line)
            line, used, begun = rest, columns(rest), False
        line += glue + atom if begun else atom
        used += size + (len(glue) if begun else 0)
        begun = True
    return [*lines, line] if begun else lines


@lru_cache(maxsize=4096)
def columns(text: str) -> int:
    """Return how many columns of a screen the text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if _is_wide(cluster) else _takes(cluster[0]) for cluster in _clusters(text))


def bare(text: str) -> str:
    """Return the text without white space, to be looked for in a wrapped one: lines may break where there was none."""
    return "".join(text.split())


def _atoms(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a line may not be broken in, each with the space before it."""
    for word in _WORD.findall(text):
        if word.isascii() or not any(_is_wide(each) for each in _clusters(word)):
            yield " ", word
            continue
        glue = " "
        for atom in _between(word):
            yield glue, atom
            glue = ""


def _between(word: str) -> Iterator[str]:
    """Yield the parts of a word with wide characters: a line may be broken beside each of those."""
    held = ""
    for cluster in _clusters(word):
        together = not held or cluster in _CLOSING or held[-1] in _OPENING
        if not together and (_is_wide(cluster) or _is_wide(held[-1]) or held[-1] in _CLOSING):
            yield held
            held = ""
        held += cluster
    if held:
        yield held


def _clusters(text: str) -> Iterator[str]:
    """Yield characters with the marks that belong to them: accents, variation selectors, joined emoji, flags."""
    held = ""
    for mark in text:
        if held and (_takes(mark) == 0 or held[-1] == _JOINER or _is_modifier(mark) or _is_second_of_flag(held, mark)):
            held += mark
            continue
        if held:
            yield held
        held = mark
    if held:
        yield held


def _takes(mark: str) -> int:
    return 0 if unicodedata.category(mark) in ("Mn", "Me", "Cf") else 1


def _is_modifier(mark: str) -> bool:
    return "\U0001f3fb" <= mark <= "\U0001f3ff"


def _is_second_of_flag(held: str, mark: str) -> bool:
    return len(held) == 1 and all("\U0001f1e6" <= each <= "\U0001f1ff" for each in (held, mark))


def _is_wide(cluster: str) -> bool:
    return (
        _EMOJI in cluster
        or unicodedata.east_asian_width(cluster[0]) in ("W", "F")
        or "\U0001f1e6" <= cluster[0] <= "\U0001f1ff"
    )
