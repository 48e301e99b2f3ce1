"""Sites on which a clinic shows its booking pages: clinics.embed_origins, empty for those there are.

Locks: ACCESS EXCLUSIVE on clinics for a moment; the default is kept in the catalogue, so no row is rewritten, and the
check reads as many rows as there are clinics.

Revision ID: 20261130_framing
Revises: 20261130_names
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261130_framing"
down_revision = "20261130_names"
branch_labels = None
depends_on = None


def upgrade():
    sites = postgresql.ARRAY(sa.String(length=255))
    op.add_column("clinics", sa.Column("embed_origins", sites, server_default=sa.text("'{}'"), nullable=False))
    op.create_check_constraint(op.f("ck_clinics_embed_origins"), "clinics", "cardinality(embed_origins) <= 10")


def downgrade():
    op.drop_column("clinics", "embed_origins")
