"""A step of the schema that changes nothing."""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Change nothing."""
