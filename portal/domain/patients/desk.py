"""Patients as a clinic's people look for them, enter them and keep their contact right.

Only patients the clinic knows (a Registration) are ever listed. Somebody another clinic of the portal knows is found by
nobody here: who enters them makes a record of this clinic. Where phone, birth date and name are those of one record
elsewhere, the desk learns that somebody like this may exist and nothing more; the patient is asked whether the clinic
may read it, and then the two are joined. The name counts, too: a family shares a phone, and twins a birthday.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from portal.core import clock, days, names, phones
from portal.core.actor import ADMIN, DOCTOR, STAFF, Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import Event, record, write_pending
from portal.core.names import as_listed
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics import countries
from portal.domain.clinics.models import Clinic
from portal.domain.patients import care, inviting, reach, requests
from portal.domain.patients.desk_shapes import PatientAtDesk
from portal.domain.patients.models import Delegation, Patient, Registration
from portal.domain.patients.request_models import CONTACT, JOIN, RecordRequest

MOST_FOUND = 20
MOST_ALIKE = 5  # likely ones shown before somebody is entered anew
ALIKE = 0.4  # pg_trgm word similarity from which a name counts as mistyped
CORRECTED_WITHIN = timedelta(hours=24)  # a slip of the pen, while nobody else knows the record
FEW_DIGITS = 4  # of a phone; fewer would find half the town
_PHONE = re.compile(r"\+?[\d\s./()-]+")


class LikelyKnown(Conflict):
    """Somebody like this is in the clinic's list; `patients` are their ids, the likeliest first."""

    code = "likely_known"
    sentence = _("Somebody like this is in your list already. Please look before you enter them a second time.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed into the search: words of a name, a birth date, digits of a phone."""

    words: tuple[str, ...] = ()
    birth_date: date | None = None
    phone: str = ""

    @property
    def is_nothing(self) -> bool:
        return not (self.words or self.birth_date or self.phone)


def clinics(actor: Actor) -> list[Clinic]:
    """The clinics the actor arranges visits for, by name; a superadmin's are all that are open."""
    mine = true() if actor.is_superadmin else Clinic.id.in_(actor.clinics_as(STAFF, ADMIN, DOCTOR))
    return list(session().scalars(select(Clinic).where(mine, Clinic.is_active).order_by(*as_listed(Clinic.name))))


def may_enter(actor: Actor, clinic_id: UUID) -> bool:
    """The clinic's desk and admins, and its doctors."""
    return actor.works_at(clinic_id) or clinic_id in actor.clinics_as(DOCTOR)


def search(actor: Actor, typed: str, limit: int = MOST_FOUND) -> list[Patient]:
    """The patients of the actor's clinics who match a name, a birth date, a phone or a mix of them, by name.

    A name is first looked for as it was typed; only if nobody has it, names written alike count, the likeliest first.
    """
    asked = understand(typed)
    if asked.is_nothing:
        return []
    known = select(Patient).where(_of_my_clinics(actor)).limit(limit)
    if asked.birth_date:
        known = known.where(Patient.birth_date == asked.birth_date)
    if asked.phone:
        known = known.where(Patient.phone.contains(asked.phone, autoescape=True))
    return _by_name(known, asked.words)


def understand(typed: str) -> Asked:
    """What somebody at the desk meant, in whatever order and digits it was typed."""
    plain = "".join(
        str(unicodedata.digit(char)) if char.isdigit() else char for char in typed.replace("\x00", "")[:120]
    )
    words, birth_date = [], None
    for word in plain.split():
        day = days.typed(word)
        birth_date = birth_date or day
        words += [] if day else [word]
    rest = " ".join(words)
    if _PHONE.fullmatch(rest):
        digits = _digits(rest)
        return Asked(birth_date=birth_date, phone=digits if len(digits) >= FEW_DIGITS else "")
    return Asked(words=tuple(names.fold(rest).split()), birth_date=birth_date)


def enter(actor: Actor, clinic_id: UUID, *, as_new: bool = False, **about: Any) -> tuple[Patient, bool]:
    """Put somebody without an account on the clinic's list; says also whether somebody like this may exist elsewhere.

    `about` is a PatientAtDesk's values. Raises Invalid, Forbidden, and LikelyKnown unless `as_new` says that those were
    looked at. The same person entered twice at once is entered once: the second is told of the first.
    """
    with phones.at(session().scalar(select(Clinic.country).where(Clinic.id == clinic_id)) or ""):
        wanted = PatientAtDesk.parse(about)
    allow(may_enter(actor, clinic_id))
    _one_at_a_time(clinic_id, wanted)
    if not as_new and (alike := likely(actor, clinic_id, wanted)):
        raise LikelyKnown(patients=[one.id for one in alike])
    patient = _new(wanted)
    _register(patient.id, clinic_id)
    record(actor, "patient.entered", patient, patient_id=patient.id, clinic_id=clinic_id)
    return patient, _elsewhere(patient) is not None


def may_exist_elsewhere(actor: Actor, patient: Patient) -> bool:
    """Whether somebody like this may have a record that the actor's clinics cannot read; never says who."""
    return patient.user_id is None and _elsewhere(patient) is not None


def ask_to_join(actor: Actor, patient_id: UUID | str, clinic_id: UUID | None = None) -> RecordRequest | None:
    """Ask whoever this may be elsewhere whether this clinic may read their record; None when there is nobody to ask.

    They are asked at a contact their own record had before. Raises NotFound, HasAccount and TooMany.
    """
    patient = get(actor, patient_id)
    allow(patient.user_id is None, inviting.HasAccount)
    at = select(Registration.clinic_id).where(Registration.patient_id == patient.id, may_enter_at(actor))
    if clinic_id is not None:
        at = at.where(Registration.clinic_id == clinic_id)
    place = session().scalar(at.order_by(Registration.created_at).limit(1)) or refuse(NotFound)
    other = _elsewhere(patient)
    if other is None or not requests.can_be_asked(other):
        return None
    return requests.ask(actor, other, place, JOIN, {}, entered_id=patient.id)


def change(
    actor: Actor, patient_id: UUID | str, *, on_paper: bool = False, **about: Any
) -> tuple[Patient, RecordRequest | None]:
    """Keep a patient's name and language right at once; ask the patient before phone, e-mail or birth date change.

    `about` is a PatientAtDesk's values. Whatever reaches or proves the patient is changed at once only on a record that
    this clinic entered within CORRECTED_WITHIN and nobody else knows; else the request that was made is returned, too.
    `on_paper`: the patient signed it, and a second person will confirm. An account's e-mail address is changed by its
    owner only. Raises Invalid, NotFound, Forbidden, NobodyToAsk and TooMany.
    """
    with phones.at(countries.of(actor)):
        wanted = PatientAtDesk.parse(about)
    patient = get(actor, patient_id, lock=True)  # nobody takes it over, and no clinic comes to know it, meanwhile
    allow(may_change(actor, patient))
    given = _columns(wanted)
    if patient.user_id is not None:
        given.pop("email")
    differs = {name: value for name, value in given.items() if getattr(patient, name) != value}
    asked = {} if is_fresh(actor, patient) else _asked_first(patient, differs)
    request = None
    if asked:
        _patient, place = care.at_desk(actor, patient.id)
        request = requests.ask(actor, patient, place, CONTACT, asked, on_paper=on_paper)
    changed = sorted(set(differs) - set(asked))
    born_before = patient.birth_date
    for name in changed:
        setattr(patient, name, given[name])
    if changed:
        session().flush()
        care.follow_age(actor, patient, born_before)
        record(actor, "patient.changed", patient, patient_id=patient.id, fields=changed)
    return patient, request


def may_change(actor: Actor, patient: Patient) -> bool:
    """The front desk and the admins of a clinic that knows the patient."""
    return care.knows_at_desk(actor, patient)


def get(actor: Actor, patient_id: UUID | str, *, lock: bool = False) -> Patient:
    """One patient of the actor's clinics; raises NotFound for every other, the actor's own family included.

    The id of a record that became part of another one finds that one.
    """
    other = aliased(Patient)
    became = select(other.merged_into_id).where(other.id == as_id(patient_id)).scalar_subquery()
    wanted = func.coalesce(became, as_id(patient_id))
    statement = select(Patient).where(Patient.id == wanted, _of_my_clinics(actor))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session().scalars(statement).one_or_none() or refuse(NotFound)


def by_ids(actor: Actor, patient_ids: list[UUID]) -> list[Patient]:
    """These patients of the actor's clinics, in the order given."""
    found = session().scalars(select(Patient).where(Patient.id.in_(patient_ids), _of_my_clinics(actor)))
    known = {patient.id: patient for patient in found}
    return [known[patient_id] for patient_id in patient_ids if patient_id in known]


def likely(actor: Actor, clinic_id: UUID, wanted: PatientAtDesk) -> list[Patient]:
    """Patients of this clinic who may be the same: born on the day and called alike, of this name, or by this phone."""
    folded = names.fold(wanted.given_name, wanted.family_name)
    alike = func.similarity(Patient.search_name, folded)
    ways: list[ColumnElement[bool]] = []
    if wanted.phone:
        ways.append(Patient.phone == wanted.phone)
    if wanted.birth_date:
        ways.append(and_(Patient.birth_date == wanted.birth_date, alike >= ALIKE))
    else:
        ways.append(Patient.search_name.in_((folded, names.fold(wanted.family_name, wanted.given_name))))
    statement = select(Patient).where(or_(*ways), _known_at([clinic_id])).order_by(alike.desc()).limit(MOST_ALIKE)
    return list(session().scalars(statement))


def _by_name(known: Select[Any], words: tuple[str, ...]) -> list[Patient]:
    in_order = (Patient.family_name, Patient.given_name, Patient.id)
    exact = [Patient.search_name.contains(word, autoescape=True) for word in words]
    found = list(session().scalars(known.where(*exact).order_by(*in_order)))
    if found or not words:
        return found
    session().execute(text(f"SET LOCAL pg_trgm.word_similarity_threshold = {ALIKE}"))
    alike = [literal(word).op("<%")(Patient.search_name) for word in words]
    nearest = func.similarity(Patient.search_name, " ".join(words)).desc()
    return list(session().scalars(known.where(*alike).order_by(nearest, *in_order)))


def may_enter_at(actor: Actor) -> ColumnElement[bool]:
    """In SQL: the clinic is one whose people the actor belongs to."""
    return true() if actor.is_superadmin else Registration.clinic_id.in_(actor.clinics_as(STAFF, ADMIN, DOCTOR))


def _of_my_clinics(actor: Actor) -> ColumnElement[bool]:
    if actor.is_superadmin:
        return Patient.merged_into_id.is_(None)
    return _known_at(actor.clinics_as(STAFF, ADMIN, DOCTOR))


def _known_at(clinic_ids: Any) -> ColumnElement[bool]:
    """In SQL: on the list of one of these clinics, and not part of another record."""
    listed = Patient.id.in_(select(Registration.patient_id).where(Registration.clinic_id.in_(clinic_ids)))
    return and_(listed, Patient.merged_into_id.is_(None))


def _elsewhere(patient: Patient) -> Patient | None:
    """The one record with this very phone, birth date and name that no clinic which knows this one knows."""
    if not (patient.phone and patient.birth_date):
        return None
    here = select(Registration.clinic_id).where(Registration.patient_id == patient.id)
    same = select(Patient).where(
        Patient.id != patient.id,
        Patient.phone == patient.phone,
        Patient.birth_date == patient.birth_date,
        Patient.merged_into_id.is_(None),
        Patient.deceased_at.is_(None),
        ~_known_at(here),
    )
    called = set(patient.search_name.split())
    found = [one for one in session().scalars(same) if _same_person(called, set(one.search_name.split()))]
    return found[0] if len(found) == 1 else None


def _same_person(one: set[str], other: set[str]) -> bool:
    """Whether one name is the other, in any order, or the other with more names; what holds no letter is nobody's."""
    return bool(one and other) and (one <= other or other <= one)


def is_fresh(actor: Actor, patient: Patient) -> bool:
    """Whether it is a slip of the pen: entered lately by the actor's clinics, known to nobody else."""
    if patient.user_id is not None or patient.created_at < clock.now() - CORRECTED_WITHIN:
        return False
    entered = select(Event.id).where(Event.patient_id == patient.id, Event.name == "patient.entered")
    others = select(Registration.id).where(Registration.patient_id == patient.id, ~may_enter_at(actor))
    cared_for = select(Delegation.id).where(Delegation.patient_id == patient.id, reach.is_current())
    write_pending()
    known = select(entered.exists(), others.exists(), cared_for.exists())
    return tuple(session().execute(known).one()) == (True, False, False)


def _asked_first(patient: Patient, differs: dict[str, Any]) -> dict[str, Any]:
    """Of what differs, that which reaches or proves the patient; a birth date that was missing only adds."""
    return {
        name: value
        for name, value in differs.items()
        if name in {"phone", "email"} or (name == "birth_date" and patient.birth_date is not None)
    }


def _new(wanted: PatientAtDesk) -> Patient:
    patient = Patient(**_columns(wanted))
    session().add(patient)
    session().flush()
    return patient


def _columns(wanted: PatientAtDesk) -> dict[str, Any]:
    values = wanted.values()
    values["preferred_language"], values["email"] = values.pop("language"), values["email"] or ""
    return values


def _register(patient_id: UUID, clinic_id: UUID) -> None:
    values = {"id": new_id(), "created_at": clock.now(), "patient_id": patient_id, "clinic_id": clinic_id}
    session().execute(insert(Registration).values(values).on_conflict_do_nothing())


def _one_at_a_time(clinic_id: UUID, wanted: PatientAtDesk) -> None:
    key = f"enter:{clinic_id}:{names.fold(wanted.family_name, wanted.given_name)}:{wanted.birth_date}"
    session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def _digits(written: str) -> str:
    """The digits a kept number (+213550123456) has in common with however it is written: 0550…, 00213 550…, a part."""
    return re.sub(r"\D", "", written).lstrip("0")
