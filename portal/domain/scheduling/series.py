"""Series: the same visit every so many days or weeks, looked at first, then booked whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core import clock
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import format_datetime
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.patients import care
from portal.domain.scheduling import appointments, availability, booking, policy, rulebook, taking, timetable, wall_time
from portal.domain.scheduling.appointments import WHOLE
from portal.domain.scheduling.models import UPCOMING, Appointment
from portal.domain.scheduling.planning import Series
from portal.domain.scheduling.refusals import NotOffered
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import Offer, Reason

FEWEST, MOST = 2, 52
LONGEST_STEP = 366  # days
AROUND = timedelta(days=3)  # how far from the wanted date another time is looked for
OTHERS = 6  # other free times named for a date


class SeriesNotBooked(Conflict):
    """One time of a series could not be had, so none was booked; `starts_at` is that time, `alternatives` others."""

    code = "series_not_booked"


@dataclass(frozen=True, slots=True)
class Date:
    """One date of a planned series.

    `wanted` is the same wall time as the first, in the clinic's zone; `reason` says whether it is free; `others` are
    free times around it, the nearest first; `chosen` is what the plan proposes, None when there is nothing near.
    """

    number: int
    wanted: datetime
    reason: Reason
    others: tuple[datetime, ...] = ()
    chosen: datetime | None = None

    @property
    def is_free(self) -> bool:
        return self.reason is Reason.OFFERED

    @property
    def sentence(self) -> Any:
        return availability.sentence_for(self.reason)


@dataclass(frozen=True, slots=True)
class Plan:
    """A series as it would be booked; nothing is held."""

    every_days: int
    zone: ZoneInfo
    dates: tuple[Date, ...]

    @property
    def free(self) -> int:
        return sum(date.is_free for date in self.dates)

    @property
    def is_whole(self) -> bool:
        return all(date.chosen for date in self.dates)


@dataclass(frozen=True, slots=True)
class Run:
    """A visit's place in its series, with all visits of it in order of time."""

    series: Series
    visits: tuple[Appointment, ...]
    number: int

    @property
    def following(self) -> list[Appointment]:
        """The visits from this one on that can still be called off, this one among them."""
        return [visit for visit in self.visits[self.number - 1 :] if visit.status in UPCOMING]


def plan(
    actor: Actor,
    *,
    practice_id: UUID,
    visit_type_id: UUID,
    patient_id: UUID,
    starts_at: datetime,
    count: int,
    every_days: int | None = None,
    every_weeks: int | None = None,
) -> Plan:
    """What a series would be: for each date whether the first one's wall time is free, and what is near if it is not.

    Raises Invalid, NotFound or Forbidden. One statement for all dates.
    """
    step = (every_days or 0) + 7 * (every_weeks or 0)
    _makes_sense(step, count)
    span = timedelta(days=step * (count - 1))
    begins, until = starts_at - AROUND - 2 * availability.MARGIN, starts_at + span + AROUND + 2 * availability.MARGIN
    options = {"visit_type_id": visit_type_id, "patient_id": patient_id, "also_unverified": False}
    book_ = rulebook.read_one(practice_id, begins, until, **options) or refuse(NotFound)
    kind = book_.type(visit_type_id) or refuse(NotFound)
    _may(actor, patient_id, book_)
    return Plan(step, book_.zone, tuple(_dates(actor, book_, kind, starts_at, step, count)))


def book(
    actor: Actor,
    *,
    practice_id: UUID,
    visit_type_id: UUID,
    patient_id: UUID,
    times: Sequence[datetime],
    every_days: int,
    reason: str = "",
) -> tuple[Series, list[Appointment]]:
    """Book all these times as one series, or none.

    They are taken in order and one series after the other, so that no two wait for one another in a circle. Raises
    Invalid, what booking.book raises, and SeriesNotBooked with the first time that cannot be had.
    """
    in_order = sorted(set(times))
    _makes_sense(every_days, len(in_order))
    around = (in_order[0], in_order[-1])
    own = patient_id in actor.cares_somewhere("book")
    waiting = taking.against_closing(practice_id, actor.user_id, patient_id if own else None)
    book_ = rulebook.read_one(practice_id, *around, visit_type_id=visit_type_id, after=waiting) or refuse(NotFound)
    _may(actor, patient_id, book_)
    taking.one_at_a_time("doctor", book_.doctor_id)
    series = Series(
        practice_id=practice_id,
        clinic_id=book_.clinic_id,
        patient_id=patient_id,
        visit_type_id=visit_type_id,
        every_days=every_days,
        count=len(in_order),
        booked_by=actor.user_id,
    )
    session().add(series)
    session().flush()
    wanted = {"practice_id": practice_id, "visit_type_id": visit_type_id, "patient_id": patient_id, "reason": reason}
    made = [_one(actor, series, starts_at, book_.zone, wanted) for starts_at in in_order]
    record(actor, "series.booked", series, count=len(made))
    return series, made


