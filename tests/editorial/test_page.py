"""The page layout: what is read is given back byte for byte, and what could not be is refused."""

from pathlib import Path

import pytest

from newsletter.editorial import format, gate, page
from newsletter.editorial.document import Citation, Role
from newsletter.errors import BadInput
from tests.conftest import NOW
from tests.editorial.conftest import GOOD

OURS = Path(__file__).parent / "pages" / "harbour.txt"
SEED = Path(__file__).resolve().parents[3] / "shared" / "seed"
TEXT = OURS.read_bytes().decode()


def back(read: page.Page) -> str:
    """Return the page as it is written after a way through the file format."""
    document = format.parse(format.dump(read.document), where="the file")
    return page.write(
        document, publication=read.publication, reports=read.reports, related=read.related, ending=read.ending
    )


def test_our_page_comes_back_byte_for_byte() -> None:
    assert back(page.read(TEXT, id="cranes")).encode() == OURS.read_bytes()


def test_the_seed_page_comes_back_byte_for_byte() -> None:
    if not SEED.is_dir():
        pytest.skip(f"the seed page is not here: there is no folder {SEED}; our own page in the same layout is tested")
    files = sorted(SEED.glob("*.txt"))
    assert files
    for file in files:
        read = page.read(file.read_bytes().decode(), id="seed-page")
        assert back(read).encode() == file.read_bytes()
        assert len(read.document.key_points) == 3


def test_a_page_is_read_into_its_parts() -> None:
    read = page.read(TEXT, id="cranes")
    document = read.document
    assert (read.publication, read.related, read.ending) == ("Harbour Brief", (), "")
    assert read.reports.startswith("other people's reports lead us")
    assert (document.id, document.title, document.buyer_relevance) == ("cranes", "", "")
    assert document.introduction.startswith("The port of Ellen has moved")
    assert document.key_points[1] == "Ships leave as fast as before"
    assert document.what_happened.count("\n\n") == 1
    assert document.what_to_watch_next.startswith("The second berth")
    assert document.sources == (Citation(name="Ellen Shipping News", url="", role=Role.DISCOVERY),)


def test_the_gate_asks_an_imported_page_for_what_pages_do_not_carry() -> None:
    blocking = gate.blocks(gate.check(page.read(TEXT, id="cranes").document, now=NOW))
    places = {(finding.rule, finding.where) for finding in blocking}
    assert places >= {("T1", "title"), ("T1", "Buyer relevance"), ("A1", "sources 1"), ("L1", "author")}


@pytest.mark.parametrize(
    "changed",
    [
        TEXT + "\n",
        TEXT + "\n\n  • Cranes that weigh\n  • Radio for ports",
        TEXT.replace("Ellen Shipping News.", "Ellen Shipping News. It also draws on Port Weekly; Food and Drink."),
        TEXT.replace("began from a discovered source item from", "was written from"),
        TEXT.replace("What to watch next\n", "Buyer relevance\n\nAsk for the radio.\n\nWhat to watch next\n"),
        TEXT[: TEXT.index("Source assisted")] + TEXT[TEXT.index("How Harbour") :],
        TEXT.replace("Harbour Brief", "What Harbour reports"),
    ],
)
def test_variants_of_the_layout_come_back_byte_for_byte(changed: str) -> None:
    assert changed != TEXT
    assert back(page.read(changed, id="cranes")) == changed


def test_other_sources_are_read_by_name() -> None:
    named = TEXT.replace("Shipping News.", "Shipping News. It also draws on Port Weekly; Food and Drink.")
    sources = page.read(named, id="cranes").document.sources
    assert [source.name for source in sources] == ["Ellen Shipping News", "Port Weekly", "Food and Drink"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Related briefings", "Related", 24),
        ("Read the standards", "Read on", 22),
        ("One person now", "One person now  \n", 1),
        ("\n\nWhat happened", "\n\n\nWhat happened", 8),
        ("The first of three", "cafe\u0301 The first of three", 9),
        ("What happened", "Why it matters", 13),
        ("The first of three", "# The first of three", 0),
        ("Ships leave as", "\u0007Ships leave as", 4),
        ("\n", "\r\n", 1),
    ],
)
def test_a_page_that_would_not_come_back_is_refused_with_its_line(old: str, new: str, line: int) -> None:
    with pytest.raises(BadInput, match=f"^page.txt:{line}: " if line else "^page.txt, as a briefing:"):
        page.read(TEXT.replace(old, new) if old == "\n" else TEXT.replace(old, new, 1), id="cranes", where="page.txt")


def test_a_finished_briefing_is_written_with_its_relevance_and_sources() -> None:
    text = page.write(GOOD, publication="Harbour Brief", reports="we name our sources.", related=["One", "Two"])
    assert f"\n\nBuyer relevance\n\n{GOOD.buyer_relevance}\n\nWhat to watch next\n\n" in text
    assert (
        "\n\nSource assisted: This briefing began from a discovered source item from Sample Wire. "
        "It also draws on Calloway Research, memory tracker. Open the original source.\n"
        "How Harbour Brief reports: we name our sources. Read the standards\n\nRelated briefings\n\n  • One\n  • Two"
    ) in text
