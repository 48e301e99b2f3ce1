"""What comes in about patients at the desk."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from portal.core.days import Day, DayOfBirth
from portal.core.phones import Phone
from portal.core.shapes import Empty, Name, Shape
from portal.domain.identity.shapes import Email, Locale
from portal.domain.patients.shapes import born


class PatientAtDesk(Shape):
    """Somebody who stands at the desk or calls: enough to know them again and to reach them."""

    given_name: Name
    family_name: Name
    birth_date: Annotated[DayOfBirth | None, Empty, AfterValidator(lambda day: day and born(day))] = None
    sex: Literal["female", "male", "other", "unknown"] = "unknown"
    phone: Phone = ""
    email: Annotated[Email | None, Empty] = None
    language: Locale = "fr"


class Death(Shape):
    """A patient has died; the day, where it is known."""

    died_on: Annotated[Day | None, Empty] = None
