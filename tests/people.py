"""The people of the tests, each a fixture. They know ids, not rows: `amina.actor` is who she is at that moment.

amina        patient of Algiers, e-mail verified          yacine       a patient she does not know
lina         patient who has not verified her e-mail      nadia        front desk of El Djazair
dr_benali    cardiologist at El Djazair, Algiers          dr_haddad    paediatrician at Wahran, Oran
kamel        front desk of Wahran                         admin        admin of El Djazair
superadmin   of the whole portal
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask

from portal.core.actor import Actor
from portal.core.db import keep
from portal.domain.identity.models import User
from tests.builders import (
    PASSWORD,
    actor_of,
    make_clinic,
    make_doctor,
    make_member,
    make_patient,
    make_practice,
    make_specialty,
    make_user,
    make_visit_type,
    make_week,
)

__all__ = [
    "admin", "amina", "dr_benali", "dr_haddad", "el_djazair", "kamel", "lina", "nadia", "superadmin", "wahran",
    "yacine",
]  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Somebody with an account; the password is PASSWORD."""

    name: str
    email: str
    user_id: UUID
    patient_id: UUID | None = None
    doctor_id: UUID | None = None
    practice_id: UUID | None = None
    slug: str = ""
    password: str = PASSWORD

    @property
    def actor(self) -> Actor:
        """The roles held at this moment."""
        return actor_of(self.user_id)


@dataclass(frozen=True)
class Place:
    """A clinic and what can be booked there: a consultation (30 min, 2 500 DZD, confirmed at once) and a follow-up by
    video (15 min, confirmed by the doctor)."""

    clinic_id: UUID
    name: str
    slug: str
    city: str
    consultation_id: UUID
    follow_up_id: UUID
    time_zone: str = "Africa/Algiers"


@pytest.fixture
def el_djazair(where: Flask) -> Place:
    """A clinic in Algiers."""
    return _place("Clinique El Djazair", "Algiers", latitude=36.7642, longitude=3.0514)


@pytest.fixture
def wahran(where: Flask) -> Place:
    """A clinic in Oran."""
    return _place("Clinique Wahran", "Oran", latitude=35.6971, longitude=-0.6308, postcode="31000", region="Oran")


@pytest.fixture
def amina(where: Flask) -> Person:
    return _patient(make_user("Amina", "Boudiaf", email="amina@example.dz"), phone="+213550000001")


@pytest.fixture
def yacine(where: Flask) -> Person:
    return _patient(make_user("Yacine", "Meziane", email="yacine@example.dz"), sex="male", phone="+213550000002")


@pytest.fixture
def lina(where: Flask) -> Person:
    user = make_user("Lina", "Hamdi", email="lina@example.dz", verified=False)
    return _patient(user, phone="+213550000003")


@pytest.fixture
def dr_benali(where: Flask, el_djazair: Place) -> Person:
    user = make_user("Samira", "Benali", email="dr.benali@example.dz")
    return _doctor(user, el_djazair, ("cardiology", "Cardiology", "Cardiologie", "أمراض القلب"), "female")


@pytest.fixture
def dr_haddad(where: Flask, wahran: Place) -> Person:
    user = make_user("Omar", "Haddad", email="dr.haddad@example.dz", locale="fr")
    return _doctor(user, wahran, ("paediatrics", "Paediatrics", "Pédiatrie", "طب الأطفال"), "male")


@pytest.fixture
def nadia(where: Flask, el_djazair: Place) -> Person:
    return _member(make_user("Nadia", "Slimani", email="nadia@example.dz"), el_djazair, "staff")


@pytest.fixture
def kamel(where: Flask, wahran: Place) -> Person:
    return _member(make_user("Kamel", "Bouras", email="kamel@example.dz"), wahran, "staff")


@pytest.fixture
def admin(where: Flask, el_djazair: Place) -> Person:
    return _member(make_user("Farid", "Ouali", email="admin@example.dz"), el_djazair, "admin")


@pytest.fixture
def superadmin(where: Flask) -> Person:
    return _kept(make_user("Houria", "Kaci", email="super@example.dz", is_superadmin=True))


def _place(name: str, city: str, **more: object) -> Place:
    clinic = make_clinic(name, city=city, **more)
    consultation = make_visit_type(clinic, name_fr="Consultation", name_ar="استشارة")
    follow_up = make_visit_type(
        clinic, "Video follow-up", 15, mode="video", confirms="by_doctor", price_minor=150_000,
        name_fr="Suivi par vidéo", name_ar="متابعة عبر الفيديو",
    )  # fmt: skip
    place = Place(clinic.id, clinic.name, clinic.slug, clinic.city, consultation.id, follow_up.id)
    keep()
    return place


def _patient(user: User, **more: object) -> Person:
    patient = make_patient(user, **more)
    return _kept(user, patient_id=patient.id)


def _doctor(user: User, place: Place, specialty: tuple[str, str, str, str], gender: str) -> Person:
    from portal.core.db import session
    from portal.domain.clinics.models import Clinic
    from portal.domain.scheduling.models import VisitType

    doctor = make_doctor(user, specialties=[make_specialty(*specialty)], gender=gender)
    practice = make_practice(doctor, session().get_one(Clinic, place.clinic_id))
    types = [session().get_one(VisitType, one) for one in (place.consultation_id, place.follow_up_id)]
    make_week(practice, types)
    return _kept(user, doctor_id=doctor.id, practice_id=practice.id, slug=doctor.slug)


def _member(user: User, place: Place, role: str) -> Person:
    from portal.core.db import session
    from portal.domain.clinics.models import Clinic

    make_member(user, session().get_one(Clinic, place.clinic_id), role)
    return _kept(user)


def _kept(user: User, **more: object) -> Person:
    person = Person(user.name, str(user.email), user.id, **more)  # type: ignore[arg-type]
    keep()
    return person
