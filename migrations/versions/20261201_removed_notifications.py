"""Notifications can be taken off the list by their reader.

notifications gets removed_at, empty for all that stand. The row stays: its key keeps the same thing from being told
again, and deliveries still read its facts.

Locks: ALTER TABLE notifications takes ACCESS EXCLUSIVE for a moment; a nullable column without a default writes no row.

Revision ID: 20261201_removed_notifications
Revises: 20261201_records_joined
Create Date: 2026-12-01 05:50:00
"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "20261201_removed_notifications"
down_revision = "20261201_records_joined"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("notifications", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade():
    op.drop_column("notifications", "removed_at")
