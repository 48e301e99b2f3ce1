"""Records joined at a desk and undone, links that end with a contact, and patients who have died.

Nullable columns, one with a constant default, and an index on a table of few rows. Takes ACCESS EXCLUSIVE on patients
and record_joins for the moment of adding; the check on patients reads the table once, and holds for every row already.
Nothing has to be filled in: no link, join or death was written down before.

Revision ID: 20261201_records_joined
Revises: 20261201_folding
Create Date: 2026-12-01 05:30:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = "20261201_records_joined"
down_revision = "20261201_folding"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("patients", sa.Column("links_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("patients", sa.Column("deceased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("patients", sa.Column("deceased_on", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_patients_deceased"), "patients", "deceased_on IS NULL OR deceased_at IS NOT NULL"
    )
    op.add_column(
        "record_joins",
        sa.Column("ended", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column("record_joins", sa.Column("clinic_id", sa.Uuid(), nullable=True))
    op.add_column("record_joins", sa.Column("joined_by", sa.Uuid(), nullable=True))
    op.add_column("record_joins", sa.Column("undone_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_record_joins_clinic_id"), "record_joins", "clinics", ["clinic_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index(op.f("ix_record_joins_clinic_id"), "record_joins", ["clinic_id"])


def downgrade():
    op.drop_index(op.f("ix_record_joins_clinic_id"), table_name="record_joins")
    op.drop_constraint(op.f("fk_record_joins_clinic_id"), "record_joins", type_="foreignkey")
    for name in ("undone_by", "joined_by", "clinic_id", "ended"):
        op.drop_column("record_joins", name)
    op.drop_constraint(op.f("ck_patients_deceased"), "patients", type_="check")
    for name in ("deceased_on", "deceased_at", "links_since"):
        op.drop_column("patients", name)
