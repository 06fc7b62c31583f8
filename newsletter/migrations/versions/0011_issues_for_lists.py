"""Issues for lists: whom an issue is composed for, what briefings weigh, who cleared it, and those that recur."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0011"
down_revision = "0010"

_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime
_TEXT = sqlmodel.sql.sqltypes.AutoString
_MADE = sa.Enum("begun", "issue", "nothing", "refused", "missed", name="made", native_enum=False, length=24)


def upgrade() -> None:
    """Add the list and the tables; issues that stand are for whichever list they were sent to."""
    op.add_column("issue", sa.Column("list", _TEXT(length=63), nullable=False, server_default=sa.text("''")))
    op.create_index(op.f("ix_issue_list"), "issue", ["list"])
    _ranks()
    _clearances()
    _editions()


def _ranks() -> None:
    op.create_table(
        "rank",
        sa.Column("briefing_id", _TEXT(length=80), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("person", _TEXT(length=80), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["briefing_id"], ["briefing.id"], name=op.f("fk_rank_briefing_id")),
        sa.PrimaryKeyConstraint("briefing_id", name=op.f("pk_rank")),
    )


def _clearances() -> None:
    op.create_table(
        "clearance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("rendering", _TEXT(length=64), nullable=False),
        sa.Column("person", _TEXT(length=80), nullable=False),
        sa.Column("solo", sa.Boolean(), nullable=False),
        sa.Column("note", _TEXT(length=2000), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_clearance_issue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearance")),
    )
    op.create_index(op.f("ix_clearance_issue_id"), "clearance", ["issue_id"])


def _editions() -> None:
    op.create_table(
        "edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", _TEXT(length=63), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.Column("made", _MADE, nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=True),
        sa.Column("sends", sa.Boolean(), nullable=False),
        sa.Column("note", _TEXT(length=2000), nullable=False),
        sa.Column("made_at", _MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_edition_issue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("name", "at", name=op.f("uq_edition_name_at")),
    )
    op.create_index(op.f("ix_edition_issue_id"), "edition", ["issue_id"])
