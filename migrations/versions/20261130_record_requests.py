"""What clinics ask about records, and records that were joined.

Two new tables, and a nullable column with its index on patients. Takes ACCESS EXCLUSIVE on patients for the moment of
adding the column; the index and the check read the table once (a second for a million patients), while writers wait.

Revision ID: 20261130_record_requests
Revises: 20261130_framing
Create Date: 2026-11-30 23:05:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = "20261130_record_requests"
down_revision = "20261130_framing"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("patients", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_patients_merged_into_id"), "patients", "patients", ["merged_into_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index(op.f("ix_patients_merged_into_id"), "patients", ["merged_into_id"])
    op.create_check_constraint(
        op.f("ck_patients_merged"), "patients", "merged_into_id IS NULL OR (user_id IS NULL AND merged_into_id <> id)"
    )
    op.create_table(
        "record_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("wanted", postgresql.JSONB(), nullable=False),
        sa.Column("before", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("entered_id", sa.Uuid(), nullable=True),
        sa.Column("on_paper", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_way", sa.String(length=8), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disputed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('join', 'contact', 'carer', 'hand_over')", name=op.f("ck_record_requests_kind")),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'refused', 'withdrawn', 'over')", name=op.f("ck_record_requests_outcome")
        ),
        sa.CheckConstraint("decided_way IN ('account', 'link', 'paper')", name=op.f("ck_record_requests_decided_way")),
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name=op.f("ck_record_requests_decided")),
        sa.CheckConstraint("(kind = 'join') = (entered_id IS NOT NULL)", name=op.f("ck_record_requests_entered")),
        sa.CheckConstraint(
            "NOT (on_paper AND kind = 'join')", name=op.f("ck_record_requests_join_is_never_on_paper")
        ),
        sa.CheckConstraint(
            "decided_way <> 'paper' OR (on_paper AND decided_by <> asked_by)", name=op.f("ck_record_requests_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients.id"], name=op.f("fk_record_requests_patient_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["entered_id"], ["patients.id"], name=op.f("fk_record_requests_entered_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_record_requests_clinic_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["users.id"], name=op.f("fk_record_requests_asked_by"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_requests")),
    )
    op.create_index(op.f("ix_record_requests_patient_id"), "record_requests", ["patient_id"])
    op.create_index(op.f("ix_record_requests_entered_id"), "record_requests", ["entered_id"])
    op.create_index(op.f("ix_record_requests_asked_by"), "record_requests", ["asked_by"])
    op.create_index("ix_record_requests_clinic", "record_requests", ["clinic_id", "created_at"])
    op.create_index(
        "uq_record_requests_open",
        "record_requests",
        ["patient_id", "clinic_id", "kind"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "record_joins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("gone_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("moved", postgresql.JSONB(), nullable=False),
        sa.Column("filled", postgresql.JSONB(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kept_id <> gone_id", name=op.f("ck_record_joins_two_records")),
        sa.ForeignKeyConstraint(["kept_id"], ["patients.id"], name=op.f("fk_record_joins_kept_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["gone_id"], ["patients.id"], name=op.f("fk_record_joins_gone_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["request_id"], ["record_requests.id"], name=op.f("fk_record_joins_request_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_joins")),
    )
    op.create_index(op.f("ix_record_joins_kept_id"), "record_joins", ["kept_id"])
    op.create_index(op.f("ix_record_joins_gone_id"), "record_joins", ["gone_id"])


def downgrade():
    op.drop_table("record_joins")
    op.drop_table("record_requests")
    op.drop_constraint(op.f("ck_patients_merged"), "patients", type_="check")
    op.drop_index(op.f("ix_patients_merged_into_id"), table_name="patients")
    op.drop_constraint(op.f("fk_patients_merged_into_id"), "patients", type_="foreignkey")
    op.drop_column("patients", "merged_into_id")
