"""Corrections that a desk had put on record before there were any by mail."""

import importlib
from datetime import datetime, timedelta
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine

from newsletter import db
from newsletter.editorial import decisions, people
from newsletter.issues import contents, corrections, issues
from newsletter.issues.issues import Words
from newsletter.issues.models import CorrectionState
from tests.issues.conftest import approved


def test_what_was_on_record_before_stands_on_the_pages_and_waits_for_nothing(
    engine: Engine, tmp_path: Path, now: datetime
) -> None:
    with db.transaction(engine) as session:
        for handle in ("mara", "jonas"):
            people.add(session, handle, now=now)
        issue = issues.compose(
            session, [approved(session, tmp_path, "cranes", at=now)], words=Words(), actor="mara", now=now
        )
        content = contents.read(session, issue.id, now=now)
        contents.freeze(session, content, rendering="a" * 64, actor="mara", now=now)
        contents.begin_sending(session, issue.id, actor="mara", now=now)
        for days, reason in ((1, "Two, not three."), (2, "Kiel, not Köln: »so«.")):
            decisions.correct(session, "cranes", reason=reason, actor="jonas", now=now + timedelta(days=days))
        assert corrections.of(session, "cranes") == []
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        importlib.import_module("newsletter.migrations.versions.0010_corrections")._take_over()
    with db.reading(engine) as session:
        told = [(each.words, each.label, each.at) for each in corrections.of(session, "cranes")]
        assert told == [
            ("Kiel, not Köln: »so«.", "Correction", now + timedelta(days=2)),
            ("Two, not three.", "Correction", now + timedelta(days=1)),
        ]
        kept = corrections.all(session)
        assert {each.state for each in kept} == {CorrectionState.NOTED}
        assert {(each.hands, each.sha256, each.issue) for each in kept} == {(("jonas",), content.items[0].sha256, None)}
        assert corrections.pending(session) == []
