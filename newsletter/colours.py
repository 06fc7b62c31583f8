"""Colours as #rrggbb, and the arithmetic of reading: contrast as WCAG 2.2 defines it (1.4.3 and its glossary)."""

import colorsys
from collections.abc import Iterable

#: The least contrast of a text with what lies behind it, and of large text (WCAG 2.2, 1.4.3).
TEXT, LARGE = 4.5, 3.0
_STEPS = 400


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours: 1 for the same one, 21 for black on white."""
    dim, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def nearest(colour: str, partners: Iterable[tuple[str, float]]) -> str:
    """Return the colour of the same hue, as near in lightness as can be, that stands out from each partner enough.

    A partner is a colour with the contrast that is needed; empty where no lightness of this hue would do.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    wanted = list(partners)
    for step in sorted(range(_STEPS + 1), key=lambda step: abs(step / _STEPS - lightness)):
        tried = _hex(colorsys.hls_to_rgb(hue, step / _STEPS, saturation))
        if all(contrast(tried, partner) >= least for partner, least in wanted):
            return tried
    return ""


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _hex(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
