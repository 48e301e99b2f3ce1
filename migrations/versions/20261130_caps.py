"""What counts towards the caps: where a time is held from without an account, and who booked a visit.

Holds that stand when this is done have no place and count for none; they are over after minutes.

Locks: `holds` (ACCESS EXCLUSIVE, for a moment), `appointments` (SHARE while the index is built: reading goes on, bookings
wait, some seconds per million visits).

Revision ID: 20261130_caps
Revises: 20261130_invitations
Create Date: 2026-11-30 23:40:00

"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_caps"
down_revision = "20261130_invitations"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("holds", sa.Column("place", sa.String(length=32), nullable=True))
    op.create_check_constraint(op.f("ck_holds_one_holder"), "holds", "num_nonnulls(user_id, patient_id, place) <= 1")
    here = sa.text("place IS NOT NULL")
    op.create_index("ix_holds_place", "holds", ["place"], postgresql_where=here)
    op.create_index("ix_holds_of_strangers", "holds", ["practice_id", "starts_at"], postgresql_where=here)
    op.create_index("ix_appointments_booker", "appointments", ["booked_by", "starts_at"])


def downgrade():
    op.drop_index("ix_appointments_booker", table_name="appointments")
    op.drop_index("ix_holds_of_strangers", table_name="holds")
    op.drop_index("ix_holds_place", table_name="holds")
    op.drop_constraint(op.f("ck_holds_one_holder"), "holds", type_="check")
    op.drop_column("holds", "place")
