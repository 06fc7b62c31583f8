"""Deliveries are found by their batch alone: an index that knew their states too was written at each of their steps."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_IN_A_BATCH = sa.text("batch_id IS NOT NULL")


def upgrade() -> None:
    """Put an index of those that are in a batch in the place of one of all, by batch and state."""
    op.drop_index("ix_delivery_batch_id_state", "delivery")
    op.create_index(
        "ix_delivery_batch_id", "delivery", ["batch_id"], sqlite_where=_IN_A_BATCH, postgresql_where=_IN_A_BATCH
    )
