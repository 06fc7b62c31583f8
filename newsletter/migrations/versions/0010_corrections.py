"""Corrections to those who have a briefing, and reasons to let what the gate says of an issue stand."""

from typing import Any

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0010"
down_revision = "0009"

_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime
_TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    """Make the tables, and take over what was put on record before: it stands on the pages, and stays there."""
    kind = sa.Enum("digest", "correction", name="issuekind", native_enum=False, length=24)
    op.add_column("issue", sa.Column("kind", kind, nullable=False, server_default=sa.text("'digest'")))
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("briefing_id", _TEXT(length=80), nullable=False),
        sa.Column("sha256", _TEXT(length=64), nullable=False),
        sa.Column("kind", _one_of("correctionkind", "correction", "clarification", "update", "kill"), nullable=False),
        sa.Column(
            "state", _one_of("correctionstate", "drafted", "approved", "sent", "noted", "withdrawn"), nullable=False
        ),
        sa.Column("wrong", _TEXT(length=2000), nullable=False),
        sa.Column("right", _TEXT(length=2000), nullable=False),
        sa.Column("hands", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.Column("approved_by", _TEXT(length=80), nullable=False),
        sa.Column("approved_at", _MOMENT(), nullable=True),
        sa.Column("solo", sa.Boolean(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["briefing_id"], ["briefing.id"], name=op.f("fk_correction_briefing_id")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_correction_issue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sa.UniqueConstraint("issue_id", name=op.f("uq_correction_issue_id")),
    )
    op.create_index(op.f("ix_correction_briefing_id"), "correction", ["briefing_id"])
    op.create_index(op.f("ix_correction_state"), "correction", ["state"])
    op.create_table(
        "issue_waiver",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("sha256", _TEXT(length=64), nullable=False),
        sa.Column("person", _TEXT(length=80), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.Column("rule", _TEXT(length=40), nullable=False),
        sa.Column("reason", _TEXT(length=2000), nullable=False),
        sa.Column("solo", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_waiver_issue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue_waiver")),
    )
    op.create_index(op.f("ix_issue_waiver_issue_id"), "issue_waiver", ["issue_id"])
    _take_over()


def _one_of(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, length=24)


def _take_over() -> None:
    """Make a row of each correction that only the record has."""
    entry = sa.table(
        "audit_entry", sa.column("id"), sa.column("at", _MOMENT()), sa.column("actor"), sa.column("action"),
        sa.column("kind"), sa.column("name"), sa.column("detail", sa.JSON()),
    )  # fmt: skip
    briefing = sa.table("briefing", sa.column("id"), sa.column("sha256"))
    recorded = (
        sa.select(entry.c.at, entry.c.actor, entry.c.detail, briefing.c.id, briefing.c.sha256)
        .join_from(entry, briefing, briefing.c.id == entry.c.name)
        .where(entry.c.kind == "briefing", entry.c.action == "corrected").order_by(entry.c.id)
    )  # fmt: skip
    correction = sa.table("correction", *(sa.column(name) for name in _row(None, "", {}, "", "")),
                          sa.column("id"))  # fmt: skip
    typed = {"hands": sa.JSON(), "at": _MOMENT()}
    for name, kind in typed.items():
        correction.c[name].type = kind
    rows = [_row(*row) for row in op.get_bind().execute(recorded)]
    if rows:
        op.bulk_insert(correction, rows)


def _row(at: Any, actor: str, detail: dict[str, Any], briefing: str, sha256: str) -> dict[str, Any]:
    return {
        "briefing_id": briefing, "sha256": detail.get("sha256", sha256), "kind": "correction", "state": "noted",
        "wrong": detail.get("reason", ""), "right": "", "hands": [actor], "at": at, "approved_by": "", "solo": False,
    }  # fmt: skip
