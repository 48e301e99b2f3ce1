"""What can be changed although visits are booked: for each kind the verb that saves it and whose hours it touches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from portal.core.actor import Actor
from portal.core.days import Day
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.policy import as_id
from portal.core.shapes import Empty, Line, Shape, WallTime
from portal.core.text import lazy as _
from portal.domain.clinics import managing, resources
from portal.domain.clinics.shapes import ClinicShape, ResourceShape
from portal.domain.doctors import profiles
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity import accounts
from portal.domain.scheduling import (
    closures,
    hours,
    hours_copying,
    out_of_use,
    public_holidays,
    visit_types,
    withdrawing,
)
from portal.domain.scheduling.shapes import VisitTypeShape

# (actor, id of what changes, keep_visits=, about…): raises VisitsAffected for visits it hits unless they are kept
Verb = Callable[..., Any]
DECISIONS = ("move", "choose", "keep", "cancel")
Practices = Callable[[Actor, str, Mapping[str, Any]], list[Practice]]


@dataclass(frozen=True)
class Kind:
    """One sort of change. `practices` are those whose bookings wait while it is saved, doctor and clinic loaded.

    `decisions` are what can become of a visit it hits; without "move" no new times are looked for, and the first of
    them stands until another is chosen.
    """

    name: str
    words: Any
    verb: Verb
    practices: Practices
    shape: type[Shape] | None = None  # for a verb that takes plain values
    code: str = "doctor_away"  # why a visit is called off because of it
    decisions: tuple[str, ...] = DECISIONS

    def save(self, actor: Actor, wanted: Mapping[str, Any], *, keep_visits: bool) -> Any:
        """Do it as it was written down; raises as its verb does."""
        about = {name: value for name, value in wanted.items() if name != "of"}
        values = self.shape.parse(about).values() if self.shape else about
        return self.verb(actor, wanted["of"], keep_visits=keep_visits, **values)

    @property
    def proposes(self) -> bool:
        """Whether other times can be had after it."""
        return "move" in self.decisions

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


def known() -> list[str]:
    """The names of all kinds."""
    return sorted(_known)


def written(of: UUID | str, about: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted as plain values that can be stored and read back."""
    return {"of": str(of), **{name: _plain(value) for name, value in about.items() if name != "keep_visits"}}


def _plain(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple | set | frozenset) else value


def _of_doctor(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return closures.practices_of(actor, as_id(of)) or refuse(NotFound)


def _of_practice(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return [hours.practice_for(actor, about.get("to_practice_id") or of)]


def _of_ended(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    practice = withdrawing.practice_to_end(actor, of)
    return _practices(Practice.id == practice.id)


def _of_opening(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return [hours.get(actor, of).practice]


def _of_clinic(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    """All of them, those that have ended too: visits may still stand there."""
    return _practices(Practice.clinic_id == managing.get(actor, of).id)


def _of_closed(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return _practices(Practice.clinic_id == managing.to_switch(actor, of).id)


def _of_type(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return _practices(Practice.clinic_id == visit_types.get(actor, of).clinic_id)


def _of_licence(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    """Those at clinics where the actor works: the others decide about their own visits."""
    found = _practices(Practice.doctor_id == profiles.to_administer(actor, of).id)
    return [practice for practice in found if actor.works_at(practice.clinic_id)]


def _of_account(actor: Actor, of: str, about: Mapping[str, Any]) -> list[Practice]:
    return _practices(Practice.doctor.has(Doctor.user_id == accounts.to_shut(actor, as_id(of)).id))


def _practices(which: ColumnElement[bool]) -> list[Practice]:
    statement = select(Practice).where(which).order_by(Practice.created_at, Practice.id)
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
    Kind("room_changed", _("A room or device takes fewer"), out_of_use.change, _of_resource, ResourceShape),
    Kind("opening_changed", _("Other opening hours"), hours.change, _of_opening),
    Kind("opening_moved", _("Other opening hours"), hours.stretch, _of_opening, StretchShape),
    Kind("opening_break", _("A break"), hours.take_break, _of_opening),
    Kind("opening_removed", _("Opening hours removed"), hours.remove, _of_opening),
    Kind("copy_day", _("Opening hours copied"), hours_copying.copy_day, _of_practice),
    Kind("copy_week", _("Opening hours copied"), hours_copying.copy_week, _of_practice),
    Kind("practice_ended", _("The doctor leaves the clinic"), withdrawing.end_practice, _of_ended),
    Kind("licence_ended", _("The licence is withdrawn"), withdrawing.withdraw_licence, _of_licence),
    Kind("account_shut", _("The doctor’s account is deactivated"), withdrawing.shut_account, _of_account),
    Kind(
        "visit_type_off",
        _("The visit type is switched off"),
        visit_types.change,
        _of_type,
        VisitTypeShape,
        code="other",
        decisions=("keep", "cancel"),
    ),
    Kind(
        "clinic_changed",
        _("The clinic’s address or time zone changes"),
        withdrawing.change_clinic,
        _of_clinic,
        ClinicShape,
        code="other",
        decisions=("keep", "choose", "cancel"),
    ),
    Kind(
        "clinic_ended",
        _("The clinic closes for good"),
        withdrawing.close_clinic_for_good,
        _of_closed,
        code="clinic_closed",
        decisions=("keep", "cancel"),
    ),
)
