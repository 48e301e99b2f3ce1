"""Money as people write it: read into minor units of its currency (ISO 4217)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_precision

from portal.core.errors import Invalid
from portal.core.text import gettext as say

MOST = 10_000_000  # major units


def to_minor(written: str, currency: str, field: str = "price") -> int | None:
    """Amounts such as 2 500 or 2500,50 or 2500.5 in minor units; None for nothing. Raises Invalid for `field`."""
    plain = "".join(written.split()).replace("\u202f", "").replace(",", ".")
    if not plain:
        return None
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        amount = Decimal("NaN")
    minor = amount * 10 ** get_currency_precision(currency)
    if not amount.is_finite() or amount < 0 or amount > MOST or minor != minor.to_integral_value():
        raise Invalid(fields={field: say("Please write an amount in %(currency)s, such as 2500.", currency=currency)})
    return int(minor)


def to_major(minor: int | None, currency: str) -> str:
    """An amount as it stands in a field; empty for none."""
    if minor is None:
        return ""
    digits = get_currency_precision(currency)
    amount = Decimal(minor) / 10**digits
    return f"{amount:.0f}" if amount == amount.to_integral_value() else f"{amount:.{digits}f}"
