"""Which reminders a clinic sends: its admins say so; a new clinic begins with three."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock, tasks
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import Event, record
from portal.core.policy import allow
from portal.core.tasks import task
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic
from portal.domain.reminders import queue
from portal.domain.reminders.models import Reminder, ReminderStep
from portal.domain.reminders.planning import Quiet, planned_at
from portal.domain.scheduling.models import Appointment

MOST_STEPS = 6
DEFAULTS = (  # minutes before, channels, whether it asks “will you come?”
    (7 * 24 * 60, ["email"], False),
    (24 * 60, ["email", "sms"], True),
    (2 * 60, ["sms", "email"], False),
)
PLANNED_BY = {"quiet_from", "quiet_until", "time_zone"}  # what of a clinic decides when reminders are sent


class AlreadyThere(Conflict):
    code = "reminder_there"
    sentence = _("There is a reminder at this time already. Change that one.")


class TooManySteps(Conflict):
    code = "too_many_reminders"
    sentence = _("Six reminders of one visit are enough. Remove one first.")


@dataclass(frozen=True)
class Example:
    """When the visit of an example is reminded of."""

    starts_at: datetime
    sent: list[tuple[ReminderStep, datetime]]


def of_clinic(actor: Actor, clinic_id: UUID) -> list[ReminderStep]:
    """The clinic's reminders, the earliest first; raises NotFound for a clinic the actor does not run."""
    managing.get(actor, clinic_id)
    return _steps(clinic_id)


def add(actor: Actor, clinic_id: UUID, *, minutes_before: int, channels: list[str], asks: bool) -> ReminderStep:
    """Remind once more; raises NotFound, TooManySteps or AlreadyThere."""
    managing.get(actor, clinic_id, lock=True)
    there = _steps(clinic_id)
    allow(len(there) < MOST_STEPS, TooManySteps)
    allow(all(one.minutes_before != minutes_before for one in there), AlreadyThere)
    made = ReminderStep(clinic_id=clinic_id, minutes_before=minutes_before, channels=channels, asks=asks)
    session().add(made)
    session().flush()
    tasks.later(queue.plan_whole)
    record(actor, "reminder_step.added", made, minutes_before=minutes_before, channels=channels, asks=asks)
    return made


def change(actor: Actor, step_id: UUID, *, minutes_before: int, channels: list[str], asks: bool) -> ReminderStep:
    """Remind at another time, by other channels; what waits is planned anew. Raises NotFound or AlreadyThere."""
    step = _mine(actor, step_id)
    there = [one.minutes_before for one in _steps(step.clinic_id) if one.id != step.id]
    allow(minutes_before not in there, AlreadyThere)
    _forget_planned(step.clinic_id, step.minutes_before)
    step.minutes_before, step.channels, step.asks = minutes_before, channels, asks
    session().flush()
    record(actor, "reminder_step.changed", step, minutes_before=minutes_before, channels=channels, asks=asks)
    return step


def remove(actor: Actor, step_id: UUID) -> ReminderStep:
    """Do not send this reminder any more; raises NotFound."""
    step = _mine(actor, step_id)
    _forget_planned(step.clinic_id, step.minutes_before)
    session().delete(step)
    session().flush()
    record(actor, "reminder_step.removed", step, minutes_before=step.minutes_before)
    return step


def clinic_of(actor: Actor, step_id: UUID) -> Clinic:
    """The clinic whose reminder this is; raises NotFound when the actor does not run it."""
    step = session().get(ReminderStep, step_id) or refuse(NotFound)
    return managing.get(actor, step.clinic_id)


def examples(clinic: Clinic, steps: list[ReminderStep]) -> list[Example]:
    """When visits of a day next week, at nine and at three, would be reminded of."""
    quiet, day = Quiet.of(clinic), clock.today(clinic.zone) + timedelta(days=7)
    starts = [datetime.combine(day, time(hour), clinic.zone) for hour in (9, 15)]
    return [Example(one, _sent(one, steps, quiet)) for one in starts]


@task
def set_up(event_id: str, clinic_id: str) -> None:
    """A new clinic begins with three reminders; one that has its own keeps them."""
    begin_with_defaults(UUID(clinic_id))


def begin_with_defaults(clinic_id: UUID) -> None:
    """Give a clinic without reminders the ones we recommend."""
    if session().scalar(select(func.count()).where(ReminderStep.clinic_id == clinic_id)):
        return
    now = clock.now()
    rows = [
        {
            "id": new_id(),
            "created_at": now,
            "updated_at": now,
            "clinic_id": clinic_id,
            "minutes_before": minutes,
            "channels": channels,
            "asks": asks,
        }
        for minutes, channels, asks in DEFAULTS
    ]
    session().execute(insert(ReminderStep).values(rows).on_conflict_do_nothing())


@task
def plan_anew(event_id: str, clinic_id: str) -> None:
    """After other quiet hours or another zone, what is not due yet is planned anew."""
    event = session().get(Event, UUID(event_id))
    if event is not None and PLANNED_BY & set(event.facts.get("fields", ())):
        _forget_planned(UUID(clinic_id))


def _sent(starts_at: datetime, steps: list[ReminderStep], quiet: Quiet) -> list[tuple[ReminderStep, datetime]]:
    times = [(step, planned_at(starts_at, step.minutes_before, quiet)) for step in steps]
    return sorted(times, key=lambda one: one[1])


def _mine(actor: Actor, step_id: UUID) -> ReminderStep:
    step = session().get(ReminderStep, step_id) or refuse(NotFound)
    managing.get(actor, step.clinic_id, lock=True)
    return step


def _steps(clinic_id: UUID) -> list[ReminderStep]:
    statement = select(ReminderStep).where(ReminderStep.clinic_id == clinic_id)
    return list(session().scalars(statement.order_by(ReminderStep.minutes_before.desc())))


def _forget_planned(clinic_id: UUID, minutes_before: int | None = None) -> None:
    """What waits and is not due yet leaves the ledger, and is planned anew."""
    visits = select(Appointment.id).where(Appointment.clinic_id == clinic_id, Appointment.starts_at > clock.now())
    which = [Reminder.appointment_id.in_(visits), Reminder.state == "waiting", Reminder.planned_at > clock.now()]
    if minutes_before is not None:
        which.append(Reminder.minutes_before == minutes_before)
    session().execute(delete(Reminder).where(*which))
    tasks.later(queue.plan_whole)
