"""Hours that pass midnight: an opening may end before its start, which is on the next day.

Locks: `openings` (ACCESS EXCLUSIVE while the check is replaced; the new one holds for every row that the old one let
in and reads the table once, which has a few rows a practice).

The version before cannot read such hours: add none while it still runs, and split or remove them before going back.

Revision ID: 20261201_night_hours
Revises: 20261201_removed_notifications
Create Date: 2026-12-01 12:50:00

"""

from alembic import op

revision = "20261201_night_hours"
down_revision = "20261201_removed_notifications"
branch_labels = None
depends_on = None


def upgrade():
    op.drop_constraint(op.f("ck_openings_ends_after_start"), "openings", type_="check")
    op.create_check_constraint(op.f("ck_openings_shorter_than_a_day"), "openings", "ends <> starts OR ends = '00:00'")


def downgrade():
    """Fails while there are hours that pass midnight: split or remove them first."""
    op.drop_constraint(op.f("ck_openings_shorter_than_a_day"), "openings", type_="check")
    op.create_check_constraint(op.f("ck_openings_ends_after_start"), "openings", "ends > starts OR ends = '00:00'")
