"""Runs migrations on the application's own engine, one at a time even when several releases start at once."""

from alembic import context
from flask import current_app
from sqlalchemy import text

database = current_app.extensions["migrate"].db
options = current_app.extensions["migrate"].configure_args

if context.is_offline_mode():
    context.configure(url=str(database.engine.url), target_metadata=database.metadata, literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    with database.engine.connect() as connection:
        # waiting for a lock must not stop bookings behind the migration: give up and let the release try again
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("SELECT pg_advisory_lock(hashtext('portal.migrations'))"))
        connection.commit()
        context.configure(connection=connection, target_metadata=database.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(hashtext('portal.migrations'))"))
        connection.commit()
