"""Names as people type them: compared without accents, case or punctuation, in Latin and Arabic script."""

from __future__ import annotations

import re
import unicodedata

_ARABIC = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ـ": ""})
_NOT_WORD = re.compile(r"[\W_]+")


def fold(*parts: str | None) -> str:
    """The form under which names are stored for search and in which a query is compared with them."""
    text = " ".join(part for part in parts if part)
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return _NOT_WORD.sub(" ", plain.casefold().translate(_ARABIC)).strip()


def slug(*parts: str | None) -> str:
    """A readable piece of an address; empty when nothing of it can be written in Latin letters."""
    plain = fold(*parts).encode("ascii", "ignore").decode()
    return re.sub(r"\s+", "-", plain.strip())[:80].strip("-")
