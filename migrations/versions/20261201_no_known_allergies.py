"""A patient may say that there are no known allergies, which is not the same as saying nothing.

patients gets no_known_allergies, false for everybody: nobody has said so yet. A trigger on allergies takes the
statement back when one is noted for the patient, by whatever way it comes.

Locks: ALTER TABLE patients takes ACCESS EXCLUSIVE for a moment (a constant default writes no row); CREATE TRIGGER takes
SHARE ROW EXCLUSIVE on allergies for a moment.

Revision ID: 20261201_no_known_allergies
Revises: 20261201_turns
Create Date: 2026-12-01 05:30:00
"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "20261201_no_known_allergies"
down_revision = "20261201_turns"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "patients", sa.Column("no_known_allergies", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.execute("""
CREATE FUNCTION an_allergy_is_known() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE patients SET no_known_allergies = false WHERE id = NEW.patient_id AND no_known_allergies;
    RETURN NULL;
END $$;
CREATE TRIGGER an_allergy_is_known AFTER INSERT OR UPDATE OF patient_id ON allergies
    FOR EACH ROW EXECUTE FUNCTION an_allergy_is_known();
""")


def downgrade():
    op.execute("DROP TRIGGER an_allergy_is_known ON allergies; DROP FUNCTION an_allergy_is_known()")
    op.drop_column("patients", "no_known_allergies")
