"""Builds the demo network through the domain's verbs: clinics, doctors with their weeks, desks and patients."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.db import session
from portal.core.events import record
from portal.demo.clinics import CLINICS, TYPES, ClinicData
from portal.demo.doctors import DOCTORS, WEDNESDAY, WEEKS, DoctorData
from portal.demo.people import MEMBERS, PASSWORD, SUPERADMIN, PatientData
from portal.domain.access import actors
from portal.domain.clinics import managing, members
from portal.domain.clinics.models import Clinic
from portal.domain.clinics.shapes import ClinicShape
from portal.domain.doctors import joining, practices, profiles
from portal.domain.doctors.specialties import ensure_specialties
from portal.domain.identity import accounts
from portal.domain.identity.models import User
from portal.domain.patients import profiles as patient_profiles
from portal.domain.patients import registering
from portal.domain.patients.models import Patient, Registration
from portal.domain.scheduling import hours, visit_types
from portal.domain.scheduling.models import VisitType

ZONE = ZoneInfo("Africa/Algiers")
FRIDAY = 4
GROUP_HOUR = {"mornings": ("13:00", "14:00")}  # Wednesdays; in other weeks between morning and afternoon
NOON = ("12:30", "13:30")
FOUNDED = timedelta(days=430)  # before the first patients joined


@dataclass
class Post:
    """One practice as the history books it: who receives, where, when, what."""

    practice_id: UUID
    doctor: Actor
    desk: Actor
    clinic: Clinic
    data: DoctorData
    openings: list[Rule]

    @property
    def is_busy(self) -> bool:
        """The first doctor of each clinic sees most of its patients."""
        return next(one for one in DOCTORS if one.places[0][0] == _key(self.clinic)) is self.data


@dataclass(frozen=True)
class Rule:
    """An opening, with the visit types it takes."""

    weekday: int | None
    on_date: date | None
    starts: time
    ends: time
    capacity: int
    kinds: tuple[VisitType, ...]

    def holds(self, day: date) -> bool:
        return self.on_date == day if self.on_date else self.weekday == day.weekday()


@dataclass
class Member:
    """A patient as the history books them; without an account (`actor` is None) a desk books for them."""

    patient_id: UUID
    city: str
    actor: Actor | None
    data: PatientData


@dataclass
class Network:
    """Everything that was built."""

    posts: list[Post] = field(default_factory=list)
    patients: list[Member] = field(default_factory=list)


def build(people: list[PatientData], dice: random.Random) -> Network:
    """The whole network, made by its superadmin."""
    today = clock.today(ZONE)
    with clock.standing_at(clock.now() - FOUNDED):
        network, clinics, desks, hashed = _clinics_and_doctors(today)
    for person in people:
        network.patients.append(_patient(person, clinics, desks, hashed, dice))
    return network


def _clinics_and_doctors(today: date) -> tuple[Network, dict[str, Clinic], dict[UUID, Actor], str]:
    given, family, email = SUPERADMIN
    superadmin = accounts.make_superadmin(email, PASSWORD, given, family)
    hashed = str(superadmin.password_hash)  # argon2 is slow on purpose: hashed once, the same password for everybody
    boss = _actor(superadmin)
    ensure_specialties()
    network = Network()
    clinics = {data.key: _clinic(boss, data) for data in CLINICS}
    desks = _members(boss, clinics, hashed)
    for number, doctor in enumerate(DOCTORS, 1):
        network.posts += _doctor(boss, doctor, number, clinics, desks, hashed, today)
    return network, clinics, desks, hashed


def _clinic(boss: Actor, data: ClinicData) -> Clinic:
    shape = ClinicShape(
        name=data.name,
        address=data.address,
        city=data.city,
        region=data.region,
        postcode=data.postcode,
        latitude=data.latitude,
        longitude=data.longitude,
        phone=data.phone,
        email=f"{data.key}@demo.dz",
        **data.opening_hours,  # type: ignore[arg-type]
    )
    clinic = managing.create(boss, **shape.values())
    for key in data.types:
        visit_types.add(boss, clinic.id, **TYPES[key])
    return clinic


def _members(boss: Actor, clinics: dict[str, Clinic], hashed: str) -> dict[UUID, Actor]:
    """Desks and admins join; returns the desk of each clinic."""
    desks = {}
    for data in MEMBERS:
        clinic = clinics[data.clinic]
        user = _account(data.email, data.given, data.family, "en", hashed)
        name = {"given_name": data.given, "family_name": data.family}
        asked = members.invite(boss, clinic.id, email=data.email, role=data.role, **name)
        joining.accept(_actor(user), asked.id)
        actor = _actor(user)
        if data.role == "staff":
            desks[clinic.id] = actor
    return desks


def _doctor(
    boss: Actor,
    data: DoctorData,
    number: int,
    clinics: dict[str, Clinic],
    desks: dict[UUID, Actor],
    hashed: str,
    today: date,
) -> list[Post]:
    home = clinics[data.places[0][0]]
    locale = "fr" if number % 3 == 0 else "en"
    user = _account(data.email, data.given, data.family, locale, hashed)
    doctor = practices.invite(
        boss,
        clinic_id=home.id,
        email=data.email,
        given_name=data.given,
        family_name=data.family,
        gender=data.gender,
        licence_number=f"DZ-{10_000 + number * 137}",
        specialties=list(data.specialties),
        languages=data.languages.split(),
        practising_since=data.since,
        qualifications=f"Doctor of medicine, {_faculty(home.city)}",
        biography=data.about,
        locale=locale,
        fee_minor=data.fee * 100,
    )
    profiles.verify_licence(boss, doctor.slug)
    for key, _ in data.places[1:]:
        practices.start(boss, doctor.slug, clinic_id=clinics[key].id, fee_minor=data.fee * 100)
    for asked in joining.mine(_actor(user)):
        joining.accept(_actor(user), asked.id)
    actor = _actor(user)
    posts = []
    for key, week in data.places:
        practice = next(one for one in practices.of_clinic(boss, clinics[key].id) if one.doctor_id == doctor.id)
        post = Post(practice.id, actor, desks[clinics[key].id], clinics[key], data, [])
        _open(boss, post, _rules(post, week, today))
        posts.append(post)
    return posts


def _open(boss: Actor, post: Post, rules: list[Rule]) -> None:
    for rule in rules:
        hours.add(
            boss,
            post.practice_id,
            weekday=rule.weekday,
            on_date=rule.on_date,
            starts=rule.starts,
            ends=rule.ends,
            capacity=rule.capacity,
            visit_type_ids=[kind.id for kind in rule.kinds],
        )
        post.openings.append(rule)


def _rules(post: Post, week: str, today: date) -> list[Rule]:
    fields = set(post.data.specialties)
    kinds = {kind.name: kind for kind in visit_types.active_at([post.clinic.id])}
    group = kinds.pop(str(TYPES["group"]["name"]), None)
    if not {"paediatrics", "general-medicine"} & fields:
        kinds.pop(str(TYPES["vaccination"]["name"]), None)
    every = tuple(kinds.values())
    places = 2 if "dentistry" in fields else 1  # two chairs
    rules = [_rule(day, None, span, places, every) for days, span in WEEKS[week] for day in days]
    if group and "endocrinology" in fields:
        rules.append(_rule(WEDNESDAY, None, GROUP_HOUR.get(week, NOON), 6, (group,)))
    if post.is_busy:  # on duty on a Friday now and then, so that somebody receives on any day
        rules += [_rule(None, day, ("09:00", "12:00"), 1, every) for day in _fridays(today)]
    return rules


def _rule(
    weekday: int | None, on_date: date | None, span: tuple[str, str], capacity: int, kinds: tuple[VisitType, ...]
) -> Rule:
    starts, ends = (time.fromisoformat(one) for one in span)
    return Rule(weekday, on_date, starts, ends, capacity, kinds)


def _fridays(today: date) -> list[date]:
    """This week's Friday and those two weeks before and after."""
    this = today + timedelta(days=(FRIDAY - today.weekday()) % 7)
    return [this + timedelta(weeks=weeks) for weeks in (-2, 0, 2)]


