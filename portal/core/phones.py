"""Telephone numbers: accepted as people write them, kept as E.164 (ITU-T), shown with their country's spacing."""

from __future__ import annotations

from typing import Annotated

import phonenumbers
from pydantic import AfterValidator, StringConstraints

from portal.core.shapes import fault, storable
from portal.core.text import lazy as _

HOME = "DZ"  # the country of a number written without its country code


def e164(written: str) -> str:
    """The number as +213550123456; an empty text stays empty. Refuses what no telephone network would take."""
    if not written:
        return ""
    try:
        number = phonenumbers.parse(written, HOME)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise fault("phone", _("Please write a telephone number, such as 0550 12 34 56 or +213 550 12 34 56."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def shown(number: str) -> str:
    """A kept number with spaces, as it is read out."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number


Phone = Annotated[str, StringConstraints(max_length=40), AfterValidator(storable), AfterValidator(e164)]
