"""Free times of many practices in one call, and of any doctor of a clinic."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from portal.api.contract import Answer
from portal.api.v1 import endpoint, holds
from portal.api.v1.answers import HoldOut, Mode, Money, Out, SpecialtyOut, VisitTypeBrief, Zone
from portal.core.actor import Actor
from portal.core.days import Day, in_order
from portal.core.errors import NotFound
from portal.core.shapes import Shape, fault
from portal.core.text import language
from portal.core.text import lazy as _
from portal.domain.clinics import queries
from portal.domain.scheduling import anyone, many
from portal.domain.scheduling import holds as keeping
from portal.domain.scheduling.anyone import Choice
from portal.domain.scheduling.many import Free
from portal.domain.scheduling.refusals import NotOffered, NotSelfBookable, TimeTaken
from portal.domain.scheduling.shapes import StartsAt

TAG = "Many free times"
SEARCH_RATE = "300 per minute"
ONE_ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
Ids = Annotated[
    str,
    Field(pattern=f"^{ONE_ID}(,{ONE_ID}){{0,49}}$", description="At most 50 ids, with commas between"),
]


class BatchQuery(Shape):
    """Of which practices, or of all practices of which doctors, the free times are wanted; a week without dates."""

    practice_ids: Ids | None = None
    doctor_ids: Ids | None = None
    visit_type_id: Annotated[UUID | None, Field(description="Without it each practice's first one in `mode`")] = None
    mode: Mode | None = None
    first: Annotated[Day | None, Field(alias="from", description="First date, in each clinic's zone")] = None
    last: Annotated[Day | None, Field(alias="to", description="Last date; at most 13 days after the first")] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.practice_ids is None) == (self.doctor_ids is None):
            raise fault("whose", _("Please give either practice_ids or doctor_ids."))
        in_order(self.first, self.last)
        return self


class TimeOut(Out):
    starts_at: datetime
    ends_at: datetime
    places: Annotated[int, Field(description="How many can still book it")]


class PracticeTimes(Out):
    """What is free at one practice for one visit type."""

    practice_id: UUID
    doctor_id: UUID
    visit_type_id: UUID
    time_zone: Zone
    times: list[TimeOut]

    @classmethod
    def of(cls, one: Free) -> Self:
        return cls(
            practice_id=one.practice_id,
            doctor_id=one.doctor_id,
            visit_type_id=one.visit_type_id,
            time_zone=one.zone.key,
            times=[
                TimeOut(starts_at=starts.astimezone(one.zone), ends_at=ends.astimezone(one.zone), places=places)
                for starts, ends, places in one.times
            ],
        )


class ManyTimes(Out):
    """In the order asked; practices that cannot be booked are left out."""

    items: list[PracticeTimes]


class ChoiceOut(Out):
    """What can be asked of any doctor of a clinic: a visit type in one field, `doctors` of whom give it."""

    specialty: SpecialtyOut | None
    visit_type: VisitTypeBrief
    mode: Mode
    doctors: int
    practice_ids: list[UUID]
    prices: Annotated[list[Money], Field(description="The different prices of the doctors, the lowest first")]

    @classmethod
    def of(cls, one: Choice, currency: str) -> Self:
        kind: Any = one.kind
        return cls(
            specialty=SpecialtyOut.of(one.specialty) if one.specialty else None,
            visit_type=VisitTypeBrief(id=kind.id, name=kind.name_in(language()), duration=kind.duration),
            mode=kind.mode,
            doctors=len(one.practices),
            practice_ids=one.practice_ids,
            prices=[Money(amount_minor=minor, currency=currency) for minor in one.prices],
        )


class Choices(Out):
    items: list[ChoiceOut]


class AnyQuery(Shape):
    """Which visit type, in which field of medicine (its code; empty for doctors without any); a week without dates."""

    visit_type_id: UUID
    specialty: Annotated[str | None, Field(max_length=40)] = None
    first: Annotated[Day | None, Field(alias="from", description="First date, in the clinic's zone")] = None
    last: Annotated[Day | None, Field(alias="to", description="Last date; at most 92 days after the first")] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        in_order(self.first, self.last)
        return self


class AnyTime(TimeOut):
    """A time at which at least one of the doctors is free; `practice_ids` are those who are."""

    practice_ids: list[UUID]


class AnyTimes(Out):
    time_zone: Zone
    items: list[AnyTime]


class HoldWithAnyone(Shape):
    """Keep a time with the doctor whose turn it is."""

    visit_type_id: UUID
    specialty: Annotated[str, Field(max_length=40)] = ""
    starts_at: StartsAt


@endpoint("GET", "/slots", tag=TAG, query=BatchQuery, answer=ManyTimes, public=True, rate=SEARCH_RATE)
def list_many_slots(actor: Actor, query: BatchQuery) -> ManyTimes:
    """The times patients can book now at up to 50 practices, for up to 14 days"""
    values: dict[str, Any] = query.values()
    practices, doctors = _ids(values.pop("practice_ids")), _ids(values.pop("doctor_ids"))
    found = many.offers(practices or many.practices_of(doctors), **values)
    return ManyTimes(items=[PracticeTimes.of(one) for one in found])


@endpoint("GET", "/clinics/{clinic_id}/choices", tag=TAG, answer=Choices, public=True, rate=SEARCH_RATE)
def list_choices(actor: Actor, clinic_id: UUID) -> Choices:
    """What can be asked of any doctor of a clinic: what at least two of them give"""
    clinic = queries.by_id(actor, clinic_id)
    return Choices(items=[ChoiceOut.of(one, clinic.currency) for one in anyone.choices(clinic.id)])


@endpoint("GET", "/clinics/{clinic_id}/slots", tag=TAG, query=AnyQuery, answer=AnyTimes, public=True, rate=SEARCH_RATE)
def list_any_slots(actor: Actor, clinic_id: UUID, query: AnyQuery) -> AnyTimes:
    """The times at which any doctor of a clinic is free for a visit type"""
    clinic = queries.by_id(actor, clinic_id)
    of = anyone.choice(clinic.id, query.visit_type_id, query.specialty or "")
    first, last = many.dates(clinic.zone, query.first, query.last)
    found = anyone.offers(actor, clinic.id, of.kind.id, first, last, among=of.practice_ids)
    return AnyTimes(
        time_zone=clinic.time_zone,
        items=[
            AnyTime(
                starts_at=slot.starts_at.astimezone(clinic.zone),
                ends_at=slot.ends_at.astimezone(clinic.zone),
                places=slot.places,
                practice_ids=list(slot.practice_ids),
            )
            for slot in found
        ],
    )


@endpoint(
    "POST",
    "/clinics/{clinic_id}/holds",
    tag=TAG,
    body=HoldWithAnyone,
    answer=HoldOut,
    status=201,
    refuses=(NotFound, NotSelfBookable, NotOffered, TimeTaken),
    scope="appointments:write",
    public=True,
    keyed=True,
    headers={"Hold-Token": "The token of a hold that is given back for this one"},
    rate=holds.HOLD_RATE,
    example={
        "visit_type_id": "019aa000-0000-7000-8000-000000000002",
        "specialty": "cardiology",
        "starts_at": "2027-03-31T09:30:00+01:00",
    },
)
def place_any_hold(actor: Actor, clinic_id: UUID, body: HoldWithAnyone) -> Answer:
    """Keep a time with any doctor of a clinic: the one whose turn it is, the next when somebody else was faster

    Answers the practice that was chosen; book there with the token, as with any hold.
    """
    of = anyone.choice(queries.by_id(actor, clinic_id).id, body.visit_type_id, body.specialty)
    _hold, token = anyone.hold(actor, of, body.starts_at, holds.sent_token())
    return Answer(holds.shown(keeping.look(token), token), {"Location": "/api/v1/holds"})


def _ids(written: str | None) -> list[UUID]:
    return [UUID(one) for one in written.split(",")] if written else []
