"""Two records of one person on a clinic's list: the desk looks at both side by side, joins them, and can undo it.

The desk joins by itself only what its clinic sees in full already, and only where nobody comes to be reached otherwise
than before: no account, no other clinic, nobody who looks after either, and the same contact. Else the patient is
asked, where both records reach them (requests.ask), as for a record of another clinic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, or_, select, true
from sqlalchemy.orm import joinedload

from portal.core import emails
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import Base, session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.patients import care, desk, joining, parting, reach, requests
from portal.domain.patients.models import Delegation, Patient, Registration
from portal.domain.patients.parting import Parted
from portal.domain.patients.request_models import JOIN, RecordJoin, RecordRequest

How = Literal["at_once", "ask", "different_contacts", "two_accounts", "deceased"]
AT_ONCE: How = "at_once"
ASK: How = "ask"
DIFFERENT: How = "different_contacts"
TWO_ACCOUNTS: How = "two_accounts"
DEAD: How = "deceased"


class DifferentContacts(Conflict):
    """Whoever one of them reaches would come to be asked about the other."""

    code = "different_contacts"
    sentence = _(
        "These two records have different phone numbers, e-mail addresses or dates of birth. Please make them the same "
        "first: the patient is asked, or a colleague confirms a signed paper."
    )


class TwoAccounts(Conflict):
    """Each of the two records is an account's."""

    code = "two_accounts"
    sentence = _("Both records belong to an account. Two accounts are never joined.")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records as the desk sees it: `visits` are those at the actor's clinics, `carers` who looks after
    it, as far as the desk may know."""

    patient: Patient
    visits: int
    carers: list[str]


@dataclass(frozen=True, slots=True)
class Preview:
    """What joining would do: `kept` stays, `gone` becomes part of it. `how` is at_once, ask, or why it cannot be."""

    kept: Side
    gone: Side
    how: How
    clinic_id: UUID
    contact: Patient | None = None  # whose phone and e-mail address stay; None: where both were

    @property
    def after(self) -> dict[str, Any]:
        """What the joined record says of each field, as far as it is the desk's to see."""
        kept, gone = self.kept.patient, self.gone.patient
        reached = self.contact or kept
        return {
            "name": kept.name,
            "birth_date": kept.birth_date or gone.birth_date,
            "sex": gone.sex if kept.sex == "unknown" else kept.sex,
            "phone": reached.phone,
            "email": reached.email,
        }


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of it: the join, or the request to the patient."""

    join: RecordJoin | None
    request: RecordRequest | None


def preview(actor: Actor, patient_id: UUID | str, other_id: UUID | str) -> Preview:
    """Both records side by side; changes nothing. `patient_id` is the one to keep, unless the other has an account.

    Raises NotFound unless one clinic whose desk or admin the actor is has both on its list.
    """
    one, other = desk.get(actor, patient_id), desk.get(actor, other_id)
    allow(one.id != other.id, NotFound)
    clinic_id = _common(actor, one, other)
    kept, gone = (other, one) if _is_more(actor, other, one, clinic_id) else (one, other)
    how = _how(actor, kept, gone, clinic_id)
    contact = _contact(actor, kept, gone) if how == AT_ONCE else None
    return Preview(_side(actor, kept), _side(actor, gone), how, clinic_id, contact)


def merge(actor: Actor, patient_id: UUID | str, other_id: UUID | str) -> Merged:
    """Join the two at once, or ask the patient: see the preview's `how`.

    Raises NotFound, DifferentContacts, TwoAccounts, Deceased, BothBusy, Joined, NobodyToAsk and TooMany.
    """
    seen = preview(actor, patient_id, other_id)
    for one in sorted((seen.kept.patient.id, seen.gone.patient.id)):
        care.lock(one)
    session().expire_all()
    seen = preview(actor, patient_id, other_id)  # as it is now that nobody changes either
    allow(seen.how != TWO_ACCOUNTS, TwoAccounts)
    allow(seen.how != DEAD, care.Deceased)
    allow(seen.how != DIFFERENT, DifferentContacts)
    kept, gone = seen.kept.patient, seen.gone.patient
    if seen.how == ASK:
        allow(reaches_both(kept, gone), requests.NobodyToAsk)
        return Merged(None, requests.ask(actor, kept, seen.clinic_id, JOIN, {}, entered_id=gone.id))
    of = seen.contact or refuse(DifferentContacts)
    contact = {name: getattr(of, name) for name in ("phone", "email")}
    return Merged(joining.join(actor, kept.id, gone.id, clinic_id=seen.clinic_id, contact=contact), None)


def undo(actor: Actor, join_id: UUID | str) -> Parted:
    """Part two records again that a desk of the actor's clinic joined. Raises NotFound and Undone."""
    made = _mine(actor, RecordJoin.id == as_id(join_id))
    return parting.part(actor, made[0].id if made else refuse(NotFound))


def of_patient(actor: Actor, patient_id: UUID) -> list[tuple[RecordJoin, Patient]]:
    """What desks of the actor's clinics joined into this record and can undo, the latest first, with what it was."""
    joins = _mine(actor, RecordJoin.kept_id == patient_id, RecordJoin.undone_at.is_(None))
    return [(one, session().get_one(Patient, one.gone_id)) for one in joins]


