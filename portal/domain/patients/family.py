"""Who looks after whom: children, people in legal care, and those who let somebody else act for them.

A delegation counts from the request after it was made until the one after it was ended: actors are read each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.names import fold
from portal.core.policy import allow, as_id, find
from portal.core.text import lazy as _
from portal.domain.identity import accounts
from portal.domain.patients import care, reach
from portal.domain.patients.models import SCOPES, Delegation, Patient

WITH = (joinedload(Delegation.patient), joinedload(Delegation.user), joinedload(Delegation.clinic))


class Ended(Conflict):
    """The care has ended."""

    code = "ended"
    sentence = _("This is over already.")


class InFamily(Conflict):
    """The same person was entered before."""

    code = "in_family"
    sentence = _("This person is in your family already.")


class Grown(Conflict):
    """Adults decide for themselves who acts for them."""

    code = "of_age"
    sentence = _("This person is an adult. They can make an account of their own and invite you to act for them.")


def mine(actor: Actor) -> list[Delegation]:
    """The actor's care of others today, by their names: each with `patient`, `user`, `clinic`, `scopes`, dates.

    Of one patient care of the whole record comes first, then what clinics have written down for their parts.
    """
    if actor.user_id is None:
        return []
    statement = (
        select(Delegation).join(Delegation.patient).where(Delegation.user_id == actor.user_id, reach.is_current())
    )
    whole_first = Delegation.clinic_id.is_not(None)
    order = (Patient.given_name, Patient.family_name, Patient.id, whole_first, Delegation.id)
    return list(session().scalars(statement.options(*WITH).order_by(*order)))


def of(actor: Actor, patient_id: UUID | str) -> list[Delegation]:
    """The actor's care of this patient, that of the whole record first; raises NotFound when there is none today."""
    wanted = as_id(patient_id)
    return [held for held in mine(actor) if held.patient_id == wanted] or refuse(NotFound)


def get(actor: Actor, patient_id: UUID | str) -> Delegation:
    """The widest of the actor's care of this patient; raises NotFound when there is none today."""
    return of(actor, patient_id)[0]


def looked_after(actor: Actor, what: str = "view", *, at: UUID | None = None) -> list[Patient]:
    """The people the actor may do this for, each once, by name; with `at` only those they may do it for there."""
    return list(
        {
            held.patient_id: held.patient
            for held in mine(actor)
            if what in held.scopes and (at is None or held.reaches(at))
        }.values()
    )


def carers(actor: Actor, patient_id: UUID) -> list[Delegation]:
    """Who looks after this patient today, the first first: each with its `user` and `clinic`.

    Whoever decides about it sees all; a front desk that knows the patient sees who looks after the whole record and who
    was named for its own clinic's part, and never whom another clinic has named. Raises NotFound to everybody else.
    """
    patient = find(actor, Patient, patient_id)
    allow(care.may_govern(actor, patient) or care.knows_at_desk(actor, patient), NotFound)
    statement = select(Delegation).where(
        Delegation.patient_id == patient.id, reach.is_current(), care.seen_by(actor, patient)
    )
    return list(session().scalars(statement.options(*WITH).order_by(Delegation.created_at, Delegation.id)))


def add_dependant(
    actor: Actor,
    *,
    given_name: str,
    family_name: str,
    birth_date: date,
    sex: str = "unknown",
    relation: str = "child",
) -> Delegation:
    """A new patient without an account whom the actor looks after with every scope; returns the care with `patient`.

    Care for a minor ends with the day before the 18th birthday. Raises Grown for an adult child, and Conflict for
    somebody who is in the list already or when it is full.
    """
    allow(actor.is_signed_in)
    if relation == "child" and care.of_age_on(birth_date) <= care.today():
        raise Grown
    _one_at_a_time(actor)
    known = [held for held in mine(actor) if held.clinic_id is None]  # of others a refusal would tell the birth date
    same = (fold(given_name, family_name), birth_date)
    if any((one.patient.search_name, one.patient.birth_date) == same for one in known):
        raise InFamily
    allow(len(known) < care.MOST, Conflict, _("This list is full. Please ask a clinic's front desk for help."))
    patient = Patient(
        given_name=given_name,
        family_name=family_name,
        birth_date=birth_date,
        sex=sex,
        preferred_language=actor.locale,
    )
    session().add(patient)
    session().flush()
    record(actor, "patient.registered", patient, patient_id=patient.id)
    return care.begin(actor, patient, accounts.get(actor.user_id), relation=relation, scopes=SCOPES, until=None)


def change(actor: Actor, delegation_id: UUID | str, *, scopes: Sequence[str], until: date | None = None) -> Delegation:
    """Say anew what somebody may do and until when; the carers themselves may only take on less.

    The profile is never given in a clinic's part. Raises NotFound, Forbidden, and Conflict for care that is over.
    """
    held = one(actor, delegation_id)
    wanted = care.scopes_of(scopes, held.clinic_id)
    ends_on = care.until_when(held.patient, held.relation, until)
    if held.user_id == actor.user_id:
        more = set(wanted) - set(held.scopes) or (held.ends_on and (ends_on is None or ends_on > held.ends_on))
        allow(not more, sentence=_("You can take on less here, but not more. Ask the person you look after."))
    if (held.scopes, held.ends_on) != (wanted, ends_on):
        held.scopes, held.ends_on, held.asked_until = wanted, ends_on, until
        session().flush()
        record(actor, "delegation.changed", held, user_id=held.user_id, scopes=wanted)
    return held


def one(actor: Actor, delegation_id: UUID | str) -> Delegation:
    """Care that stands, with `patient` and `user`, for whoever may change it. Raises NotFound, Forbidden, Conflict."""
    held = _open_one(actor, delegation_id)
    allow(care.may_change(actor, held))
    return held


def end(actor: Actor, delegation_id: UUID | str) -> Delegation:
    """Stop it at once, from either side; ended again it stays as it is. Raises NotFound."""
    held = _find(actor, delegation_id, lock=True)
    if held.ended_at is None:
        held.ended_at = clock.now()
        session().flush()
        record(actor, "delegation.ended", held, user_id=held.user_id)
    return held


def _open_one(actor: Actor, delegation_id: UUID | str) -> Delegation:
    held = _find(actor, delegation_id, lock=True)
    if held.ended_at is not None:
        raise Ended
    return held


def _find(actor: Actor, delegation_id: UUID | str, *, lock: bool = False) -> Delegation:
    statement = select(Delegation).where(Delegation.id == as_id(delegation_id)).options(*WITH)
    if lock:
        statement = statement.with_for_update(of=Delegation).execution_options(populate_existing=True)
    held = session().scalars(statement).one_or_none() or refuse(NotFound)
    allow(care.may_end(actor, held), NotFound)
    return held


def _one_at_a_time(actor: Actor) -> None:
    """The same child entered twice at once is one child."""
    session().execute(select(func.pg_advisory_xact_lock(func.hashtext(f"family:{actor.user_id}"))))
