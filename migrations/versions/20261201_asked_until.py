"""Until when care was asked for, beside the day on which it ends: an end that follows from age follows the birth date.

Care that ends otherwise than on the eve of the 18th birthday was asked to end then. Of care that ends on that eve nobody
knows whether somebody asked for a later end; it is taken to end by age alone.

Locks: `delegations` (ACCESS EXCLUSIVE for the new column, for a moment; its rows are written once).

Revision ID: 20261201_asked_until
Revises: 20261201_shut_accounts
Create Date: 2026-12-01 05:30:00

"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_asked_until"
down_revision = "20261201_shut_accounts"
branch_labels = None
depends_on = None

_BY_AGE = """
p.birth_date IS NOT NULL AND d.relation IN ('child', 'ward')
AND d.ends_on = (CASE WHEN extract(month FROM p.birth_date) = 2 AND extract(day FROM p.birth_date) = 29
                      THEN (p.birth_date + 1 + interval '18 years')::date
                      ELSE (p.birth_date + interval '18 years')::date END) - 1
"""


def upgrade():
    op.add_column("delegations", sa.Column("asked_until", sa.Date(), nullable=True))
    op.execute(
        "UPDATE delegations d SET asked_until = d.ends_on FROM patients p "
        f"WHERE p.id = d.patient_id AND d.ends_on IS NOT NULL AND NOT coalesce({_BY_AGE}, false)"
    )


def downgrade():
    op.drop_column("delegations", "asked_until")
