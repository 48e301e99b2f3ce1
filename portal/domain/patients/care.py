"""The rules of looking after somebody: who may decide it, for how long, and the one place where it begins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, true
from sqlalchemy.orm import contains_eager, joinedload

from portal.core import clock
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import Event, record
from portal.core.names import as_listed
from portal.core.policy import allow, as_id, find
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.patients import reach, registering
from portal.domain.patients.models import SCOPES, SCOPES_AT_CLINIC, Delegation, Patient, Registration

OF_AGE = 18  # years: from this birthday on people decide for themselves
MOST = 30  # people one account may look after, and carers one patient may have: of the record, and of each clinic


class NotOnList(Conflict):
    """Another clinic of the actor knows the patient, and this one does not."""

    code = "not_on_list"
    sentence = _("This patient is not on this clinic's list. Please enter them there first.")


class Deceased(Conflict):
    """Nothing is arranged for somebody who has died."""

    code = "deceased"
    sentence = _("It is written down that this person has died. If that is a mistake, undo it on their page first.")


class OwnRecord(Conflict):
    """The record is the carer's own."""

    code = "own_record"
    sentence = _("Nobody needs leave to act for themselves.")


def begin(
    actor: Actor,
    patient: Patient,
    user: User,
    *,
    relation: str,
    scopes: Iterable[str],
    until: date | None,
    clinic_id: UUID | None = None,
    key: UUID | None = None,
    granted_by: UUID | None = None,
) -> Delegation:
    """Let this account act for the patient, in the whole record or with `clinic_id` in that clinic's part.

    Care of the same reach that it had for them before is replaced, and no other. Whoever calls this has checked that it
    may be. `key` is the id it gets, `granted_by` who allowed it (the actor when left out). Raises Conflict for one's
    own record or when there are too many carers of this reach.
    """
    if patient.user_id == user.id:
        raise OwnRecord
    lock(patient.id)
    alike = Delegation.clinic_id.is_not_distinct_from(clinic_id)
    open_ones = list(
        session().scalars(
            select(Delegation).where(Delegation.patient_id == patient.id, Delegation.ended_at.is_(None), alike)
        )
    )
    allow(len(open_ones) < MOST, Conflict, _("This person has too many carers already."))
    for before in open_ones:
        if before.user_id == user.id:
            before.ended_at = clock.now()
    session().flush()
    clinic = session().get(Clinic, clinic_id) if clinic_id else None
    made = Delegation(
        id=key or new_id(),
        patient_id=patient.id,
        user_id=user.id,
        clinic_id=clinic_id,
        relation=relation,
        scopes=scopes_of(scopes, clinic_id),
        starts_on=today(clinic),
        ends_on=until_when(patient, relation, until),
        asked_until=until,
        granted_by=granted_by or actor.user_id,
    )
    made.patient, made.user, made.clinic = patient, user, clinic
    session().add(made)
    session().flush()
    registering.profile_for(actor, user)  # whoever looks after others has a patient's pages
    record(actor, "delegation.begun", made, user_id=user.id, scopes=made.scopes)
    return made


def scopes_of(asked: Iterable[str], clinic_id: UUID | None) -> list[str]:
    """What is given of what was asked, in order: seeing always, the profile only in the whole record."""
    possible = SCOPES if clinic_id is None else SCOPES_AT_CLINIC
    return [scope for scope in possible if scope in {"view", *asked}]


def may_govern(actor: Actor, patient: Patient) -> bool:
    """Whether the actor decides who looks after this patient: they themselves, or whoever has every scope in the whole
    record of one without an account."""
    if patient.id == actor.patient_id:
        return True
    return patient.user_id is None and all(patient.id in actor.cares_for(scope) for scope in SCOPES)


def may_change(actor: Actor, care: Delegation) -> bool:
    """The patient and the carer; whoever decides for the patient where they let the carer in, or a desk did."""
    if care.patient_id == actor.patient_id or care.user_id == actor.user_id:
        return True
    from_others = care.granted_by != actor.user_id and care.clinic_id is None
    return may_govern(actor, care.patient) and not from_others


def may_end(actor: Actor, care: Delegation) -> bool:
    """As `may_change`; a desk ends what reaches its own clinic's part alone, a superadmin every care."""
    return actor.is_signed_in and (may_change(actor, care) or may_end_at_desk(actor, care))


