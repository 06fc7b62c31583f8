"""A step of the schema that changes nothing."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Change nothing."""
