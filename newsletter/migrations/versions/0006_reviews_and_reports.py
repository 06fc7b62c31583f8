"""Reviews: what the gate reported, what was waived, what was said of a text, and the report behind an approval."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0006"
down_revision = "0005"

_MOMENT = sqlmodel.sql.sqltypes.UTCDateTime
_TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    """Make the three tables; approvals that stand have no report behind them."""
    _table(
        "gate_report",
        sa.Column("stage", sa.Enum("content", "issue", name="stage", native_enum=False, length=24), nullable=False),
        sa.Column("rules", _TEXT(length=16), nullable=False),
        sa.Column("block", sa.JSON(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
    )
    _table(
        "waiver",
        sa.Column("rule", _TEXT(length=40), nullable=False),
        sa.Column("reason", _TEXT(length=2000), nullable=False),
        sa.Column("solo", sa.Boolean(), nullable=False),
    )
    _table(
        "comment",
        sa.Column("place", _TEXT(length=80), nullable=False),
        sa.Column("text", _TEXT(length=4000), nullable=False),
    )
    op.add_column("approval", sa.Column("report", sa.Integer(), nullable=True))


def _table(name: str, *columns: "sa.Column[sa.types.TypeEngine[object]]") -> None:
    """Make a table of what somebody added to one text of a briefing."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("briefing_id", _TEXT(length=80), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sha256", _TEXT(length=64), nullable=False),
        sa.Column("person", _TEXT(length=80), nullable=False),
        sa.Column("at", _MOMENT(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["briefing_id"], ["briefing.id"], name=op.f(f"fk_{name}_briefing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_briefing_id"), name, ["briefing_id"])
