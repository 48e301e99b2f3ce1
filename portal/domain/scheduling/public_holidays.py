"""The public holidays of a clinic's country, from the library `holidays`, taken over by the clinic's admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid
from portal.core.text import LANGUAGES
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.scheduling import closing, closures, impact
from portal.domain.scheduling.models import Appointment, Closure
from portal.domain.scheduling.shapes import TakeHolidays

YEARS_AHEAD = 3


@dataclass(frozen=True)
class PublicHoliday:
    """One public holiday: whether the clinic is closed on it already, and whether it is over."""

    day: date
    name: str
    is_there: bool
    is_over: bool

    @property
    def is_open(self) -> bool:
        """Whether it can still be taken over."""
        return not self.is_there and not self.is_over


def years(clinic: Clinic) -> range:
    """The years whose holidays can be taken over now."""
    this = clock.today(clinic.zone).year
    return range(this, this + YEARS_AHEAD + 1)


def languages(country: str) -> list[str]:
    """Our languages in which the names of a country's holidays are known; empty when only its own tongue is."""
    return [code for code in LANGUAGES if code in _languages(country)]


def of_year(actor: Actor, clinic_id: UUID | str, year: int, language: str) -> list[PublicHoliday]:
    """The public holidays of the clinic's country in a year, in order; empty for a country that is not known.

    `language` is one of ours; where the library does not speak it, names come in English or the country's own tongue.
    """
    clinic = managing.get(actor, clinic_id)
    if year not in years(clinic):
        raise Invalid(fields={"year": _("Please choose one of these years.")})
    today = clock.today(clinic.zone)
    there = set(session().scalars(select(Holiday.day).where(Holiday.clinic_id == clinic.id)))
    known = _known(clinic.country, year, language)
    return [PublicHoliday(day, name, day in there, day < today) for day, name in known]


def take_over(actor: Actor, clinic_id: UUID | str, **about: Any) -> list[Holiday]:
    """The clinic is closed on these public holidays; those already there and those that are over are left out.

    `about` is a TakeHolidays' values. Raises Invalid for a date that is no public holiday of that year, VisitsAffected
    with the visits of all the days.
    """
    asked = TakeHolidays.parse(about)
    closing.clinic(managing.get(actor, clinic_id).id)
    clinic = managing.get(actor, clinic_id, lock=True)
    offered = {one.day: one for one in of_year(actor, clinic.id, asked.year, asked.language)}
    if not set(asked.days) <= set(offered):
        raise Invalid(fields={"days": _("Please choose among the public holidays of this year.")})
    wanted = [offered[day] for day in sorted(set(asked.days)) if offered[day].is_open]
    hit = [visit for one in wanted for visit in _visits(clinic, one.day)]
    impact.unless_kept(list(dict.fromkeys(hit)), asked.keep_visits)
    return [
        closures.add_holiday(actor, clinic.id, day=one.day, name=one.name[:120], keep_visits=True) for one in wanted
    ]


def closed_for(actor: Actor, clinic_id: UUID | str) -> list[Closure]:
    """The hours and days from now on for which a whole clinic is closed, holidays not counted, soonest first."""
    clinic = managing.get(actor, clinic_id)
    statement = select(Closure).where(Closure.clinic_id == clinic.id, Closure.ends_at > clock.now())
    return list(session().scalars(statement.order_by(Closure.starts_at).limit(closures.MOST_LISTED)))


def _visits(clinic: Clinic, day: date) -> list[Appointment]:
    starts, ends = (datetime.combine(one, time(), clinic.zone) for one in (day, day + timedelta(days=1)))
    return impact.during(Appointment.clinic_id == clinic.id, starts, ends)


@lru_cache(maxsize=256)
def _known(country: str, year: int, language: str) -> tuple[tuple[date, str], ...]:
    import holidays  # a tenth of a second, for a page that is opened once a year

    if country not in holidays.list_supported_countries():
        return ()
    spoken = _languages(country)
    speak = spoken.get(language) or spoken.get("en")
    found: Any = holidays.country_holidays(country, years=year, language=speak)
    return tuple(sorted((day, str(name)) for day, name in found.items()))


@lru_cache(maxsize=256)
def _languages(country: str) -> dict[str, str]:
    """Our language -> the library's name for it, where it knows the country's holidays in it."""
    import holidays

    spoken = holidays.list_localized_countries().get(country, [])
    return {code: name for name in reversed(spoken) if (code := name.split("_")[0]) in LANGUAGES}
