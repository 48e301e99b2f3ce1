"""By the clock: plan each step of each visit once, and hand over what is due. Nothing depends on a run not missed.

The ledger is made from what stands in the database at that moment, so after a downtime everything still useful is
caught up with: due is what is planned until now for a visit that has not begun. A run looks only at what came near or
was booked or moved since the last one; once an hour, and whenever in doubt, one looks at everything.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text

from portal.core import clock, tasks
from portal.core.db import new_id, session
from portal.core.tasks import Task, task
from portal.domain.reminders import sending
from portal.domain.reminders.planning import Quiet, planned_at

AT_ONCE = 5000
MOST_ROUNDS = 20
EARLIEST = timedelta(hours=25)  # how much earlier than asked for quiet hours may make a reminder
OVERLAP = timedelta(minutes=10)  # longer than any transaction that books
EVERYTHING = datetime(2000, 1, 1, tzinfo=UTC)

# Ids are UUIDv7, so what was made lately is read from the end of the primary key. :reached is how far the last run saw.
# OFFSET 0 and LIMIT 1 keep the planner to one look into an index for each step, and one for each visit found.
_NOT_PLANNED = text(
    """
    WITH near AS (
      SELECT s.minutes_before, s.channels[1] AS channel, a.*
        FROM reminder_steps s
       CROSS JOIN LATERAL (
             SELECT a.id, a.clinic_id, a.version, a.starts_at, a.created_at, a.status FROM appointments a
              WHERE a.clinic_id = s.clinic_id
                AND a.starts_at > greatest(:now, :reached + make_interval(mins => s.minutes_before))
                AND a.starts_at <= :until + make_interval(mins => s.minutes_before) OFFSET 0) a
       UNION
      SELECT s.minutes_before, s.channels[1],
             a.id, a.clinic_id, a.version, a.starts_at, a.created_at, a.status
        FROM (SELECT id FROM appointments WHERE id >= :fresh
               UNION SELECT subject_id FROM events WHERE id >= :fresh AND name = 'appointment.moved') lately
        JOIN appointments a ON a.id = lately.id
        JOIN reminder_steps s ON s.clinic_id = a.clinic_id
       WHERE a.starts_at > :now AND a.starts_at <= :until + make_interval(mins => s.minutes_before)
    )
    SELECT near.id, near.version, near.starts_at, near.created_at, near.minutes_before, near.channel,
           c.time_zone, c.quiet_from, c.quiet_until,
           CASE WHEN near.version > 1 THEN
             (SELECT max(e.created_at) FROM events e
               WHERE e.subject_type = 'appointment' AND e.subject_id = near.id AND e.name = 'appointment.moved')
           END AS moved_at
      FROM near
      JOIN clinics c ON c.id = near.clinic_id
      LEFT JOIN LATERAL (
           SELECT r.id FROM reminders r WHERE r.appointment_id = near.id AND r.version = near.version
              AND r.minutes_before = near.minutes_before LIMIT 1) known ON true
     WHERE near.status IN ('pending', 'confirmed') AND known.id IS NULL
     ORDER BY near.starts_at, near.id
     LIMIT :most
    """
)
_KEEP = text(
    """
    INSERT INTO reminders
      (id, created_at, updated_at, appointment_id, version, minutes_before, channel, state, planned_at)
    SELECT id, :now, :now, appointment_id, version, minutes_before, channel, state, planned_at
      FROM jsonb_populate_recordset(NULL::reminders, CAST(:rows AS jsonb))
        ON CONFLICT ON CONSTRAINT uq_reminders_once DO NOTHING
    """
)
_DUE = text(
    """
    SELECT r.id FROM reminders r
     WHERE r.state = 'waiting' AND r.planned_at <= :now
       AND NOT EXISTS (SELECT FROM tasks t WHERE t.key = 'remind:' || r.id)
     ORDER BY r.planned_at
     LIMIT :most
    """
)


@task
def queue_due() -> None:
    """Plan what has come near, and hand over what is due; whatever does not fit goes on in a run of its own."""
    now = clock.now()
    since = _last_run()
    whole = since is None or now - since > timedelta(hours=1) or now.hour != since.hour
    if plan_all(now, None if whole else since):
        hand_over(now)
    else:
        tasks.later(queue_due)


@task
def plan_whole() -> None:
    """After a change to what a clinic sends: plan everything anew that is not in the ledger."""
    plan_all(clock.now())


def plan_all(now: datetime, since: datetime | None = None) -> bool:
    """Plan until nothing is left; False when there was too much for one run."""
    return any(plan(now, since) < AT_ONCE for _round in range(MOST_ROUNDS))


def plan(now: datetime, since: datetime | None = None) -> int:
    """Write the next steps that are not in the ledger into it; returns how many there were.

    `since` is when a run has seen everything; None looks at all visits ahead. A step whose time had passed when the
    visit was booked, or moved to its time, is void from the start.
    """
    seen = {
        "now": now,
        "until": now + EARLIEST,
        "reached": since + EARLIEST - OVERLAP if since else EVERYTHING,
        "fresh": _id_at(since - OVERLAP if since else now),
    }
    found = session().execute(_NOT_PLANNED, {**seen, "most": AT_ONCE}).all()
    if found:
        session().execute(_KEEP, {"now": now, "rows": orjson.dumps([_row(one) for one in found]).decode()})
    return len(found)


def hand_over(now: datetime) -> None:
    """One task for each reminder that is due and has none yet."""
    due = session().scalars(_DUE, {"now": now, "most": AT_ONCE}).all()
    for reminder_id in due:
        tasks.later(sending.send, reminder_id, key=f"remind:{reminder_id}")
    if len(due) == AT_ONCE:
        tasks.later(queue_due)


def _last_run() -> datetime | None:
    """When the last run that was kept began."""
    done = select(Task.created_at).where(Task.name == tasks.name_of(queue_due), Task.state == "done")
    return session().scalar(done.order_by(Task.id.desc()).limit(1))


def _id_at(moment: datetime) -> UUID:
    """The least id made at this moment or later (UUIDv7: milliseconds, then chance)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _row(one: Any) -> dict[str, Any]:
    at = planned_at(one.starts_at, one.minutes_before, Quiet.of(one))
    too_late = at <= max(one.created_at, one.moved_at or one.created_at)
    return {
        "id": new_id(),
        "appointment_id": one.id,
        "version": one.version,
        "minutes_before": one.minutes_before,
        "channel": one.channel,
        "state": "void" if too_late else "waiting",
        "planned_at": at,
    }
