"""Clicks: lists that count them, readers who do not want it, what links stand for, and who followed which."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0014"
down_revision = "0013"

_TEXT = sqlmodel.sql.sqltypes.AutoString
_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BY = sa.Enum("human", "machine", "unknown", name="clickby", native_enum=False, length=24)


def upgrade() -> None:
    """Make the tables; no list counts clicks until somebody says so."""
    op.add_column("list", sa.Column("track_clicks", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("subscriber", sa.Column("uncounted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "rendering_link",
        sa.Column("rendering", _TEXT(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("url", _TEXT(), nullable=False),
        sa.ForeignKeyConstraint(["rendering"], ["rendering.sha256"], name=op.f("fk_rendering_link_rendering")),
        sa.PrimaryKeyConstraint("rendering", "number", name=op.f("pk_rendering_link")),
    )
    op.create_table(
        "click",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("by", _BY, nullable=False),
        sa.Column("why", _TEXT(length=200), nullable=False),
        sa.Column("visitor", _TEXT(length=64), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_click_issue_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_click_subscriber_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_click")),
    )
    op.create_index("ix_click_issue_id_by_subscriber_id", "click", ["issue_id", "by", "subscriber_id"])
    op.create_index("ix_click_by_at_subscriber_id", "click", ["by", "at", "subscriber_id"])
    op.create_index("ix_click_subscriber_id_issue_id_at", "click", ["subscriber_id", "issue_id", "at"])
    told = sa.text("visitor <> ''")
    op.create_index("ix_click_visitor", "click", ["visitor", "at"], sqlite_where=told, postgresql_where=told)
