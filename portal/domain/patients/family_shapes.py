"""What comes in about families: a child, a person in one's care, somebody who is asked to help."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from portal.core import clock
from portal.core.days import Day, DayOfBirth
from portal.core.shapes import Empty, Name, Shape, fault
from portal.core.text import lazy as _
from portal.domain.identity.shapes import Email
from portal.domain.patients.models import SCOPES
from portal.domain.patients.shapes import born

LONGEST = timedelta(days=366 * 20)

Relation = Literal["child", "parent", "spouse", "ward", "other"]
Sex = Literal["female", "male", "other", "unknown"]


def _ahead(day: date | None) -> date | None:
    if day and clock.is_over(day):
        raise fault("past", _("This date is over already."))
    if day and day > clock.today(clock.home()) + LONGEST:
        raise fault("too_far", _("Please choose an earlier date, or none at all."))
    return day


def _in_order(scopes: list[str]) -> list[str]:
    """Whoever may do something may see what they do it with."""
    return [scope for scope in SCOPES if scope in {"view", *scopes}]


BirthDate = Annotated[DayOfBirth, AfterValidator(born)]
Until = Annotated[Day | None, Empty, AfterValidator(_ahead)]
Scopes = Annotated[list[Literal["view", "book", "profile"]], Field(max_length=len(SCOPES)), AfterValidator(_in_order)]
ScopesAtClinic = Annotated[list[Literal["view", "book"]], Field(max_length=2), AfterValidator(_in_order)]
Several: Any = ["view", "book"]


class DependantShape(Shape):
    """Somebody without an account whom one looks after: a child, or an adult in one's legal care."""

    given_name: Name
    family_name: Name
    birth_date: BirthDate
    sex: Sex = "unknown"
    relation: Literal["child", "ward"] = "child"


class CareShape(Shape):
    """Somebody else may act for a patient; `relation` is what the patient is to them."""

    email: Email
    relation: Relation = "other"
    scopes: Scopes = Several
    until: Until = None


class CareAtClinic(Shape):
    """A consent given on paper, as a clinic's desk writes it down: it counts for what belongs to this clinic."""

    clinic_id: Annotated[
        UUID | None, Empty, Field(description="May be left out where only one clinic of yours knows the patient")
    ] = None
    email: Email
    relation: Relation = "other"
    scopes: ScopesAtClinic = Several
    until: Until = None


class CareChange(Shape):
    """What somebody may do from now on, and until when."""

    scopes: Scopes = Several
    until: Until = None


class HandOver(Shape):
    """The address of the person whose record it is."""

    email: Email


class Acceptance(Shape):
    """What is shown to take over a record: its birth date."""

    birth_date: Annotated[DayOfBirth | None, Empty] = None
