"""Names as people type them: no addresses, nothing unseen. How they are compared: portal/core/folding.py."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, func

from portal.core.folding import fold
from portal.core.unseen import NOT_IN_A_LINE, left_out

__all__ = ["as_listed", "cleaned", "fold", "is_address", "only_names", "slug"]

_ADDRESS = re.compile(r"[:/@\\<>]|[^\W_]\.[^\W_]{2}")
# the same in PostgreSQL's regular expressions, for the constraints of the tables
_NOT_IN_A_NAME = rf"[\u0001-\u001f\u007f-\u009f\u2028\u2029:/@\\<>{NOT_IN_A_LINE}]|[a-zA-Z0-9]\.[a-zA-Z0-9]{{2}}"


def is_address(name: str) -> bool:
    """Whether a mail program could make a link of it: an address of the web or of mail, not a name."""
    return bool(_ADDRESS.search(name))


def cleaned(text: str) -> str:
    """A name made of a text that was not meant as one, such as a program's."""
    spaced = _ADDRESS.sub(lambda found: " " if len(found[0]) == 1 else found[0].replace(".", ". "), left_out(text))
    return " ".join(spaced.split())


def only_names(*columns: str) -> str:
    """SQL: none of these columns holds a control character, a direction, something unseen, or an address."""
    return " AND ".join(f"{column} !~ '{_NOT_IN_A_NAME}'" for column in columns)


def as_listed(*columns: Any) -> list[ColumnElement[Any]]:
    """ORDER BY for the names of a short list: by letters, and by accents and case only among equal ones.

    The database's own order is by code point, in which É comes after Z; not every server knows ICU's collations. It is
    the order of portal.core.text.in_order.
    """
    return [*(func.fold_name(column) for column in columns), *columns]


def slug(*parts: str | None) -> str:
    """A readable piece of an address; empty when nothing of it can be written in Latin letters."""
    plain = fold(*parts).encode("ascii", "ignore").decode()
    return re.sub(r"\s+", "-", plain.strip())[:80].strip("-")
