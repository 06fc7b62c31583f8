"""The bar of a send: how many, how fast, how long still, and each lane of the relays."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from newsletter.delivery.pulse import Progress, Pulse

if TYPE_CHECKING:
    from rich.console import RenderableType


@contextmanager
def shown() -> Iterator[Progress | None]:
    """Yield what draws a send on stderr while the block lasts, None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.live import Live

    # Drawn when there is something new, not by a thread: where there is one, a send cannot divide (delivery/crew.py).
    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        yield lambda pulse: live.update(_drawn(pulse), refresh=True)


def _drawn(pulse: Pulse) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_row("sending", ProgressBar(total=pulse.audience, completed=pulse.accounted, width=40), Text(_told(pulse)))
    for lane in pulse.lanes:
        width = f"{lane.allowed} of {lane.limit} at once" if lane.limit else f"{lane.allowed} at once"
        rests = f", rests {_long(lane.paused_for)}" if lane.paused_for else ""
        grid.add_row(Text(f"  {lane.name}", "dim"), Text(f"{width}{rests}", "dim"), Text(f"{lane.done:,} done", "dim"))
    for trouble in pulse.troubles:
        grid.add_row(Text("  paused", "red"), Text(trouble, "red"), "")
    return grid


def _told(pulse: Pulse) -> str:
    left = f", {_long(pulse.left)} left" if pulse.left is not None and pulse.accounted < pulse.audience else ""
    return f"{pulse.accounted:,} of {pulse.audience:,}, {pulse.rate:,.0f}/s{left}"


def _long(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
