"""Planning a change: nothing of it is saved, but every visit it hits has a new time held for its patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, find
from portal.core.tasks import task
from portal.core.text import lazy as _
from portal.domain.changes import drafting, keeping, kinds, proposing, trial
from portal.domain.changes.kinds import Kind
from portal.domain.changes.models import Change, Proposal
from portal.domain.changes.proposing import Found
from portal.domain.changes.refusals import ChangeOver, NothingHit
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import finding, taking
from portal.domain.scheduling.finding import Week
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import Appointment, Hold
from portal.domain.scheduling.refusals import NotOffered, TimeTaken

DECIDE = timedelta(minutes=30)  # how long proposed times are held for whoever plans
_SHOWN = (Appointment.clinic, Appointment.visit_type, Appointment.patient, Appointment.doctor)


@dataclass(frozen=True)
class Choice:
    """The free times of a week for one visit, and with whom: `places` are the practices it could go to."""

    week: Week | None
    place: Practice | None
    places: list[Practice]


def save_or_plan(actor: Actor, kind: str, of: UUID | str, /, **about: Any) -> Change | None:
    """Save a change that hits no booked visit, at once; else a plan of it, in which each visit has to be decided.

    `of` is the id of the doctor, clinic, practice or opening that changes, `about` what the kind's verb takes. The lock
    the verb holds goes with its refusal: what is booked until the plan is saved is found then. Raises what the verb
    raises.
    """
    sort, wanted = kinds.get(kind), kinds.written(of, about)
    try:
        with trial.all_or_nothing():
            sort.save(actor, wanted, keep_visits=False)
    except VisitsAffected:
        return plan(actor, kind, of, **about)
    return None


def plan(actor: Actor, kind: str, of: UUID | str, /, **about: Any) -> Change:
    """A draft of the change with a proposal for each visit it hits; the same draft when it is planned already.

    Raises what the verb raises, and NothingHit where nobody receives who could be hit.
    """
    sort, wanted = kinds.get(kind), kinds.written(of, about)
    practices = sort.touches(actor, wanted)
    allow(bool(practices), NothingHit)
    taking.one_at_a_time("plan", practices[0].clinic_id)
    same = select(Change.id).where(
        Change.made_by == actor.user_id, Change.kind == kind, Change.wanted == wanted, Change.state == "draft"
    )
    known = session().scalar(same.order_by(Change.created_at.desc()).limit(1))
    if known is None:
        draft = _draft(actor, sort, wanted, practices)
        session().add(draft)
        session().flush()
        known = draft.id
    return renew(actor, known)


def renew(actor: Actor, change_id: UUID | str, decisions: Mapping[UUID, str] | None = None) -> Change:
    """List the visits it would hit once more and hold their times for another while; what was decided stays.

    Raises NotFound and ChangeOver, and what the verb raises when the change is not possible any more.
    """
    change = unsaved(actor, change_id)
    if decisions:
        for proposal in drafting.proposals_of(change):
            proposal.decision = decisions.get(proposal.id, proposal.decision)
    change.state, change.held_until = "draft", clock.now() + DECIDE
    drafting.fit(actor, change)
    return change


def remember(actor: Actor, change_id: UUID | str, decisions: Mapping[UUID, str]) -> Change:
    """Keep what was ticked so far, without saving the change; raises NotFound, ChangeOver or Invalid."""
    change = unsaved(actor, change_id)
    drafting.decide(change, decisions)
    session().flush()
    return change


def choices(actor: Actor, proposal_id: UUID, day: date | None = None, practice_id: UUID | None = None) -> Choice:
    """The free times of a week for one visit as they would be after the change, with its own doctor or a colleague."""
    proposal, change = _open(actor, proposal_id)
    visit = proposal.appointment
    with _after(actor, change):
        return choice(actor, visit, day or (proposal.starts_at or visit.starts_at), practice_id)


def choice(actor: Actor, visit: Appointment, near: date | datetime, practice_id: UUID | None) -> Choice:
    """The free times of a week near a date for a visit, by the rules as they are; raises NotFound for other practices.

    The visit must have its clinic and type loaded.
    """
    places, zone = proposing.places(visit), visit.clinic.zone
    place = next((one for one in places if one.id == practice_id), None) if practice_id else next(iter(places), None)
    allow(place is not None or practice_id is None, NotFound)
    if place is None:
        return Choice(None, None, [])
    day = near.astimezone(zone).date() if isinstance(near, datetime) else near
    moving = visit if place.id == visit.practice_id else None
    week = finding.week(actor, place.id, visit.visit_type, zone, day, patient_id=visit.patient_id, moving=moving)
    return Choice(week, place, places)


def propose(actor: Actor, proposal_id: UUID, *, starts_at: datetime, practice_id: UUID | None = None) -> Proposal:
    """Hold another time for a visit instead of the one proposed. Raises NotFound, NotOffered or TimeTaken."""
    proposal, change = _open(actor, proposal_id)
    visit = proposal.appointment
    where = practice_id or visit.practice_id
    with _after(actor, change):
        allow(where in {place.id for place in proposing.places(visit)}, NotFound)
        found = proposing.exactly(visit, where, starts_at)
    if not isinstance(found, Found):
        raise NotOffered(found)
    held = keeping.keep([found], change.held_until) or refuse(TimeTaken)
    before, proposal.hold_id = proposal.hold_id, held[visit.id]
    proposal.starts_at, proposal.decision = found.starts_at, "move"
    session().flush()
    keeping.give_back([before] if before else [])
    return proposal


def proposal(actor: Actor, proposal_id: UUID) -> Proposal:
    """One visit of a plan with its patient, doctor, clinic and type; raises NotFound, ChangeOver."""
    return _open(actor, proposal_id)[0]


def drop(actor: Actor, change_id: UUID | str) -> None:
    """Do not save it after all: every time goes back. Raises NotFound, ChangeOver."""
    change = unsaved(actor, change_id)
    _let_go([change.id])
    record(actor, "change.dropped", change, kind=change.kind)


@task
def drop_stale() -> int:
    """Plans nobody decided about in time give their times back; they can be planned again. Answers how many."""
    statement = select(Change.id).where(Change.state == "draft", Change.held_until <= clock.now())
    stale = list(session().scalars(statement.with_for_update(skip_locked=True)))
    _let_go(stale)
    return len(stale)


def unsaved(actor: Actor, change_id: UUID | str) -> Change:
    """The draft, or what was dropped, locked; for those who may make the change. Raises NotFound, ChangeOver."""
    change = find(actor, Change, change_id, lock=True)
    allow(change.state != "applied", ChangeOver)
    kinds.get(change.kind).touches(actor, change.wanted)
    return change


@contextmanager
def _after(actor: Actor, change: Change) -> Iterator[None]:
    """Everything in this block is as it would be after the change; raises NotFound where no times can be had then."""
    sort = kinds.get(change.kind)
    allow(sort.proposes, NotFound)
    with trial.undone():
        sort.save(actor, change.wanted, keep_visits=True)
        yield


def _draft(actor: Actor, sort: Kind, wanted: dict[str, Any], practices: Sequence[Practice]) -> Change:
    doctors = {practice.doctor_id for practice in practices}
    return Change(
        kind=sort.name,
        wanted=wanted,
        clinic_id=practices[0].clinic_id,
        doctor_id=practices[0].doctor_id if len(doctors) == 1 else None,
        practice_id=practices[0].id if len(practices) == 1 else None,
        made_by=actor.user_id,
        held_until=clock.now() + DECIDE,
    )


def _let_go(change_ids: Sequence[UUID]) -> None:
    held = select(Proposal.hold_id).where(Proposal.change_id.in_(change_ids), Proposal.hold_id.is_not(None))
    session().execute(delete(Hold).where(Hold.id.in_(held)))
    session().execute(update(Change).where(Change.id.in_(change_ids)).values(state="dropped"))


def _open(actor: Actor, proposal_id: UUID) -> tuple[Proposal, Change]:
    """A proposal of a draft with its visit, the draft locked."""
    visit = joinedload(Proposal.appointment)
    statement = select(Proposal).where(Proposal.id == proposal_id).options(*(visit.joinedload(part) for part in _SHOWN))
    proposal = session().scalars(statement).one_or_none() or refuse(NotFound)
    change = unsaved(actor, proposal.change_id)
    allow(change.state == "draft", ChangeOver, _("These times have gone back. Please look for new ones."))
    return proposal, change
