"""The shapes of what goes out. Times carry the clinic's offset and its zone's name; money is minor units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from portal.core.text import language
from portal.domain.scheduling.models import MODES, STATES

Zone = Annotated[str, Field(description="IANA time zone of the clinic", examples=["Africa/Algiers"])]
Mode = Literal["in_person", "video", "phone"]
Status = Literal["pending", "confirmed", "checked_in", "in_progress", "completed", "cancelled", "no_show", "declined"]

if set(MODES) != set(Mode.__args__) or set(STATES) != set(Status.__args__):  # type: ignore[attr-defined]
    raise RuntimeError("The API's modes and states are not the domain's")


class Out(BaseModel):
    """Base of everything that goes out."""

    model_config = ConfigDict(frozen=True)


class Money(Out):
    """An amount in minor units of an ISO 4217 currency: 250000 DZD is 2 500.00 dinars."""

    amount_minor: int
    currency: str

    @classmethod
    def of(cls, minor: int | None, currency: str) -> Self | None:
        return None if minor is None else cls(amount_minor=minor, currency=currency)


class Tokens(Out):
    """An access token for the Authorization header and the refresh token that makes the next pair, once."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind of token
    expires_in: Annotated[int, Field(description="Seconds until the access token ends")]
    refresh_token: str


class MembershipOut(Out):
    """A role in a clinic."""

    clinic_id: UUID
    role: str


class Me(Out):
    """Whose token this is."""

    id: UUID
    name: str
    email: str
    email_verified: bool
    locale: str
    roles: list[str]
    patient_id: UUID | None
    doctor_id: UUID | None
    memberships: Annotated[list[MembershipOut], Field(description="Where the account works")]
    scopes: Annotated[list[str] | None, Field(description="null: everything the account may do")]


class SpecialtyOut(Out):
    code: str
    name: str

    @classmethod
    def of(cls, specialty: Any) -> Self:
        return cls(code=specialty.code, name=specialty.name_in(language()))


class ClinicOut(Out):
    id: UUID
    slug: str
    name: str
    address: str
    city: str
    region: str
    postcode: str
    latitude: float | None
    longitude: float | None
    phone: str
    time_zone: Zone
    currency: str

    @classmethod
    def of(cls, clinic: Any) -> Self:
        return cls(**{name: getattr(clinic, name) for name in cls.model_fields})


class FreeTime(Out):
    """A time that can be booked now."""

    practice_id: UUID
    visit_type_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: Zone
    places: Annotated[int, Field(description="How many can still book it")]

    @classmethod
    def of(cls, slot: Any, zone: ZoneInfo) -> Self:
        return cls(
            practice_id=slot.practice_id,
            visit_type_id=slot.visit_type_id,
            starts_at=slot.starts_at.astimezone(zone),
            ends_at=slot.ends_at.astimezone(zone),
            time_zone=zone.key,
            places=slot.places,
        )


class PracticeOut(Out):
    """Where a doctor receives: this is what is booked."""

    id: UUID
    clinic_name: str
    clinic_slug: str
    city: str
    time_zone: Zone
    fee: Money | None

    @classmethod
    def of(cls, practice: Any) -> Self:
        """From a card's practice or from a row with its clinic loaded."""
        clinic = getattr(practice, "clinic", None)
        place = practice if clinic is None else clinic
        return cls(
            id=practice.id,
            clinic_name=practice.clinic_name if clinic is None else clinic.name,
            clinic_slug=practice.clinic_slug if clinic is None else clinic.slug,
            city=place.city,
            time_zone=place.time_zone,
            fee=Money.of(practice.fee_minor, place.currency),
        )


class DoctorSummary(Out):
    id: UUID
    slug: str
    name: str
    gender: str
    languages: list[str]
    specialties: list[SpecialtyOut]
    practices: list[PracticeOut]
    metres: Annotated[int | None, Field(description="Distance of the nearest practice when a place was given")] = None
    rating: Annotated[float | None, Field(description="Average of the reviews, 1 to 5; null without any")] = None
    reviews: Annotated[int, Field(description="How many reviews the average is made of")] = 0
    next_free: Annotated[list[FreeTime], Field(description="The next free times, at most three a practice")] = []

    @classmethod
    def of(cls, card: Any, slots: Iterable[Any] = ()) -> Self:
        zones = {practice.id: ZoneInfo(practice.time_zone) for practice in card.practices}
        return cls(
            id=card.id,
            slug=card.slug,
            name=card.name,
            gender=card.gender,
            languages=list(card.languages),
            specialties=[SpecialtyOut.of(one) for one in card.specialties],
            practices=[PracticeOut.of(one) for one in card.practices],
            metres=card.metres,
            rating=None if card.rating is None else round(card.rating, 2),
            reviews=card.rating_count,
            next_free=[FreeTime.of(slot, zones[slot.practice_id]) for slot in slots if slot.practice_id in zones],
        )


