"""An authenticator app of the tests: it knows the secret and shows the code of any moment."""

from __future__ import annotations

from typing import Any

import pyotp
from sqlalchemy import select

from portal.core import clock, secrets
from portal.core.db import keep, session
from portal.domain.identity import factors
from portal.domain.identity.factor_models import SecondFactor
from portal.domain.identity.factors import STEP


class Phone:
    """The app on somebody's phone, and the recovery codes they were shown."""

    def __init__(self, person: Any) -> None:
        self.person = person
        self.codes: list[str] = []

    def set_up(self) -> Phone:
        """Go through the whole set-up; the code of that moment is used up by it."""
        factors.begin(self.person.actor)
        self.codes = factors.confirm(self.person.actor, self.code())
        keep()
        return self

    def code(self, ahead: int = 0) -> str:
        """What the app shows `ahead` half minutes from now."""
        return str(pyotp.TOTP(self._secret()).generate_otp(int(clock.now().timestamp()) // STEP + ahead))

    def fresh(self) -> str:
        """A code that was not used by the set-up: our clock may be half a minute behind the phone's."""
        return self.code(1)

    def _secret(self) -> str:
        factor = session().scalars(select(SecondFactor).where(SecondFactor.user_id == self.person.user_id)).one()
        return secrets.unlock("second-factor-secret", factor.secret, factor.user_id.bytes).decode()
