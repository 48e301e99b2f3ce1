"""Changes of hours and leave over booked visits: planned, decided visit by visit, applied, and answered by patients."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import AppointmentOut
from portal.api.v1.changes_answers import ChangeBrief, ChangeOut, Changes, ChoicesOut, Decision, ProposalOut, Proposals
from portal.core.actor import Actor
from portal.core.days import Day
from portal.core.errors import Forbidden, NotFound
from portal.core.shapes import Empty, Shape, fault
from portal.core.text import lazy as _
from portal.domain.changes import answering, applying, kinds, listing, planning
from portal.domain.changes.drafting import DecisionMissing
from portal.domain.changes.refusals import Answered, ChangeOver, LookAgain, NothingHit, TimeNotKept
from portal.domain.clinics.shapes import ClinicShape, ResourceShape
from portal.domain.identity.accounts import OwnAccount
from portal.domain.scheduling import glance
from portal.domain.scheduling.hours import OpeningOverlaps
from portal.domain.scheduling.out_of_use import GroupNeeded
from portal.domain.scheduling.refusals import NotGiven, NotInThisState, NotOffered, TimeTaken, TooLate
from portal.domain.scheduling.shapes import BreakShape, ClosureShape, OpeningShape, StartsAt, VisitTypeShape

TAG = "Changes over booked visits"
READ, WRITE = "schedule:read", "schedule:write"
MINE_READ, MINE_WRITE = "appointments:read", "appointments:write"
SOMEONE = "019aa000-0000-7000-8000-000000000005"
ANSWER: dict[str, Any] = {"tag": TAG, "answer": AppointmentOut, "scope": MINE_WRITE, "keyed": True}
PLAN: dict[str, Any] = {"tag": TAG, "answer": ChangeOut, "scope": WRITE, "keyed": True}
MADE_OF = {
    "close_doctor": "closure",
    "close_practice": "closure",
    "close_clinic": "closure",
    "opening_changed": "opening",
    "opening_break": "break_",
    "opening_removed": None,
    "practice_ended": None,
    "room_closed": None,
    "rooms_ended": None,
    "room_changed": "resource",
    "visit_type_off": "visit_type",
    "clinic_changed": "clinic",
    "clinic_ended": None,
    "licence_ended": None,
    "account_shut": None,
}
PARTS = ("closure", "opening", "break_", "resource", "visit_type", "clinic")

if set(Decision.__args__) != set(kinds.DECISIONS):  # type: ignore[attr-defined]
    raise RuntimeError("The API's decisions are not the domain's")


class PlanChange(Shape):
    """What should change, with the part it needs.

    `of` is the doctor, practice, clinic, opening, room, group of rooms, visit type or account.
    """

    kind: Literal[
        "close_doctor", "close_practice", "close_clinic", "opening_changed", "opening_break", "opening_removed",
        "practice_ended", "room_closed", "rooms_ended", "room_changed", "visit_type_off", "clinic_changed",
        "clinic_ended", "licence_ended", "account_shut",
    ]  # fmt: skip
    of: UUID
    closure: Annotated[ClosureShape | None, Field(description="For kinds that close")] = None
    opening: Annotated[OpeningShape | None, Field(description="For opening_changed")] = None
    break_: Annotated[BreakShape | None, Field(alias="break", description="For opening_break")] = None
    resource: Annotated[ResourceShape | None, Field(description="For room_changed")] = None
    visit_type: Annotated[VisitTypeShape | None, Field(description="For visit_type_off: all of it")] = None
    clinic: Annotated[ClinicShape | None, Field(description="For clinic_changed: all of it")] = None

    @model_validator(mode="after")
    def _has_its_part(self) -> Self:
        parts = {name for name in PARTS if getattr(self, name) is not None}
        needed = MADE_OF[self.kind]
        if parts != ({needed} if needed else set()):
            raise fault("part", _("Please send the one part that this kind of change needs."))
        return self

    def about(self) -> dict[str, Any]:
        """The values of that part."""
        part = MADE_OF[self.kind]
        values: dict[str, Any] = getattr(self, part).values() if part else {}
        return {name: value for name, value in values.items() if name != "keep_visits"}


class Decided(Shape):
    proposal_id: UUID
    decision: Decision


class Decisions(Shape):
    """What becomes of visits; what is not named stays as it was decided before."""

    decisions: Annotated[list[Decided], Field(max_length=2000)] = []

    def by_id(self) -> dict[UUID, str]:
        return {one.proposal_id: one.decision for one in self.decisions}


class TimesQuery(Shape):
    """The week around which date, with which doctor's practice."""

    near: Annotated[Day | None, Field()] = None
    practice_id: UUID | None = None


