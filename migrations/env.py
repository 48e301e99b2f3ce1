"""Runs migrations as the owner of the tables, one at a time even when several releases start at once.

Afterwards the application's role gets what it needs, in the same transaction (portal.core.roles): on what is new, too.
"""

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from portal.config import for_sqlalchemy
from portal.core import roles

database = current_app.extensions["migrate"].db
options = current_app.extensions["migrate"].configure_args
owner_url = current_app.extensions["portal.settings"].database_owner_url


def application_role():
    """Who the application is in the database: whoever its address signs in."""
    with database.engine.connect() as connection:
        return connection.scalar(text("SELECT current_user"))


if context.is_offline_mode():
    context.configure(url=str(database.engine.url), target_metadata=database.metadata, literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    url = for_sqlalchemy(owner_url)
    engine = create_engine(url, poolclass=NullPool) if owner_url else database.engine
    with engine.connect() as connection:
        # waiting for a lock must not stop bookings behind the migration: give up and let the release try again
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("SELECT pg_advisory_lock(hashtext('portal.migrations'))"))
        owner = connection.scalar(text("SELECT current_user"))
        connection.commit()
        context.configure(connection=connection, target_metadata=database.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
            if (role := application_role()) != owner:
                roles.grant(connection, role)
        connection.execute(text("SELECT pg_advisory_unlock(hashtext('portal.migrations'))"))
        connection.commit()
