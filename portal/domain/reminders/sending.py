"""Sending reminders: each by the first channel that works, and when none does, the desk is asked to call."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock, tasks
from portal.core.db import new_id, session
from portal.core.events import Event
from portal.core.tasks import task
from portal.core.text import lazy as _
from portal.domain.notifications import kinds, recipients
from portal.domain.notifications.delivery import can_say, tell_patient
from portal.domain.notifications.kinds import Kind
from portal.domain.notifications.models import Delivery
from portal.domain.notifications.words import appointment, patients_page
from portal.domain.reminders import words
from portal.domain.reminders.models import Reminder, ReminderStep
from portal.domain.reminders.planning import Quiet, not_before
from portal.domain.scheduling import calls
from portal.domain.scheduling.models import UPCOMING, Appointment


@task
def send(reminder_id: str) -> None:
    """Remind of one visit by one channel, if it is still so: it stands as it was, and no later step is due already."""
    reminder = _locked(UUID(reminder_id))
    if reminder is None or reminder.state != "waiting" or _was_given(reminder):
        return
    visit = appointment(reminder.appointment_id)
    if not _stands(reminder, visit) or _nearer_is_due(reminder):
        reminder.state = "void"
        return
    now = clock.now()
    wakes = not_before(now, visit.starts_at, Quiet.of(visit.clinic))
    if wakes is not None:
        tasks.later(send, reminder.id, key=f"remind:{reminder.id}:{int(wakes.timestamp())}", due_at=wakes)
        return
    key = f"reminder:{visit.id}:{visit.version}:{reminder.minutes_before}"
    step = _step(reminder, visit)
    facts = {
        "version": visit.version,
        "starts_at": visit.starts_at.isoformat(),
        "minutes_before": reminder.minutes_before,
        "asks": bool(step and step.asks),
        "reminder_id": str(reminder.id),
    }
    if not tell_patient(
        visit.patient_id, words.DUE, visit, key, (reminder.channel,), clinic_id=visit.clinic_id, **facts
    ):
        _escalate(reminder, visit)


@task
def void_old(event_id: str, appointment_id: str) -> None:
    """After a move or a cancellation, what waits for the visit as it was is not sent; a new time is asked for anew."""
    event = session().get(Event, UUID(event_id))
    visit = session().get(
        Appointment, UUID(appointment_id), with_for_update={"key_share": True}, populate_existing=True
    )
    if event is None or visit is None:
        return
    if event.name == "appointment.moved" and visit.promised_at and visit.promised_at < event.created_at:
        visit.promised_at = None
    old = [Reminder.appointment_id == visit.id, Reminder.state == "waiting"]
    if visit.status in UPCOMING:
        old.append(Reminder.version != visit.version)
    session().execute(update(Reminder).where(*old).values(state="void", updated_at=clock.now()))


def after(delivery: Delivery) -> None:
    """What became of one message: the reminder counts as sent with the first that arrived; with none, the next way."""
    reminder = _locked(UUID(str(delivery.facts["reminder_id"])))
    if reminder is None or reminder.state != "waiting":
        return
    if delivery.state == "sent":
        reminder.state, reminder.sent_at = "sent", clock.now()
    elif not _count(reminder, "waiting", "sent"):
        visit = appointment(reminder.appointment_id)
        if _stands(reminder, visit):
            _escalate(reminder, visit)
        else:
            reminder.state = "void"


def _escalate(reminder: Reminder, visit: Appointment) -> None:
    """This channel reached nobody: the step's next one is tried at once; after the last, the desk is asked to call."""
    reminder.state = "failed"
    step = _step(reminder, visit)
    channels = list(step.channels) if step else [reminder.channel]
    place = channels.index(reminder.channel) + 1 if reminder.channel in channels else len(channels)
    if place < len(channels) and (following := _next(reminder, channels[place])):
        tasks.later(send, following, key=f"remind:{following}")
        return
    session().flush()
    tried = _tried_at_all(reminder)
    if tried or not _another_step_will_do(reminder, visit):
        calls.ask(
            clinic_id=visit.clinic_id,
            patient_id=visit.patient_id,
            code="reminder_failed" if tried else "no_contact",
            key=f"reminder:{visit.id}:{visit.version}",
            appointment_id=visit.id,
        )


