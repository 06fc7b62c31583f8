"""An issue to print: briefings in the desk's own words, with every part that a theme must set."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from newsletter.editorial.document import Assistance, Citation, Document, Label
from newsletter.issues.content import IssueContent, ItemContent, Related
from newsletter.rendering.press import Links
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings, load
from tests.conftest import make_publication

#: Where the shipped themes lie, and what they are called.
TEMPLATES = Path(__file__).parents[2] / "templates"
THEMES = ("briefing", "digest", "letter")
DATED = date(2026, 11, 2)
URL = "https://news.harbour.example"
LINKS = Links(
    f"{URL}/i/AbC123", lambda briefing: f"{URL}/briefings/{briefing}", f"{URL}/standards", "editors@harbour.example"
)
VALUES = {
    Slot.EMAIL: "ada@reader.example",
    Slot.LIST_TITLE: "Weekly digest",
    Slot.UNSUBSCRIBE_URL: f"{URL}/u/AQAAAAEAAAAB0dK3",
    Slot.PREFERENCES_URL: f"{URL}/p/AQAAAAEAAAAAf93b",
    Slot.CLICK_URL: f"{URL}/c/AQAAAAEAAAAA1s2d",
}
_SEEN = datetime(2026, 10, 30, 8, 0, tzinfo=UTC)

CRANES = Document(
    id="quay-cranes-go-electric",
    title="Mid-sized ports move to electric quay cranes, and the grid is the hard part",
    introduction=(
        "Four mid-sized ports ordered electric quay cranes this quarter. The machines are ready; the substations that "
        "would feed them are two to three years behind, and that gap now decides who can order at all."
    ),
    key_points=(
        "Four orders in one quarter, after three in the whole of last year",
        "Grid connections take **24 to 36 months**, longer than building the crane",
        "Makers offer battery buffers as a bridge until the cable is there",
    ),
    what_happened="The orders were announced one by one.",
    why_it_matters=(
        "A crane is bought once in twenty-five years. Ports that order diesel now will run it into the 2050s, so the "
        "choice is made by the electricity connection and not by the price of the crane.\n\n"
        "The queue for connections is public in most countries. It shows *today* which ports can be electric by the "
        "end of the decade, well before any of them says so."
    ),
    buyer_relevance=(
        "If you ship through these ports, ask for the date of the grid connection, not for the date of the crane. If "
        "you sell to them, the [connection register](https://grid.example/register) is a better list of leads than any "
        "press page."
    ),
    what_to_watch_next="Whether regulators let ports share a connection.",
    desk="Ports",
    label=Label.ANALYSIS,
    sources=(
        Citation(name="Quayside Journal", url="https://quayside.example/2026/cranes?from=a&to=b",
                 title="Electric cranes: four more orders", retrieved=_SEEN),
        Citation(name="Grid Register", url="https://grid.example/register/q3", title="Connections, third quarter",
                 retrieved=_SEEN),
    ),
)  # fmt: skip

COLD = Document(
    id="cold-chain-sensors",
    title="Cheap sensors change who pays when a cold chain breaks",
    introduction=(
        "Loggers that cost less than the label they are stuck on now record every pallet, and insurers have noticed."
    ),
    key_points=(
        "A single-use logger fell below one euro",
        "Two insurers ask for the record before they pay a claim",
        "Carriers without records carry the loss themselves",
    ),
    why_it_matters=(
        "Until now nobody could say where a shipment warmed up, so the loss was shared. A record per pallet ends that: "
        "the party that held it when the curve rose pays for it.\n\n- Carriers gain if they can show a flat line.\n"
        "- Warehouses lose the benefit of the doubt."
    ),
    buyer_relevance="Check which of your contracts name a logger, and who owns its data after delivery.",
    desk="Cold chain",
    sources=(
        Citation(name="Reefer Monitor", url="https://reefer.example/loggers", title="Loggers under one euro",
                 retrieved=_SEEN),
    ),
    assistance=Assistance.AI_EDITED,
)  # fmt: skip

FEES = Document(
    id="canal-fees-explained",
    title="How canal fees are set, and why next year’s will differ by the hour",
    introduction="From January a passage will cost more at noon than at midnight. This is how the tariff works.",
    key_points=("The base fee stays", "A factor for the hour is new", "Slots can be traded once"),
    why_it_matters="Fees that move with the hour turn a fixed cost into one that planning can lower.",
    buyer_relevance="Forwarders should ask carriers whether savings from night passages are passed on.",
    desk="Routes",
    label=Label.EXPLAINER,
    sources=(Citation(name="Canal Authority", url="https://canal.example/tariff-2027", retrieved=_SEEN),),
)

_RELATED = (
    Related(
        briefing="shore-power-2025", title="Shore power: what the first ten berths taught", sha256="a" * 64, score=0.3
    ),
    Related(briefing="port-batteries", title="Batteries on the quay", sha256="b" * 64, score=0.2),
)


def item(position: int, document: Document, related: tuple[Related, ...] = ()) -> ItemContent:
    """Return the document in its place."""
    return ItemContent(position=position, sha256=f"{position:064x}", document=document, related=related)


def issue(items: int = 3) -> IssueContent:
    """Return an issue of so many items: the three samples in turn, each under a name of its own."""
    documents = [CRANES, COLD, FEES]
    chosen = [
        documents[number] if number < 3 else replace(documents[number % 3], id=f"{documents[number % 3].id}-{number}")
        for number in range(items)
    ]
    return IssueContent(
        id=12,
        subject="Electric cranes wait for the grid",
        preheader="Also: cheap loggers and who pays; canal fees by the hour",
        intro=(
            "Good morning. This week is about things that are **ready before what they depend on**: cranes before "
            "cables, records before contracts, tariffs before timetables."
        ),
        items=tuple(item(place, each, _RELATED if place == 1 else ()) for place, each in enumerate(chosen, start=1)),
    )


def one(document: Document, **words: str) -> IssueContent:
    """Return an issue of one document, with other words of the issue's own where given."""
    return replace(issue(0), items=(item(1, document),), **words)  # type: ignore[arg-type]


def publication(folder: Path) -> Settings:
    """Return the settings of a publication that needs no database."""
    return make_publication(folder / "publication", "sqlite://")


def retell(settings: Settings, old: str, new: str) -> Settings:
    """Return the settings after a change to the publication's file."""
    path = settings.path("newsletter.toml")
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return load(settings.folder, {})


def dress(settings: Settings, *said: str) -> Settings:
    """Return the settings with more lines said of the publication."""
    return retell(settings, "postal_address", "\n".join([*said, "postal_address"]))
