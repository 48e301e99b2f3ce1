"""What can be changed although visits are booked: for each kind the verb that saves it and whose hours it touches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.days import Day
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.policy import allow, as_id
from portal.core.shapes import Empty, Line, Shape, WallTime
from portal.core.text import lazy as _
from portal.domain.clinics import managing, resources
from portal.domain.doctors import practices
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import closures, hours, hours_copying, impact, out_of_use, public_holidays
from portal.domain.scheduling.models import Appointment

# (actor, id of what changes, keep_visits=, about…): raises VisitsAffected for visits it hits unless they are kept
Verb = Callable[..., Any]
FOREVER = datetime(2300, 1, 1, tzinfo=UTC)
Practices = Callable[[Actor, str, Mapping[str, Any]], list[Practice]]


@dataclass(frozen=True)
class Kind:
    """One sort of change. `practices` are those whose bookings wait while it is saved, doctor and clinic loaded."""

    name: str
    words: Any
    verb: Verb
    practices: Practices
    shape: type[Shape] | None = None  # for a verb that takes plain values
    code: str = "doctor_away"  # why a visit is called off because of it

    def save(self, actor: Actor, wanted: Mapping[str, Any], *, keep_visits: bool) -> Any:
        """Do it as it was written down; raises as its verb does."""
        about = {name: value for name, value in wanted.items() if name != "of"}
        values = self.shape.parse(about).values() if self.shape else about
        return self.verb(actor, wanted["of"], keep_visits=keep_visits, **values)

    def touches(self, actor: Actor, wanted: Mapping[str, Any]) -> list[Practice]:
        """The practices whose hours change; raises NotFound or Forbidden."""
        return self.practices(actor, wanted["of"], wanted)


class HolidayShape(Shape):
    """A date on which a clinic is closed."""

    day: Day
    name: Line


class StretchShape(Shape):
    """Other times of an opening, or another day."""

    starts: WallTime
    ends: WallTime
    day: Annotated[Day | None, Empty] = None


_known: dict[str, Kind] = {}


def add(*kinds: Kind) -> None:
    """Make these kinds known; at import."""
    _known.update({kind.name: kind for kind in kinds})


def get(name: str) -> Kind:
    """The kind with this name; raises NotFound for one that is not known."""
    return _known.get(name) or refuse(NotFound)


def written(of: UUID | str, about: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted as plain values that can be stored and read back."""
    return {"of": str(of), **{name: _plain(value) for name, value in about.items() if name != "keep_visits"}}


def _plain(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple | set | frozenset) else value


def _end_practice(actor: Actor, of: str, /, *, keep_visits: bool) -> Practice:
    """A doctor leaves a clinic; the visits booked there are not forgotten."""
    practice = hours.practice_for(actor, of)
    visits = impact.during(Appointment.practice_id == practice.id, clock.now(), FOREVER)
    impact.unless_kept(visits, keep_visits)
    return practices.end(actor, practice.id)


def _of_doctor(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return closures.practices_of(actor, as_id(of)) or refuse(NotFound)


def _of_practice(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return [hours.practice_for(actor, about.get("to_practice_id") or of)]


def _of_ended(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    """Only the clinic's admins end a practice; it exists for nobody else."""
    statement = select(Practice).where(Practice.id == as_id(of)).options(joinedload(Practice.clinic))
    practice = session().scalars(statement).one_or_none() or refuse(NotFound)
    allow(actor.administers(practice.clinic_id), NotFound)
    return [practice]


def _of_opening(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return [hours.get(actor, of).practice]


def _of_clinic(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    """All of them, those that have ended too: visits may still stand there."""
    clinic = managing.get(actor, of)
    statement = select(Practice).where(Practice.clinic_id == clinic.id).order_by(Practice.created_at)
    return list(session().scalars(statement.options(joinedload(Practice.clinic), joinedload(Practice.doctor))))


def _of_group(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return _of_clinic(actor, str(resources.group(actor, of).clinic_id), about)


def _of_resource(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return _of_clinic(actor, str(resources.resource(actor, of).group.clinic_id), about)


add(
    Kind("close_doctor", _("Time off"), closures.close_doctor, _of_doctor),
    Kind("close_practice", _("Time off at one clinic"), closures.close_practice, _of_practice),
    Kind("close_clinic", _("The clinic closes"), closures.close_clinic, _of_clinic, code="clinic_closed"),
    Kind("holiday", _("Holiday"), closures.add_holiday, _of_clinic, HolidayShape, code="clinic_closed"),
    Kind("holidays", _("Public holidays"), public_holidays.take_over, _of_clinic, code="clinic_closed"),
    Kind("room_closed", _("A room or device goes out of use"), out_of_use.close, _of_resource, code="clinic_closed"),
    Kind("rooms_ended", _("Rooms or devices are removed"), out_of_use.end_group, _of_group, code="clinic_closed"),
    Kind("opening_changed", _("Other opening hours"), hours.change, _of_opening),
    Kind("opening_moved", _("Other opening hours"), hours.stretch, _of_opening, StretchShape),
    Kind("opening_break", _("A break"), hours.take_break, _of_opening),
    Kind("opening_removed", _("Opening hours removed"), hours.remove, _of_opening),
    Kind("copy_day", _("Opening hours copied"), hours_copying.copy_day, _of_practice),
    Kind("copy_week", _("Opening hours copied"), hours_copying.copy_week, _of_practice),
    Kind("practice_ended", _("The doctor leaves the clinic"), _end_practice, _of_ended),
)
