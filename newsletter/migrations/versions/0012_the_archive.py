"""The archive: who can see an issue online, and what the search reads of what is published."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0012"
down_revision = "0011"

_TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    """Make the column, and the tables of the search; who searches first fills them with what was sent before."""
    kinds = sa.Enum("public", "unlisted", "subscribers", name="visibility", native_enum=False, length=24)
    op.add_column("issue", sa.Column("visibility", kinds, nullable=True))
    op.create_table(
        "search_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", _TEXT(length=24), nullable=False),
        sa.Column("name", _TEXT(length=80), nullable=False),
        sa.Column("sha256", _TEXT(length=64), nullable=False),
        sa.Column("title", _TEXT(length=500), nullable=False),
        sa.Column("text", _TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_text")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_search_text_kind_name")),
    )
    if op.get_bind().dialect.name == "sqlite":
        # The words come folded: what counts as a letter is the program's affair, the same on both databases.
        op.execute("CREATE VIRTUAL TABLE search_index USING fts5(title, words, tokenize = 'unicode61')")
        return
    op.execute(
        "CREATE TABLE search_index (id integer PRIMARY KEY REFERENCES search_text (id) ON DELETE CASCADE, "
        "words tsvector NOT NULL)"
    )
    op.execute("CREATE INDEX search_index_words ON search_index USING gin (words)")
