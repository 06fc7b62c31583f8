"""A delivery knows how long its schedule had it wait: what follows one fault is not what follows another."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column; whoever waits for another attempt has waited as the usual schedule says."""
    op.add_column("delivery", sa.Column("waited", sa.Float(), nullable=False, server_default="0"))
    _add_up()


def _add_up() -> None:
    # After 5, 15, 30, 60, 120 and then each 240 minutes; where the mailbox was full after 60, 240 and then each 720.
    op.execute(
        "UPDATE delivery SET waited = 60 * CASE "
        "WHEN reason = 'mailbox_full' THEN CASE attempts WHEN 1 THEN 60 ELSE 300 + 720 * (attempts - 2) END "
        "ELSE CASE attempts WHEN 1 THEN 5 WHEN 2 THEN 20 WHEN 3 THEN 50 WHEN 4 THEN 110 "
        "ELSE 230 + 240 * (attempts - 5) END END "
        "WHERE attempts > 0 AND state IN ('deferred', 'pending', 'sending')"
    )
