"""Doctors' profiles, licences and practices, kept right by the admins of their clinics and by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import ListOut, Money, Out, Person
from portal.api.v1.clinic_invitations import InvitationOut
from portal.core.actor import Actor
from portal.core.errors import Forbidden, Invalid, NotFound, TooMany, refuse
from portal.core.shapes import Label, Limit, Shape
from portal.domain.clinics.invitations import AlreadyInvited
from portal.domain.clinics.models import ClinicInvitation
from portal.domain.doctors import amendments, practices, profiles
from portal.domain.doctors.amendments import AmendmentOver
from portal.domain.doctors.models import Amendment, Doctor, Practice
from portal.domain.doctors.practices import AlreadyHere
from portal.domain.doctors.profile_shapes import AccountInvitation, DoctorInvitation, PracticeShape, ProfileShape
from portal.domain.doctors.profiles import OwnLicence
from portal.domain.doctors.shapes import Cursor
from portal.domain.identity.accounts import HasAccount
from portal.domain.scheduling import withdrawing
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.shapes import KeepVisits

TAG = "Doctors' profiles"
WRITE = "clinics:write"
PROFILE = {
    "title": "Dr",
    "given_name": "Samira",
    "family_name": "Benali",
    "gender": "female",
    "licence_number": "DZ-16-4711",
    "specialties": ["cardiology"],
    "languages": ["ar", "fr"],
}
CLINIC = {"clinic_id": "019aa000-0000-7000-8000-000000000006", "fee_minor": 250000}


class RunDoctorsQuery(Shape):
    """Doctors of these clinics, by state of the licence and clinic."""

    licence: Literal["verified", "open"] | None = None
    clinic_id: UUID | None = None
    after: Cursor | None = None
    limit: Limit = 25


class RunDoctorsSearch(RunDoctorsQuery):
    """Doctors of these clinics, by name too."""

    name: Label


class PracticeWhole(Out):
    """Where a doctor receives or received."""

    id: UUID
    clinic: Person
    fee: Money | None
    is_active: bool

    @classmethod
    def of(cls, one: Practice) -> Self:
        return cls(
            id=one.id,
            clinic=Person(id=one.clinic.id, name=one.clinic.name),
            fee=Money.of(one.fee_minor, one.clinic.currency),
            is_active=one.is_active,
        )


class AmendmentOut(Out):
    """What the profile is to say once an admin has confirmed it."""

    id: UUID
    title: str
    given_name: str
    family_name: str
    licence_number: str
    specialties: list[str]
    proposed_at: datetime
    refused_at: datetime | None

    @classmethod
    def of(cls, one: Amendment) -> Self:
        plain = {name: getattr(one, name) for name in cls.model_fields if name not in {"proposed_at", "refused_at"}}
        refused = one.refused_at.astimezone(UTC) if one.refused_at else None
        return cls(**plain, proposed_at=one.created_at.astimezone(UTC), refused_at=refused)


class DoctorWhole(Out):
    """A profile as its admins and the doctor see it; it is public while the licence is verified."""

    id: UUID
    slug: str
    title: str
    given_name: str
    family_name: str
    gender: Literal["female", "male", "other", "unknown"]
    licence_number: str
    licence_verified_at: datetime | None
    specialties: Annotated[list[str], Field(description="Their codes")]
    languages: list[str]
    practising_since: int | None
    qualifications: str
    biography: str
    email: Annotated[str | None, Field(description="Of the doctor's account; null without one")]
    practices: list[PracticeWhole]
    waiting: Annotated[AmendmentOut | None, Field(description="A change of what was verified; nothing public says it")]

    @classmethod
    def of(cls, doctor: Doctor) -> Self:
        """From a doctor with specialties, practices, their clinics and the account loaded."""
        made = {"licence_verified_at", "specialties", "languages", "email", "practices", "waiting"}
        verified = doctor.licence_verified_at
        return cls(
            **{name: getattr(doctor, name) for name in cls.model_fields if name not in made},
            licence_verified_at=verified.astimezone(UTC) if verified else None,
            specialties=sorted(one.code for one in doctor.specialties),
            languages=list(doctor.languages),
            email=str(doctor.user.email) if doctor.user else None,
            practices=[PracticeWhole.of(one) for one in doctor.practices],
            waiting=AmendmentOut.of(doctor.amendment) if doctor.amendment else None,
        )


class DoctorsWhole(ListOut):
    """By family name."""

    items: list[DoctorWhole]


SHOWN: dict[str, Any] = {"tag": TAG, "answer": DoctorWhole, "tagged": True}
CHANGE: dict[str, Any] = SHOWN | {"body": ProfileShape, "guarded": True, "example": PROFILE}
DECIDE: dict[str, Any] = SHOWN | {
    "scope": WRITE, "keyed": True, "refuses": (NotFound, Forbidden, OwnLicence, AmendmentOver, Invalid),
}  # fmt: skip
LICENCE: dict[str, Any] = SHOWN | {"scope": WRITE, "keyed": True}


@endpoint("GET", "/doctors/mine", tag=TAG, query=RunDoctorsQuery, answer=DoctorsWhole, scope=WRITE)
def list_my_doctors(actor: Actor, query: RunDoctorsQuery) -> DoctorsWhole:
    """The doctors of the clinics whose admin you are, those too who are not public"""
    return _run(actor, "", query)


@endpoint(
    "POST",
    "/doctors/mine/search",
    tag=TAG,
    body=RunDoctorsSearch,
    answer=DoctorsWhole,
    scope=WRITE,
    example={"name": "benali"},
)
def search_my_doctors(actor: Actor, body: RunDoctorsSearch) -> DoctorsWhole:
    """The same by name, which stands in no address; the next page is asked for with `after`"""
    return _run(actor, body.name, body)


@endpoint(
    "POST",
    "/doctors",
    body=DoctorInvitation,
    status=201,
    refuses=(NotFound, TooMany),
    scope=WRITE,
    keyed=True,
    example=PROFILE | CLINIC | {"email": "dr.benali@example.dz", "locale": "fr"},
    **SHOWN,
)
def create_doctor(actor: Actor, body: DoctorInvitation) -> Answer:
    """Add a doctor to a clinic, as its admin; whoever reads the e-mail address is asked to take the profile

    The profile becomes public once its licence is verified, and has no account before the yes.
    """
    made = practices.invite(actor, **body.values())
    return _one(actor, made.id, {"Location": f"/api/v1/doctors/{made.id}/profile"})


@endpoint("GET", "/doctors/{doctor_id}/profile", scope=WRITE, **SHOWN)
def get_doctor_profile(actor: Actor, doctor_id: UUID) -> DoctorWhole:
    """A doctor's whole profile, for the admins of their clinics and for themselves"""
    return DoctorWhole.of(profiles.get(actor, doctor_id))


