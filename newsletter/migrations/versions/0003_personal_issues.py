"""Personal issues: what an issue goes by when it differs from reader to reader, frozen with its rendering."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Widen the issue and the rendering: those that stand are the same for every reader."""
    unmatched = sa.Enum("lead", "skip", name="unmatched", native_enum=False, length=24)
    op.add_column("issue", sa.Column("by_topic", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("issue", sa.Column("by_audience", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("issue", sa.Column("leads", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.add_column("issue", sa.Column("unmatched", unmatched, nullable=False, server_default=sa.text("'lead'")))
    op.add_column("rendering", sa.Column("personal", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
