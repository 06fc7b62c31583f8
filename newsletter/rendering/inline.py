"""Style sheets into style attributes: mail programs that drop `<style>` keep those."""

import logging
import re
from functools import cache
from typing import Any

from newsletter.errors import TemplateError
from newsletter.rendering.mjml import Place

_SHEET = re.compile(r"<style(?=[\s>])")
_IGNORE = ' data-premailer="ignore"'
_QUIET = re.compile(r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'", re.DOTALL)


def inline(html: str, css: str, place: Place) -> str:
    """Return the page with the sheet's rules in its style attributes, its own `<style>` elements left alone.

    An at-rule in it is refused with the place that wrote it, for it cannot stand in an attribute.
    """
    _refuse_at_rules(css, place)
    inliner = _premailer()(
        _SHEET.sub(f"<style{_IGNORE}", html),
        css_text=css,
        method="html",
        keep_style_tags=False,
        disable_leftover_css=True,
        strip_important=False,  # dark mode needs its own
        remove_classes=False,
        exclude_pseudoclasses=True,
        preserve_internal_links=True,
        disable_link_rewrites=True,
        disable_basic_attributes=["width", "height", "align", "valign", "bgcolor"],
        align_floating_images=False,
        remove_unset_properties=False,
        disable_validation=True,
        allow_network=False,
        allow_loading_external_files=False,
        cssutils_logging_level=logging.CRITICAL,
    )
    return str(inliner.transform(pretty_print=False)).replace(_IGNORE, "")


@cache
def _premailer() -> Any:
    """Return the library, which most commands need not load: it brings all of `requests` with it."""
    import cssutils
    from premailer import Premailer, premailer

    # Even with allow_network=False it lets cssutils fetch what a sheet names by @import; this one fetches nothing.
    premailer.cssutils.parseString = cssutils.CSSParser(fetcher=lambda url: None, loglevel=logging.CRITICAL).parseString
    return Premailer


def _refuse_at_rules(css: str, place: Place) -> None:
    rule = re.search(r"@\S*", _QUIET.sub(lambda found: " " * len(found[0]), css))
    if rule:
        raise TemplateError(
            f"{place(rule.start())}: {rule[0]} cannot be written into a style attribute (and nothing is fetched from "
            "elsewhere); take it out, or put it into a <style> of the template"
        )