class DoctorOut(Out):
    id: UUID
    slug: str
    name: str
    gender: str
    languages: list[str]
    biography: str
    qualifications: str
    practising_since: int | None
    specialties: list[SpecialtyOut]
    practices: list[PracticeOut]

    @classmethod
    def of(cls, doctor: Any) -> Self:
        plain = ("id", "slug", "name", "gender", "languages", "biography", "qualifications", "practising_since")
        return cls(
            **{name: getattr(doctor, name) for name in plain},
            specialties=[SpecialtyOut.of(one) for one in doctor.specialties],
            practices=[PracticeOut.of(one) for one in doctor.practices],
        )


class VisitTypeOut(Out):
    """What can be booked, how long it takes (minutes), what it costs, and the clinic's policy in plain sentences."""

    id: UUID
    name: str
    mode: Mode
    duration: int
    price: Money | None
    confirms: Literal["at_once", "by_doctor"]
    lead_minutes: int
    horizon_days: int
    cutoff_minutes: int
    policy: list[str]


class Why(Out):
    """Whether a time can be booked, and the reason."""

    starts_at: datetime
    time_zone: Zone
    bookable: bool
    code: Annotated[str, Field(description="offered, or why not: the code of the refusal a booking would get")]
    detail: str


class HoldOut(Out):
    """A time kept for whoever has the token. The token is told once, here."""

    token: str
    practice_id: UUID
    visit_type_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: Zone
    expires_at: datetime


class Person(Out):
    id: UUID
    name: str


class ClinicBrief(Out):
    id: UUID
    name: str
    address: str
    city: str
    phone: str


class VisitTypeBrief(Out):
    id: UUID
    name: str
    duration: int


class AppointmentOut(Out):
    """A visit. `version` grows with every move; the ETag of a single one changes with anything that is shown."""

    id: UUID
    reference: Annotated[str, Field(description="What people read out on the phone")]
    status: Status
    version: int
    starts_at: datetime
    ends_at: datetime
    time_zone: Zone
    mode: Mode
    practice_id: UUID
    clinic: ClinicBrief
    doctor: Person
    patient: Person
    visit_type: VisitTypeBrief
    price: Money | None
    reason: str
    moves: int
    ended_by: str | None
    end_code: str | None
    end_text: str
    series_id: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, one: Any) -> Self:
        """From an appointment with practice, clinic, doctor, patient and visit type loaded."""
        zone = one.clinic.zone
        plain = ("id", "reference", "status", "version", "mode", "practice_id", "reason", "moves")
        ended = ("ended_by", "end_code", "end_text", "series_id")
        return cls(
            **{name: getattr(one, name) for name in plain + ended},
            starts_at=one.starts_at.astimezone(zone),
            ends_at=one.ends_at.astimezone(zone),
            time_zone=zone.key,
            clinic=ClinicBrief(**{name: getattr(one.clinic, name) for name in ClinicBrief.model_fields}),
            doctor=Person(id=one.doctor.id, name=one.doctor.name),
            patient=Person(id=one.patient.id, name=one.patient.name),
            visit_type=VisitTypeBrief(
                id=one.visit_type.id, name=one.visit_type.name_in(language()), duration=one.visit_type.duration
            ),
            price=Money.of(one.price_minor, one.currency),
            created_at=one.created_at.astimezone(zone),
        )


class ListOut(Out):
    """A page of a list. `next` is the cursor for `after`, null on the last page."""

    next: str | None = None


class Specialties(Out):
    items: list[SpecialtyOut]


class VisitTypes(Out):
    items: list[VisitTypeOut]


class Clinics(ListOut):
    items: list[ClinicOut]


class Doctors(ListOut):
    items: list[DoctorSummary]


class FreeTimes(Out):
    """Free times in order; `why` only when one time was asked about with explain=true."""

    items: list[FreeTime]
    why: Why | None = None


class Appointments(ListOut):
    items: list[AppointmentOut]


class FieldProblem(Out):
    field: str
    detail: str


class Problem(Out):
    """A refusal (RFC 9457). `code` is stable and for programs, `detail` is a sentence for people in their language."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    error_code: str
    detail: str
    instance: str
    correlation_id: str
    errors: list[FieldProblem]
    alternatives: Annotated[list[datetime] | None, Field(description="Next free times, when a time was refused")] = None
    retry_after: Annotated[int | None, Field(description="Seconds to wait, when it was too often")] = None