@endpoint("PUT", "/doctors/{doctor_id}/profile", scope=WRITE, **CHANGE)
def change_doctor_profile(actor: Actor, doctor_id: UUID, body: ProfileShape) -> Answer:
    """Write a doctor's profile down anew

    Another name, licence number or specialty of a doctor whose licence was verified is `waiting` until an admin
    confirms it; to send the verified ones again takes it back.
    """
    return _change(actor, doctor_id, body)


@endpoint("GET", "/doctors/me", refuses=(NotFound,), scope="profile:read", **SHOWN)
def get_my_doctor_profile(actor: Actor) -> DoctorWhole:
    """Your own profile as a doctor"""
    return DoctorWhole.of(profiles.get(actor, actor.doctor_id or refuse(NotFound)))


@endpoint("PUT", "/doctors/me", refuses=(NotFound,), scope="profile:write", **CHANGE)
def change_my_doctor_profile(actor: Actor, body: ProfileShape) -> Answer:
    """Write your own profile as a doctor down anew

    Another name, licence number or specialty is `waiting` once your licence was verified, until an admin of your clinic
    confirms it; to send the verified ones again takes it back.
    """
    return _change(actor, actor.doctor_id or refuse(NotFound), body)


@endpoint("POST", "/doctors/{doctor_id}/verify", refuses=(Forbidden, OwnLicence), guarded=True, **LICENCE)
def verify_licence(actor: Actor, doctor_id: UUID) -> Answer:
    """The licence was seen: the profile becomes public"""
    etags.unless_changed(DoctorWhole.of(profiles.get(actor, doctor_id, lock=True)))
    profiles.verify_licence(actor, doctor_id)
    return _one(actor, doctor_id)


