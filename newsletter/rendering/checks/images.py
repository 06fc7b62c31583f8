"""Rules about images, which many readers do not see."""

import re
from collections.abc import Iterator

from newsletter.rendering.checks.rule import BLOCK, WARN, Fault, Rule
from newsletter.rendering.proof import Proof

_FORMAT = re.compile(r"\.(webp|avif|svg|tiff?|heic)$|^data:image/(webp|avif|svg)", re.IGNORECASE)
WORDS = 500  # an issue with images and fewer characters than this is an image with a caption to a filter


def _alt(sheet: Proof) -> Iterator[Fault]:
    for image in sheet.all("img"):
        if image.get("alt") is None:
            yield sheet.line(image), f"the image {image.get('src')} has no alt"


def _width(sheet: Proof) -> Iterator[Fault]:
    for image in sheet.all("img"):
        if not re.fullmatch(r"\d+(px|%)?", (image.get("width") or "").strip()):
            yield sheet.line(image), f"the image {image.get('src')} has no width"


def _format(sheet: Proof) -> Iterator[Fault]:
    for image in sheet.all("img"):
        source = (image.get("src") or "").strip()
        found = _FORMAT.search(source if source.startswith("data:") else re.split("[?#]", source)[0])
        if found:
            yield sheet.line(image), f"{source[:120]} is {(found[1] or found[2]).upper()}"


def _alone(sheet: Proof) -> Iterator[Fault]:
    if len(sheet.visible) < WORDS and next(sheet.all("img"), None) is not None:
        yield "html", f"{len(sheet.visible)} characters of text beside images"


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.alt", BLOCK, _alt, "an image without alt", "readers who see no images get nothing in its place",
         'give the image an alt; alt="" when it only adorns'),
    Rule("email.image_width", WARN, _width, "an image without a width",
         "Outlook shows it as large as the file is", "write its width in pixels as an attribute"),
    Rule("email.image_format", WARN, _format, "an image as WebP, AVIF, SVG, TIFF or HEIC",
         "Outlook or Gmail shows nothing in its place", "save it as PNG or JPEG"),
    Rule("email.image_only", WARN, _alone, f"images with fewer than {WORDS} characters of text",
         "filters take it for spam, and who sees no images sees nothing", "say it in words"),
)  # fmt: skip
