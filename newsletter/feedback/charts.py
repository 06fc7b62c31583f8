"""Charts of a report as SVG in the page's own colours; each has its numbers in a table beside it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

# pygal writes of itself and of the day, which would make two pages of the same figures differ, and for its script.
_MORE = re.compile("<!--.*?-->|<script.*?</script>", re.DOTALL)
# The same names would stand in every chart of a page.
_NAMES = re.compile(r' id="activate-[^"]*"')
_WIDTH = 720


def bars(name: str, series: Mapping[str, Sequence[int]], labels: Sequence[str], *, title: str) -> Markup:
    """Return bars that stand, one of each series for each label; `name` is the chart's on its page."""
    return _drawn("Bar", name, series, labels, title=title, height=260)


def lying(name: str, series: Mapping[str, Sequence[int]], labels: Sequence[str], *, title: str) -> Markup:
    """Return bars that lie, one for each label from the top, the series beside each other in one line."""
    flipped = {each: list(values)[::-1] for each, values in series.items()}
    height = 60 + 30 * len(labels)
    return _drawn("HorizontalStackedBar", name, flipped, list(labels)[::-1], title=title, height=height)


def _drawn(
    kind: str, name: str, series: Mapping[str, Sequence[int]], labels: Sequence[str], *, title: str, height: int
) -> Markup:  # fmt: skip
    import pygal  # which takes long to load, and only reports need it
    from pygal.style import Style

    style = Style(
        background="transparent", plot_background="transparent", foreground="var(--quiet)",
        foreground_strong="var(--ink)", foreground_subtle="var(--line)", font_family="inherit", label_font_size=13,
        major_label_font_size=13, legend_font_size=14, opacity="1", opacity_hover="1", transition="0s",
        colors=tuple(f"var(--chart-{number})" for number in range(1, len(series) + 1)),
    )  # fmt: skip
    chart: Any = getattr(pygal, kind)(
        style=style, js=[], width=_WIDTH, height=height, title=None, disable_xml_declaration=True, margin=4,
        legend_at_bottom=True, legend_at_bottom_columns=len(series), x_label_rotation=0, show_minor_x_labels=False,
        truncate_label=-1, truncate_legend=-1, spacing=12, print_values=False, show_legend=len(series) > 1,
        y_labels_major_count=5, max_scale=6, formatter=lambda value: f"{value:,.0f}",
    )  # fmt: skip
    chart.uuid = name  # its rules of style begin with it; by itself it is another each time
    chart.x_labels = list(labels)
    chart.x_labels_major = [label for place, label in enumerate(labels) if place % max(len(labels) // 8, 1) == 0]
    if kind.startswith("Horizontal"):
        chart.x_labels_major = None
    for each, values in series.items():
        chart.add(each, list(values))
    drawn = _NAMES.sub("", _MORE.sub("", chart.render(is_unicode=True)))
    # To who does not see it the table says the same, number by number.
    return Markup(drawn.replace("<svg ", f'<svg role="img" aria-label="{Markup.escape(title)}" ', 1))
