"""The delivery engine: several relays, parts and variants of an audience, sends that are to begin later."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Widen the ledger: what stands there went to its whole audience, under one subject, by a relay not named."""
    _say("delivery", "relay", sqlmodel.sql.sqltypes.AutoString(length=80))
    _count("delivery", "part")
    _count("delivery", "variant")
    _count("delivery_batch", "part")
    _say("audience", "stop", sqlmodel.sql.sqltypes.AutoString(length=24))
    _say("audience", "ask", sqlmodel.sql.sqltypes.AutoString(length=24))
    _say("audience", "asked_by", sqlmodel.sql.sqltypes.AutoString(length=80))
    op.add_column("issue", sa.Column("alternatives", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("rendering", sa.Column("alternatives", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    op.create_table(
        "subject_test",
        sa.Column("issue_id", sa.Integer(), sa.ForeignKey("issue.id"), primary_key=True),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("decide", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("hours", sa.Float(), nullable=False),
        sa.Column("sampled_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("winner", sa.Integer(), nullable=True),
        sa.Column("decided_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("decided_by", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
    )
    op.create_table(
        "schedule",
        sa.Column("issue_id", sa.Integer(), sa.ForeignKey("issue.id"), primary_key=True),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False, index=True),
        sa.Column("zone", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("made_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    )
    op.create_table(
        "relay_state",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=80), primary_key=True),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=False),
        sa.Column("temporary", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    )


def _say(table: str, column: str, kind: sqlmodel.sql.sqltypes.AutoString) -> None:
    op.add_column(table, sa.Column(column, kind, nullable=False, server_default=sa.text("''")))


def _count(table: str, column: str) -> None:
    op.add_column(table, sa.Column(column, sa.Integer(), nullable=False, server_default=sa.text("0")))
