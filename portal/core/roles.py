"""What the application's role may do in the database; its owner's role says so at the end of each migration.

It owns nothing, so it can drop, alter or switch off nothing. It reads and writes rows, but of what happened: events it
may read and write new ones (not their number, nor their seal), seals it may read and have the database make.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

WRITTEN_ONCE = {"events": {"seq", "seal_id"}}  # tables that take new rows only, and what the database fills in
READ_ONLY = ("event_seals", "alembic_version")
FUNCTIONS = {"seal_events": "uuid, timestamptz, bigint, text, text, uuid[]"}

_COLUMNS = text(
    "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.' || :name) AND attnum > 0"
    " AND NOT attisdropped ORDER BY attnum"
)
_STANDING = text(
    """SELECT current_user AS name, rolsuper AS superuser,
              has_schema_privilege('public', 'CREATE') AS creates,
              (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                WHERE nspname = 'public' AND pg_has_role(relowner, 'MEMBER')) AS owns,
              coalesce((SELECT bool_or(has_table_privilege(t, p)) FROM unnest(CAST(:tables AS text[])) t,
                        unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) p
                        WHERE to_regclass(t) IS NOT NULL), false) AS edits
         FROM pg_roles WHERE rolname = current_user"""
)


def grant(connection: Connection, role: str) -> None:
    """Give the application's role what it needs and no more; safe to repeat. `connection` is the owner's."""
    name = connection.dialect.identifier_preparer.quote(role)
    for statement in _statements(connection, name):
        connection.execute(text(statement))


def too_mighty(connection: Connection) -> str:
    """In what way the role of this connection could rewrite the audit; empty when it could not."""
    found = connection.execute(_STANDING, {"tables": [*WRITTEN_ONCE, *READ_ONLY[:1]]}).one()
    reasons = (  # the first that holds implies the others
        (found.superuser, "is a superuser"),
        (found.owns, "owns tables, or may act as their owner"),
        (found.edits, "may change events"),
        (found.creates, "may create things in the schema"),
    )
    return next((f"{found.name} {reason}" for holds, reason in reasons if holds), "")


def _statements(connection: Connection, role: str) -> list[str]:
    made = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ]
    for table in (*WRITTEN_ONCE, *READ_ONLY):
        if columns := list(connection.scalars(_COLUMNS, {"name": table})):
            made += [f"REVOKE ALL ON {table} FROM {role}", f"GRANT SELECT ON {table} TO {role}"]
            if table in WRITTEN_ONCE:
                given = ", ".join(column for column in columns if column not in WRITTEN_ONCE[table])
                made.append(f"GRANT INSERT ({given}) ON {table} TO {role}")
    for name, takes in FUNCTIONS.items():
        if connection.scalar(text("SELECT to_regprocedure(:name)"), {"name": f"{name}({takes})"}):
            made.append(f"GRANT EXECUTE ON FUNCTION {name}({takes}) TO {role}")
    return made
