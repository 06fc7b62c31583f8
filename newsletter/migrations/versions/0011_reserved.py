"""A step of the schema that changes nothing."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Change nothing."""
