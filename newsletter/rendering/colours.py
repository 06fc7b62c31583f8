"""Colours as style sheets write them, read as numbers and laid over each other."""

import colorsys
import re
from functools import lru_cache
from typing import NamedTuple


class Colour(NamedTuple):
    """Red, green and blue from 0 to 255, and how much it covers what lies behind it, from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, ground: "Colour") -> "Colour":
        """Return what is seen where this colour lies over an opaque one."""
        if self.alpha in (0, 1):
            return self if self.alpha else ground
        mixed = (mine * self.alpha + its * (1 - self.alpha) for mine, its in zip(self[:3], ground[:3], strict=True))
        return Colour(*mixed)

    @property
    def hex(self) -> str:
        """Return the colour as it is written in a sheet."""
        return "#" + "".join(f"{round(part):02x}" for part in self[:3])


WHITE, BLACK = Colour(255, 255, 255), Colour(0, 0, 0)
CLEAR = Colour(0, 0, 0, 0)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)%?")


@lru_cache(maxsize=1024)
def read(text: str) -> Colour | None:
    """Return the colour that a value of CSS, or an attribute such as bgcolor, names; None where it names none."""
    text = text.strip().lower()
    if text == "transparent":
        return CLEAR
    if text.startswith("#"):
        return _hex(text[1:])
    function = re.match(r"(rgb|hsl)a?\(", text)
    if function:
        return _function(function[1], text)
    from cssutils.css.colors import COLORS  # and all of cssutils with them, which most commands need not load

    named = COLORS.get(text)
    return Colour(*named[:3]) if named else None


def _hex(digits: str) -> Colour | None:
    if not re.fullmatch(r"[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", digits):
        return None
    pairs = [digit * 2 for digit in digits] if len(digits) < 5 else re.findall("..", digits)
    red, green, blue, *alpha = (int(pair, 16) for pair in pairs)
    return Colour(red, green, blue, alpha[0] / 255 if alpha else 1.0)


def _function(name: str, text: str) -> Colour | None:
    parts = _NUMBER.findall(text.partition("(")[2])
    if len(parts) not in (3, 4):
        return None
    alpha = _share(parts[3], 1) if len(parts) == 4 else 1.0
    if name == "rgb":
        red, green, blue = (min(max(_share(part, 255), 0), 255) for part in parts[:3])
    else:
        hue, saturation, lightness = float(parts[0].rstrip("%")), _share(parts[1], 1), _share(parts[2], 1)
        red, green, blue = (part * 255 for part in colorsys.hls_to_rgb(hue / 360 % 1, lightness, saturation))
    return Colour(red, green, blue, alpha)


def _share(part: str, full: float) -> float:
    return float(part[:-1]) / 100 * full if part.endswith("%") else float(part)
