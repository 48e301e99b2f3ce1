"""The day of a visit: the steps from arriving to its end, walk-ins, who goes next, and the public board."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.day_answers import (
    BoardOut,
    QueueOut,
    Queues,
    StandingOut,
    VisitNow,
)
from portal.core.actor import Actor
from portal.core.days import Day
from portal.core.errors import Forbidden, NotFound
from portal.core.shapes import Empty, Shape
from portal.domain.day import arriving, board, calling, looking, walk_ins
from portal.domain.day.calling import CalledMeanwhile, NobodyWaits
from portal.domain.day.shapes import WalkIn
from portal.domain.day.walk_ins import AlreadyOnTheList, ElsewhereNow
from portal.domain.scheduling import appointments, visits
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.refusals import NotInThisState, TimeTaken
from portal.domain.scheduling.visits import AskTheDesk, NotInPerson, TooEarly, TooLateToday

TAG = "The day of a visit"
READ, WRITE = "appointments:read", "appointments:write"
BOARD_RATE = "300 per minute"
VISIT = "019aa000-0000-7000-8000-000000000004"
STEP: dict[str, Any] = {"tag": TAG, "answer": VisitNow, "scope": WRITE, "keyed": True}
NOT_NOW = (Forbidden, NotInThisState)

if set(visits.FRONT_CODES) != {"cannot_wait", "our_mistake", "short_matter", "other"}:
    raise RuntimeError("The API's reasons to go first are not the domain's")


class GoFirst(Shape):
    """Why somebody goes first; never what they have."""

    code: Literal["cannot_wait", "our_mistake", "short_matter", "other"] = "other"


class DayQuery(Shape):
    """Which date, in the clinic's zone; today without one."""

    on: Annotated[Day | None, Field(alias="date")] = None


class ClinicDayQuery(DayQuery):
    """Which date, and of which doctor."""

    doctor_id: UUID | None = None


class CallNext(Shape):
    """With which doctor; `expected` is who goes next as you saw it, so that two who call at once call one."""

    doctor_id: UUID
    expected: Annotated[UUID | None, Empty] = None


@endpoint("POST", "/appointments/{appointment_id}/check-in", refuses=(*NOT_NOW, TooEarly, TooLateToday), **STEP)
def check_in(actor: Actor, appointment_id: UUID) -> VisitNow:
    """The patient is here: they get the next number of the clinic's day"""
    return _taken(actor, visits.check_in, appointment_id)


@endpoint("POST", "/appointments/{appointment_id}/call", refuses=NOT_NOW, **STEP)
def call(actor: Actor, appointment_id: UUID) -> VisitNow:
    """Ask a waiting patient in; once more when they did not hear it"""
    return _taken(actor, visits.call, appointment_id)


@endpoint("POST", "/appointments/{appointment_id}/start", refuses=NOT_NOW, **STEP)
def start(actor: Actor, appointment_id: UUID) -> VisitNow:
    """The doctor sees the patient now"""
    return _taken(actor, visits.start, appointment_id)


@endpoint("POST", "/appointments/{appointment_id}/complete", refuses=NOT_NOW, **STEP)
def complete(actor: Actor, appointment_id: UUID) -> VisitNow:
    """The visit is over; its time stays used"""
    return _taken(actor, visits.complete, appointment_id)


@endpoint("POST", "/appointments/{appointment_id}/no-show", refuses=(*NOT_NOW, TooEarly), **STEP)
def mark_no_show(actor: Actor, appointment_id: UUID) -> VisitNow:
    """The patient did not come; the time stays used"""
    return _taken(actor, visits.mark_no_show, appointment_id)


@endpoint("POST", "/appointments/{appointment_id}/take-back", refuses=(*NOT_NOW, TooLateToday), **STEP)
def take_back(actor: Actor, appointment_id: UUID) -> VisitNow:
    """Undo the last step, on the day of the visit

    A walk-in that was added by mistake is called off.
    """
    return _taken(actor, visits.take_back, appointment_id)


@endpoint("POST", "/appointments/{appointment_id}/send-back", refuses=NOT_NOW, **STEP)
def send_back(actor: Actor, appointment_id: UUID) -> VisitNow:
    """Let a patient who was called or seen wait again, at their place"""
    return _taken(actor, visits.send_back, appointment_id)


@endpoint(
    "POST",
    "/appointments/{appointment_id}/to-front",
    body=GoFirst,
    refuses=NOT_NOW,
    example={"code": "cannot_wait"},
    **STEP,
)
def move_to_front(actor: Actor, appointment_id: UUID, body: GoFirst) -> VisitNow:
    """Let a waiting patient go first"""
    return _taken(actor, visits.move_to_front, appointment_id, code=body.code)


