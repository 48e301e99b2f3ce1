"""Passwords: argon2id, a minimum length, a list of common ones, and no other rules (NIST SP 800-63B, ASVS 5.0)."""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import pairwise
from typing import Any

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from portal.core.errors import Invalid
from portal.core.text import gettext as say
from portal.core.text import lazy as _

LONGEST = 256
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)  # OWASP's first choice
_minimum = 12


def require_length(minimum: int) -> None:
    """Say at start how short a password may be."""
    global _minimum
    _minimum = minimum


def minimum_length() -> int:
    """How many characters a password needs here."""
    return _minimum


def accept(password: str, *about: str, field: str = "password") -> str:
    """The hash of a new password; raises Invalid when it is short, common, or made of `about` (name, e-mail)."""
    wrong = wrong_with(password, *about)
    if wrong:
        raise Invalid(fields={field: wrong[1]}, code=wrong[0])
    return _hasher.hash(_normal(password))


def wrong_with(password: str, *about: str) -> tuple[str, Any] | None:
    """Why this is no good new password: a code and a sentence; None when it is one."""
    password = _normal(password)
    if len(password) < _minimum:
        sentence = say("Please use at least %(n)s characters. A few words together are easy to remember.", n=_minimum)
        return "password_short", sentence
    if len(password) > LONGEST:
        return "password_long", say("At most %(n)s characters.", n=LONGEST)
    if _is_guessed_first(password.casefold(), about):
        return "password_common", _("Many people use this password, so it is guessed first. Please choose another.")
    return None


def _is_guessed_first(folded: str, about: tuple[str, ...]) -> bool:
    own = {part.casefold() for word in about for part in (word, *word.split("@")) if len(part) > 3}
    if folded in _common() or folded in own or len(set(folded)) < 4:
        return True
    steps = {(ord(after) - ord(before)) % 10 for before, after in pairwise(folded)}
    return len(steps) == 1  # 123456789012, abcdefghijkl


def _normal(password: str) -> str:
    """The same password from every keyboard: é may be typed as one sign or as two (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def matches(password: str, stored: str | None) -> bool:
    """Whether this is the password; takes as long when there is none to compare with."""
    try:
        return _hasher.verify(stored or _nobodys(), _normal(password)) and stored is not None
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def outdated(stored: str) -> bool:
    """Whether it was hashed with weaker settings than today's."""
    return _hasher.check_needs_rehash(stored)


def rehash(password: str) -> str:
    """The hash of a password that was accepted before, with today's settings."""
    return _hasher.hash(_normal(password))


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password")


@cache
def _common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])
