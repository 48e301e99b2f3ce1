"""Indexes for what is looked up: offers by entry, failed tasks, an admin's events by name; visits' invitations, reviews.

Locks: SHARE on waitlist_offers, tasks, events, booking_invitations and reviews while each index is built: they are read
but not written meanwhile, some seconds for a million events. ACCESS EXCLUSIVE on events for the moment in which
the index that the new one replaces is dropped.

Revision ID: 20261201_lookups
Revises: 20261201_no_known_allergies
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_lookups"
down_revision = "20261201_no_known_allergies"
branch_labels = None
depends_on = None

PLAIN = (
    ("waitlist_offers", "entry_id"),
    ("booking_invitations", "practice_id"),
    ("booking_invitations", "appointment_id"),
    ("reviews", "clinic_id"),
)


def upgrade():
    for table, column in PLAIN:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index("ix_tasks_failed", "tasks", ["finished_at"], postgresql_where=sa.text("state = 'failed'"))
    op.create_index("ix_events_clinic", "events", ["clinic_id", "name"])
    op.drop_index(op.f("ix_events_clinic_id"), table_name="events")


def downgrade():
    op.create_index(op.f("ix_events_clinic_id"), "events", ["clinic_id"])
    op.drop_index("ix_events_clinic", table_name="events")
    op.drop_index("ix_tasks_failed", table_name="tasks")
    for table, column in PLAIN:
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)
