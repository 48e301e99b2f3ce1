"""Whose turn it is to send to a receiver of webhooks: webhook_endpoints.served_until, a lease.

Locks: ACCESS EXCLUSIVE on webhook_endpoints for a moment; no row is rewritten.

Revision ID: 20261201_turns
Revises: 20261201_asked_until
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_turns"
down_revision = "20261201_asked_until"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("webhook_endpoints", sa.Column("served_until", sa.DateTime(timezone=True), nullable=True))


def downgrade():
    op.drop_column("webhook_endpoints", "served_until")
