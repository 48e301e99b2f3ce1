"""From a search to a new record: what was typed to find somebody begins the form in which they are entered.

The words come sealed in the address (web/searching.py) or in a body, never in clear.
"""

from __future__ import annotations

from typing import Any

from portal.domain.patients import desk as patients


def begin_with(form: Any, typed: str) -> None:
    """Fill names, birth date and phone of a fresh form from the words of a search."""
    asked = patients.understand(typed)
    form.birth_date.data = asked.birth_date
    if asked.phone:
        form.phone.data = typed.strip()
    words = [word for word in typed.split() if not any(char.isdigit() for char in word)][:6]
    if asked.words and words:
        form.given_name.data, form.family_name.data = words[0].title(), " ".join(words[1:]).title()