class ChooseTime(Shape):
    """Another time; practice_id is a colleague's."""

    starts_at: StartsAt
    practice_id: Annotated[UUID | None, Empty] = None


@endpoint(
    "POST",
    "/changes",
    body=PlanChange,
    status=201,
    refuses=(NotFound, Forbidden, OpeningOverlaps, NothingHit, OwnAccount, GroupNeeded),
    example={"kind": "close_doctor", "of": SOMEONE, "closure": {"first": "2027-07-05", "last": "2027-07-09"}},
    **PLAN,
)
def plan_change(actor: Actor, body: PlanChange) -> Answer:
    """Plan a change: nothing of it is saved, but every visit it hits has a new time held for its patient

    Decide about each visit, then apply it. The same change planned again is the same plan.
    """
    made = planning.plan(actor, body.kind, body.of, **body.about())
    return Answer(get_change(actor, made.id), {"Location": f"/api/v1/changes/{made.id}"})


@endpoint("GET", "/changes", tag=TAG, answer=Changes, scope=READ)
def list_changes(actor: Actor) -> Changes:
    """Changes in force with their answers, and plans that wait to be decided"""
    return Changes(items=[ChangeBrief.of(one) for one in listing.recent(actor)])


@endpoint("GET", "/changes/{change_id}", tag=TAG, answer=ChangeOut, scope=READ)
def get_change(actor: Actor, change_id: UUID) -> ChangeOut:
    """One change with every visit it hits"""
    return ChangeOut.whole(listing.show(actor, change_id))


@endpoint(
    "PATCH",
    "/changes/{change_id}",
    tag=TAG,
    body=Decisions,
    answer=ChangeOut,
    refuses=(Forbidden, ChangeOver, DecisionMissing),
    scope=WRITE,
    example={"decisions": [{"proposal_id": SOMEONE, "decision": "choose"}]},
)
def decide(actor: Actor, change_id: UUID, body: Decisions) -> ChangeOut:
    """Keep what was decided so far, without applying the change"""
    planning.remember(actor, change_id, body.by_id())
    return get_change(actor, change_id)


@endpoint(
    "POST",
    "/changes/{change_id}/apply",
    body=Decisions,
    refuses=(Forbidden, ChangeOver, DecisionMissing, LookAgain, NotInThisState, OpeningOverlaps),
    example={"decisions": [{"proposal_id": SOMEONE, "decision": "move"}]},
    **PLAN,
)
def apply_change(actor: Actor, change_id: UUID, body: Decisions) -> ChangeOut:
    """Save a change and do for each visit what was decided; its patients are asked

    409 `look_again` says that a visit was booked meanwhile or a held time went back: renew the plan and look again.
    """
    applying.apply(actor, change_id, body.by_id())
    return get_change(actor, change_id)


@endpoint("POST", "/changes/{change_id}/renew", refuses=(Forbidden, ChangeOver, OpeningOverlaps), **PLAN)
def renew_change(actor: Actor, change_id: UUID) -> ChangeOut:
    """List the visits of a plan once more and hold their times for another while; what was decided stays"""
    planning.renew(actor, change_id)
    return get_change(actor, change_id)


