"""Patients as they go out: to themselves and their carers with what a clinic should know, to a desk with contacts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1.answers import AppointmentOut, Out
from portal.api.v1.record_requests_answers import RequestOut
from portal.domain.patients.models import Allergy, Patient
from portal.domain.patients.request_models import RecordRequest
from portal.domain.scheduling.desk import Card, Found
from portal.domain.scheduling.health import Health

Sex = Literal["female", "male", "other", "unknown"]
Language = Literal["en", "fr", "ar"]


class AllergyOut(Out):
    id: UUID
    substance: str
    reaction: str
    severity: Literal["mild", "moderate", "severe"]

    @classmethod
    def of(cls, one: Allergy) -> Self:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class ContactOut(Out):
    """Whom to call in an emergency."""

    name: str
    phone: str
    relation: str

    @classmethod
    def of(cls, known: dict[str, str]) -> Self | None:
        contact = {name: known.get(name, "") for name in cls.model_fields}
        return cls(**contact) if any(contact.values()) else None


class HealthOut(Out):
    """What must be known before treating somebody. `is_clinical`: you have a visit with them as their doctor; then
    blood group and conditions are told, too."""

    allergy_status: Annotated[
        Literal["known", "none_known", "not_asked"],
        Field(description="none_known: the patient said that there are none; not_asked: nothing was said"),
    ]
    allergies: Annotated[list[AllergyOut], Field(description="The worst first")]
    emergency_contact: ContactOut | None
    is_clinical: bool
    blood_group: str | None
    conditions: list[str]

    @classmethod
    def of(cls, health: Health) -> Self:
        plain = ("allergy_status", "is_clinical", "blood_group", "conditions")
        return cls(
            **{name: getattr(health, name) for name in plain},
            allergies=[AllergyOut.of(one) for one in health.allergies],
            emergency_contact=ContactOut.of(health.emergency_contact),
        )


class ProfileOut(Out):
    """What a clinic should know before a visit, as the patient and their carers see and change it."""

    id: UUID
    given_name: str
    family_name: str
    language: Language
    birth_date: date | None
    sex: Sex
    phone: Annotated[str, Field(description="E.164, empty when not known")]
    email: str
    address: str
    city: str
    blood_group: str | None
    conditions: list[str]
    emergency_contact: ContactOut | None
    no_known_allergies: Annotated[bool, Field(description="The patient said so; an allergy that is noted ends it")]
    allergies: Annotated[list[AllergyOut], Field(description="The worst first")]

    @classmethod
    def of(cls, patient: Patient, allergies: list[Allergy]) -> Self:
        plain = ("id", "given_name", "family_name", "birth_date", "sex", "phone", "email", "address", "city")
        return cls(
            **{name: getattr(patient, name) for name in (*plain, "blood_group", "conditions", "no_known_allergies")},
            language=_language(patient),
            emergency_contact=ContactOut.of(patient.emergency_contact),
            allergies=[AllergyOut.of(one) for one in allergies],
        )


class AtDeskOut(Out):
    """A patient as a clinic's people know them: enough to know them again and to reach them."""

    id: UUID
    given_name: str
    family_name: str
    birth_date: date | None
    sex: Sex
    phone: str
    email: str
    language: Language
    is_deceased: Annotated[bool, Field(description="Nothing is sent to them and nothing booked for them")]
    deceased_on: Annotated[date | None, Field(description="Where the day is known")]
    has_account: Annotated[bool, Field(description="Then the e-mail address is changed by its owner only")]

    @classmethod
    def told(cls, patient: Patient) -> dict[str, Any]:
        plain = ("id", "given_name", "family_name", "birth_date", "sex", "phone", "email", "deceased_on")
        told: dict[str, Any] = {name: getattr(patient, name) for name in plain}
        told["is_deceased"] = patient.deceased_at is not None
        return told | {"language": _language(patient), "has_account": patient.user_id is not None}

    @classmethod
    def of(cls, patient: Patient) -> Self:
        return cls(**cls.told(patient))


class FoundOut(AtDeskOut):
    """A patient the search found."""

    next_visit: Annotated[AppointmentOut | None, Field(description="At the clinics you work in")]

    @classmethod
    def found(cls, one: Found) -> Self:
        return cls(**cls.told(one.patient), next_visit=AppointmentOut.of(one.next_visit) if one.next_visit else None)


class FoundPatients(Out):
    """At most 20, the likeliest first."""

    items: list[FoundOut]


class CardOut(AtDeskOut):
    """A patient with their visits at the clinics you work in: ahead, called off ahead, and the latest past."""

    upcoming: list[AppointmentOut]
    called_off: list[AppointmentOut]
    past: list[AppointmentOut]
    has_older: Annotated[bool, Field(description="Whether a clinic's appointments of this patient list older ones")]

    @classmethod
    def whole(cls, card: Card) -> Self:
        return cls(
            **cls.told(card.patient),
            upcoming=[AppointmentOut.of(one) for one in card.upcoming],
            called_off=[AppointmentOut.of(one) for one in card.called_off],
            past=[AppointmentOut.of(one) for one in card.past],
            has_older=card.past.next is not None,
        )


class EnteredOut(AtDeskOut):
    """`may_exist_elsewhere`: somebody like this may have a record your clinic cannot read; they can be asked."""

    may_exist_elsewhere: bool

    @classmethod
    def entered(cls, patient: Patient, may_exist_elsewhere: bool) -> Self:
        return cls(**cls.told(patient), may_exist_elsewhere=may_exist_elsewhere)


class ChangedOut(AtDeskOut):
    """The data as they are now; `request` is what the patient, or a second person with a paper, has to allow first."""

    request: RequestOut | None

    @classmethod
    def changed(cls, patient: Patient, request: RecordRequest | None) -> Self:
        return cls(**cls.told(patient), request=RequestOut.of(request, for_clinic=True) if request else None)


def _language(patient: Patient) -> Any:
    return patient.preferred_language
