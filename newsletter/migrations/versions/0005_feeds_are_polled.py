"""Feeds are polled: how that goes, what items said before, stories that several sources tell, the inbox's decisions."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0005"
down_revision = "0004"

_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime
_TEXT = sqlmodel.sql.sqltypes.AutoString
_STATES = ("followed", "paused", "gone", "removed")
_IDENTITIES = ("guid", "link", "link_date", "link_title")


def upgrade() -> None:
    """Widen feeds and items: those that stand are followed, are due at once, and count as never polled."""
    _feed()
    _item()
    op.create_table(
        "source_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("url", _TEXT(length=2000), nullable=False),
        sa.Column("title", _TEXT(length=500), nullable=False),
        sa.Column("summary", _TEXT(length=20000), nullable=False),
        sa.Column("replaced_at", _MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["source_item.id"], name=op.f("fk_source_revision_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_revision")),
        sa.UniqueConstraint("item_id", "number", name=op.f("uq_source_revision_item_id_number")),
    )


def _feed() -> None:
    _say("feed", site=2000, etag=1000, last_modified=200, body_sha256=64, fault=500, degraded=500, moved_to=2000)
    _count("feed", every=0, unchanged=0, failures=0, status=0, moved_hits=0)
    _moments("feed", "polled_at", "due_at", "newest_at", "failing_since", "moved_since")
    _choose("feed", "state", "feedstate", _STATES)
    _choose("feed", "identity", "identity", _IDENTITIES)
    op.add_column("feed", sa.Column("gap", sa.Integer(), nullable=True))
    op.add_column("feed", sa.Column("validates", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("feed", sa.Column("hints", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
    op.create_index("ix_feed_due_at", "feed", ["due_at"])


def _item() -> None:
    _say("source_item", canonical=2000, upstream_name=200, upstream_url=2000, reason=400, handled_by=80)
    _count("source_item", revision=1)
    _moments("source_item", "changed_at", "snoozed_until", "handled_at")
    op.add_column("source_item", sa.Column("cluster_id", sa.Integer(), nullable=True))
    for column in ("canonical", "cluster_id", "found_at"):
        op.create_index(f"ix_source_item_{column}", "source_item", [column])
    op.execute("UPDATE source_item SET canonical = url")


def _say(table: str, **lengths: int) -> None:
    for column, length in lengths.items():
        op.add_column(table, sa.Column(column, _TEXT(length=length), nullable=False, server_default=sa.text("''")))


def _count(table: str, **values: int) -> None:
    for column, value in values.items():
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=False, server_default=sa.text(str(value))))


def _moments(table: str, *columns: str) -> None:
    for column in columns:
        op.add_column(table, sa.Column(column, _MOMENT(), nullable=True))


def _choose(table: str, column: str, name: str, words: tuple[str, ...]) -> None:
    kind = sa.Enum(*words, name=name, native_enum=False, length=24)
    op.add_column(table, sa.Column(column, kind, nullable=False, server_default=sa.text(f"'{words[0]}'")))
