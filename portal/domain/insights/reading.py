"""The statements behind the figures: visits of two periods and open hours, grouped by doctor and by week at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from portal.core import clock
from portal.core.db import session
from portal.domain.insights.measures import Figures, Period

CLINICS_REASONS = ("doctor_away", "clinic_closed", "mistake")  # a visit called off for these is not the patient's doing


class Key(NamedTuple):
    """Which group a row is of: the period or the one before, one practice or all, one week or all."""

    is_now: bool
    practice_id: UUID | None
    week: int | None


# Dates are the clinics' own. The grouping sets give totals, doctors and weeks in one reading; medians cannot be added.
_VISITS = text(
    """
WITH due AS (
  SELECT a.practice_id, a.status, a.starts_at, a.ends_at, a.created_at, a.is_walk_in, a.checked_in_at, a.started_at,
         a.ended_at, (a.starts_at AT TIME ZONE c.time_zone)::date AS day,
         extract(epoch FROM a.ends_at - a.starts_at) / 60 AS minutes,
         a.status = 'cancelled' AND a.ended_by IN ('patient', 'staff', 'doctor')
           AND coalesce(a.end_code, 'other') <> ALL(:clinics_reasons)
           AND a.ended_at > a.starts_at - make_interval(mins => t.cutoff_minutes) AS was_late
    FROM appointments a
    JOIN clinics c ON c.id = a.clinic_id
    JOIN visit_types t ON t.id = a.visit_type_id
   WHERE a.practice_id = ANY(:practices) AND a.starts_at >= :begins AND a.starts_at < :until
     AND a.starts_at < :now
), placed AS (
  SELECT *, day >= :first AS is_now, (day - CASE WHEN day >= :first THEN :first ELSE :first_before END) / 7 AS week
    FROM due WHERE day BETWEEN :first_before AND :last
)
SELECT is_now, practice_id, week,
       coalesce(sum(minutes) FILTER (WHERE status NOT IN ('cancelled', 'declined')), 0) AS booked_minutes,
       count(*) FILTER (WHERE status NOT IN ('cancelled', 'declined')) AS booked,
       count(*) FILTER (WHERE status IN ('checked_in', 'in_progress', 'completed')) AS attended,
       count(*) FILTER (WHERE status = 'no_show') AS no_shows,
       count(*) FILTER (WHERE was_late) AS late_cancels,
       count(*) FILTER (WHERE status IN ('pending', 'confirmed')) AS unrecorded,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM starts_at - created_at) / 86400)
         FILTER (WHERE status NOT IN ('cancelled', 'declined') AND NOT is_walk_in AND starts_at > created_at) AS lead,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM started_at - checked_in_at) / 60)
         FILTER (WHERE started_at >= checked_in_at) AS wait,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - started_at) / 60)
         FILTER (WHERE status = 'completed' AND ended_at > started_at) AS length,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes)
         FILTER (WHERE status = 'completed' AND ended_at > started_at) AS planned
  FROM placed
 GROUP BY GROUPING SETS ((is_now), (is_now, practice_id), (is_now, week))
"""
)

# Open time by the rules as they stand now, since the doctor came to the clinic, without holidays and closures, as many
# times as there are places.
_OPEN = text(
    """
