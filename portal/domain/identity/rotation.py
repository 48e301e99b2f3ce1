"""After a change of SECRET_KEY: under which secret second factors are kept, and how all come under one.

They are all that is kept encrypted for long. What is signed, or encrypted for hours, ends by itself (OPERATIONS.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from portal.core import secrets
from portal.core.actor import SYSTEM
from portal.core.db import session
from portal.core.errors import Gone
from portal.core.events import record
from portal.domain.identity.factor_models import SecondFactor
from portal.domain.identity.factors import PURPOSE


@dataclass(frozen=True)
class Kept:
    """How many second factors are kept under the present secret, under one before, and under none that is known."""

    present: int = 0
    former: int = 0
    unreadable: int = 0


def kept() -> Kept:
    """How they are kept now."""
    counts = dict.fromkeys(("present", "former", "unreadable"), 0)
    for factor in session().scalars(select(SecondFactor)):
        counts[_under(factor)] += 1
    return Kept(**counts)


def reencrypt() -> Kept:
    """Keep all that can be read under the present secret; returns how they were kept before. Safe to repeat."""
    before = kept()
    for factor in session().scalars(select(SecondFactor).order_by(SecondFactor.id).with_for_update()):
        if _under(factor) == "former":
            owner = factor.user_id.bytes
            factor.secret = secrets.lock(PURPOSE, secrets.unlock(PURPOSE, factor.secret, owner), owner)
    session().flush()
    if before.former:
        record(SYSTEM, "secrets.reencrypted", count=before.former)
    return before


def _under(factor: SecondFactor) -> str:
    owner = factor.user_id.bytes
    if secrets.is_current(PURPOSE, factor.secret, owner):
        return "present"
    try:
        secrets.unlock(PURPOSE, factor.secret, owner)
    except Gone:
        return "unreadable"
    return "former"
