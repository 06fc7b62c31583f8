"""Run the migrations on the connection that `newsletter.db` opened."""

from alembic import context

from newsletter import db

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.tables(),
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