def may_end_at_desk(actor: Actor, care: Delegation) -> bool:
    """Whether the actor may end it as front desk or admin of the clinic it is for, or as superadmin."""
    return actor.is_superadmin or (care.clinic_id is not None and actor.works_at(care.clinic_id))


def knows_at_desk(actor: Actor, patient: Patient) -> bool:
    """Whether the actor is front desk or admin of a clinic that knows the patient, or superadmin."""
    if actor.is_superadmin:
        return True
    clinics = actor.clinics_as(STAFF, ADMIN)
    known = exists().where(Registration.patient_id == patient.id, Registration.clinic_id.in_(clinics))
    return bool(clinics and session().scalar(select(known)))


def clinics_at_desk(actor: Actor, patient: Patient) -> list[Clinic]:
    """The clinics that know the patient and whose front desk or admin the actor is, by name; a superadmin's are all."""
    known = select(Registration.clinic_id).where(Registration.patient_id == patient.id)
    mine = true() if actor.is_superadmin else Clinic.id.in_(actor.clinics_as(STAFF, ADMIN))
    return list(
        session().scalars(select(Clinic).where(Clinic.id.in_(known), mine).order_by(*as_listed(Clinic.name), Clinic.id))
    )


def seen_by(actor: Actor, patient: Patient) -> ColumnElement[bool]:
    """In SQL: which carers of this patient the actor may know of: whoever decides about it all, a desk those who reach
    its own clinic's part."""
    if may_govern(actor, patient) or actor.is_superadmin:
        return true()
    here = actor.clinics_as(STAFF, ADMIN)
    return Delegation.clinic_id.is_(None) | Delegation.clinic_id.in_(here)


def at_desk(actor: Actor, patient_id: UUID | str, clinic_id: UUID | None = None) -> tuple[Patient, UUID]:
    """A patient whom the actor's desk knows, and the clinic that acts: the one named, or the first that knew them.

    Raises NotFound for a patient whom none of the actor's clinics knows.
    """
    mine = true() if actor.is_superadmin else Registration.clinic_id.in_(actor.clinics_as(STAFF, ADMIN))
    statement = (
        select(Registration)
        .join(Registration.patient)
        .where(Registration.patient_id == as_id(patient_id), mine, Patient.merged_into_id.is_(None))
        .options(contains_eager(Registration.patient))
        .order_by(Registration.created_at, Registration.id)
    )
    if clinic_id is not None:
        statement = statement.where(Registration.clinic_id == clinic_id)
    found = session().scalars(statement.limit(1)).one_or_none() or refuse(NotFound)
    return found.patient, found.clinic_id


def of_clinic(actor: Actor, patient_id: UUID | str, clinic_id: UUID) -> Patient:
    """A patient for whom this clinic does something: one on its own list, whatever other clinics of the actor know.

    To arrange a visit makes the clinic know the patient, so a clinic starts that only for those it knows already; those
    the actor books for as a carer, and the actor's own record, may come anew; the portal itself acts on what somebody
    had allowed before. Raises NotFound, NotOnList and Deceased.
    """
    if actor.is_system:
        return _alive(find(actor, Patient, patient_id))
    known = exists().where(Registration.patient_id == Patient.id, Registration.clinic_id == clinic_id)
    mine = Patient.id.in_(actor.cares_for("book", at=clinic_id))
    statement = select(Patient).where(Patient.id == as_id(patient_id), or_(and_(known, Patient.visible(actor)), mine))
    found = session().scalars(statement).one_or_none()
    if found is None:
        find(actor, Patient, patient_id)
        raise NotOnList
    return _alive(found)


def _alive(patient: Patient) -> Patient:
    allow(patient.deceased_at is None, Deceased)
    return patient


def has_governor(patient_id: UUID) -> bool:
    """Whether somebody with an account decides for this patient, who has none."""
    return bool(session().scalar(select(governing(patient_id).exists())))


def governing(patient_id: UUID) -> Select[Delegation]:
    """The care of those who decide for a patient without an account: with every scope, of the whole record."""
    everything = Delegation.scopes.contains(list(SCOPES))
    return select(Delegation).where(
        Delegation.patient_id == patient_id, reach.is_current(), Delegation.clinic_id.is_(None), everything
    )


