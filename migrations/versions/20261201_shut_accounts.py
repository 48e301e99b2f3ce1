"""Doctors whose accounts were shut before: nobody finds or books them, as for those whose accounts are shut from now on.

Data alone. Visits that are booked with them stand. Locks: ROW EXCLUSIVE on doctors for as many rows as there are such
doctors. The way back makes the same doctors bookable again.

Revision ID: 20261201_shut_accounts
Revises: 20261130_acting
"""

from alembic import op

revision = "20261201_shut_accounts"
down_revision = "20261130_acting"
branch_labels = None
depends_on = None

_SET = (
    "UPDATE doctors SET is_active = {} FROM users"
    " WHERE users.id = doctors.user_id AND users.deactivated_at IS NOT NULL AND doctors.is_active IS {}"
)


def upgrade():
    op.execute(_SET.format("false", "true"))


def downgrade():
    op.execute(_SET.format("true", "false"))
