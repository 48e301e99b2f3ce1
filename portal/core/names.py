"""Names as people type them: cleaned, and compared without accents, case or punctuation, in Latin and Arabic."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, func

_ARABIC = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ـ": ""})
_NOT_WORD = re.compile(r"[\W_]+")
# soft hyphen, marks and overrides of direction (Unicode UAX 9), zero-width space, word joiner and their kin
UNSEEN = r"\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_UNSEEN = re.compile(f"[{UNSEEN}]")
_JOINERS = "\u200c\u200d"  # between letters these belong to the spelling of Persian and Indic names
_ADDRESS = re.compile(r"[:/@\\<>]|[^\W_]\.[^\W_]{2}")
# the same in PostgreSQL's regular expressions, for the constraints of the tables
_NOT_IN_A_NAME = rf"[\u0001-\u001f\u007f-\u009f:/@\\<>{UNSEEN}]|[a-zA-Z0-9]\.[a-zA-Z0-9]{{2}}"


def fold(*parts: str | None) -> str:
    """The form under which names are stored for search and in which a query is compared with them."""
    text = " ".join(part for part in parts if part)
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return _NOT_WORD.sub(" ", plain.casefold().translate(_ARABIC)).strip()


def seen(text: str) -> str:
    """The text without characters that show nothing or turn the direction of what follows."""
    text = _UNSEEN.sub("", text)
    return "".join(char for place, char in enumerate(text) if char not in _JOINERS or _joins(text, place))


def is_address(name: str) -> bool:
    """Whether a mail program could make a link of it: an address of the web or of mail, not a name."""
    return bool(_ADDRESS.search(name))


def cleaned(text: str) -> str:
    """A name made of a text that was not meant as one, such as a program's."""
    spaced = _ADDRESS.sub(lambda found: " " if len(found[0]) == 1 else found[0].replace(".", ". "), seen(text))
    return " ".join(spaced.split())


def only_names(*columns: str) -> str:
    """SQL: none of these columns holds a control character, a direction, something unseen, or an address."""
    return " AND ".join(f"{column} !~ '{_NOT_IN_A_NAME}'" for column in columns)


def as_listed(*columns: Any) -> list[ColumnElement[Any]]:
    """ORDER BY for the names of a short list: by letters, and by accents and case only among equal ones.

    The database's own order is by code point, in which É comes after Z; not every server knows ICU's collations.
    """
    return [*(func.lower(func.unaccent(column)) for column in columns), *columns]


def _joins(text: str, place: int) -> bool:
    around = (text[place - 1 : place], text[place + 1 : place + 2])
    return all(char and unicodedata.category(char)[0] in "LM" for char in around)


def slug(*parts: str | None) -> str:
    """A readable piece of an address; empty when nothing of it can be written in Latin letters."""
    plain = fold(*parts).encode("ascii", "ignore").decode()
    return re.sub(r"\s+", "-", plain.strip())[:80].strip("-")
