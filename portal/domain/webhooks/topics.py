"""What programs can be told of: each event, and how what it is about goes out. Ids, states and times only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core.db import session
from portal.core.text import lazy as _
from portal.domain.reviews.models import Review
from portal.domain.scheduling.models import Appointment
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer

TEST = "webhook.test"


class AppointmentData(BaseModel):
    """A visit as it stood when the message was written; of two messages the one with the higher version is newer."""

    id: UUID
    clinic_id: UUID
    practice_id: UUID
    doctor_id: UUID
    patient_id: UUID
    visit_type_id: UUID
    status: str
    version: int
    starts_at: datetime
    ends_at: datetime
    time_zone: str


class WaitData(BaseModel):
    """A place on the waitlist."""

    id: UUID
    clinic_id: UUID
    practice_id: UUID | None
    patient_id: UUID
    visit_type_id: UUID
    state: str
    appointment_id: UUID | None


class OfferData(BaseModel):
    """A free time that is, or was, held for somebody on the waitlist."""

    id: UUID
    entry_id: UUID
    clinic_id: UUID
    practice_id: UUID
    patient_id: UUID
    state: str
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    time_zone: str


class ReviewData(BaseModel):
    """A review, without who wrote it and what it says."""

    id: UUID
    clinic_id: UUID
    doctor_id: UUID
    is_hidden: bool
    is_answered: bool


class TestData(BaseModel):
    """The webhook that is tried."""

    __test__ = False  # nothing for pytest

    id: UUID


@dataclass(frozen=True)
class Noun:
    """What events are about: read with what `told` needs, shown to those whom `model.visible` names."""

    title: Any  # the group of its events in lists
    model: Any
    data: type[BaseModel]
    told: Callable[[Any], BaseModel]
    scope: str  # a program needs it to be told
    options: tuple[Any, ...] = ()

    def read(self, key: UUID) -> Any:
        statement = select(self.model).where(self.model.id == key).options(*self.options)
        return session().scalars(statement.execution_options(populate_existing=True)).unique().one_or_none()


@dataclass(frozen=True)
class Topic:
    """One event by its name, in words, and what it is about."""

    name: str
    label: Any
    noun: Noun


def _same(made: type[BaseModel], row: Any, **more: Any) -> BaseModel:
    """The fields of the row that go by the same name, and `more`; times are said in the zone of the clinic."""
    zone = more.pop("zone", None)
    plain = {name: getattr(row, name) for name in made.model_fields if name not in more and name != "time_zone"}
    if zone is not None:
        times = {name: at.astimezone(zone) for name, at in plain.items() if isinstance(at, datetime)}
        plain |= {**times, "time_zone": zone.key}
    return made(**plain, **more)


def _offer(row: WaitlistOffer) -> BaseModel:
    entry = row.entry
    return _same(OfferData, row, zone=entry.clinic.zone, clinic_id=entry.clinic_id, patient_id=entry.patient_id)


def _review(row: Review) -> BaseModel:
    return _same(ReviewData, row, is_hidden=row.hidden_at is not None, is_answered=bool(row.answer))


_READS_VISITS = "appointments:read"
_ON_LIST = _("Waitlist")
_VISIT = Noun(
    _("Visits"),
    Appointment,
    AppointmentData,
    lambda row: _same(AppointmentData, row, zone=row.clinic.zone),
    _READS_VISITS,
    (joinedload(Appointment.clinic),),
)
_WAIT = Noun(_ON_LIST, WaitlistEntry, WaitData, lambda row: _same(WaitData, row), _READS_VISITS)
_OFFER = Noun(
    _ON_LIST,
    WaitlistOffer,
    OfferData,
    _offer,
    _READS_VISITS,
    (joinedload(WaitlistOffer.entry).joinedload(WaitlistEntry.clinic),),
)
_REVIEW = Noun(_("Reviews"), Review, ReviewData, _review, _READS_VISITS)

_WORDS: tuple[tuple[str, Any, Noun], ...] = (
    ("appointment.booked", _("A visit is booked or asked for"), _VISIT),
    ("appointment.confirmed", _("A visit is confirmed"), _VISIT),
    ("appointment.declined", _("A visit is declined"), _VISIT),
    ("appointment.moved", _("A visit moves to another time"), _VISIT),
    ("appointment.cancelled", _("A visit is cancelled"), _VISIT),
    ("appointment.promised", _("The patient says “I will come”"), _VISIT),
    ("appointment.walked_in", _("A patient comes without a booking"), _VISIT),
    ("appointment.checked_in", _("A patient has arrived"), _VISIT),
    ("appointment.called", _("A patient is called in"), _VISIT),
    ("appointment.started", _("A visit begins"), _VISIT),
    ("appointment.sent_back", _("A patient waits again"), _VISIT),
    ("appointment.step_taken_back", _("A step of the visit is taken back"), _VISIT),
    ("appointment.completed", _("A visit is over"), _VISIT),
    ("appointment.no_show", _("A patient did not come"), _VISIT),
    ("waitlist.joined", _("Somebody waits for a time"), _WAIT),
    ("waitlist.changed", _("A place on the waitlist changes"), _WAIT),
    ("waitlist.left", _("Somebody waits no longer"), _WAIT),
    ("waitlist.over", _("A wait is over without a time"), _WAIT),
    ("waitlist.offered", _("A free time is offered"), _OFFER),
    ("waitlist.accepted", _("An offered time is taken"), _OFFER),
    ("waitlist.declined", _("An offered time is declined"), _OFFER),
    ("waitlist.expired", _("An offer runs out"), _OFFER),
    ("waitlist.withdrawn", _("An offer is withdrawn"), _OFFER),
    ("review.written", _("A review is written"), _REVIEW),
    ("review.changed", _("A review is changed"), _REVIEW),
    ("review.answered", _("A review is answered"), _REVIEW),
    ("review.hidden", _("A review is hidden"), _REVIEW),
    ("review.shown", _("A review is shown again"), _REVIEW),
)
TOPICS: dict[str, Topic] = {name: Topic(name, label, noun) for name, label, noun in _WORDS}


def scopes_of(events: list[str]) -> set[str]:
    """What a program must have been given to be told of these; of all when there are none."""
    return {TOPICS[name].noun.scope for name in events or TOPICS}
