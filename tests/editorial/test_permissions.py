"""R1: what a text takes from a source, held against what the desk's table says that it may take."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlmodel import Session

from newsletter.editorial import approvals, briefings, reports, standings
from newsletter.errors import Refused, SettingsError
from newsletter.rights import Policy, Right, of
from newsletter.settings import parse
from tests.conftest import NOW
from tests.editorial.evidence import bring
from tests.issues.conftest import approve as approve
from tests.issues.conftest import session as session
from tests.support.texts import briefing

COPIED = "Operators in the region say that the change lowers their yearly cost, and that the first machines came."
WIRE = "wire.example.org"


def right(policy: Policy, host: str = WIRE, **more: object) -> Right:
    return Right.model_validate({"host": host, "policy": policy, **more})


def written(session: Session, folder: Path, words: str = COPIED) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "grid.md").write_text(briefing("grid", now=NOW), "utf-8")
    briefings.refresh(session, folder, actor="mara", now=NOW)
    bring(session, f"The news of today. {words}", url="https://wire.example.org/grid")


@pytest.mark.parametrize(
    ("rights", "found"),
    [
        ((), []),
        ((right(Policy.LINK_ONLY, "other.example"),), [("warn", "has no row for Example Wire")]),
        ((right(Policy.LINK_ONLY),), [("block", "are Example Wire's, and its rights allow a link only")]),
        ((right(Policy.LINK_ONLY, "example.org"),), [("block", "allow a link only")]),
        ((right(Policy.LINK_ONLY, "example.org"), right(Policy.LICENSED)), []),
        ((right(Policy.EXCERPT, words=16),), [("block", "and 16 may be")]),
        ((right(Policy.EXCERPT, words=1000),), []),
        ((right(Policy.LICENSED, until="2026-11-02"),), []),
        ((right(Policy.LICENSED, until="2026-11-01"),), [("block", "ended on 2026-11-01")]),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_text_takes_what_its_sources_let_it_take(
    session: Session, tmp_path: Path, rights: tuple[Right, ...], found: list[tuple[str, str]]
) -> None:
    written(session, tmp_path / "briefings")
    report = reports.run(session, standings.get(session, "grid"), rights=rights, now=NOW)
    told = [(each.severity.value, each.message) for each in report.findings if each.rule == "R1"]
    assert [severity for severity, _ in told] == [severity for severity, _ in found]
    for (_, message), (_, words) in zip(told, found, strict=True):
        assert words in message


def test_a_licence_that_ends_after_the_approval_keeps_the_text_from_going_out(
    session: Session, tmp_path: Path, now: datetime
) -> None:
    written(session, tmp_path / "briefings", "Nothing of the kind.")
    rights = (right(Policy.LICENSED, until="2026-11-04"),)
    briefings.submit(session, "grid", actor="mara", rights=rights, now=now)
    approvals.approve(session, "grid", actor="jonas", solo=False, rights=rights, now=now)
    assert approvals.require(session, "grid", now=now + timedelta(days=2))
    with pytest.raises(Refused, match="the licence for Example Wire's words ended on 2026-11-04"):
        approvals.require(session, "grid", now=now + timedelta(days=3))


def test_the_longest_host_counts_and_a_row_is_whole() -> None:
    rows = (right(Policy.LINK_ONLY, "example.org"), right(Policy.LICENSED))
    assert of(rows, "https://www.wire.example.org/a") == rows[1]
    assert of(rows, "https://blog.example.org/a") == rows[0]
    assert (of(rows, "https://badexample.org/a"), of(rows, "https://[bad/")) == (None, None)
    for wrong in (
        {"policy": "excerpt"},
        {"policy": "link-only", "words": 5},
        {"policy": "excerpt", "until": "2026-01-01"},
    ):
        with pytest.raises(ValidationError):
            Right.model_validate({"host": WIRE, **wrong})


def test_the_table_is_read_from_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "newsletter.toml"
    head = '[publication]\nname = "Desk"\n'
    row = f'[[rights]]\nhost = "{WIRE}"\npolicy = "licensed"\nuntil = 2026-12-31\n'
    assert parse(head + row, {}, where=file).rights[0].policy is Policy.LICENSED
    with pytest.raises(SettingsError, match=r"the first \[\[rights\]\]: words goes with policy"):
        parse(head + row.replace("licensed", "excerpt"), {}, where=file)
    with pytest.raises(SettingsError, match=r"untl is no setting; did you mean until"):
        parse(head + row.replace("until", "untl"), {}, where=file)
