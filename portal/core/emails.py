"""E-mail addresses: every spelling of one address is one text, for accounts, limits and letters alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import idna
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.types import TypeDecorator

from portal.core.unseen import JOINERS, is_unseen


def normalise(written: str) -> str:
    """The one form of this address: case folded, Unicode NFKC, nothing invisible, the domain as IDNA 2008 shows it.

    Two addresses that a mail server may tell apart otherwise (a plus sign, a dot) stay two. What is no address has a
    form as well, so that anything typed can be looked for and counted. Idempotent.
    """
    local, at, domain = _settled(written, lambda text: _seen(text, spare=JOINERS).strip()).rpartition("@")
    return f"{_folded(local)}{at}{_domain(domain) if at else _folded(domain)}"


def is_same(one: str, other: str) -> bool:
    """Whether these are two spellings of one address."""
    return normalise(one) == normalise(other)


class EmailAddress(TypeDecorator[str]):
    """A column that holds normalised addresses: what is written and what is compared with it are normalised here."""

    impl = CITEXT
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else normalise(value)


def _domain(written: str) -> str:
    """The domain in Unicode, whichever of its forms was written (IDNA 2008 with the mapping of UTS #46)."""
    domain = written.rstrip(".")
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    for spelling in (domain, _seen(domain)):
        try:
            return idna.decode(idna.encode(spelling, uts46=True))
        except UnicodeError:  # and idna.IDNAError, which is one
            continue
    return _folded(domain)


def _folded(text: str) -> str:
    return _settled(text, lambda one: _seen("".join(map(_fold, one))))


def _fold(char: str) -> str:
    """Case folded where that is one character for one: ß is a letter of its own and not ss (simple case folding)."""
    folded = char.casefold()
    return folded if len(folded) == 1 else char.lower()


def _seen(text: str, spare: str = "") -> str:
    return "".join(char for char in text if char in spare or not is_unseen(char))


def _settled(text: str, step: Callable[[str], str]) -> str:
    """The text once neither `step` nor NFKC changes it any more: each may undo what the other did."""
    while (after := unicodedata.normalize("NFKC", step(text))) != text:
        text = after
    return text
