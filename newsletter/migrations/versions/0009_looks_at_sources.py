"""Looks at sources: what stood at the address of each when somebody looked."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0009"
down_revision = "0008"

_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime
_TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    """Make the table; of what is approved already, the first look tells what it says."""
    op.create_table(
        "source_look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", _TEXT(length=2000), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("trouble", _TEXT(length=500), nullable=False),
        sa.Column("title", _TEXT(length=500), nullable=False),
        sa.Column("sha256", _TEXT(length=64), nullable=False),
        sa.Column("paragraphs", sa.JSON(), nullable=False),
        sa.Column("corrections", sa.Integer(), nullable=False),
        sa.Column("text", _TEXT(length=200000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_look")),
    )
    op.create_index(op.f("ix_source_look_url"), "source_look", ["url"])
    op.create_index(op.f("ix_source_look_at"), "source_look", ["at"])