@endpoint("DELETE", "/changes/{change_id}", tag=TAG, status=204, refuses=(Forbidden, ChangeOver), scope=WRITE)
def drop_change(actor: Actor, change_id: UUID) -> None:
    """Do not save a plan after all: every held time goes back"""
    planning.drop(actor, change_id)


@endpoint(
    "GET",
    "/proposals/{proposal_id}/times",
    tag=TAG,
    query=TimesQuery,
    answer=ChoicesOut,
    refuses=(Forbidden, ChangeOver),
    scope=READ,
)
def list_times_to_propose(actor: Actor, proposal_id: UUID, query: TimesQuery) -> ChoicesOut:
    """The free times for one visit of a plan, by the rules as they would be"""
    return ChoicesOut.of(planning.choices(actor, proposal_id, query.near, query.practice_id))


@endpoint(
    "POST",
    "/proposals/{proposal_id}/propose",
    tag=TAG,
    body=ChooseTime,
    answer=ChangeOut,
    refuses=(Forbidden, ChangeOver, NotOffered, TimeTaken),
    scope=WRITE,
    keyed=True,
    example={"starts_at": "2027-07-12T09:30:00+01:00"},
)
def propose_time(actor: Actor, proposal_id: UUID, body: ChooseTime) -> ChangeOut:
    """Hold another time for one visit of a plan"""
    return get_change(actor, planning.propose(actor, proposal_id, **body.values()).change_id)


@endpoint("GET", "/proposals", tag=TAG, answer=Proposals, scope=MINE_READ)
def list_proposals(actor: Actor) -> Proposals:
    """What you, as a patient or for somebody you look after, are asked about visits that have to change"""
    return Proposals(items=[ProposalOut.of(line) for line in listing.waiting(actor)])


@endpoint(
    "GET",
    "/proposals/{proposal_id}/choices",
    tag=TAG,
    query=TimesQuery,
    answer=ChoicesOut,
    refuses=(Answered, TooLate),
    scope=MINE_READ,
)
def list_choices_of_proposal(actor: Actor, proposal_id: UUID, query: TimesQuery) -> ChoicesOut:
    """The free times of a week to choose from instead of the one that was proposed"""
    return ChoicesOut.of(answering.choices(actor, proposal_id, query.near, query.practice_id))


@endpoint(
    "POST",
    "/proposals/{proposal_id}/accept",
    refuses=(Answered, TooLate, TimeNotKept, NotInThisState, NotGiven, NotOffered, TimeTaken),
    **ANSWER,
)
def accept_proposal(actor: Actor, proposal_id: UUID) -> AppointmentOut:
    """The visit moves to the proposed time; said twice it is done once"""
    return _visit(answering.accept(actor, proposal_id).appointment_id)


@endpoint(
    "POST",
    "/proposals/{proposal_id}/choose",
    body=ChooseTime,
    refuses=(Answered, TooLate, NotInThisState, NotGiven, NotOffered, TimeTaken),
    example={"starts_at": "2027-07-13T10:00:00+01:00"},
    **ANSWER,
)
def choose_time(actor: Actor, proposal_id: UUID, body: ChooseTime) -> AppointmentOut:
    """The visit moves to another time, with its doctor or a colleague that `choices` named"""
    return _visit(answering.choose(actor, proposal_id, **body.values()).appointment_id)


@endpoint("POST", "/proposals/{proposal_id}/call-off", refuses=(Answered, TooLate, NotInThisState), **ANSWER)
def call_off(actor: Actor, proposal_id: UUID) -> AppointmentOut:
    """The visit is cancelled because of the change"""
    return _visit(answering.call_off(actor, proposal_id).appointment_id)


def _visit(appointment_id: UUID) -> AppointmentOut:
    return AppointmentOut.of(glance.after_change(appointment_id))
