"""Small makers of things tests need. They flush and record nothing: `keep()` or a request keeps what was made."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.names import slug
from portal.domain.access import actors
from portal.domain.clinics.models import Clinic, Membership
from portal.domain.doctors.models import Doctor, Practice, Specialty
from portal.domain.identity import passwords, tokens
from portal.domain.identity.models import TokenFamily, User
from portal.domain.patients.models import Patient, Registration
from portal.domain.scheduling.models import Closure, Opening, VisitType

PASSWORD = "Algeria123!"
HTMX = {"HX-Request": "true"}
ALGIERS = ZoneInfo("Africa/Algiers")
WORKING_WEEK = (6, 0, 1, 2, 3)  # Sunday to Thursday; 0 is Monday
_numbers = count(1)


def actor_of(user: User | UUID, door: str = "web") -> Actor:
    """The actor this user is right now."""
    found = actors.by_user(user if isinstance(user, UUID) else user.id, door)
    assert found is not None, "no such active user"
    return found


def make_user(given: str = "Sara", family: str = "Mansouri", *, verified: bool = True, **more: Any) -> User:
    """An account with the password PASSWORD."""
    now = clock.now()
    number = next(_numbers)
    return _add(
        User(
            **{
                "email": f"{slug(given, family)}.{number}@example.dz",
                "password_hash": hashed(),
                "given_name": given,
                "family_name": family,
                "email_verified_at": now if verified else None,
                "password_changed_at": now,
                **more,
            }
        )
    )


def grant_for(user_id: UUID) -> tokens.Grant:
    """Tokens of a program this user has signed in with."""
    now = clock.now()
    family = TokenFamily(user_id=user_id, last_used_at=now, expires_at=now + timedelta(days=1))
    return tokens._grant(_add(family))


def make_patient(user: User | None = None, **more: Any) -> Patient:
    """A patient; with an account, their names are the account's."""
    given = more.pop("given_name", user.given_name if user else "Meriem")
    family = more.pop("family_name", user.family_name if user else "Cherif")
    facts = {"birth_date": date(1990, 5, 17), "sex": "female", "phone": "+213550123456", "city": "Algiers", **more}
    return _add(
        Patient(
            user_id=user.id if user else None,
            given_name=given,
            family_name=family,
            **facts,
        )
    )


def make_clinic(name: str = "Clinique Test", **more: Any) -> Clinic:
    """An active clinic in Algiers."""
    facts = {
        "slug": f"{slug(name)}-{next(_numbers)}",
        "address": "12 rue Didouche Mourad",
        "city": "Algiers",
        "region": "Algiers",
        "postcode": "16000",
        "latitude": 36.7650,
        "longitude": 3.0500,
        "time_zone": "Africa/Algiers",
        "phone": "+21321000000",
        **more,
    }
    return _add(Clinic(name=name, **facts))


def make_specialty(
    code: str = "cardiology", en: str = "Cardiology", fr: str = "Cardiologie", ar: str = "أمراض القلب"
) -> Specialty:
    """The specialty with this code, made when it is not there."""
    known = session().scalars(select(Specialty).where(Specialty.code == code)).one_or_none()
    return known or _add(Specialty(code=code, name_en=en, name_fr=fr, name_ar=ar))


def make_doctor(user: User | None = None, *, verified: bool = True, specialties: Any = None, **more: Any) -> Doctor:
    """A doctor with a verified licence, a cardiologist unless said otherwise."""
    number = next(_numbers)
    given = more.pop("given_name", user.given_name if user else "Karim")
    family = more.pop("family_name", user.family_name if user else "Zerrouki")
    facts = {
        "slug": f"{slug('dr', given, family)}-{number}",
        "licence_number": f"DZ-{number:06d}",
        "languages": ["ar", "fr"],
        "practising_since": 2008,
        "biography": "Sees adults.",
        **more,
    }
    doctor = Doctor(
        user_id=user.id if user else None,
        given_name=given,
        family_name=family,
        licence_verified_at=clock.now() if verified else None,
        **facts,
    )
    doctor.specialties = [make_specialty()] if specialties is None else list(specialties)
    return _add(doctor)


def make_practice(doctor: Doctor, clinic: Clinic, **more: Any) -> Practice:
    """A doctor working at a clinic, without openings."""
    return _add(Practice(doctor_id=doctor.id, clinic_id=clinic.id, **{"fee_minor": 250_000, **more}))


def make_visit_type(clinic: Clinic, name: str = "Consultation", duration: int = 30, **more: Any) -> VisitType:
    """A visit type anyone may book and that is confirmed at once."""
    return _add(VisitType(clinic_id=clinic.id, name=name, duration=duration, **{"price_minor": 250_000, **more}))


def make_opening(
    practice: Practice,
    visit_types: list[VisitType],
    weekday: int | None = None,
    starts: str = "08:00",
    ends: str = "12:00",
    **more: Any,
) -> Opening:
    """One rule: weekly on `weekday`, or on `on_date`."""
    return _add(_opening(practice, visit_types, weekday, starts, ends, **more))


def make_week(practice: Practice, visit_types: list[VisitType], **more: Any) -> list[Opening]:
    """Sunday to Thursday, 08:00 to 12:00 and 13:00 to 16:00."""
    halves = (("08:00", "12:00"), ("13:00", "16:00"))
    week = [_opening(practice, visit_types, day, *half, **more) for day in WORKING_WEEK for half in halves]
    session().add_all(week)
    session().flush()
    return week


def _opening(
    practice: Practice, visit_types: list[VisitType], weekday: int | None, starts: str, ends: str, **more: Any
) -> Opening:
    opening = Opening(
        practice_id=practice.id,
        weekday=weekday,
        starts=time.fromisoformat(starts),
        ends=time.fromisoformat(ends),
        **more,
    )
    opening.visit_types = list(visit_types)
    return opening


def make_closure(starts_at: datetime, ends_at: datetime, *, kind: str = "leave", **scope: Any) -> Closure:
    """Time off of a `practice_id`, a `doctor_id` or a `clinic_id`."""
    return _add(Closure(kind=kind, starts_at=starts_at, ends_at=ends_at, **scope))


def make_member(user: User, clinic: Clinic, role: str = "staff") -> Membership:
    """This user's role in the clinic: staff, pharmacist or admin."""
    return _add(Membership(user_id=user.id, clinic_id=clinic.id, role=role))


def register_at(patient: Patient, clinic: Clinic) -> Registration:
    """The clinic knows this patient from now on."""
    return _add(Registration(patient_id=patient.id, clinic_id=clinic.id))


def working_day(ahead: int = 2, zone: ZoneInfo = ALGIERS) -> date:
    """The first day of the working week at least `ahead` days from now."""
    day = clock.today(zone) + timedelta(days=ahead)
    while day.weekday() not in WORKING_WEEK:
        day += timedelta(days=1)
    return day


def at(wall: str = "09:00", ahead: int = 2, zone: ZoneInfo = ALGIERS) -> datetime:
    """The instant of this wall time on the first working day at least `ahead` days from now, in UTC."""
    return datetime.combine(working_day(ahead, zone), time.fromisoformat(wall), zone).astimezone(ZoneInfo("UTC"))


@cache
def hashed() -> str:
    """PASSWORD as it is stored; made once, because it is slow on purpose."""
    return passwords.rehash(PASSWORD)


def _add(row: Any) -> Any:
    session().add(row)
    session().flush()
    return row
