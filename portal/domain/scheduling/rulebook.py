"""Everything that decides when a practice can be booked, read in one statement however many practices are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core import clock
from portal.core.prepared import Call, Prepared
from portal.domain.scheduling import timetable
from portal.domain.scheduling.timetable import Busy, Closure, Opening, Policy, Room, Timetable, VisitRule

DESK_HORIZON = 730  # days: the desk books as far ahead as anyone plans


@dataclass(frozen=True, slots=True)
class TypeRules:
    """A visit type as the booking rules see it; durations in minutes, money in minor units."""

    id: str
    name: str
    name_fr: str
    name_ar: str
    mode: str
    duration: int
    buffer_before: int
    buffer_after: int
    price_minor: int | None
    bookable_by: str
    confirms: str
    lead_minutes: int
    horizon_days: int
    most_upcoming: int
    most_per_day: int | None
    needs: Sequence[str] | None  # groups of rooms or devices, any one of each

    @property
    def rule(self) -> VisitRule:
        return VisitRule(self.id, self.duration, self.buffer_before, self.buffer_after, tuple(sorted(self.needs or ())))

    def policy(self, *, for_desk: bool = False) -> Policy:
        """Lead time and horizon; the desk is bound by neither, only by the doctor's daily limit."""
        if for_desk:
            return Policy(0, DESK_HORIZON, self.most_per_day)
        return Policy(self.lead_minutes, self.horizon_days, self.most_per_day)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One practice: who, where, its hours, what is closed and what is taken in the range that was asked for."""

    practice_id: UUID
    doctor_id: UUID
    clinic_id: UUID
    zone: ZoneInfo
    currency: str
    fee_minor: int | None
    types: dict[str, TypeRules]
    timetable: Timetable
    upcoming: int  # visits of the patient asked about that lie ahead, of the type asked about
    invited: bool  # that patient may have an open invitation for that type
    patient_id: UUID | None  # the patient asked about
    booked: int = 0  # visits ahead that the account asked about booked for anybody, and times it holds
    held_here: int = 0  # times held without an account from the place asked about
    held_that_day: int = 0  # times of the day asked about that are held without an account, from anywhere

    def type(self, visit_type_id: UUID | str) -> TypeRules | None:
        return self.types.get(str(visit_type_id))

    def admitted(self) -> list[TypeRules]:
        """The types that some opening of this practice takes, in the clinic's order."""
        hours = self.timetable.openings
        return [kind for kind in self.types.values() if any(opening.admits(kind.id) for opening in hours)]


# One row a practice. Ranges leave the database as epoch seconds: reading them as objects costs many times more.
_READ = """
SELECT p.id, p.doctor_id, p.clinic_id, p.fee_minor, c.time_zone, c.currency,
  (SELECT json_agg(json_build_array(t.id, t.name, t.name_fr, t.name_ar, t.mode, t.duration, t.buffer_before,
            t.buffer_after, t.price_minor, t.bookable_by, t.confirms, t.lead_minutes, t.horizon_days, t.most_upcoming,
            t.most_per_day, (SELECT json_agg(n.group_id) FROM visit_type_needs n WHERE n.visit_type_id = t.id))
            ORDER BY t.mode, t.created_at, t.id)
     FROM visit_types t WHERE t.clinic_id = p.clinic_id AND t.is_active{only_type}) AS types,
  (SELECT json_agg(json_build_array(o.id, o.weekday, o.on_date, to_char(o.starts, 'HH24:MI'),
            to_char(o.ends, 'HH24:MI'), o.step, o.capacity, o.valid_from, o.valid_until,
            (SELECT json_agg(x.visit_type_id) FROM opening_visit_types x WHERE x.opening_id = o.id)) ORDER BY o.id)
     FROM openings o WHERE o.practice_id = p.id) AS openings,
  (SELECT json_agg(json_build_array(extract(epoch FROM k.starts_at)::bigint, extract(epoch FROM k.ends_at)::bigint,
            k.kind))
     FROM closures k
    WHERE (k.practice_id = p.id OR k.doctor_id = p.doctor_id OR k.clinic_id = p.clinic_id)
      AND k.ends_at > :begins AND k.starts_at < :until) AS closures,
  (SELECT json_agg(h.day) FROM holidays h
    WHERE h.clinic_id = p.clinic_id AND h.day BETWEEN :first_day AND :last_day) AS holidays,
  (SELECT json_agg(json_build_array(extract(epoch FROM lower(b.during))::bigint,
            extract(epoch FROM upper(b.during))::bigint, b.lane))
     FROM occupancies b
    WHERE b.resource_id = p.doctor_id AND b.during && tstzrange(:begins, :until)
      AND (b.expires_at IS NULL OR b.expires_at > :now){spare}) AS busy,
  (SELECT json_agg(json_build_array(r.id, r.group_id, r.places,
            (SELECT json_agg(json_build_array(extract(epoch FROM lower(b.during))::bigint,
                      extract(epoch FROM upper(b.during))::bigint, b.lane))
               FROM occupancies b
              WHERE b.resource_id = r.id AND b.during && tstzrange(:begins, :until)
                AND (b.expires_at IS NULL OR b.expires_at > :now){spare})))
     FROM resource_groups g JOIN resources r ON r.group_id = g.id AND r.is_active
    WHERE g.clinic_id = p.clinic_id AND EXISTS (SELECT FROM visit_type_needs n
            WHERE n.group_id = g.id{only_needs})) AS rooms{more}
  FROM practices p
  JOIN clinics c ON c.id = p.clinic_id AND c.is_active
  JOIN doctors d ON d.id = p.doctor_id AND d.is_active{public}
 WHERE {which} AND p.is_active
"""
_PATIENT = """,
  (SELECT json_agg(json_build_array(extract(epoch FROM lower(b.during))::bigint,
            extract(epoch FROM upper(b.during))::bigint, b.lane))
     FROM occupancies b
    WHERE b.resource_id = :patient_id AND b.during && tstzrange(:begins, :until)
      AND (b.expires_at IS NULL OR b.expires_at > :now){spare}) AS patient_busy,
  (SELECT count(*) FROM appointments a
    WHERE a.patient_id = :patient_id AND a.visit_type_id = :visit_type_id AND a.status IN ('pending', 'confirmed')
      AND a.starts_at > :now) AS upcoming,
  EXISTS (SELECT FROM booking_invitations i
           WHERE i.patient_id = :patient_id AND i.practice_id = p.id AND i.visit_type_id = :visit_type_id
             AND i.appointment_id IS NULL AND i.ended_at IS NULL) AS invited"""
