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
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.names import fold
from portal.core.policy import allow, as_id, find
from portal.core.text import lazy as _
from portal.domain.identity import accounts
from portal.domain.identity.accounts import OwnAccount
from portal.domain.patients import care
from portal.domain.patients.models import SCOPES, Delegation, Patient


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
    """Those the actor looks after today, by name: each with `patient`, `user`, `relation`, `scopes`, dates."""
    if actor.user_id is None:
        return []
    statement = (
        select(Delegation).join(Delegation.patient).where(Delegation.user_id == actor.user_id, care.is_current())
    )
    order = (Patient.given_name, Patient.family_name, Delegation.id)
    loaded = statement.options(joinedload(Delegation.patient), joinedload(Delegation.user))
    return list(session().scalars(loaded.order_by(*order)))


def get(actor: Actor, patient_id: UUID | str) -> Delegation:
    """The actor's care of this patient; raises NotFound when there is none today."""
    wanted = as_id(patient_id)
    return next((held for held in mine(actor) if held.patient_id == wanted), None) or refuse(NotFound)


def carers(actor: Actor, patient_id: UUID) -> list[Delegation]:
    """Who looks after this patient today, the first first: each with its `user`. Raises NotFound."""
    patient = find(actor, Patient, patient_id)
    statement = select(Delegation).where(Delegation.patient_id == patient.id, care.is_current())
    loaded = statement.options(joinedload(Delegation.user), joinedload(Delegation.patient))
    return list(session().scalars(loaded.order_by(Delegation.created_at, Delegation.id)))


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
    known = mine(actor)
    same = (fold(given_name, family_name), birth_date)
    if any((one.patient.search_name, one.patient.birth_date) == same for one in known):
        raise InFamily
    allow(len(known) < care.MOST, Conflict, _("This list is full. Please ask a clinic's front desk for help."))
    patient = Patient(
        given_name=given_name,
        family_name=family_name,
        search_name=same[0],
        birth_date=birth_date,
        sex=sex,
        preferred_language=actor.locale,
    )
    session().add(patient)
    session().flush()
    record(actor, "patient.registered", patient, patient_id=patient.id)
    return care.begin(actor, patient, accounts.get(actor.user_id), relation=relation, scopes=SCOPES, until=None)


def enter(
    actor: Actor, patient_id: UUID | str, *, email: str, relation: str, scopes: Sequence[str], until: date | None = None
) -> Delegation:
    """The front desk writes down a consent given on paper: this account may act for the patient from now on.

    Raises NotFound, Forbidden, Invalid when the address has no account, and Conflict for an account of one's own.
    """
    patient = find(actor, Patient, patient_id)
    allow(care.knows_at_desk(actor, patient))
    user = accounts.by_email(email)
    if user is None or not user.is_active:
        raise Invalid(
            fields={"email": _("Nobody has an account with this address. Please ask them to register first.")}
        )
    if user.id == actor.user_id:
        raise OwnAccount(_("You cannot enter yourself. Please ask a colleague."))
    return care.begin(actor, patient, user, relation=relation, scopes=scopes, until=until)


def change(actor: Actor, delegation_id: UUID | str, *, scopes: Sequence[str], until: date | None = None) -> Delegation:
    """Say anew what somebody may do and until when; the carers themselves may only take on less.

    Raises NotFound, Forbidden, and Conflict for care that is over.
    """
    held = one(actor, delegation_id)
    wanted = [scope for scope in SCOPES if scope in {"view", *scopes}]
    ends_on = care.until_when(held.patient, held.relation, until)
    if held.user_id == actor.user_id:
        more = set(wanted) - set(held.scopes) or (held.ends_on and (ends_on is None or ends_on > held.ends_on))
        allow(not more, sentence=_("You can take on less here, but not more. Ask the person you look after."))
    if (held.scopes, held.ends_on) != (wanted, ends_on):
        held.scopes, held.ends_on = wanted, ends_on
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
    statement = (
        select(Delegation)
        .where(Delegation.id == as_id(delegation_id))
        .options(joinedload(Delegation.patient), joinedload(Delegation.user))
    )
    if lock:
        statement = statement.with_for_update(of=Delegation).execution_options(populate_existing=True)
    held = session().scalars(statement).one_or_none() or refuse(NotFound)
    allow(care.may_end(actor, held), NotFound)
    return held


def _one_at_a_time(actor: Actor) -> None:
    """The same child entered twice at once is one child."""
    session().execute(select(func.pg_advisory_xact_lock(func.hashtext(f"family:{actor.user_id}"))))