def _patient(
    data: PatientData, clinics: dict[str, Clinic], desks: dict[UUID, Actor], hashed: str, dice: random.Random
) -> Member:
    with clock.standing_at(_joined(dice)):
        if data.email:
            user = _account(data.email, data.given, data.family, data.locale, hashed)
            registering.become_patient(_actor(user))
            actor = _actor(user)
            patient = patient_profiles.mine(actor)
        else:
            actor, patient = None, _at_the_desk(data, clinics, desks)
        assert patient is not None  # noqa: S101 - made on the lines above
        _fill_in(patient, data)
    return Member(patient.id, data.city, actor, data)


def _at_the_desk(data: PatientData, clinics: dict[str, Clinic], desks: dict[UUID, Actor]) -> Patient:
    """Somebody without an account: the desks of their city know them."""
    patient = Patient(given_name=data.given, family_name=data.family)
    session().add(patient)
    session().flush()
    near = [clinic for clinic in clinics.values() if clinic.city == data.city]
    session().add_all(Registration(patient_id=patient.id, clinic_id=clinic.id) for clinic in near)
    session().flush()
    record(desks[near[0].id], "patient.registered", patient, patient_id=patient.id, clinic_id=near[0].id)
    return patient


def _fill_in(patient: Patient, data: PatientData) -> None:
    patient_profiles.change(
        SYSTEM,
        patient.id,
        birth_date=data.born,
        sex=data.sex,
        phone=data.phone,
        address=data.address,
        city=data.city,
        blood_group=data.blood_group,
        conditions=list(data.conditions),
        contact_name=data.contact,
        contact_phone=data.phone[:-1] + "0",
        contact_relation="Family",
    )
    for substance, reaction, severity in data.allergies:
        patient_profiles.add_allergy(SYSTEM, patient.id, substance=substance, reaction=reaction, severity=severity)


def _account(email: str, given_name: str, family_name: str, locale: str, hashed: str) -> User:
    """Somebody with the demo's password, whose address is verified; colleagues who are patients, too, have one."""
    known, name = accounts.by_email(email), {"given_name": given_name, "family_name": family_name}
    return known or accounts.open_proved(SYSTEM, email=email, password_hash=hashed, locale=locale, **name)


def _actor(user: User) -> Actor:
    found = actors.by_user(user.id, "web")
    assert found is not None  # noqa: S101 - active accounts only
    return found


def _joined(dice: random.Random) -> datetime:
    return clock.now() - timedelta(days=dice.randint(80, 400), minutes=dice.randint(0, 1440))


def _faculty(city: str) -> str:
    return f"University of {city if city in {'Oran', 'Constantine', 'Annaba', 'Tlemcen', 'Sétif'} else 'Algiers'}"


def _key(clinic: Clinic) -> str:
    return next(data.key for data in CLINICS if data.name == clinic.name)
