"""What the gate said of whole issues, when they were frozen and sent."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0007"
down_revision = "0006"

_TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    """Make the table of reports; issues that were frozen before have none."""
    op.create_table(
        "issue_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Enum("freeze", "send", name="step", native_enum=False, length=24), nullable=False),
        sa.Column("person", _TEXT(length=80), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("rules", _TEXT(length=16), nullable=False),
        sa.Column("block", sa.JSON(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_report_issue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue_report")),
    )
    op.create_index(op.f("ix_issue_report_issue_id"), "issue_report", ["issue_id"])
