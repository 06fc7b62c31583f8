"""Sources that say something else than at the approval: what the rule on drift tells, and what keeps a text back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from newsletter.discovery import looks
from newsletter.discovery.looks import Look
from newsletter.editorial import approvals, rechecks, reports, research
from newsletter.editorial.gate import Severity
from newsletter.editorial.rechecks import Change
from newsletter.errors import Refused
from tests.conftest import NOW
from tests.editorial.conftest import GOOD, Room
from tests.editorial.evidence import FIRST, PLAIN, SECOND, bring

BEFORE = Look(url=FIRST.url, at=NOW, status=200, title="As it was", sha256="a" * 64, paragraphs=("one", "two"))


def look(room: Room, minutes: int, **changes: Any) -> None:
    at = room.now + timedelta(minutes=minutes)
    looks.keep(room.session, [replace(BEFORE, url=looks.page(FIRST.url), at=at, **changes)])


def approve(room: Room) -> None:
    approvals.approve(room.session, "memory-prices", actor="jonas", solo=False, now=room.now)


def drift(room: Room) -> list[tuple[Severity, str]]:
    here = room.get()
    found = reports.at_issue(room.session, here.id, here.sha256, now=room.now + timedelta(hours=2))
    return [(each.severity, each.message) for each in found if each.rule == "X3"]


def test_a_source_that_says_the_same_is_no_finding(room: Room) -> None:
    look(room, -60, sha256="old")  # before the approval: not what was approved by
    approve(room)
    assert drift(room) == []
    look(room, 1)
    look(room, 60)
    assert drift(room) == []
    told = [(each.change, each.told) for each in rechecks.found(room.session, room.get())]
    assert told == [(Change.SAME, ""), (Change.UNKNOWN, "an example's address, or none")]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sha256": "b" * 64, "title": "As it is"}, "reads otherwise since the approval (its title is now “As it is”)"),
        ({"sha256": "b" * 64, "paragraphs": ("one", "3")}, "(1 of its paragraphs are new, 1 are gone)"),
        ({"sha256": "b" * 64, "corrections": 1}, "was corrected by its publisher since the approval"),
        ({"sha256": "", "status": 0, "trouble": "its name is not known"}, "could look at"),
        ({"sha256": "", "status": 403, "trouble": "it answers 403"}, "again: it answers 403"),
    ],
)
def test_a_source_that_changed_or_cannot_be_seen_is_a_warning(room: Room, changes: dict[str, Any], told: str) -> None:
    approve(room)
    look(room, 1)
    look(room, 60, **changes)
    ((severity, message),) = drift(room)
    assert severity is Severity.WARN
    assert told in message
    approvals.require(room.session, "memory-prices", now=room.now + timedelta(hours=2))


def test_a_source_that_is_gone_keeps_the_text_back(room: Room) -> None:
    approve(room)
    look(room, 1)
    look(room, 60, sha256="", status=404, trouble="it answers 404")
    ((severity, message),) = drift(room)
    assert (severity, message) == (Severity.BLOCK, f"{FIRST.name} is gone since the approval: it answers 404")
    with pytest.raises(Refused, match="cannot go out: .* is gone since the approval: it answers 404; cite another"):
        approvals.require(room.session, "memory-prices", now=room.now + timedelta(hours=2))
    look(room, 90)
    assert drift(room) == []  # it was away for a moment


def test_a_text_is_held_against_its_sources_pages_where_they_were_read(room: Room) -> None:
    bring(room.session, "Chipmakers ask for long commitments.")
    told = reports.run(room.session, room.get(), now=room.now)
    assert told.words < 50
    fed = told.sources[0]["sha256"]
    look(room, -30, text=f"{PLAIN} {GOOD.what_happened}")
    look(room, -10, trouble="it answers 403", sha256="", status=403)  # later, and no reason to forget the words
    looks.keep(room.session, [replace(BEFORE, url=looks.page(SECOND.url), sha256="", trouble="it is paid")])
    read = reports.run(room.session, room.get(), now=room.now)
    assert read.words > 200
    assert "1 of 2 sources" in read.against
    assert ("O1", Severity.BLOCK) in {(each.rule, each.severity) for each in read.findings}
    (compared,) = [each.message for each in read.findings if each.rule == "O0"]
    assert compared.endswith(f"only a teaser or nothing is held of {SECOND.name} (it is paid)")
    assert read.sources[0]["sha256"] == fed  # so that words which are discarded later are no drift
    seen = research.gather(room.session, room.get(), now=room.now)
    assert seen.sources[0].text.startswith("As it was")
