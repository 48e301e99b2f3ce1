"""Recovery codes: ten words nobody guesses, each of which opens an account once when the phone is gone."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from portal.core import clock, secrets
from portal.core.db import new_id, session
from portal.domain.identity.factor_models import RecoveryCode

HOW_MANY = 10
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another
_PURPOSE = "recovery-code"
LENGTH = 10  # 49 bits, kept under a key of our own


def make(user_id: UUID) -> list[str]:
    """Ten new codes, in two halves as people read them; earlier ones are worth nothing any more."""
    session().execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [secrets.pick(LETTERS, LENGTH) for _ in range(HOW_MANY)]
    now, key = clock.now(), secrets.derived(_PURPOSE)
    rows = [
        {"id": new_id(), "created_at": now, "user_id": user_id, "fingerprint": _digest(user_id, code, key)}
        for code in codes
    ]
    session().execute(insert(RecoveryCode), rows)
    return [f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}" for code in codes]


def use(user_id: UUID, plain: str) -> bool:
    """Spend this code; whether there was one to spend. Of two who show it at once, one has it."""
    spending = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.fingerprint.in_(_digest(user_id, plain, key) for key in secrets.readable(_PURPOSE)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    return session().scalars(spending).one_or_none() is not None


def left(user_id: UUID) -> int:
    """How many codes are not used yet."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session().scalar(unused.select_from(RecoveryCode)) or 0


def _digest(user_id: UUID, plain: str, key: bytes) -> str:
    """A keyed digest: whoever reads the table alone cannot try codes against it."""
    return hmac.new(key, user_id.bytes + plain.encode(), hashlib.sha256).hexdigest()
