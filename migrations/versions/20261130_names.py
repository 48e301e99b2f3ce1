"""Names of people hold no address, no control character and nothing unseen: rows are cleaned, then constrained.

Letters greet people by name, and mail programs make links of addresses. `:`, `/`, `@`, `\\`, `<`, `>` and control
characters become spaces, a dot between letters is followed by a space, marks of direction and zero-width characters
go (U+200C and U+200D stay). No row is lost: a name of which nothing is left becomes "-".

Locks: the rows that are cleaned; then ACCESS EXCLUSIVE on users, patients and doctors for as long as it takes to add
a constraint that is not checked yet, and SHARE UPDATE EXCLUSIVE while each table is read through to check it: reading
and writing go on.

Revision ID: 20261130_names
Revises: 20261130_clinic_part_carers
"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "20261130_names"
down_revision = "20261130_clinic_part_carers"
branch_labels = None
depends_on = None

TABLES = {
    "users": ("given_name", "family_name"),
    "patients": ("given_name", "family_name"),
    "doctors": ("title", "given_name", "family_name"),
}
UNSEEN = r"\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
WRONG = rf"[\u0001-\u001f\u007f-\u009f:/@\\<>{UNSEEN}]|[a-zA-Z0-9]\.[a-zA-Z0-9]{{2}}"
ARABIC = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ـ": ""})


def upgrade():
    for table, columns in TABLES.items():
        _clean(table, columns)
        right = " AND ".join(f"{column} !~ '{WRONG}'" for column in columns)
        name = f"ck_{table}_names"
        op.execute(sa.text(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({right}) NOT VALID"))
        op.execute(sa.text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))


def downgrade():
    """What was cleaned stays clean."""
    for table in TABLES:
        op.execute(sa.text(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_names"))


def _clean(table, columns):
    wrong = " OR ".join(f"{column} ~ '{WRONG}'" for column in columns)
    found = op.get_bind().execute(sa.text(f"SELECT id, {', '.join(columns)} FROM {table} WHERE {wrong}"))
    for row in found.mappings().all():
        values = {column: _cleaned(row[column]) for column in columns}
        values |= {column: "-" for column in ("given_name", "family_name") if not values[column]}
        if table != "users":
            values["search_name"] = _folded(values["given_name"], values["family_name"])
        setting = ", ".join(f"{column} = :{column}" for column in values)
        op.get_bind().execute(sa.text(f"UPDATE {table} SET {setting} WHERE id = :id"), {**values, "id": row["id"]})


def _cleaned(name):
    name = re.sub(rf"[{UNSEEN}]", "", name)
    name = re.sub(r"[\x01-\x1f\x7f-\x9f:/@\\<>]+", " ", name)
    name = re.sub(r"([a-zA-Z0-9])\.(?=[a-zA-Z0-9]{2})", r"\1. ", name)
    return " ".join(name.split())[:80].strip()


def _folded(*parts):
    """As portal.core.names.fold was when this was written."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", " ".join(parts)) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", plain.casefold().translate(ARABIC)).strip()
