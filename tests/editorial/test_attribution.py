"""Attribution: the words that say where a text came from."""

from dataclasses import replace

from newsletter.editorial import attribution
from newsletter.editorial.document import Assistance, Citation, Role
from tests.editorial.conftest import GOOD

WIRE = Citation(name="Sample Wire", url="https://wire.example.org/a", role=Role.DISCOVERY)
RULES = Citation(name="The rules", url="https://example.com/rules", role=Role.PRIMARY)
DATA = Citation(name="The tracker", url="https://example.com/data", role=Role.DATA)


def sentence(*sources: Citation) -> str:
    note = attribution.source_note(replace(GOOD, sources=sources))
    assert note is not None
    return note.sentence


def test_the_note_names_the_discovered_item_and_what_else_was_used() -> None:
    began = "This briefing began from a discovered source item from Sample Wire."
    assert sentence(WIRE) == began
    assert sentence(RULES, WIRE, DATA) == f"{began} It also draws on The rules; The tracker."


def test_a_story_that_no_feed_brought_does_not_claim_to_have_been_discovered() -> None:
    assert sentence(RULES, DATA) == "This briefing was written from The rules. It also draws on The tracker."


def test_the_link_to_the_original_is_the_discovered_item() -> None:
    note = attribution.source_note(replace(GOOD, sources=(RULES, WIRE)))
    assert note is not None
    assert (note.original, note.others) == (WIRE, (RULES,))


def test_without_a_source_there_is_no_note() -> None:
    assert attribution.source_note(replace(GOOD, sources=())) is None


def test_an_issue_credits_every_source_once_in_order() -> None:
    again = replace(WIRE, name="Sample Wire, evening edition")
    texts = [replace(GOOD, sources=sources) for sources in ((WIRE, RULES), (again,), (DATA, RULES))]
    assert attribution.credits(texts) == [WIRE, RULES, DATA]


def test_a_machine_s_part_is_disclosed() -> None:
    said = {kind: attribution.disclosure(replace(GOOD, assistance=kind)) for kind in Assistance}
    assert said[Assistance.NONE] == ""
    assert "translated" in said[Assistance.AI_TRANSLATED]
    drafted = replace(GOOD, assistance=Assistance.AI_DRAFTED, assistance_note="A model summed up the tender.")
    assert attribution.disclosure(drafted) == f"{said[Assistance.AI_DRAFTED]} A model summed up the tender."