_BOOKER = """,
  (SELECT count(*) FROM appointments a
    WHERE a.booked_by = :booker_id AND a.status IN ('pending', 'confirmed') AND a.starts_at > :now)
  + (SELECT count(*) FROM holds h WHERE h.user_id = :booker_id AND h.expires_at > :now{spare_hold}) AS booked"""
_STRANGER = """,
  (SELECT count(*) FROM holds h WHERE h.place = :place AND h.expires_at > :now{spare_hold}) AS held_here,
  (SELECT count(*) FROM holds h
    WHERE h.practice_id = p.id AND h.place IS NOT NULL AND h.expires_at > :now{spare_hold}
      AND (h.starts_at AT TIME ZONE c.time_zone)::date
        = (CAST(:starts_at AS timestamptz) AT TIME ZONE c.time_zone)::date) AS held_that_day"""
_PER_DAY = """,
  (SELECT json_object_agg(day, n) FROM (
     SELECT (a.starts_at AT TIME ZONE c.time_zone)::date AS day, count(*) AS n FROM appointments a
      WHERE a.practice_id = p.id AND a.status NOT IN ('cancelled', 'declined')
        AND a.starts_at > :begins AND a.starts_at < :until{spare_appointment} GROUP BY 1) days) AS per_day"""


def read(
    practice_ids: Sequence[UUID],
    begins: datetime,
    until: datetime,
    *,
    visit_type_id: UUID | None = None,
    patient_id: UUID | None = None,
    moving_id: UUID | None = None,
    hold_id: UUID | None = None,
    booker_id: UUID | None = None,
    place: str | None = None,
    starts_at: datetime | None = None,
    also_unverified: bool = False,
    also_held: bool = False,
    after: Call | None = None,
) -> dict[UUID, Rulebook]:
    """The rulebooks of these practices for the time from `begins` to `until`; those that cannot be booked are left out.

    `moving_id` is an appointment and `hold_id` a hold whose time counts as free, because it is about to be given back;
    with `also_held` all that is only held counts as free. `booker_id` is the account whose visits ahead are
    counted, over all its patients; `place` (caps.place_of) with `starts_at` that of somebody without one. `after` is
    what to wait for before anything is read.
    """
    statement = _statement(
        len(practice_ids) == 1,
        visit_type_id is not None,
        patient_id is not None,
        moving_id is not None,
        hold_id is not None,
        booker_id is not None,
        place is not None,
        also_unverified,
        also_held,
    )
    values = {
        "practice_id": practice_ids[0] if practice_ids else None,
        "practice_ids": list(practice_ids),
        "begins": begins,
        "until": until,
        "first_day": begins.date() - timedelta(days=1),
        "last_day": until.date() + timedelta(days=1),
        "now": clock.now(),
        "visit_type_id": visit_type_id,
        "patient_id": patient_id,
        "moving_id": moving_id,
        "hold_id": hold_id,
        "booker_id": booker_id,
        "place": place,
        "starts_at": starts_at,
    }
    return {row.id: _rulebook(row, patient_id) for row in statement.run(values, after=after)}


def read_one(practice_id: UUID, begins: datetime, until: datetime, **options: Any) -> Rulebook | None:
    """The rulebook of one practice, None when it cannot be booked at all."""
    return read([practice_id], begins, until, **options).get(practice_id)


