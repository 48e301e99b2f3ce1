"""What acts for an account: since when, and which browser chose its password.

users gets access_since (what was let in before that moment acts no more) and registered_mark (the fingerprint of the
browser in which the account was made). Both are empty for accounts that stand: nothing of theirs ends, and whoever
verifies an address later chooses a password.

Locks: ALTER TABLE users takes ACCESS EXCLUSIVE for a moment; two nullable columns without a default write no row.

Revision ID: 20261130_acting
Revises: 20261130_record_requests
Create Date: 2026-11-30 23:10:00

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "20261130_acting"
down_revision = "20261130_record_requests"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("users", sa.Column("access_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("registered_mark", sa.String(length=64), nullable=True))


def downgrade():
    op.drop_column("users", "registered_mark")
    op.drop_column("users", "access_since")
