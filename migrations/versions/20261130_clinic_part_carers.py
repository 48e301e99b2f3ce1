"""Carers a clinic's desk has named reach that clinic's part of a record only.

A delegation may name a clinic. Those that stand are sorted by who has granted them. The patient's own account, the
carer themselves (who entered a child) and an account that looked after the patient at that moment could grant the whole
record; every other granter was a front desk. What a desk granted is narrowed to a clinic at which the granter is or was
desk or admin and which knows the patient, the oldest such clinic where there are several, and loses `profile`. It ends
where there is no such clinic, as for a superadmin or an unknown granter. Whoever was let in by a carer whom a desk had
named is treated alike, with that carer's granter. Care that a desk's entry had replaced stays ended: the paper may have
said so. Ended delegations keep what they were.

Locks: ACCESS EXCLUSIVE on delegations until the end (a table of families: the backfill and the index take milliseconds
for some ten thousand rows), SHARE ROW EXCLUSIVE on clinics for the foreign key.

Revision ID: 20261130_clinic_part_carers
Revises: 000000000014
Create Date: 2026-11-30 23:20:00

"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_clinic_part_carers"
down_revision = "000000000014"
branch_labels = None
depends_on = None

CURRENT = sa.text("ended_at IS NULL")

# `of_desk`: each delegation that goes back to a desk, with the account of the desk. Ended ones count too: somebody may
# have been let in by a carer whose own care has ended since.
NARROW = """
WITH RECURSIVE held AS (
  SELECT d.id, d.patient_id, d.user_id, d.granted_by, d.created_at, d.ended_at, p.user_id AS own
    FROM delegations d JOIN patients p ON p.id = d.patient_id),
granted AS (
  SELECT h.*, g.id AS by_carer
    FROM held h
    LEFT JOIN LATERAL (
      SELECT c.id FROM held c
       WHERE c.patient_id = h.patient_id AND c.user_id = h.granted_by AND c.id <> h.id
         AND c.created_at <= h.created_at AND (c.ended_at IS NULL OR c.ended_at >= h.created_at)
       ORDER BY c.created_at DESC LIMIT 1) g ON true),
of_desk (id, clerk) AS (
  SELECT id, granted_by FROM granted
   WHERE by_carer IS NULL AND coalesce(granted_by <> own, true) AND coalesce(granted_by <> user_id, true)
  UNION
  SELECT g.id, o.clerk FROM granted g JOIN of_desk o ON o.id = g.by_carer
   WHERE coalesce(g.granted_by <> g.own, true) AND g.granted_by <> g.user_id),
place AS (
  SELECT o.id, (
    SELECT c.id FROM clinics c
      JOIN memberships m ON m.clinic_id = c.id AND m.user_id = o.clerk AND m.role IN ('staff', 'admin')
      JOIN registrations r ON r.clinic_id = c.id AND r.patient_id = d.patient_id
     ORDER BY c.created_at, c.id LIMIT 1) AS clinic_id
    FROM of_desk o JOIN delegations d ON d.id = o.id AND d.ended_at IS NULL)
UPDATE delegations d
   SET clinic_id = p.clinic_id,
       scopes = CASE WHEN p.clinic_id IS NULL THEN d.scopes ELSE array_remove(d.scopes, 'profile') END,
       ended_at = CASE WHEN p.clinic_id IS NULL THEN now() END,
       updated_at = now()
  FROM place p
 WHERE d.id = p.id
"""


def upgrade():
    op.add_column("delegations", sa.Column("clinic_id", sa.Uuid(), nullable=True))
    op.execute(NARROW)
    op.create_foreign_key(
        op.f("fk_delegations_clinic_id"), "delegations", "clinics", ["clinic_id"], ["id"], ondelete="CASCADE"
    )
    op.create_check_constraint(
        op.f("ck_delegations_clinic_part"), "delegations", "clinic_id IS NULL OR NOT 'profile' = ANY(scopes)"
    )
    op.create_index(op.f("ix_delegations_clinic_id"), "delegations", ["clinic_id"], unique=False)
    op.drop_index("uq_delegations_current", table_name="delegations", postgresql_where=CURRENT)
    op.create_index(
        "uq_delegations_current",
        "delegations",
        ["patient_id", "user_id", "clinic_id"],
        unique=True,
        postgresql_where=CURRENT,
        postgresql_nulls_not_distinct=True,
    )


def downgrade():
    """Before this there is no narrower care: what reaches one clinic's part ends rather than grows."""
    op.execute("UPDATE delegations SET ended_at = now(), updated_at = now() WHERE clinic_id IS NOT NULL AND ended_at IS NULL")
    op.drop_index("uq_delegations_current", table_name="delegations", postgresql_where=CURRENT)
    op.create_index(
        "uq_delegations_current", "delegations", ["patient_id", "user_id"], unique=True, postgresql_where=CURRENT
    )
    op.drop_index(op.f("ix_delegations_clinic_id"), table_name="delegations")
    op.drop_constraint(op.f("ck_delegations_clinic_part"), "delegations", type_="check")
    op.drop_constraint(op.f("fk_delegations_clinic_id"), "delegations", type_="foreignkey")
    op.drop_column("delegations", "clinic_id")
