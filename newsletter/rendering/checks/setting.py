"""Rules about how text is set: contrast, size, and what a finger can hit. No browser: see rendering/ink.py."""

import re
from collections.abc import Iterator
from typing import Any

from newsletter.colours import LARGE, TEXT, nearest
from newsletter.rendering import css
from newsletter.rendering.checks.rule import BLOCK, WARN, Fault, Rule
from newsletter.rendering.proof import SCHEMES, Proof

SMALLEST = 14
FINGER = 44  # WCAG 2.2, 2.5.5, and Apple's guidelines


def _contrast(sheet: Proof) -> Iterator[Fault]:
    for scheme in SCHEMES:
        told: set[tuple[str, str]] = set()
        for each in sheet.inks(scheme):
            least = LARGE if each.ink.large else TEXT
            if each.ink.contrast >= least or each.ink.pair in told:
                continue
            told.add(each.ink.pair)
            ink, ground = each.ink.pair
            better = nearest(ink, [(ground, least)])
            yield (
                sheet.line(each.element),
                f"{ink} on {ground} has a contrast of {each.ink.contrast:.1f} in {scheme} mode, less than {least}"
                f"{f', which {better} would have' if better else ''}: {each.text[:60]!r}",
            )


def _font(sheet: Proof) -> Iterator[Fault]:
    small: dict[float, list[Any]] = {}
    for each in sheet.inks("light"):
        if each.ink.size < SMALLEST:
            small.setdefault(each.ink.size, []).append(each)
    for size, found in sorted(small.items()):
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield sheet.line(found[0].element), f"{size:g} pixels, less than {SMALLEST}: {found[0].text[:60]!r}{more}"


def _button(sheet: Proof) -> Iterator[Fault]:
    for link in sheet.all("a"):
        height = _height({each.name: each.value for each in css.declarations(link.get("style") or "")})
        if height is not None and height < FINGER:
            yield sheet.line(link), f"the button {link.text_content().strip()[:60]!r} is {height:g} pixels high"


def _height(style: dict[str, str]) -> float | None:
    """Return how high a link is that is set as a button, None where it is none, or where its sheet leaves it open."""
    if style.get("display") not in ("inline-block", "block") or "padding" not in style:
        return None
    padding = [_pixels(part) for part in style["padding"].split()]
    line = _pixels(style.get("line-height", ""))
    size = _pixels(style.get("font-size", "")) or 16.0
    if not padding or any(part is None for part in padding):
        return None
    factor = re.fullmatch(r"\d+\.?\d*|\.\d+", style.get("line-height", ""))
    line = size * float(factor[0]) if factor else line if line is not None else size * 1.2
    above, below = padding[0] or 0, padding[2 if len(padding) > 2 else 0] or 0
    return line + above + below


def _pixels(text: str) -> float | None:
    number = re.fullmatch(r"(\d+\.?\d*|\.\d+)(?:px)?", text)
    return float(number[1]) if number else None


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.contrast", BLOCK, _contrast,
         f"text with a contrast of less than {TEXT} ({LARGE} where it is large), in light or dark mode",
         "readers cannot make it out (WCAG 1.4.3)", "choose a darker or a lighter colour in the theme, for both modes"),
    Rule("email.font", WARN, _font, f"text smaller than {SMALLEST} pixels", "phones show it too small to read",
         "set it larger in the theme"),
    Rule("email.button", WARN, _button, f"a button less than {FINGER} pixels high",
         "a finger misses it (WCAG 2.5.5)", "give it more padding, or a higher line"),
)  # fmt: skip
