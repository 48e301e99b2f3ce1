"""Telephone numbers: accepted as people write them, kept as E.164 (ITU-T), shown with their country's spacing.

A number without its country code is meant in the country of the clinic it is written at, or in the portal's own
(DEFAULT_COUNTRY). What a number may be there is judged by phonenumbers, the metadata of Android; nothing is made of
what is no number: letters, extensions and short codes are refused with a sentence that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult
from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo

from portal.core.shapes import fault, one_line, seen, storable
from portal.core.text import lazy as _

# A number as digits of any script, with what people put between them: + ( ) / . - and their kin, spaces.
_NUMBER = re.compile(r"[\d\s+()\[\]/.\-\u2010-\u2015\u2212\uff0b]+")
_EXTENSION = re.compile(r"\d\s*(?:ext|extn|extension|poste|x|#|;|,|~|تحويلة|داخلي)", re.IGNORECASE)

_default = ""
_asked: ContextVar[Callable[[], str]] = ContextVar("country", default=lambda: "")


def use(country: str) -> None:
    """Say once, at start, in which country (ISO 3166-1) numbers without a country code are meant."""
    global _default
    _default = country


def ask(country: Callable[[], str]) -> None:
    """From now on in this context numbers are meant in the country that this returns, if it returns one."""
    _asked.set(country)


def ask_nobody() -> None:
    """Numbers are meant in the portal's own country again: a thread goes on to something else."""
    _asked.set(lambda: "")


@contextmanager
def at(country: str) -> Iterator[None]:
    """Numbers are meant in this country within the block."""
    token = _asked.set(lambda: country)
    try:
        yield
    finally:
        _asked.reset(token)


def country() -> str:
    """The country in which a number without its country code is meant now."""
    return _asked.get()() or _default


def e164(written: str, meant_in: str = "") -> str:
    """The number as +213550123456; an empty text stays empty. Raises a fault that says what is wrong with it.

    `meant_in` is its country, when it stands beside it.
    """
    if not written:
        return ""
    if _EXTENSION.search(written):
        raise fault("phone", _("Please leave out the extension: write the number that can be called from outside."))
    if not _NUMBER.fullmatch(written):
        raise fault("phone", _("Please write the number in digits only, without letters or other signs."))
    number = _parsed(written, meant_in)
    if not phonenumbers.is_valid_number(number):
        raise fault("phone", _what_is_wrong(number))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def shown(number: str) -> str:
    """A kept number with spaces, as it is read out."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return number


def _parsed(written: str, meant_in: str) -> PhoneNumber:
    international = written.lstrip(" ([").startswith(("+", "\uff0b"))
    try:
        return phonenumbers.parse(written, None if international else (meant_in or country() or None))
    except NumberParseException as no:
        if no.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise fault("phone", _("There is no such country code. Please write it as in +213 550 12 34 56.")) from None
        if no.error_type == NumberParseException.TOO_LONG:
            raise fault("phone", _TOO_LONG) from None
        raise fault("phone", _TOO_SHORT) from None


def _what_is_wrong(number: PhoneNumber) -> Any:
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason in {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}:
        return _TOO_SHORT
    return _TOO_LONG if reason == ValidationResult.TOO_LONG else _NO_NUMBER


def _judged(written: str, info: ValidationInfo) -> str:
    return e164(written, (info.data or {}).get("country") or "")


_TOO_SHORT = _("This number is too short. Please write all its digits, such as 0550 12 34 56 or +213 550 12 34 56.")
_TOO_LONG = _("This number is too long. Please write one number only, such as 0550 12 34 56 or +213 550 12 34 56.")
_NO_NUMBER = _("There is no such number in its country. Please check the digits and the country code.")

# Of a Shape that has a field `country` before it, the number is meant there.
Phone = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(storable),
    AfterValidator(one_line),
    AfterValidator(_judged),
    BeforeValidator(seen),
]
