"""Asking and telling: one letter for several lists, letters that wait for a relay, readers who pause."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0014"
down_revision = "0013"

_TEXT = sqlmodel.sql.sqltypes.AutoString
_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    """Let one token stand for several lists, and a reader pause."""
    with op.batch_alter_table("confirmation") as table:
        table.drop_constraint("uq_confirmation_token_sha256", type_="unique")
        table.create_unique_constraint("uq_confirmation_token_sha256_list_id", ["token_sha256", "list_id"])
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("confirmation_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", _TEXT(length=400), nullable=False),
        sa.Column("created_at", _MOMENT(), nullable=False),
        sa.Column("changed_at", _MOMENT(), nullable=False),
        sa.Column("due_at", _MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmation.id"], name=op.f("fk_letter_confirmation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("confirmation_id", name=op.f("uq_letter_confirmation_id")),
    )
    op.create_index("ix_letter_state_due_at", "letter", ["state", "due_at"])
    op.add_column("subscriber", sa.Column("paused_until", _MOMENT(), nullable=True))