def acted_for(events: Iterable[Event]) -> dict[UUID, str]:
    """By event: the name of the patient for whom somebody who looks or looked after them did it."""
    done = {event.id: (event.actor_id, event.patient_id) for event in events if event.actor_id and event.patient_id}
    if not done:
        return {}
    statement = (
        select(Delegation.user_id, Delegation.patient_id, Patient.given_name, Patient.family_name)
        .join(Delegation.patient)
        .where(
            Delegation.user_id.in_({pair[0] for pair in done.values()}),
            Delegation.patient_id.in_({pair[1] for pair in done.values()}),
        )
        .distinct()
    )
    names = {(row[0], row[1]): f"{row[2]} {row[3]}" for row in session().execute(statement)}
    return {event_id: names[pair] for event_id, pair in done.items() if pair in names}


def ending_between(first: date, last: date) -> list[Delegation]:
    """Care that stands today and ends on one of these dates, with `user`, `patient` and `clinic`."""
    statement = select(Delegation).where(reach.is_current(), Delegation.ends_on.between(first, last))
    with_them = (joinedload(Delegation.user), joinedload(Delegation.patient), joinedload(Delegation.clinic))
    return list(session().scalars(statement.options(*with_them)))


def of_age_on(birth_date: date) -> date:
    """The 18th birthday; of those born on 29 February, 1 March where there is none."""
    try:
        return birth_date.replace(year=birth_date.year + OF_AGE)
    except ValueError:
        return date(birth_date.year + OF_AGE, 3, 1)


def lock(patient_id: UUID) -> None:
    """Whatever changes who looks after this patient goes one after the other."""
    session().execute(select(Patient.id).where(Patient.id == patient_id).with_for_update())


def until_when(patient: Patient, relation: str, until: date | None) -> date | None:
    """The last day: as asked, but never beyond the day on which a child in somebody's care is of age."""
    eve = _eve(relation, patient.birth_date)
    if eve is None or eve < today():
        return until
    return min(until, eve) if until else eve


def follow_age(actor: Actor, patient: Patient, born_before: date | None) -> None:
    """The birth date was another one: care that ends with being of age ends by the present one.

    Care of a child who turns out to be an adult is over; what somebody asked to end earlier still does.
    """
    if patient.birth_date == born_before:
        return
    statement = select(Delegation).where(Delegation.patient_id == patient.id, Delegation.ended_at.is_(None))
    for held in session().scalars(statement.with_for_update()):
        was_child, eve = _eve(held.relation, born_before), _eve(held.relation, patient.birth_date)
        if held.relation == "child" and eve and eve < held.starts_on and was_child and was_child >= held.starts_on:
            held.ended_at = clock.now()
            record(actor, "delegation.ended", held, user_id=held.user_id)
        elif (ends_on := _ends(held, eve)) != held.ends_on:
            held.ends_on = ends_on
            record(actor, "delegation.changed", held, user_id=held.user_id, scopes=held.scopes)
    session().flush()


def grows_up(actor: Actor, patient: Patient, birth_date: date | None) -> bool:
    """Whether the actor's care of this patient as their child would be over if they were born on this date."""
    eve = _eve("child", birth_date)
    is_mine = (Delegation.user_id == actor.user_id, Delegation.relation == "child", reach.is_current())
    mine = exists().where(Delegation.patient_id == patient.id, Delegation.clinic_id.is_(None), *is_mine)
    was = _eve("child", patient.birth_date)
    return bool(eve and eve < today() and was and was >= today() and session().scalar(select(mine)))


def _ends(held: Delegation, eve: date | None) -> date | None:
    ends = [day for day in (held.asked_until, eve) if day and day >= held.starts_on]
    return min(ends, default=None)


def _eve(relation: str, birth_date: date | None) -> date | None:
    """The last day on which a child, or somebody in legal care, is not of age; None for everybody else."""
    if relation not in {"child", "ward"} or birth_date is None:
        return None
    return of_age_on(birth_date) - timedelta(days=1)


def today(clinic: Clinic | None = None) -> date:
    """The day by which care begins and ends: that of the clinic whose part it reaches, else the portal's."""
    return clock.today(clinic.zone if clinic else clock.home())
