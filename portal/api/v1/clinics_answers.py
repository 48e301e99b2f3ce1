"""Clinics, their visit types, rooms and members as they go out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1.answers import ClinicOut, ListOut, Mode, Money, Out
from portal.core.shapes import WallTime
from portal.domain.clinics.models import Clinic, Membership, Resource, ResourceGroup
from portal.domain.clinics.shapes import WEEKDAYS
from portal.domain.scheduling import policy
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.public_holidays import PublicHoliday

Pair = Annotated[list[str], Field(min_length=2, max_length=2, examples=[["08:00", "12:00"]])]  # from, to


class ClinicWhole(ClinicOut):
    """Everything its admins write down of a clinic; `opening_hours` has the open weekdays (mon to sun) only."""

    email: str
    country: Annotated[str, Field(description="ISO 3166-1")]
    opening_hours: dict[str, list[Pair]]
    quiet_from: Annotated[WallTime, Field(description="From when on no message that can wait is sent")]
    quiet_until: WallTime
    late_minutes: Annotated[int, Field(description="So many minutes late still count as on time")]
    no_show_minutes: Annotated[int | None, Field(description="After these a visit counts as missed; null: by hand")]
    offer_minutes: Annotated[int, Field(description="How long an offer from the waiting list lasts")]
    has_board: Annotated[bool, Field(description="Queue numbers are shown on a public board")]
    embed_origins: Annotated[list[str], Field(description="Sites that may show its public booking pages in a frame")]
    is_active: bool

    @classmethod
    def of(cls, clinic: Clinic) -> Self:
        told = {name: getattr(clinic, name) for name in cls.model_fields}
        told["opening_hours"] = {day: told["opening_hours"].get(day, []) for day in WEEKDAYS}
        return cls(**told | {"opening_hours": {day: spans for day, spans in told["opening_hours"].items() if spans}})


class ClinicsWhole(ListOut):
    """By name."""

    items: list[ClinicWhole]


class MemberOut(Out):
    """Somebody's role in a clinic; `id` is what ends it."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    role: Literal["staff", "pharmacist", "admin"]
    since: datetime

    @classmethod
    def of(cls, one: Membership) -> Self:
        told: dict[str, Any] = {"role": one.role}
        return cls(
            id=one.id, user_id=one.user_id, name=one.user.name, email=one.user.email, since=one.created_at, **told
        )


class Members(Out):
    """By role and name."""

    items: list[MemberOut]


class VisitTypeWhole(Out):
    """A visit type with its whole policy; minutes, days, and money in the clinic's currency."""

    id: UUID
    clinic_id: UUID
    name: str
    name_fr: str
    name_ar: str
    mode: Mode
    duration: int
    buffer_before: int
    buffer_after: int
    price: Money | None
    bookable_by: Literal["anyone", "invited", "desk"]
    confirms: Literal["at_once", "by_doctor"]
    lead_minutes: int
    horizon_days: int
    cutoff_minutes: int
    most_moves: int
    most_upcoming: int
    most_per_day: int | None
    needs: Annotated[list[UUID], Field(description="Groups of rooms or devices, any one of each")]
    is_active: bool
    policy: Annotated[list[str], Field(description="The same in sentences, as patients read them")]

    @classmethod
    def of(cls, kind: VisitType, currency: str) -> Self:
        """From a visit type with `needs` loaded."""
        made = {"price", "needs", "policy"}
        return cls(
            **{name: getattr(kind, name) for name in cls.model_fields if name not in made},
            price=Money.of(kind.price_minor, currency),
            needs=sorted(group.id for group in kind.needs),
            policy=policy.in_words(kind),
        )


class VisitTypesWhole(Out):
    """The active ones first."""

    items: list[VisitTypeWhole]


class ResourceWhole(Out):
    """One room or device; so many visits can use it at the same time."""

    id: UUID
    group_id: UUID
    name: str
    places: int
    is_active: bool

    @classmethod
    def of(cls, one: Resource) -> Self:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class GroupWhole(Out):
    """A sort of room or device; a visit that needs it takes any one of it."""

    id: UUID
    clinic_id: UUID
    kind: Literal["room", "device"]
    name: str
    resources: list[ResourceWhole]

    @classmethod
    def of(cls, group: ResourceGroup) -> Self:
        told: dict[str, Any] = {name: getattr(group, name) for name in ("id", "clinic_id", "kind", "name")}
        return cls(**told, resources=[ResourceWhole.of(one) for one in group.resources])


class PublicHolidayOut(Out):
    """A public holiday of the clinic's country."""

    day: date
    name: str
    is_there: Annotated[bool, Field(description="The clinic is closed on it already")]
    is_over: bool

    @classmethod
    def of(cls, one: PublicHoliday) -> Self:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class PublicHolidays(Out):
    items: list[PublicHolidayOut]
