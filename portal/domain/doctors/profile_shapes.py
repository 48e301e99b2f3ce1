"""What comes in about doctors: their profile, their invitation, their practice at a clinic."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from portal.core.shapes import Empty, Name, OneLine, Shape, Text, fault, no_address
from portal.core.text import lazy as _
from portal.domain.identity.shapes import Email, Locale

LANGUAGES = ("ar", "fr", "en", "kab", "es", "de", "it", "tr", "ru", "zh")  # ISO 639, in the order they are offered
GENDERS = ("female", "male", "other", "unknown")  # FHIR administrative-gender


def _known_languages(codes: list[str]) -> list[str]:
    if unknown := set(codes) - set(LANGUAGES):
        raise fault("languages", _("We do not know this language: %(code)s.", code=sorted(unknown)[0]))
    return list(dict.fromkeys(codes))


Licence = Annotated[
    str,
    BeforeValidator(lambda value: value.strip().upper() if isinstance(value, str) else value),
    StringConstraints(min_length=3, max_length=40, pattern=r"^[A-Z0-9][A-Z0-9 ./-]*$"),
]
Languages = Annotated[list[str], Field(max_length=20), AfterValidator(_known_languages)]
Title = Annotated[str, OneLine(20, 0), AfterValidator(no_address)]
MaybeEmail = Annotated[Email | None, Empty]
Fee = Annotated[int | None, Field(ge=0, le=10_000_000_00), Empty]


class ProfileShape(Shape):
    """What a doctor says of themselves; specialties by their codes."""

    title: Title = "Dr"
    given_name: Name
    family_name: Name
    gender: Literal["female", "male", "other", "unknown"] = "unknown"
    licence_number: Licence
    specialties: Annotated[list[str], Field(min_length=1, max_length=6)]
    languages: Languages = []
    practising_since: Annotated[int | None, Field(ge=1940, le=2100), Empty] = None
    qualifications: Text = ""
    biography: Text = ""


class DoctorInvitation(ProfileShape):
    """A doctor made by a clinic's admin; whoever reads the address is asked to take the profile into their account."""

    clinic_id: UUID
    email: MaybeEmail = None
    locale: Locale = "en"
    fee_minor: Fee = None


class AccountInvitation(Shape):
    """Whoever reads this address is asked to take a doctor's profile into their account."""

    clinic_id: UUID
    email: Email
    locale: Locale = "en"


class PracticeShape(Shape):
    """A known doctor starts to practise at a clinic; the fee in minor units of the clinic's currency."""

    clinic_id: UUID
    fee_minor: Fee = None