@endpoint("POST", "/appointments/{appointment_id}/from-front", refuses=NOT_NOW, **STEP)
def move_from_front(actor: Actor, appointment_id: UUID) -> VisitNow:
    """Let a waiting patient go when it is their turn again"""
    return _taken(actor, visits.move_from_front, appointment_id)


@endpoint(
    "POST",
    "/appointments/{appointment_id}/arrive",
    tag=TAG,
    answer=StandingOut,
    refuses=(*NOT_NOW, NotInPerson, TooEarly, AskTheDesk),
    scope=WRITE,
    keyed=True,
)
def arrive(actor: Actor, appointment_id: UUID) -> StandingOut:
    """Say that you are here, as the patient or for somebody you look after; within an hour of the visit's start"""
    return StandingOut.of(arriving.seen_by(actor, arriving.arrive(actor, appointment_id)))


@endpoint("GET", "/appointments/{appointment_id}/standing", tag=TAG, answer=StandingOut, scope=READ)
def get_standing(actor: Actor, appointment_id: UUID) -> StandingOut:
    """How a visit stands on its day: the number, how many go before, and how long it may take"""
    return StandingOut.of(arriving.seen_by(actor, appointments.find(actor, appointment_id)))


@endpoint(
    "POST",
    "/walk-ins",
    tag=TAG,
    body=WalkIn,
    answer=VisitNow,
    status=201,
    refuses=(NotFound, NotInPerson, AlreadyOnTheList, ElsewhereNow, TimeTaken),
    scope=WRITE,
    keyed=True,
    example={
        "practice_id": "019aa000-0000-7000-8000-000000000001",
        "visit_type_id": "019aa000-0000-7000-8000-000000000002",
        "patient_id": "019aa000-0000-7000-8000-000000000003",
    },
)
def add_walk_in(actor: Actor, body: WalkIn) -> Answer:
    """Somebody stands at the desk without a booking: they are on the doctor's list at once, with a number"""
    made = walk_ins.add(actor, **body.values())
    return Answer(_now(actor, made), {"Location": f"/api/v1/appointments/{made.id}"})


@endpoint("GET", "/clinics/{clinic_id}/queue", tag=TAG, query=ClinicDayQuery, answer=Queues, scope=READ)
def get_clinic_queue(actor: Actor, clinic_id: UUID, query: ClinicDayQuery) -> Queues:
    """Who is here and who goes next, doctor by doctor, for the clinic's desk"""
    found = looking.queues_at(actor, clinic_id, query.on, doctor_id=query.doctor_id)
    return Queues(items=[QueueOut.of(one) for one in found])


@endpoint("GET", "/doctors/{doctor_id}/queue", tag=TAG, query=DayQuery, answer=Queues, scope=READ)
def get_doctor_queue(actor: Actor, doctor_id: UUID, query: DayQuery) -> Queues:
    """A doctor's day, one queue for each clinic, for the doctor and the desks of their clinics"""
    return Queues(items=[QueueOut.of(one) for one in looking.queues_of_doctor(actor, doctor_id, query.on)])


@endpoint(
    "POST",
    "/clinics/{clinic_id}/call-next",
    body=CallNext,
    refuses=(NobodyWaits, CalledMeanwhile),
    example={"doctor_id": "019aa000-0000-7000-8000-000000000005", "expected": VISIT},
    **STEP,
)
def call_next(actor: Actor, clinic_id: UUID, body: CallNext) -> VisitNow:
    """Call whoever goes next with a doctor today"""
    return _now(actor, calling.call_next(actor, clinic_id, body.doctor_id, expected=body.expected))


@endpoint("GET", "/clinics/{clinic_id}/board", tag=TAG, answer=BoardOut, public=True, rate=BOARD_RATE)
def get_board(actor: Actor, clinic_id: UUID) -> BoardOut:
    """The numbers that are called and those that wait, for clinics that show a board to everybody"""
    return BoardOut.of(board.at(clinic_id))


def _taken(actor: Actor, step: Callable[..., Appointment], appointment_id: UUID, **more: Any) -> VisitNow:
    return _now(actor, step(actor, appointment_id, **more))


def _now(actor: Actor, visit: Appointment) -> VisitNow:
    """The visit after a step, with everything an answer shows loaded."""
    return VisitNow.of(appointments.find(actor, visit.id))
