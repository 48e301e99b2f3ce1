"""What an admin says about one reminder."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from portal.core.shapes import Shape, fault
from portal.core.text import lazy as _

UNITS = {"minutes": 1, "hours": 60, "days": 24 * 60}
WAYS = {"email": ("email",), "sms": ("sms",), "email_sms": ("email", "sms"), "sms_email": ("sms", "email")}


class StepShape(Shape):
    """So long before the visit, by these channels, with or without a question."""

    amount: Annotated[int, Field(ge=1, le=720)]
    unit: Literal["minutes", "hours", "days"]
    by: Literal["email", "sms", "email_sms", "sms_email"]
    asks: bool = False

    @model_validator(mode="after")
    def _is_of_use(self) -> Self:
        if not 15 <= self.minutes_before <= 43_200:
            raise fault("minutes_before", _("Choose a time between 15 minutes and 30 days before the visit."))
        return self

    @property
    def minutes_before(self) -> int:
        return self.amount * UNITS[self.unit]

    @property
    def channels(self) -> list[str]:
        return list(WAYS[self.by])
