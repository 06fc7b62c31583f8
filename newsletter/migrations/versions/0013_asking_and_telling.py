"""Asking and telling: one letter for several lists, letters that wait, readers who pause, programs that come in."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0013"
down_revision = "0012"

_TEXT = sqlmodel.sql.sqltypes.AutoString
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
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
    _programs()
    _notices()
    op.add_column("subscriber", sa.Column("paused_until", _MOMENT(), nullable=True))


def _programs() -> None:
    """Make the tables of tokens and of kept answers."""
    op.create_table(
        "access_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", _TEXT(length=60), nullable=False),
        sa.Column("secret_sha256", _TEXT(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT(), nullable=False),
        sa.Column("created_by", _TEXT(length=80), nullable=False),
        sa.Column("expires_at", _MOMENT(), nullable=True),
        sa.Column("used_at", _MOMENT(), nullable=True),
        sa.Column("revoked_at", _MOMENT(), nullable=True),
        sa.Column("revoked_by", _TEXT(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("name", name=op.f("uq_access_token_name")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_access_token_secret_sha256")),
    )
    op.create_table(
        "kept_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("key", _TEXT(length=255), nullable=False),
        sa.Column("request_sha256", _TEXT(length=64), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["access_token.id"], name=op.f("fk_kept_answer_token_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_kept_answer_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_answer")),
        sa.UniqueConstraint("token_id", "key", name=op.f("uq_kept_answer_token_id_key")),
    )
    op.create_index(op.f("ix_kept_answer_at"), "kept_answer", ["at"])
    op.create_index(op.f("ix_kept_answer_subscriber_id"), "kept_answer", ["subscriber_id"])


def _notices() -> None:
    """Make the table of what receivers are to be told."""
    op.create_table(
        "notice",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("message_id", _TEXT(length=60), nullable=False),
        sa.Column("receiver", _TEXT(length=80), nullable=False),
        sa.Column("fact", _TEXT(length=60), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("suppression_id", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        sa.Column("since", _MOMENT(), nullable=False),
        sa.Column("due_at", _MOMENT(), nullable=False),
        sa.Column("changed_at", _MOMENT(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answer", _TEXT(length=400), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f("fk_notice_list_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_notice_subscriber_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["suppression_id"], ["suppression.id"], name=op.f("fk_notice_suppression_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("message_id", name=op.f("uq_notice_message_id")),
    )
    op.create_index("ix_notice_state_due_at", "notice", ["state", "due_at"])
    op.create_index(op.f("ix_notice_subscriber_id"), "notice", ["subscriber_id"])
    op.create_index(op.f("ix_notice_suppression_id"), "notice", ["suppression_id"])