def of(actor: Actor, visit: Appointment) -> Run | None:
    """The series a visit belongs to, as far as the actor may see its visits; None for a visit by itself."""
    if visit.series_id is None:
        return None
    statement = (
        select(Appointment)
        .where(Appointment.series_id == visit.series_id, Appointment.visible(actor))
        .options(*WHOLE)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    visits = list(session().scalars(statement))
    series = session().get_one(Series, visit.series_id)
    return Run(series, tuple(visits), 1 + next(n for n, one in enumerate(visits) if one.id == visit.id))


def cancel(
    actor: Actor,
    appointment_id: UUID,
    *,
    following: bool = False,
    code: str = "other",
    text: str = "",
    version: int | None = None,
) -> list[Appointment]:
    """Call off this visit, with `following` also those of its series after it that have not taken place.

    All or none of them. Raises as booking.cancel does; `version` is that of this visit.
    """
    first = authority.find(actor, Appointment, appointment_id, *WHOLE)
    later = [one for one in _run(actor, first) if one.id != first.id] if following else []
    appointments.take([first.id, *(one.id for one in later)])
    ended = [booking.cancel(actor, first.id, code=code, text=text, version=version)]
    ended += [booking.cancel(actor, one.id, code=code, text=text) for one in later]
    if len(ended) > 1:
        series = session().get_one(Series, first.series_id)
        record(actor, "series.cancelled", series, visits=[str(one.id) for one in ended])
    return ended


def _run(actor: Actor, first: Appointment) -> list[Appointment]:
    run = of(actor, first)
    return [] if run is None else run.following


def _one(actor: Actor, series: Series, starts_at: datetime, zone: ZoneInfo, wanted: dict[str, Any]) -> Appointment:
    try:
        return booking.book(actor, starts_at=starts_at, series_id=series.id, **wanted)
    except NotOffered as no:
        when = format_datetime(starts_at, zone)
        sentence = say("%(time)s: %(why)s Nothing was booked; please choose another time for it.", time=when, why=no)
        raise SeriesNotBooked(
            sentence, starts_at=starts_at, reason=no.code, alternatives=no.facts.get("alternatives", [])
        ) from no


def _makes_sense(step: int, count: int) -> None:
    fields = {}
    if not 1 <= step <= LONGEST_STEP:
        fields["every"] = _("Please choose between one day and one year from visit to visit.")
    if not FEWEST <= count <= MOST:
        fields["count"] = _("A series has 2 to 52 visits.")
    if fields:
        raise Invalid(fields=fields)


def _may(actor: Actor, patient_id: UUID, book_: Rulebook) -> bool:
    """Whether the clinic books (True) or the patient; raises what forbids it."""
    care.of_clinic(actor, patient_id, book_.clinic_id)
    allow(policy.may_book_for(actor, patient_id, book_.clinic_id))
    return policy.works_on(actor, book_.clinic_id)


def _dates(actor: Actor, book_: Rulebook, kind: TypeRules, starts_at: datetime, step: int, count: int) -> list[Date]:
    zone, rules = book_.zone, kind.policy(for_desk=policy.works_on(actor, book_.clinic_id))
    local = starts_at.astimezone(zone)
    seconds, now = wall_time.seconds_of(local.time()), int(clock.now().timestamp())
    instants = [wall_time.instant(zone, local.date() + timedelta(days=step * n), seconds) for n in range(count)]
    answers = timetable.reasons(book_.timetable, kind.rule, [at for at, _exists in instants], now, rules)
    reasons = [answer if exists else Reason.NO_OPENING for answer, (_at, exists) in zip(answers, instants, strict=True)]
    spoken_for = {at for (at, _exists), reason in zip(instants, reasons, strict=True) if reason is Reason.OFFERED}
    found = []
    for number, ((at, _exists), reason) in enumerate(zip(instants, reasons, strict=True), start=1):
        if reason is Reason.OFFERED:
            found.append(Date(number, moment(at).astimezone(zone), reason, chosen=moment(at).astimezone(zone)))
            continue
        others = _others(book_, kind, at, now, rules, spoken_for)
        spoken_for.update(others[:1])
        free = tuple(moment(other).astimezone(zone) for other in others)
        found.append(Date(number, moment(at).astimezone(zone), reason, free, free[0] if free else None))
    return found


def _others(
    book_: Rulebook, kind: TypeRules, at: int, now: int, rules: timetable.Policy, spoken_for: set[int]
) -> list[int]:
    """Free times around an instant that no other date of the series wants, the nearest first."""
    day, length = wall_time.local(book_.zone, at).date(), kind.duration * 60
    offers: list[Offer] = timetable.offers(book_.timetable, kind.rule, day - AROUND, day + AROUND, now, rules)
    free = [one.starts for one in offers if not any(abs(one.starts - other) < length for other in spoken_for)]
    return sorted(free, key=lambda starts: (abs(starts - at), starts))[:OTHERS]
