"""The audience: attributes, frequency, confirmations, suppressions per list, erasure, roles, rehearsals, imports."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"

_NOTHING = sa.text("''")
_EVENTS = {
    "ix_event_kind_at_subscriber_id": ["kind", "at", "subscriber_id"],
    "ix_event_kind_issue_id_subscriber_id": ["kind", "issue_id", "subscriber_id"],
}


def upgrade() -> None:
    """Make the new tables, then widen those that stand."""
    _make()
    _widen()
    _declare()
    _guard()


def _make() -> None:
    op.create_table(
        "attribute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column(
            "type",
            sa.Enum("str", "int", "float", "bool", "date", name="attributetype", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("description", sqlmodel.sql.sqltypes.AutoString(length=400), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribute")),
        sa.UniqueConstraint("name", name=op.f("uq_attribute_name")),
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("digest", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("digest", name=op.f("uq_erasure_digest")),
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sqlmodel.sql.sqltypes.AutoString(length=400), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("started_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("finished_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_run_sha256"), ["sha256"], unique=False)

    op.create_table(
        "rehearsal",
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("lists", sa.JSON(), nullable=False),
        sa.Column("segments", sa.JSON(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_rehearsal_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_rehearsal")),
    )
    op.create_table(
        "confirmation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("expires_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("used_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_confirmation_consent_id")),
        sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f("fk_confirmation_list_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_confirmation_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_confirmation_token_sha256")),
    )
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_confirmation_subscriber_id"), ["subscriber_id"], unique=False)

    op.create_table(
        "rehearsal_reader",
        sa.Column("issue_id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["rehearsal.issue_id"], name=op.f("fk_rehearsal_reader_issue_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_rehearsal_reader_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", "subscriber_id", name=op.f("pk_rehearsal_reader")),
    )
    with op.batch_alter_table("rehearsal_reader", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rehearsal_reader_subscriber_id"), ["subscriber_id"], unique=False)


def _widen() -> None:
    # Never in a batch: on SQLite it would make the table anew, without the triggers that guard it.
    text = sqlmodel.sql.sqltypes.AutoString
    op.add_column("consent", sa.Column("form_version", text(length=80), nullable=False, server_default=_NOTHING))
    op.add_column("consent", sa.Column("message_id", text(length=255), nullable=False, server_default=_NOTHING))
    op.add_column("list", sa.Column("identifier", text(length=255), nullable=False, server_default=_NOTHING))
    op.add_column("person", sa.Column("roles", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    often = sa.Enum("every issue", "weekly", "monthly", name="frequency", native_enum=False, length=24)
    every = sa.text("'every issue'")
    op.add_column("subscriber", sa.Column("frequency", often, nullable=False, server_default=every))
    op.add_column("subscriber", sa.Column("role_account", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("subscriber", sa.Column("disposable", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, columns in _EVENTS.items():
        op.create_index(name, "event", columns)
    op.drop_index("uq_suppression_standing", "suppression")
    with op.batch_alter_table("suppression") as batch:
        batch.add_column(sa.Column("list_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        batch.create_foreign_key(batch.f("fk_suppression_list_id"), "list", ["list_id"], ["id"])
    _stands("uq_suppression_standing", ["email_key"], "lifted_at IS NULL AND list_id IS NULL")
    _stands("uq_suppression_standing_list", ["email_key", "list_id"], "lifted_at IS NULL AND list_id IS NOT NULL")


def _stands(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "suppression", columns, unique=True, sqlite_where=condition, postgresql_where=condition)


def _declare() -> None:
    """Declare as text what imports have kept of subscribers without asking."""
    keys = "json_object_keys(attributes)" if _postgresql() else "key"
    source = "subscriber" if _postgresql() else "subscriber, json_each(subscriber.attributes)"
    op.execute(
        f"INSERT INTO attribute (name, type, description, created_at) "
        f"SELECT name, 'str', '', CURRENT_TIMESTAMP FROM (SELECT DISTINCT {keys} AS name FROM {source}) AS known"
    )


def _guard() -> None:
    """Let the guards cover the new columns, and let what tells of a person go with the person, and only then."""
    about = "NEW.subscriber_id IS NULL"
    agreed = "id, list_id, event, method, words, words_sha256, form_version, message_id, at"
    _replace_guard(
        "consent", agreed, {"ip": f"{about} AND NEW.ip = ''", "user_agent": f"{about} AND NEW.user_agent = ''"}
    )
    emptied = "NEW.detail = '{}'" if not _postgresql() else "NEW.detail::text = '{}'"
    _replace_guard("event", "id, kind, issue_id, list_id, at", {"detail": f"{about} AND {emptied}"})


def _replace_guard(table: str, never: str, unless: dict[str, str]) -> None:
    """Guard columns from any change, and some unless a condition holds."""
    name = f"{table}_is_never_changed"
    op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if _postgresql() else ""))
    _make_guard(name, table, never, "")
    for column, condition in unless.items():
        _make_guard(f"{table}_{column}_is_never_changed", table, column, f"WHEN (NOT ({condition}))")


def _make_guard(name: str, table: str, columns: str, when: str) -> None:
    if _postgresql():
        action = f"EXECUTE FUNCTION {table}_is_never_changed()"
        op.execute(f"CREATE TRIGGER {name} BEFORE UPDATE OF {columns} ON {table} FOR EACH ROW {when} {action}")
        return
    action = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
    op.execute(f"CREATE TRIGGER {name} BEFORE UPDATE OF {columns} ON {table} FOR EACH ROW {when} {action}")


def _postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")
