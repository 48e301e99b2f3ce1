"""Reading changes: a plan with its visits, what is in force and what patients answered, and what a patient is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from uuid import UUID

from sqlalchemy import and_, select, true
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound
from portal.core.policy import allow, find
from portal.domain.changes import answering, kinds
from portal.domain.changes.kinds import Kind
from portal.domain.changes.models import Change, Proposal
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.patients.reach import reaches
from portal.domain.scheduling.models import UPCOMING, Appointment, Hold
from portal.domain.scheduling.planning import CallItem

MOST_LISTED = 50


@dataclass(frozen=True)
class Line:
    """One visit that a change hits: what is proposed with whom, and how it stands."""

    proposal: Proposal
    visit: Appointment
    place: Practice | None  # where the held time is
    is_called: bool = False  # the desk was asked to call

    @property
    def doctor(self) -> Doctor:
        """With whom the proposed time is."""
        return self.place.doctor if self.place else self.visit.doctor

    @property
    def is_other_doctor(self) -> bool:
        return self.place is not None and self.place.doctor_id != self.visit.doctor_id

    @property
    def is_asked(self) -> bool:
        """Whether an answer is still waited for."""
        proposal = self.proposal
        asked = proposal.decision in {"move", "choose"} and proposal.answer is None
        return asked and self.visit.status in UPCOMING and self.visit.starts_at > clock.now()

    @property
    def standing(self) -> str:
        """accepted, chosen, cancelled, called, kept, open (waits for an answer), calling (the desk calls) or over."""
        if self.proposal.decision == "keep":
            return "kept"
        if self.proposal.answer:
            return self.proposal.answer
        return ("calling" if self.is_called else "open") if self.is_asked else "over"


@dataclass(frozen=True)
class Sheet:
    """A change and its visits, soonest first."""

    change: Change
    kind: Kind
    lines: list[Line]

    @property
    def counts(self) -> Counter[str]:
        return Counter(line.standing for line in self.lines)


@dataclass(frozen=True)
class Summary:
    """A change in a list, with how many visits stand how."""

    change: Change
    kind: Kind
    counts: Counter[str]


def show(actor: Actor, change_id: UUID | str) -> Sheet:
    """A change with the visits it hits, those the actor may see; raises NotFound."""
    change = find(actor, Change, change_id, joinedload(Change.clinic), joinedload(Change.practice))
    return Sheet(change, kinds.get(change.kind), _lines(Proposal.change_id == change.id, Appointment.visible(actor)))


def recent(actor: Actor) -> list[Summary]:
    """The latest changes in force and live plans, the newest first."""
    statement = (
        select(Change)
        .where(Change.visible(actor), Change.state != "dropped")
        .options(joinedload(Change.clinic))
        .order_by(Change.created_at.desc())
        .limit(MOST_LISTED)
    )
    found = [change for change in session().scalars(statement) if change.state == "applied" or _is_live(change)]
    lines = _lines(Proposal.change_id.in_([change.id for change in found]), Appointment.visible(actor))
    counts: dict[UUID, Counter[str]] = {change.id: Counter() for change in found}
    for line in lines:
        counts[line.proposal.change_id][line.standing] += 1
    return [Summary(change, kinds.get(change.kind), counts[change.id]) for change in found]


def for_patient(actor: Actor, change_id: UUID | str, clinic_id: UUID | None = None) -> Sheet:
    """What a saved change asks of the patients the actor looks after, everywhere or at one clinic; raises NotFound when
    it asks nothing of them."""
    change = session().scalars(select(Change).where(Change.id == change_id, Change.state == "applied")).one_or_none()
    allow(change is not None, NotFound)
    own = reaches(actor, "view", Appointment.patient_id, Appointment.clinic_id)
    here = true() if clinic_id is None else Appointment.clinic_id == clinic_id
    lines = _lines(Proposal.change_id == change_id, own, here, Proposal.decision != "keep")
    allow(bool(lines), NotFound)
    return Sheet(change, kinds.get(change.kind), lines)  # type: ignore[arg-type, union-attr]


def by_message(actor: Actor, proposal_id: UUID) -> Sheet:
    """What the message that names this proposal asks: about all visits at its clinic. Raises NotFound.

    Messages sent before December 2026 name the change itself and ask about every visit.
    """
    asked = select(Proposal.change_id, Appointment.clinic_id).join(Proposal.appointment)
    named = session().execute(asked.where(Proposal.id == proposal_id)).one_or_none()
    return for_patient(actor, named.change_id, named.clinic_id) if named else for_patient(actor, proposal_id)


def of_one_patient(change_id: UUID, patient_id: UUID, clinic_id: UUID) -> list[Line]:
    """What a saved change still asks of one patient about visits at a clinic; for messages."""
    here = (Appointment.patient_id == patient_id, Appointment.clinic_id == clinic_id)
    lines = _lines(Proposal.change_id == change_id, *here, answering.is_open())
    return [line for line in lines if line.is_asked]


def waiting(actor: Actor) -> list[Line]:
    """What the patients the actor books for still have to answer, soonest visit first."""
    own = reaches(actor, "book", Appointment.patient_id, Appointment.clinic_id)
    return [line for line in _lines(own, answering.is_open()) if line.is_asked]


def asked_about(appointment_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Those of these visits that wait for their patient's answer to a change, with the change's id."""
    statement = select(Proposal.appointment_id, Proposal.change_id).where(
        Proposal.appointment_id.in_(list(appointment_ids)), answering.is_open()
    )
    return {row.appointment_id: row.change_id for row in session().execute(statement)}


def when(change: Change) -> tuple[date, date, time | None, time | None] | None:
    """From which day to which and between which hours it counts, as it was entered; None for hours that change."""
    wanted = change.wanted
    first = wanted.get("first") or wanted.get("day")
    if not first or change.kind in {"opening_moved", "copy_week"}:
        return None
    starts, ends = wanted.get("starts"), wanted.get("ends")
    return (
        date.fromisoformat(first),
        date.fromisoformat(wanted.get("last") or first),
        time.fromisoformat(starts) if starts else None,
        time.fromisoformat(ends) if ends else None,
    )


def _is_live(change: Change) -> bool:
    return change.held_until > clock.now()


def _lines(*where: object) -> list[Line]:
    visit = joinedload(Proposal.appointment)
    statement = (
        select(Proposal, Practice, CallItem.id)
        .join(Proposal.appointment)
        .outerjoin(Hold, and_(Hold.id == Proposal.hold_id, Hold.expires_at > clock.now()))
        .outerjoin(Practice, Practice.id == Hold.practice_id)
        .outerjoin(CallItem, CallItem.key == answering.call_key_in_sql())
        .where(*where)  # type: ignore[arg-type]
        .options(
            joinedload(Practice.doctor),
            visit.joinedload(Appointment.patient),
            visit.joinedload(Appointment.visit_type),
            visit.joinedload(Appointment.clinic),
            visit.joinedload(Appointment.doctor),
        )
        .order_by(Proposal.was, Proposal.id)
    )
    rows = session().execute(statement).all()
    return [Line(proposal, proposal.appointment, place, call is not None) for proposal, place, call in rows]
