"""One form of every e-mail address; where people are known; codes by mail.

Addresses of accounts are rewritten in the form of portal.core.emails, and the database holds them to it. Two accounts
whose addresses are two spellings of one are joined by nobody: the migration stops and names their ids, and
`flask portal doctor` names them before.

Locks: `users` (ACCESS EXCLUSIVE while its rows are checked, some seconds per million), `user_sessions`,
`token_families` and `one_time_tokens` (ACCESS EXCLUSIVE, for a moment; sessions are then filled in row by row).

Revision ID: 000000000004
Revises: 000000000003
Create Date: 2026-11-30 23:05:00

"""

import sqlalchemy as sa
from alembic import op

from portal.core import emails, places
from portal.domain.identity import spellings

revision = "000000000004"
down_revision = "000000000003"
branch_labels = None
depends_on = None

PURPOSES = "purpose IN ('verify', 'reset', 'invite'{more})"


def upgrade():
    _normalise()
    op.create_check_constraint(
        op.f("ck_users_email_normalised"),
        "users",
        "email::text !~ '[A-Z[:space:]]' AND email::text IS NFKC NORMALIZED",
    )
    op.add_column("user_sessions", sa.Column("place", sa.String(length=64), nullable=True))
    op.add_column("token_families", sa.Column("place", sa.String(length=64), nullable=True))
    _fill_places()
    _purposes(", 'sign_in'")


def downgrade():
    op.execute("DELETE FROM one_time_tokens WHERE purpose = 'sign_in'")
    _purposes("")
    op.drop_column("token_families", "place")
    op.drop_column("user_sessions", "place")
    op.drop_constraint(op.f("ck_users_email_normalised"), "users", type_="check")


def _normalise():
    here = op.get_bind()
    twice = list(spellings.twice(here))
    if twice:
        ids = "; ".join(", ".join(map(str, group)) for group in twice)
        raise RuntimeError(
            f"These accounts have one e-mail address in two spellings: {ids}. Give one of each another address, or "
            "delete it, and run this again. Nothing was changed."
        )
    for row in here.execute(sa.text(spellings.ODD)).all():
        here.execute(
            sa.text("UPDATE users SET email = :email WHERE id = :id"),
            {"id": row.id, "email": emails.normalise(row.email)},
        )


def _fill_places():
    here = op.get_bind()
    came_from = sa.text("SELECT DISTINCT address FROM user_sessions WHERE address IS NOT NULL")
    for address in here.scalars(came_from).all():
        place = places.of(address)
        if place != places.UNKNOWN:
            filled = sa.text("UPDATE user_sessions SET place = :place WHERE address = :address")
            here.execute(filled, {"place": place, "address": address})


def _purposes(more):
    name = op.f("ck_one_time_tokens_purpose")
    op.drop_constraint(name, "one_time_tokens", type_="check")
    op.create_check_constraint(name, "one_time_tokens", PURPOSES.format(more=more))