@endpoint("POST", "/doctors/{doctor_id}/withdraw", query=KeepVisits, refuses=(Forbidden, VisitsAffected), **LICENCE)
def withdraw_licence(actor: Actor, doctor_id: UUID, query: KeepVisits) -> Answer:
    """The licence does not hold: the profile is hidden and takes no new visits

    409 `visits_affected` while visits are booked where you work: plan it with POST /changes, or send keep_visits=true.
    The desks of other clinics are asked to call their patients.
    """
    withdrawing.withdraw_licence(actor, doctor_id, keep_visits=query.keep_visits)
    return _one(actor, doctor_id)


@endpoint(
    "POST",
    "/doctors/{doctor_id}/practices",
    tag=TAG,
    body=PracticeShape,
    answer=InvitationOut,
    status=201,
    refuses=(NotFound, AlreadyHere, AlreadyInvited, TooMany),
    scope=WRITE,
    keyed=True,
    example=CLINIC,
)
def start_practice(actor: Actor, doctor_id: UUID, body: PracticeShape) -> Answer:
    """Ask a doctor of the portal to practise at a clinic of yours, too, or again

    The practice begins once the doctor accepts; at once, in the state `accepted`, for a profile without an account
    that a clinic of yours keeps.
    """
    return _asked(practices.start(actor, doctor_id, **body.values()))


@endpoint(
    "POST",
    "/doctors/{doctor_id}/invitations",
    tag=TAG,
    body=AccountInvitation,
    answer=InvitationOut,
    status=201,
    refuses=(NotFound, Forbidden, HasAccount, AlreadyInvited, TooMany),
    scope=WRITE,
    keyed=True,
    example={"clinic_id": CLINIC["clinic_id"], "email": "dr.benali@example.dz"},
)
def invite_doctor(actor: Actor, doctor_id: UUID, body: AccountInvitation) -> Answer:
    """Ask whoever reads this address to take a profile that has no account"""
    return _asked(practices.connect(actor, doctor_id, **body.values()))


@endpoint("POST", "/doctor-amendments/{amendment_id}/confirm", **DECIDE)
def confirm_amendment(actor: Actor, amendment_id: UUID) -> Answer:
    """The proof was seen: the profile says what was waiting"""
    return _one(actor, amendments.confirm(actor, amendment_id).id)


@endpoint("POST", "/doctor-amendments/{amendment_id}/reject", **DECIDE)
def reject_amendment(actor: Actor, amendment_id: UUID) -> Answer:
    """What waits is not right: the profile stays as it was verified, and the doctor sees that it was refused"""
    return _one(actor, amendments.reject(actor, amendment_id).id)


@endpoint(
    "DELETE",
    "/doctor-amendments/{amendment_id}",
    tag=TAG,
    status=204,
    refuses=(NotFound, AmendmentOver),
    scope="profile:write",
)
def withdraw_amendment(actor: Actor, amendment_id: UUID) -> None:
    """Take back what waits, as the doctor or an admin of their clinics"""
    amendments.withdraw(actor, amendment_id)


@endpoint(
    "DELETE",
    "/practices/{practice_id}",
    tag=TAG,
    query=KeepVisits,
    status=204,
    refuses=(Forbidden, VisitsAffected),
    scope=WRITE,
)
def end_practice(actor: Actor, practice_id: UUID, query: KeepVisits) -> None:
    """A doctor stops at a clinic of yours and takes no new visits there

    409 `visits_affected` while visits are booked: plan it with POST /changes, or send keep_visits=true.
    """
    withdrawing.end_practice(actor, practice_id, keep_visits=query.keep_visits)


def _change(actor: Actor, doctor_id: UUID, body: ProfileShape) -> Answer:
    etags.unless_changed(DoctorWhole.of(profiles.get(actor, doctor_id, lock=True)))
    profiles.change(actor, doctor_id, **body.values())
    return _one(actor, doctor_id)


def _one(actor: Actor, doctor_id: UUID, headers: dict[str, str] | None = None) -> Answer:
    told = DoctorWhole.of(profiles.get(actor, doctor_id, lock=True))  # read anew, with the practices of now
    return Answer(told, {"ETag": etags.of(told)} | (headers or {}))


def _asked(invitation: ClinicInvitation) -> Answer:
    return Answer(InvitationOut.of(invitation), {"Location": f"/api/v1/clinic-invitations/{invitation.id}"})


def _run(actor: Actor, name: str, wanted: RunDoctorsQuery) -> DoctorsWhole:
    chosen = {field: getattr(wanted, field) for field in RunDoctorsQuery.model_fields}
    found = profiles.mine(actor, name, **chosen)
    return DoctorsWhole(items=[DoctorWhole.of(one) for one in found], next=found.next)