@lru_cache(maxsize=128)
def _statement(
    one: bool,
    one_type: bool,
    patient: bool,
    moving: bool,
    hold: bool,
    booker: bool,
    stranger: bool,
    unverified: bool,
    held: bool,
) -> Prepared:
    spare = " AND b.appointment_id IS DISTINCT FROM :moving_id" if moving else ""
    spare += " AND b.hold_id IS DISTINCT FROM :hold_id" if hold else ""
    spare += " AND b.hold_id IS NULL" if held else ""
    spare_hold = " AND h.id <> :hold_id" if hold else ""
    spare_appointment = " AND a.id <> :moving_id" if moving else ""
    more = (_PATIENT.format(spare=spare) if patient else "") + (
        _PER_DAY.format(spare_appointment=spare_appointment) if one_type else ""
    )
    more += _BOOKER.format(spare_hold=spare_hold) if booker else ""
    more += _STRANGER.format(spare_hold=spare_hold) if stranger else ""
    parts = (
        ("one", one),
        ("type", one_type),
        ("patient", patient),
        ("moving", moving),
        ("hold", hold),
        ("booker", booker),
        ("stranger", stranger),
        ("all", unverified),
        ("held", held),
    )
    return Prepared(
        "_".join(["rulebook", *(name for name, wanted in parts if wanted)]),
        _READ.format(
            only_type=" AND t.id = :visit_type_id" if one_type else "",
            only_needs=" AND n.visit_type_id = :visit_type_id" if one_type else "",
            spare=spare,
            more=more,
            which="p.id = :practice_id" if one else "p.id = ANY(CAST(:practice_ids AS uuid[]))",
            public="" if unverified else " AND d.licence_verified_at IS NOT NULL",
        ),
    )


def _rulebook(row: Any, patient_id: UUID | None) -> Rulebook:
    zone = ZoneInfo(row.time_zone)
    closures = [Closure(*closure) for closure in row.closures or ()]
    closures += [_whole_day(date.fromisoformat(day), zone) for day in row.holidays or ()]
    per_day = getattr(row, "per_day", None) or {}
    return Rulebook(
        practice_id=row.id,
        doctor_id=row.doctor_id,
        clinic_id=row.clinic_id,
        zone=zone,
        currency=row.currency,
        fee_minor=row.fee_minor,
        types={kind[0]: TypeRules(*kind) for kind in row.types or ()},
        timetable=Timetable(
            zone=zone,
            openings=_openings(row.openings or ()),
            closures=closures,
            busy=[Busy(*busy) for busy in row.busy or ()],
            booked_per_day={date.fromisoformat(day): count for day, count in per_day.items()},
            patient_busy=[Busy(*busy) for busy in getattr(row, "patient_busy", None) or ()],
            rooms=[
                Room(id_, group, places, [Busy(*one) for one in busy or ()])
                for id_, group, places, busy in row.rooms or ()
            ],
        ),
        upcoming=getattr(row, "upcoming", 0),
        invited=getattr(row, "invited", False),
        patient_id=patient_id,
        booked=getattr(row, "booked", 0),
        held_here=getattr(row, "held_here", 0),
        held_that_day=getattr(row, "held_that_day", 0),
    )


def _openings(rows: Iterable[Sequence[Any]]) -> list[Opening]:
    return [
        _opening(id_, weekday, on_date, starts, ends, step, capacity, valid_from, valid_until, tuple(types or ()))
        for id_, weekday, on_date, starts, ends, step, capacity, valid_from, valid_until, types in rows
    ]


@lru_cache(maxsize=20_000)  # keyed by every value, so a changed opening is another key
def _opening(
    id_: str,
    weekday: int | None,
    on_date: str | None,
    starts: str,
    ends: str,
    step: int | None,
    capacity: int,
    valid_from: str | None,
    valid_until: str | None,
    types: tuple[str, ...],
) -> Opening:
    def day(said: str | None) -> date | None:
        return date.fromisoformat(said) if said else None

    return Opening(
        id=id_,
        weekday=weekday,
        on_date=day(on_date),
        starts=time.fromisoformat(starts),
        ends=time.fromisoformat(ends),
        step=step,
        capacity=capacity,
        visit_type_ids=frozenset(types),
        valid_from=day(valid_from),
        valid_until=day(valid_until),
    )


def _whole_day(day: date, zone: ZoneInfo) -> Closure:
    starts = datetime.combine(day, time(), zone).timestamp()
    ends = datetime.combine(day + timedelta(days=1), time(), zone).timestamp()
    return Closure(starts, ends, "holiday")


def moment(epoch: int) -> datetime:
    """An instant from epoch seconds."""
    return datetime.fromtimestamp(epoch, UTC)


__all__ = ["Rulebook", "TypeRules", "moment", "read", "read_one", "timetable"]
