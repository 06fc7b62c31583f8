"""Review links: invitations to say yes or no to one exact text, and how often somebody knocked at a form."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0008"
down_revision = "0007"

_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime
_TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    """Make the table of invitations, and that of knocks."""
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("briefing_id", _TEXT(length=80), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sha256", _TEXT(length=64), nullable=False),
        sa.Column("person", _TEXT(length=80), nullable=False),
        sa.Column("invited_by", _TEXT(length=80), nullable=False),
        sa.Column("token_sha256", _TEXT(length=64), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.Column("expires_at", _MOMENT(), nullable=False),
        sa.Column("answered_at", _MOMENT(), nullable=True),
        sa.Column("answer", _TEXT(length=24), nullable=False),
        sa.Column("revoked_at", _MOMENT(), nullable=True),
        sa.ForeignKeyConstraint(["briefing_id"], ["briefing.id"], name=op.f("fk_invitation_briefing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_invitation_token_sha256")),
    )
    op.create_index(op.f("ix_invitation_briefing_id"), "invitation", ["briefing_id"])
    op.create_table(
        "knock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", _TEXT(length=64), nullable=False),
        sa.Column("since", _MOMENT(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knock")),
        sa.UniqueConstraint("who", "since", name=op.f("uq_knock_who_since")),
    )
