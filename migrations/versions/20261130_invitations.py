"""Invitations of clinics wait for a yes; a verified doctor's changes wait for an admin.

Memberships and practices that stand were given before and count as accepted: nothing is filled in. Letters that are on
their way invite accounts that exist already; their links end, and their owners choose a password with "Forgot your
password?". A downgrade forgets invitations and changes that wait.

Locks: the two tables are new. Their foreign keys take SHARE ROW EXCLUSIVE on clinics, doctors and users, and the new
column, which has no default, ACCESS EXCLUSIVE on doctors; each for a moment, without reading a row. The new check takes
ACCESS EXCLUSIVE on one_time_tokens while it reads that small table once.

Revision ID: 20261130_invitations
Revises: 000000000004
Create Date: 2026-11-30 23:00:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = "20261130_invitations"
down_revision = "000000000004"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("DELETE FROM one_time_tokens WHERE purpose = 'invite'")
    op.drop_constraint(op.f("ck_one_time_tokens_purpose"), "one_time_tokens", type_="check")
    op.create_check_constraint(
        op.f("ck_one_time_tokens_purpose"), "one_time_tokens", "purpose IN ('verify', 'reset', 'sign_in')"
    )
    op.add_column("doctors", sa.Column("licence_withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "clinic_invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("email", postgresql.CITEXT(), nullable=True),
        sa.Column("given_name", sa.String(length=80), nullable=False),
        sa.Column("family_name", sa.String(length=80), nullable=False),
        sa.Column("locale", sa.String(length=2), nullable=False),
        sa.Column("doctor_id", sa.Uuid(), nullable=True),
        sa.Column("fee_minor", sa.Integer(), nullable=True),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.CheckConstraint(
            "role IN ('staff', 'pharmacist', 'admin', 'doctor')", name=op.f("ck_clinic_invitations_role")
        ),
        sa.CheckConstraint("(role = 'doctor') = (doctor_id IS NOT NULL)", name=op.f("ck_clinic_invitations_doctor")),
        sa.CheckConstraint("email IS NOT NULL OR doctor_id IS NOT NULL", name=op.f("ck_clinic_invitations_addressee")),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'declined', 'withdrawn', 'expired')", name=op.f("ck_clinic_invitations_outcome")
        ),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name=op.f("ck_clinic_invitations_ended")),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_clinic_invitations_clinic_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"], ["doctors.id"], name=op.f("fk_clinic_invitations_doctor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("fk_clinic_invitations_invited_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic_invitations")),
    )
    for column in ("clinic_id", "doctor_id", "email"):
        op.create_index(op.f(f"ix_clinic_invitations_{column}"), "clinic_invitations", [column], unique=False)
    op.create_index(
        "uq_clinic_invitations_open_address",
        "clinic_invitations",
        ["clinic_id", "email", "role"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND doctor_id IS NULL"),
    )
    op.create_index(
        "uq_clinic_invitations_open_doctor",
        "clinic_invitations",
        ["clinic_id", "doctor_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND doctor_id IS NOT NULL"),
    )
    op.create_table(
        "doctor_amendments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("doctor_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=20), nullable=False),
        sa.Column("given_name", sa.String(length=80), nullable=False),
        sa.Column("family_name", sa.String(length=80), nullable=False),
        sa.Column("licence_number", sa.String(length=40), nullable=False),
        sa.Column("specialties", postgresql.ARRAY(sa.String(length=40)), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["doctor_id"], ["doctors.id"], name=op.f("fk_doctor_amendments_doctor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doctor_amendments")),
        sa.UniqueConstraint("doctor_id", name=op.f("uq_doctor_amendments_doctor_id")),
    )


def downgrade():
    op.drop_table("doctor_amendments")
    op.drop_table("clinic_invitations")
    op.drop_column("doctors", "licence_withdrawn_at")
    op.drop_constraint(op.f("ck_one_time_tokens_purpose"), "one_time_tokens", type_="check")
    op.create_check_constraint(
        op.f("ck_one_time_tokens_purpose"),
        "one_time_tokens",
        "purpose IN ('verify', 'reset', 'invite', 'sign_in')",
    )