WITH windows AS (
  SELECT o.practice_id, d.day::date AS day, o.capacity, p.doctor_id, p.clinic_id, c.time_zone,
         (d.day::date + o.starts) AT TIME ZONE c.time_zone AS begins,
         (d.day::date + CASE WHEN o.ends <= o.starts THEN 1 ELSE 0 END + o.ends) AT TIME ZONE c.time_zone AS until
    FROM openings o
    JOIN practices p ON p.id = o.practice_id
    JOIN clinics c ON c.id = p.clinic_id
    JOIN generate_series(CAST(:first_before AS timestamp), CAST(:last AS timestamp), interval '1 day') AS d(day)
      ON (o.weekday = extract(isodow FROM d.day) - 1 OR o.on_date = d.day::date)
     AND d.day::date >= coalesce(o.valid_from, '-infinity') AND d.day::date <= coalesce(o.valid_until, 'infinity')
   WHERE o.practice_id = ANY(:practices)
     AND d.day::date >= (p.created_at AT TIME ZONE c.time_zone)::date
     AND (p.is_active OR d.day::date <= (p.updated_at AT TIME ZONE c.time_zone)::date)
), free AS (
  SELECT w.practice_id, w.day, w.capacity, tstzmultirange(tstzrange(w.begins, w.until)) - coalesce((
           SELECT range_agg(tstzrange(k.starts_at, k.ends_at)) FROM closures k
            WHERE (k.practice_id = w.practice_id OR k.doctor_id = w.doctor_id OR k.clinic_id = w.clinic_id)
              AND k.starts_at < w.until AND k.ends_at > w.begins), '{}') - coalesce((
           SELECT range_agg(tstzrange(h.day::timestamp AT TIME ZONE w.time_zone,
                                      (h.day + 1)::timestamp AT TIME ZONE w.time_zone)) FROM holidays h
            WHERE h.clinic_id = w.clinic_id AND h.day BETWEEN w.day AND w.day + 1), '{}') AS hours
    FROM windows w WHERE w.begins < w.until
), spans AS (
  SELECT f.practice_id, f.day, f.capacity * extract(epoch FROM upper(h.span) - lower(h.span)) / 60 AS minutes
    FROM free f CROSS JOIN LATERAL unnest(f.hours) AS h(span)
)
SELECT day >= :first AS is_now, practice_id,
       (day - CASE WHEN day >= :first THEN :first ELSE :first_before END) / 7 AS week, sum(minutes) AS minutes
  FROM spans GROUP BY 1, 2, 3
"""
)


def figures(practice_ids: Sequence[UUID], period: Period) -> dict[Key, Figures]:
    """The figures of these practices: all together, each, and each week, in the period and in the one before."""
    values = _values(practice_ids, period)
    opened = _open_minutes(values)
    found = {}
    for row in session().execute(_VISITS, values):
        key = Key(row.is_now, row.practice_id, row.week)
        found[key] = _figures(row, opened.pop(key, 0.0))
    rest = {key: Figures(open_minutes=minutes) for key, minutes in opened.items()}
    return {**found, **rest}


def _values(practice_ids: Sequence[UUID], period: Period) -> dict[str, Any]:
    margin, noon = timedelta(days=2), clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    return {
        "practices": list(practice_ids),
        "first": period.first,
        "first_before": period.first_before,
        "last": period.last,
        "begins": _near(noon, period.first_before) - margin,
        "until": _near(noon, period.last) + margin,
        "now": clock.now(),
        "clinics_reasons": list(CLINICS_REASONS),
    }


def _near(noon: Any, day: date) -> Any:
    return noon.replace(year=day.year, month=day.month, day=day.day)


def _open_minutes(values: dict[str, Any]) -> dict[Key, float]:
    """Open minutes of every group; minutes, unlike medians, add up."""
    minutes: dict[Key, float] = {}
    for row in session().execute(_OPEN, values):
        for key in (
            Key(row.is_now, None, None),
            Key(row.is_now, row.practice_id, None),
            Key(row.is_now, None, row.week),
        ):
            minutes[key] = minutes.get(key, 0.0) + float(row.minutes)
    return minutes


def _figures(row: Any, open_minutes: float) -> Figures:
    lead, wait = row.lead or (None, None), row.wait or (None, None)
    return Figures(
        open_minutes=open_minutes,
        booked_minutes=float(row.booked_minutes),
        booked=row.booked,
        attended=row.attended,
        no_shows=row.no_shows,
        late_cancels=row.late_cancels,
        unrecorded=row.unrecorded,
        lead_days=lead[0],
        lead_days_most=lead[1],
        wait=wait[0],
        wait_most=wait[1],
        length=row.length,
        planned_length=row.planned,
    )
