"""Rules about what mail programs cut off or drop for its size."""

from collections.abc import Iterator

from newsletter.rendering import proof
from newsletter.rendering.checks.rule import BLOCK, WARN, Fault, Rule
from newsletter.rendering.proof import Proof

CLIPPED = 102_000  # Gmail shows about this many bytes of HTML and cuts the rest off (measured between 100 and 105 KB)
NEAR_CLIPPED = 90_000
STYLE = 16_000  # Gmail drops style sheets that come to more than 16 KB


def _clipped(sheet: Proof) -> Iterator[Fault]:
    size = len(sheet.rendered.html.encode())
    if size > CLIPPED:
        yield "html", f"{size:,} bytes of HTML, more than {CLIPPED:,}"


def _near_clipped(sheet: Proof) -> Iterator[Fault]:
    size = len(sheet.rendered.html.encode())
    if NEAR_CLIPPED < size <= CLIPPED:
        yield "html", f"{size:,} bytes of HTML, near the {CLIPPED:,} at which mail is cut off"


def _style_size(sheet: Proof) -> Iterator[Fault]:
    size = sum(len((each.text or "").encode()) for each in sheet.all("style"))
    if size > STYLE:
        yield "html", f"{size:,} bytes of style sheets, more than {STYLE:,}"


def _style_nesting(sheet: Proof) -> Iterator[Fault]:
    for css in sheet.sheets:
        if proof.nested(css):
            yield "html", f"{proof.nested(css)} stands inside another rule of a style sheet"


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.clipped", BLOCK, _clipped, f"more than {CLIPPED:,} bytes of HTML",
         "Gmail cuts the mail off, and the unsubscribe link with it", "take items out of the issue"),
    Rule("email.near_clipped", WARN, _near_clipped, f"more than {NEAR_CLIPPED:,} bytes of HTML",
         "Gmail cuts longer mail off", "take an item out of the issue"),
    Rule("email.style_size", BLOCK, _style_size, f"more than {STYLE:,} bytes of style sheets",
         "Gmail drops style sheets past 16 KB", "shorten the theme's sheets"),
    Rule("email.style_nesting", BLOCK, _style_nesting, "an at-rule inside another",
         "Gmail drops the whole sheet", "write the inner rule into a <style> of its own"),
)  # fmt: skip
