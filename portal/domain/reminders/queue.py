"""By the clock: plan each step of each visit once, and hand over what is due. Nothing depends on a run not missed.

The ledger is made from what stands in the database at that moment, so after a downtime everything still useful is
caught up with: due is what is planned until now for a visit that has not begun.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock, tasks
from portal.core.db import new_id, session
from portal.core.tasks import task
from portal.domain.reminders import sending
from portal.domain.reminders.models import Reminder
from portal.domain.reminders.planning import Quiet, planned_at

AT_ONCE = 1000
MOST_ROUNDS = 20
EARLIEST = timedelta(hours=25)  # how much earlier than asked for quiet hours may make a reminder

_NOT_PLANNED = text(
    """
    SELECT a.id, a.version, a.starts_at, a.created_at, s.minutes_before, s.channels[1] AS channel,
           c.time_zone, c.quiet_from, c.quiet_until,
           CASE WHEN a.version > 1 THEN
             (SELECT max(e.created_at) FROM events e
               WHERE e.subject_type = 'appointment' AND e.subject_id = a.id AND e.name = 'appointment.moved')
           END AS moved_at
      FROM reminder_steps s
      JOIN clinics c ON c.id = s.clinic_id
      JOIN appointments a ON a.clinic_id = s.clinic_id AND a.status IN ('pending', 'confirmed')
       AND a.starts_at > :now AND a.starts_at <= :until + make_interval(mins => s.minutes_before)
     WHERE NOT EXISTS (SELECT FROM reminders r WHERE r.appointment_id = a.id AND r.version = a.version
                          AND r.minutes_before = s.minutes_before)
     ORDER BY a.starts_at, a.id
     LIMIT :most
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
    for _round in range(MOST_ROUNDS):
        if plan(now) < AT_ONCE:
            break
    else:
        tasks.later(queue_due)
        return
    due = session().scalars(_DUE, {"now": now, "most": AT_ONCE}).all()
    for reminder_id in due:
        tasks.later(sending.send, reminder_id, key=f"remind:{reminder_id}")
    if len(due) == AT_ONCE:
        tasks.later(queue_due)


def plan(now: datetime) -> int:
    """Write the next steps that are not in the ledger into it; returns how many there were.

    A step whose time had passed when the visit was booked, or moved to its time, is void from the start.
    """
    found = session().execute(_NOT_PLANNED, {"now": now, "until": now + EARLIEST, "most": AT_ONCE}).all()
    if found:
        rows = [_row(one, now) for one in found]
        session().execute(insert(Reminder).values(rows).on_conflict_do_nothing(constraint="uq_reminders_once"))
    return len(found)


def _row(one: Any, now: datetime) -> dict[str, Any]:
    at = planned_at(one.starts_at, one.minutes_before, Quiet.of(one))
    too_late = at <= max(one.created_at, one.moved_at or one.created_at)
    return {
        "id": new_id(),
        "created_at": now,
        "updated_at": now,
        "appointment_id": one.id,
        "version": one.version,
        "minutes_before": one.minutes_before,
        "channel": one.channel,
        "state": "void" if too_late else "waiting",
        "planned_at": at,
    }
