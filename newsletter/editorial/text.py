"""Text as the desk compares, counts and refuses it."""

import re
import unicodedata

#: What matches one character of Chinese, Japanese or Korean writing that stands for itself.
CJK = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"

# C0 and C1 controls but tab and line feed, the line separators that only some programs see, a BOM inside a text,
# lone surrogates and the two noncharacters: none of them can be seen by the person who approves.
_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
_BLANKS = re.compile(r"[ \t]+$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_MARKS = re.compile(r"^[ \t]*(?:>[ \t]?|[-*+][ \t]+|\d{1,9}[.)][ \t]+)+|[*`]|(?<!\w)_|_(?!\w)", re.MULTILINE)
#: Finds out quickly whether a text has any of the marks: most have none.
_MARKED = re.compile(r"[*`_]|^[ \t]*[->+\d]", re.MULTILINE)
_CJK = re.compile(CJK)
_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|\n\s*\n|[。！？]")

#: A CJK reader takes 500 characters in the time of 238 words.
CJK_PER_WORD = 500 / 238


def normal(text: str) -> str:
    """Return the text in one spelling: NFC, LF line ends, no blanks at the end of a line."""
    return _BLANKS.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n")))


def refused(text: str) -> tuple[int, str] | None:
    """Return the line and the code point of the first character that no briefing may hold."""
    found = _REFUSED.search(text)
    return (text.count("\n", 0, found.start()) + 1, f"U+{ord(found[0]):04X}") if found else None


def plain(markdown: str) -> str:
    """Return the words of a Markdown text, without marks and link targets."""
    bare = _LINK.sub(r"\1", markdown) if "[" in markdown else markdown
    return _MARKS.sub("", bare) if _MARKED.search(bare) else bare


def words(markdown: str) -> list[str]:
    """Return the words of a Markdown text in small letters, each CJK character as one."""
    found: list[str] = _WORD.findall(plain(markdown).casefold())
    if not _CJK.search(markdown):
        return found
    return [part for word in found for part in (_CJK.findall(word) if _CJK.search(word) else [word])]


def length(markdown: str) -> int:
    """Return how many words long a text is to its reader."""
    found = words(markdown)
    signs = sum(1 for word in found if _CJK.match(word))
    return len(found) - signs + round(signs / CJK_PER_WORD)


def sentences(markdown: str) -> list[str]:
    """Return the sentences of a Markdown text."""
    return [part.strip() for part in _SENTENCE.split(plain(markdown)) if part and part.strip()]
