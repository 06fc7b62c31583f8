"""The desk page: links that let a person in, and the sessions that they begin."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0015"
down_revision = "0014"

_TEXT = sqlmodel.sql.sqltypes.AutoString
_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    """Add the tables of who may come in by the browser."""
    op.create_table(
        "login_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", _TEXT(length=80), nullable=False),
        sa.Column("token_sha256", _TEXT(length=64), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.Column("expires_at", _MOMENT(), nullable=False),
        sa.Column("used_at", _MOMENT(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_link")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_login_link_token_sha256")),
    )
    op.create_table(
        "desk_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", _TEXT(length=80), nullable=False),
        sa.Column("token_sha256", _TEXT(length=64), nullable=False),
        sa.Column("agent", _TEXT(length=200), nullable=False),
        sa.Column("began_at", _MOMENT(), nullable=False),
        sa.Column("seen_at", _MOMENT(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_session")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_desk_session_token_sha256")),
    )
    op.create_index("ix_desk_session_person", "desk_session", ["person"])
    op.create_index("ix_login_link_person", "login_link", ["person"])
