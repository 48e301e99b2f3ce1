"""Saving a change with what was decided for each visit it hits: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from portal.core import clock, tasks
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.changes import answering, drafting, keeping, kinds
from portal.domain.changes.kinds import Kind
from portal.domain.changes.models import Change, Proposal
from portal.domain.changes.planning import unsaved
from portal.domain.changes.refusals import LookAgain
from portal.domain.scheduling import appointments, booking, taking
from portal.domain.scheduling.models import Appointment

ANSWER = timedelta(hours=48)  # how long patients have to answer
MARGIN = timedelta(hours=2)  # before the visit, for the desk to reach who has not answered
LONGER = timedelta(hours=24)  # a held time waits so much longer for an answer, though not beyond the visit itself


def apply(actor: Actor, change_id: UUID | str, decisions: Mapping[UUID, str]) -> Change:
    """Save the change and do for each visit it hits what was decided: move, choose, keep or cancel.

    `decisions` are by the proposal's id and count over what was decided before. Patients are asked in one message
    each; a visit stands at its old time until they answer. Raises NotFound, ChangeOver, Invalid for a visit without a
    decision, LookAgain when visits were booked meanwhile or a proposed time has gone back, and what the verb raises.
    """
    change = unsaved(actor, change_id)
    sort = kinds.get(change.kind)
    known = select(Proposal.appointment_id).where(Proposal.change_id == change.id)
    appointments.take(known.scalar_subquery())
    taking.closing([practice.id for practice in sort.touches(actor, change.wanted)])
    visits = {visit.id: visit for visit in drafting.hit(actor, sort, change.wanted)}
    _nothing_new(change, visits)
    proposals = drafting.decide(change, decisions)
    over = [proposal for proposal in proposals if proposal.appointment_id not in visits]
    proposals = [proposal for proposal in proposals if proposal.appointment_id in visits]
    _times_kept(proposals)
    drafting.forget(over)
    _supersede(change, visits)
    sort.save(actor, change.wanted, keep_visits=True)
    change.state, change.applied_at = "applied", clock.now()
    for proposal in proposals:
        visit = visits[proposal.appointment_id]
        proposal.version, proposal.was = visit.version, visit.starts_at
        _DO[str(proposal.decision)](actor, sort, proposal, visit)
    session().flush()
    record(actor, "change.applied", change, clinic_id=change.clinic_id, kind=change.kind, visits=len(proposals))
    return change


def _nothing_new(change: Change, visits: Mapping[UUID, Appointment]) -> None:
    known = select(Proposal.appointment_id).where(Proposal.change_id == change.id)
    new = len(set(visits) - set(session().scalars(known)))
    allow(change.state == "draft", LookAgain, _("The held times went back meanwhile. Please look at the new ones."))
    allow(not new, LookAgain, _("A visit was booked meanwhile. Please decide about it, too."), count=new)


def _times_kept(proposals: Sequence[Proposal]) -> None:
    """Every time that is to be proposed is still held, and nobody can take it now."""
    wanted = [proposal.hold_id for proposal in proposals if proposal.decision == "move" and proposal.hold_id]
    gone = len(wanted) - len(keeping.alive(wanted))
    allow(not gone, LookAgain, _("Some held times went back meanwhile. Please look at the new ones."), count=gone)


def _supersede(change: Change, visits: Mapping[UUID, Appointment]) -> None:
    """What an earlier change asked about these visits is asked anew by this one."""
    statement = select(Proposal).where(
        Proposal.appointment_id.in_(visits), Proposal.change_id != change.id, answering.is_open()
    )
    drafting.forget(list(session().scalars(statement)))


def _move(actor: Actor, sort: Kind, proposal: Proposal, visit: Appointment) -> None:
    proposal.answer_until = _answer_until(visit.starts_at, proposal.starts_at)
    at_most = min(max(visit.starts_at, clock.now() + MARGIN), proposal.starts_at or visit.starts_at)
    keeping.prolong([proposal.hold_id] if proposal.hold_id else [], min(proposal.answer_until + LONGER, at_most))
    _ask_at(proposal)


def _choose(actor: Actor, sort: Kind, proposal: Proposal, visit: Appointment) -> None:
    _give_back(proposal)
    proposal.answer_until = _answer_until(visit.starts_at, None)
    _ask_at(proposal)


def _keep(actor: Actor, sort: Kind, proposal: Proposal, visit: Appointment) -> None:
    _give_back(proposal)


def _cancel(actor: Actor, sort: Kind, proposal: Proposal, visit: Appointment) -> None:
    _give_back(proposal)
    booking.cancel(actor, visit.id, code=sort.code)
    proposal.answer, proposal.answered_at = "cancelled", clock.now()


_DO: dict[str, Callable[[Actor, Kind, Proposal, Appointment], None]] = {
    "move": _move,
    "choose": _choose,
    "keep": _keep,
    "cancel": _cancel,
}


def _give_back(proposal: Proposal) -> None:
    keeping.give_back([proposal.hold_id] if proposal.hold_id else [])
    proposal.hold_id = proposal.starts_at = None


def _answer_until(was: datetime, proposed: datetime | None) -> datetime:
    """48 hours, but no later than two hours before the visit, old or new."""
    first = min(was, proposed) if proposed else was
    return min(clock.now() + ANSWER, first - MARGIN)


def _ask_at(proposal: Proposal) -> None:
    """Who has not answered by then is put on the desk's list; at once where there is no time left."""
    until = max(proposal.answer_until or clock.now(), clock.now())
    tasks.later(answering.unanswered, proposal.id, due_at=until, key=f"change:{proposal.id}:unanswered")
