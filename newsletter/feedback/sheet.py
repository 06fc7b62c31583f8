"""The sheet: a report as one page of HTML that needs nothing else, by day and by night, on a screen and on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup

from newsletter.feedback import charts
from newsletter.feedback.figures import Figures
from newsletter.feedback.models import ClickBy
from newsletter.rendering import templates
from newsletter.settings import Settings

#: How many links a chart shows; the table has all of them.
SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart with its caption."""

    drawn: Markup
    says: str


def page(figures: Figures, settings: Settings) -> str:
    """Return the report of an issue as a whole page."""
    template = templates.environment(settings).get_template("web/report.html.j2")
    return template.render(
        publication=settings.publication, look=settings.look(), figures=figures, human=ClickBy.HUMAN,
        machine=ClickBy.MACHINE, unknown=ClickBy.UNKNOWN, copies=_copies(figures), time=_time(figures),
        links=_links(figures), shown=shown,
    )  # fmt: skip


def shown(url: str) -> str:
    """Return as much of an address as helps to know it."""
    parts = urlsplit(url)
    whole = f"{parts.netloc.removeprefix('www.')}{parts.path}".rstrip("/")
    return whole if len(whole) <= 70 else f"{whole[:69]}…"


def _copies(figures: Figures) -> Chart:
    there = {state: count for state, count in figures.counts.items() if count}
    says = ", ".join(f"{count:,} {state}" for state, count in there.items()) or "nobody"
    title = f"What became of {figures.status.audience:,} copies: {says}"
    return Chart(drawn=charts.lying("copies", {"copies": list(there.values())}, list(there), title=title), says=title)


def _time(figures: Figures) -> Chart | None:
    if not figures.spans:
        return None
    labels = [each.label for each in figures.spans]
    series: dict[str, Sequence[int]] = {"left": [each.left for each in figures.spans]}
    if figures.counted or any(each.clicked for each in figures.spans):
        series = {"followed a first link": [each.clicked for each in figures.spans], **series}
    unit = labels[0].partition(" ")[0]
    title = f"Readers by {unit} since the first copy: {' and '.join(series)}"
    numbers = [label.partition(" ")[2] for label in labels]
    return Chart(drawn=charts.bars("time", series, numbers, title=title), says=title)


def _links(figures: Figures) -> Chart | None:
    top = [each for each in figures.links if any(each.by.values())][:SHOWN]
    if not top:
        return None
    series = {
        "people": [each.by[ClickBy.HUMAN] for each in top], "unknown": [each.by[ClickBy.UNKNOWN] for each in top],
        "machines": [each.by[ClickBy.MACHINE] for each in top],
    }  # fmt: skip
    title = "Readers' copies from which each link was followed, by its number in the table"
    return Chart(drawn=charts.lying("links", series, [f"link {each.number}" for each in top], title=title), says=title)
