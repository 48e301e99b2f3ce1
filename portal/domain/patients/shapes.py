"""What comes in about patients."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from portal.core import clock
from portal.core.days import DayOfBirth
from portal.core.phones import Phone
from portal.core.shapes import Empty, Name, OneLine, Shape, fault
from portal.core.text import lazy as _
from portal.domain.identity.shapes import ChosenPassword, Email, Locale

MOST_CONDITIONS = 30
OLDEST = 130  # years


def born(day: date) -> date:
    """A birth date; that of a child who is born today, wherever their clinic is, too."""
    if clock.is_to_come(day):
        raise fault("birth_date", _("This date lies in the future."))
    if day.year < clock.today(clock.home()).year - OLDEST:
        raise fault("birth_date", _("Please check the year."))
    return day


def _one_each_line(value: Any) -> Any:
    """Text as people type it, one condition a line; the same one twice is kept once."""
    if not isinstance(value, str):
        return value
    return list(dict.fromkeys(line.strip() for line in value.splitlines() if line.strip()))


def _few(conditions: list[str]) -> list[str]:
    if len(conditions) > MOST_CONDITIONS:
        raise fault("too_many", _("Please name the most important ones only."))
    return conditions


Condition = Annotated[str, OneLine(120)]


class RegisterPatient(Shape):
    """Someone who makes an account to be cared for."""

    email: Email
    given_name: Name
    family_name: Name
    password: ChosenPassword
    locale: Locale = "en"


class PatientDetails(Shape):
    """What a clinic should know before a visit; all of it may stay empty."""

    birth_date: Annotated[DayOfBirth | None, Empty, AfterValidator(lambda day: day and born(day))] = None
    sex: Literal["female", "male", "other", "unknown"] = "unknown"
    phone: Phone = ""
    address: Annotated[str, OneLine(200, 0)] = ""
    city: Annotated[str, OneLine(80, 0)] = ""
    blood_group: Annotated[Literal["A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-"] | None, Empty] = None
    conditions: Annotated[list[Condition], BeforeValidator(_one_each_line), AfterValidator(_few)] = []
    no_known_allergies: bool = False
    contact_name: Annotated[str, OneLine(120, 0)] = ""
    contact_phone: Phone = ""
    contact_relation: Annotated[str, OneLine(60, 0)] = ""


class AllergyShape(Shape):
    """A substance someone reacts to, how, and how badly."""

    substance: Condition
    reaction: Annotated[str, OneLine(200, 0)] = ""
    severity: Literal["mild", "moderate", "severe"] = "moderate"