def alike(actor: Actor, patient: Patient) -> list[Patient]:
    """Others on the same lists who may be the same person: of this phone or e-mail address, or called alike."""
    here = select(Registration.clinic_id).where(
        Registration.patient_id == patient.id, Registration.clinic_id.in_(_desks(actor))
    )
    others = select(Patient).join(Registration, Registration.patient_id == Patient.id)
    likeness = func.similarity(Patient.search_name, patient.search_name)
    ways = [likeness >= desk.ALIKE]
    if patient.phone:
        ways.append(Patient.phone == patient.phone)
    if patient.email:
        ways.append(func.lower(Patient.email) == patient.email.lower())
    found = others.where(
        Registration.clinic_id.in_(here), Patient.id != patient.id, Patient.merged_into_id.is_(None), or_(*ways)
    )
    listed = session().scalars(found.order_by(likeness.desc(), Patient.id).limit(desk.MOST_ALIKE * 3)).unique()
    return list(dict.fromkeys(listed))[: desk.MOST_ALIKE]


def reaches_both(kept: Patient, gone: Patient) -> bool:
    """Whether there is a phone or an address that both records have: nobody else may say that they are one."""
    same_phone = bool(kept.phone) and kept.phone == gone.phone
    return same_phone or (bool(kept.email) and emails.is_same(kept.email, gone.email))


def _how(actor: Actor, kept: Patient, gone: Patient, clinic_id: UUID) -> How:
    if kept.deceased_at or gone.deceased_at:
        return DEAD
    if gone.user_id is not None:
        return TWO_ACCOUNTS
    if _others_know(kept, clinic_id) or _others_know(gone, clinic_id):
        return ASK
    return AT_ONCE if _contact(actor, kept, gone) is not None else DIFFERENT


def _contact(actor: Actor, kept: Patient, gone: Patient) -> Patient | None:
    """Whose contact the joined record has; None where a desk may not choose.

    What the clinic itself entered less than a day ago is its own to correct, as at the desk's form; a record that has
    stood longer keeps the contact it has.
    """
    old = [one for one in (kept, gone) if not desk.is_fresh(actor, one)]
    if len(old) == 1:
        return old[0]
    if not old:
        return kept if kept.phone or kept.email else gone
    born = {one.birth_date for one in old if one.birth_date}
    is_same = kept.phone == gone.phone and kept.email.lower() == gone.email.lower() and len(born) <= 1
    return kept if is_same else None


def _others_know(patient: Patient, clinic_id: UUID) -> bool:
    """Whether it is more than this clinic's: an account's, another clinic's, or somebody looks after it."""
    elsewhere = select(Registration.id).where(
        Registration.patient_id == patient.id, Registration.clinic_id != clinic_id
    )
    cared_for = select(Delegation.id).where(Delegation.patient_id == patient.id, reach.is_current())
    return patient.user_id is not None or bool(session().scalar(select(or_(elsewhere.exists(), cared_for.exists()))))


def _is_more(actor: Actor, other: Patient, one: Patient, clinic_id: UUID) -> bool:
    """Whether the other one has to be kept: it is the one with an account, or the one that others know."""
    if bool(other.user_id) != bool(one.user_id):
        return bool(other.user_id)
    return _others_know(other, clinic_id) and not _others_know(one, clinic_id)


def _common(actor: Actor, one: Patient, other: Patient) -> UUID:
    at = [
        set(session().scalars(select(Registration.clinic_id).where(Registration.patient_id == each.id)))
        for each in (one, other)
    ]
    both = at[0] & at[1]
    mine = both if actor.is_superadmin else both & _desks(actor)
    return min(mine, default=None) or refuse(NotFound)


def _side(actor: Actor, patient: Patient) -> Side:
    seen = select(Delegation).where(
        Delegation.patient_id == patient.id, reach.is_current(), care.seen_by(actor, patient)
    )
    held = session().scalars(seen.options(joinedload(Delegation.user)))
    return Side(patient, _visits(actor, patient), sorted({one.user.name for one in held}))


def _visits(actor: Actor, patient: Patient) -> int:
    """How many visits at the actor's clinics; their table is described further down, so it is found by its name."""
    visits = Base.metadata.tables["appointments"]
    here = true() if actor.is_superadmin else visits.c.clinic_id.in_(_desks(actor))
    return (
        session().scalar(select(func.count()).select_from(visits).where(visits.c.patient_id == patient.id, here)) or 0
    )


def _mine(actor: Actor, *which: Any) -> list[RecordJoin]:
    here = RecordJoin.clinic_id.is_not(None) if actor.is_superadmin else RecordJoin.clinic_id.in_(_desks(actor))
    return list(session().scalars(select(RecordJoin).where(here, *which).order_by(RecordJoin.created_at.desc())))


def _desks(actor: Actor) -> frozenset[UUID]:
    return actor.clinics_as(STAFF, ADMIN)
