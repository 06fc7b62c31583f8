"""What a briefing says and no source held says: quotations, numbers and names."""

from newsletter.editorial import claims, tokens
from newsletter.editorial.claims import Claim
from newsletter.editorial.sources import Held
from tests.editorial.conftest import document

SOURCE = (
    "Ostmoor Grid said that forty sites, 1,200 people and the Ministry of Works had waited. “We start in May,” it said."
)


def unsupported(text: str, *, source: str = SOURCE, **changes: object) -> claims.Unsupported:
    """Return what a text says and the source does not."""
    passage = tokens.passage("What happened", text)
    return claims.unsupported(document(**changes), [passage], [Held(1, "Wire", "u", text=source)])


def texts(found: tuple[Claim, ...]) -> list[str]:
    return [claim.text for claim in found]


def test_numbers_are_compared_by_their_value() -> None:
    assert texts(unsupported("There were 40 sites, 1200 people, 1 200 people and 1,200.0 tons.").numbers) == []
    assert texts(unsupported("There were 41 sites, 12,000 people and 3.5 tons, again 41.").numbers) == [
        "41",
        "12,000",
        "3.5",
    ]


def test_the_dates_of_the_sources_are_known() -> None:
    moment = document().sources[0].published
    assert moment
    assert texts(unsupported(f"On {moment:%A}, {moment.day} {moment:%B} {moment.year}, it began.").numbers) == []
    assert texts(unsupported(f"It happened on a {moment:%A} in {moment:%B}.").names) == []


def test_names_are_words_in_capitals_that_begin_no_sentence() -> None:
    found = unsupported(
        "Plans changed. The Ministry of Works asked Ostmoor Grid, and Kestrel Hours asked NATO. SMIC’s men came."
    )
    assert texts(found.names) == ["Kestrel Hours", "NATO", "SMIC"]
    assert {claim.where for claim in found.names} == {"What happened"}


def test_the_names_of_sources_are_known() -> None:
    name = document().sources[1].name
    assert texts(unsupported(f"According to {name}, it rose.").names) == []


def test_a_quotation_must_stand_in_a_source_word_for_word() -> None:
    found = unsupported("It said “We start in May” and “We will never start in June”, with “some luck”.")
    assert texts(found.quotes) == ["“We will never start in June”"]


def test_each_is_told_once() -> None:
    assert texts(unsupported("It met Kestrel, then Kestrel’s men, and again Kestrel.").names) == ["Kestrel"]