def _next(reminder: Reminder, channel: str) -> UUID | None:
    now = clock.now()
    return session().scalar(
        insert(Reminder)
        .values(
            id=new_id(),
            created_at=now,
            updated_at=now,
            appointment_id=reminder.appointment_id,
            version=reminder.version,
            minutes_before=reminder.minutes_before,
            channel=channel,
            state="waiting",
            planned_at=now,
        )
        .on_conflict_do_nothing(constraint="uq_reminders_once")
        .returning(Reminder.id)
    )


def _locked(reminder_id: UUID) -> Reminder | None:
    return session().get(Reminder, reminder_id, with_for_update=True, populate_existing=True)


def _stands(reminder: Reminder, visit: Appointment | None) -> bool:
    return (
        visit is not None
        and visit.status in UPCOMING
        and visit.version == reminder.version
        and visit.starts_at > clock.now()
    )


def _nearer_is_due(reminder: Reminder) -> bool:
    """Whether a step closer to the visit is due too: after a downtime one reminder is enough."""
    nearer = select(Reminder.id).where(
        Reminder.appointment_id == reminder.appointment_id,
        Reminder.version == reminder.version,
        Reminder.minutes_before < reminder.minutes_before,
        Reminder.planned_at <= clock.now(),
        Reminder.state != "void",
    )
    return session().scalar(nearer.limit(1)) is not None


def _step(reminder: Reminder, visit: Appointment) -> ReminderStep | None:
    statement = select(ReminderStep).where(
        ReminderStep.clinic_id == visit.clinic_id, ReminderStep.minutes_before == reminder.minutes_before
    )
    return session().scalars(statement).one_or_none()


def _count(reminder: Reminder, *states: str) -> int:
    """How many messages of this reminder are in these states."""
    patient = select(Appointment.patient_id).where(Appointment.id == reminder.appointment_id).scalar_subquery()
    statement = select(func.count()).where(
        Delivery.patient_id == patient,
        Delivery.notice == words.DUE,
        Delivery.facts["reminder_id"].astext == str(reminder.id),
        Delivery.state.in_(states),
    )
    return session().scalar(statement) or 0


def _was_given(reminder: Reminder) -> bool:
    return _count(reminder, "waiting", "sent", "failed", "void") > 0


def _another_step_will_do(reminder: Reminder, visit: Appointment) -> bool:
    """Whether a step closer to the visit goes by a way this patient has, such as an SMS to one without e-mail."""
    nearer = select(ReminderStep.channels).where(
        ReminderStep.clinic_id == visit.clinic_id, ReminderStep.minutes_before < reminder.minutes_before
    )
    ways = {channel for channels in session().scalars(nearer) for channel in channels}
    accounts = recipients.accounts_of(visit.patient_id, visit.clinic_id)
    people = [recipients.of_user(user, visit.patient) for user in accounts] or [recipients.of_patient(visit.patient)]
    return any(one.at(way) and can_say(KIND, way) for one in people for way in ways)


def _tried_at_all(reminder: Reminder) -> bool:
    """Whether any channel of this step had an address to go to."""
    same = select(Reminder).where(
        Reminder.appointment_id == reminder.appointment_id,
        Reminder.version == reminder.version,
        Reminder.minutes_before == reminder.minutes_before,
    )
    return any(_was_given(one) for one in session().scalars(same))


KIND = Kind(
    words.DUE,
    appointment,
    words.sentence,
    letter="reminder",
    about=words.about,
    stands=words.stands,
    sms=words.short,
    url=patients_page,
    after=after,
    label=_("Reminders"),
    icon="bell-ringing",
    tries=4,  # six minutes, then the next channel: a reminder is soon too late
)
kinds.add(KIND)
