"""What Alembic runs for each command: on the connection that the program gives it, inside its transaction."""

from __future__ import annotations

from alembic import context

from qinglan.base.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
