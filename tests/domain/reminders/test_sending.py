"""Each due reminder once, nothing that is past or not so any more, and nobody falls through."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from portal.core import clock
from portal.core.db import keep, session
from portal.core.tasks import Task
from portal.domain.clinics.models import Clinic
from portal.domain.notifications.models import Notification
from portal.domain.patients.models import Delegation, Patient
from portal.domain.reminders import answering, queue, settings
from portal.domain.reminders.models import Reminder, ReminderStep
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.planning import CallItem
from portal.gateways import sms
from tests.builders import at, make_patient


def test_each_step_is_sent_once_at_its_time(visit, run, before, mailbox, texts, amina):
    for span in ({"days": 7}, {"hours": 24}, {"hours": 2}):
        run(before(**span) - timedelta(minutes=1))
        early = len(mailbox._box.read()) + len(texts())
        run(before(**span), minutes=3)
        assert len(mailbox._box.read()) + len(texts()) == early + 1
    assert _states(visit) == [(10080, "email", "sent"), (1440, "email", "sent"), (120, "sms", "sent")]
    assert _kinds(amina) == ["appointment.booked"] + ["appointment.reminder"] * 3


def test_the_day_before_it_asks_and_later_it_does_not(visit, run, before, mailbox, texts, amina):
    run(before(hours=24))
    letter = mailbox.latest(amina.email)
    assert letter["Subject"] == "Will you come?"
    assert "/go/attendance." in mailbox.text(amina.email)
    run(before(hours=2))
    assert "Will you come" not in texts()[0].text


def test_who_has_promised_is_not_asked_again(visit, run, before, mailbox, amina):
    answering.promise(amina.actor, visit.id, version=1)
    keep()
    run(before(hours=24))
    assert mailbox.latest(amina.email)["Subject"] == "Your visit is soon"


def test_a_message_says_when_and_where_and_never_why(visit, run, before, mailbox, texts, amina):
    visit.reason = "a private matter"
    keep()
    run(before(hours=24))
    run(before(hours=2))
    sent = mailbox.latest(amina.email).as_string() + texts()[0].text
    assert "private matter" not in sent
    assert "Clinique El Djazair" in texts()[0].text
    assert texts()[0].to == "+213550000001"
    assert texts()[0].parts <= 2
    assert set(texts()[0].text) <= sms.GSM7


# --- the clock stops and starts again ---


def test_after_three_hours_of_silence_each_due_one_is_sent_once(visit, run, before, mailbox, amina):
    run(before(days=7))
    run(before(hours=25), minutes=2)
    assert len(mailbox.to(amina.email)) == 1
    run(before(hours=22), minutes=3)
    assert [letter["Subject"] for letter in mailbox.to(amina.email)] == ["Will you come?", "Your visit is soon"]


def test_a_visit_that_has_begun_meanwhile_is_not_reminded_of(visit, run, before, mailbox, texts):
    run(before(days=8))
    run(visit.starts_at, minutes=2)
    run(visit.starts_at + timedelta(hours=1))
    assert mailbox._box.read() == []
    assert texts() == []


def test_of_several_due_steps_only_the_nearest_is_sent(visit, run, before, mailbox, texts):
    run(before(minutes=90), minutes=2)
    assert mailbox._box.read() == []
    assert len(texts()) == 1
    assert _states(visit) == [(10080, "email", "void"), (1440, "email", "void"), (120, "sms", "sent")]


def test_a_step_whose_time_had_passed_at_booking_is_not_sent(
    reminding, run, amina, dr_benali, el_djazair, mailbox, drain
):
    made = booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("10:00", 3),
    )
    drain()
    mailbox._box.clear()
    run(clock.now() + timedelta(minutes=5))
    assert mailbox._box.read() == []
    assert _states(made) == [(10080, "email", "void")]


def test_two_clocks_and_every_task_twice_send_once(visit, run, before, mailbox, standing_at, drain):
    with standing_at(before(hours=24)):
        queue.queue_due()
        queue.queue_due()
        keep()
        drain()
        session().execute(update(Task).values(state="waiting", due_at=before(hours=25)))
        keep()
        drain()
    assert len(mailbox._box.read()) == 1


def test_a_worker_that_dies_after_the_mail_left_sends_once(
    visit, before, mailbox, standing_at, drain, app, monkeypatch
):
    """The message left, the transaction did not: the next try hands over the same message, which is taken once."""
    box = app.extensions["portal.mail"]
    really = box.send

    def dies(message):
        really(message)
        raise OSError("killed")

    monkeypatch.setattr(box, "send", dies)
    with standing_at(before(hours=24)):
        queue.queue_due()
        keep()
        drain()
        monkeypatch.setattr(box, "send", really)
    with standing_at(before(hours=23)):
        queue.queue_due()
        keep()
        drain()
    assert len(box.read()) == 1
    assert (1440, "email", "sent") in _states(visit)


# --- what changed is not reminded of as it was ---


def test_a_move_voids_what_waits_and_reminds_of_the_new_time(
    visit, run, before, mailbox, amina, dr_benali, drain, standing_at
):
    run(before(days=8))
    assert [one.state for one in _ledger(visit)] == ["waiting"]
    with standing_at(before(days=8) + timedelta(minutes=5)):
        booking.reschedule(amina.actor, visit.id, starts_at=visit.starts_at + timedelta(hours=4))
        drain()
    mailbox._box.clear()
    assert _states(visit) == [(10080, "email", "void")]
    run(before(days=7))
    assert mailbox._box.read() == []
    run(before(days=7) + timedelta(hours=4))
    assert "14:00" in mailbox.text(amina.email)
    assert [(one.version, one.state) for one in _ledger(visit)] == [(1, "void"), (2, "sent")]


def test_a_move_asks_again(visit, amina, drain):
    answering.promise(amina.actor, visit.id, version=1)
    booking.reschedule(amina.actor, visit.id, starts_at=at("11:00", 9))
    drain()
    assert session().get_one(Appointment, visit.id).promised_at is None


def test_a_visit_moved_after_the_steps_time_is_not_reminded_by_that_step(
    visit, run, before, mailbox, amina, drain, standing_at
):
    with standing_at(before(days=6)):
        booking.reschedule(amina.actor, visit.id, starts_at=visit.starts_at + timedelta(hours=1))
        drain()
    mailbox._box.clear()
    run(before(days=5))
    assert mailbox._box.read() == []
    assert (2, "void") in [(one.version, one.state) for one in _ledger(visit)]


def test_a_cancellation_voids_what_waits(visit, run, before, mailbox, amina, drain, standing_at):
    run(before(days=8))
    with standing_at(before(days=8)):
        booking.cancel(amina.actor, visit.id)
        drain()
    mailbox._box.clear()
    assert _states(visit) == [(10080, "email", "void")]
    run(before(days=7))
    run(before(hours=24))
    assert mailbox._box.read() == []


def test_a_visit_cancelled_between_planning_and_sending_is_not_reminded_of(
    visit, before, mailbox, amina, standing_at, drain
):
    with standing_at(before(hours=24)):
        queue.queue_due()
        booking.cancel(amina.actor, visit.id)
        keep()
        drain()
    assert all(letter["Subject"] != "Will you come?" for letter in mailbox.to(amina.email))
    assert {state for _, _, state in _states(visit)} == {"void"}


# --- escalation ---


def test_a_failing_mail_server_escalates_to_sms(visit, run, before, texts, no_mail):
    run(before(hours=24), minutes=8)
    assert len(texts()) == 1
    assert _states(visit) == [(10080, "email", "void"), (1440, "email", "failed"), (1440, "sms", "sent")]
    assert _calls() == []


def test_when_sms_fails_too_the_desk_is_asked_to_call_once(visit, run, before, texts, no_mail, no_sms, amina):
    run(before(hours=24), minutes=20)
    assert texts() == []
    (call,) = _calls()
    assert (call.code, call.patient_id, call.appointment_id) == ("reminder_failed", amina.patient_id, visit.id)
    assert [state for _, _, state in _states(visit)] == ["void", "failed", "failed"]


def test_a_number_the_provider_refuses_is_not_tried_again(visit, run, before, mailbox, app, monkeypatch, amina):
    tried = []

    def refuses(to, text, key):
        tried.append(to)
        raise sms.Refused("no such number")

    monkeypatch.setattr(app.extensions["portal.sms"], "send", refuses)
    run(before(hours=2), minutes=3)
    assert tried == ["+213550000001"]
    assert len(mailbox.to(amina.email)) == 1


def test_nobody_falls_through_when_there_is_neither_address_nor_phone(visit, run, before, amina):
    patient = session().get_one(Patient, amina.patient_id)
    patient.user_id, patient.phone, patient.email = None, "", ""
    keep()
    run(before(hours=24), minutes=2)
    assert [call.code for call in _calls()] == ["no_contact"]


def test_a_step_by_mail_only_calls_nobody_about_a_patient_who_gets_an_sms_later(
    visit, run, before, texts, amina, mailbox
):
    patient = session().get_one(Patient, amina.patient_id)
    patient.user_id, patient.email = None, ""
    keep()
    run(before(days=7), minutes=2)
    assert (_states(visit), _calls(), texts()) == ([(10080, "email", "failed")], [], [])
    run(before(hours=24), minutes=2)
    assert len(texts()) == 1
    assert _calls() == []


def test_a_patient_no_step_can_reach_is_called(visit, run, before, amina):
    session().execute(update(ReminderStep).values(channels=["email"]))
    patient = session().get_one(Patient, amina.patient_id)
    patient.user_id, patient.email = None, ""
    keep()
    run(before(days=7), minutes=2)
    assert [call.code for call in _calls()] == ["no_contact"]


def test_a_patient_without_an_account_is_reminded_by_sms(reminding, run, nadia, dr_benali, el_djazair, texts, drain):
    from tests.builders import register_at

    patient = make_patient(phone="+213661000000")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    made = booking.book(
        nadia.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("10:00", 9),
        patient_id=patient.id,
    )
    drain()
    run(made.starts_at - timedelta(hours=24), minutes=2)
    assert [one.to for one in texts()] == ["+213661000000"] * 2  # the confirmation, and the reminder
    assert "Will you come?" in texts()[0].text
    assert session().scalars(select(Notification).where(Notification.kind == "appointment.reminder")).all() == []


def test_those_who_book_for_a_patient_are_reminded_and_told_of_whom(visit, run, before, mailbox, amina, yacine):
    session().add(
        Delegation(
            patient_id=amina.patient_id, user_id=yacine.user_id, relation="spouse", scopes=["view", "book"],
            starts_on=clock.today(clock.home()),
        )
    )  # fmt: skip
    keep()
    run(before(hours=24))
    assert "This is about Amina Boudiaf" in mailbox.text(yacine.email)
    assert "This is about" not in mailbox.text(amina.email)
    assert _states(visit)[1] == (1440, "email", "sent")


def test_one_carer_who_is_reached_is_enough(visit, run, before, amina, yacine, app, monkeypatch, texts):
    box = app.extensions["portal.mail"]
    really = box.send

    def fails_for_amina(message):
        if amina.email in str(message["To"]):
            raise OSError("away")
        really(message)

    monkeypatch.setattr(box, "send", fails_for_amina)
    test = Delegation(
        patient_id=amina.patient_id, user_id=yacine.user_id, relation="spouse", scopes=["view", "book"],
        starts_on=clock.today(clock.home()),
    )  # fmt: skip
    session().add(test)
    keep()
    run(before(hours=24), minutes=12)
    assert (1440, "email", "sent") in _states(visit)
    assert texts() == []


# --- quiet hours ---


def test_what_is_due_in_quiet_hours_after_a_downtime_waits_for_their_end(
    visit, run, before, mailbox, drain, standing_at
):
    session().execute(delete(ReminderStep).where(ReminderStep.minutes_before == 120))
    run(before(days=7))
    mailbox._box.clear()
    run(before(hours=11), minutes=3)  # eleven at night before a visit at ten
    assert mailbox._box.read() == []
    run(before(hours=2))
    assert len(mailbox._box.read()) == 1
    assert [one.sent_at for one in _ledger(visit) if one.minutes_before == 1440] == [before(hours=2)]


def test_other_quiet_hours_plan_anew_what_is_not_due(visit, run, before, standing_at, superadmin, drain):
    run(before(days=8))
    assert _ledger(visit)[0].planned_at == before(days=7)
    clinic = session().get_one(Clinic, visit.clinic_id)
    from datetime import time

    from portal.core.events import record

    clinic.quiet_from, clinic.quiet_until = time(9), time(12)
    with standing_at(before(days=8)):
        record(superadmin.actor, "clinic.changed", clinic, clinic_id=clinic.id, fields=["quiet_from", "quiet_until"])
        drain()
    run(before(days=8) + timedelta(minutes=1))
    assert _ledger(visit)[0].planned_at == before(days=7) + timedelta(hours=2)


def test_a_run_costs_a_fixed_number_of_statements(visit, before, statements, standing_at):
    with standing_at(before(hours=24)), statements() as count:
        queue.queue_due()
        assert count() <= 5


def test_a_run_sees_what_has_come_near_since_the_last_one_and_nothing_twice(visit, before):
    near = before(days=7) - queue.EARLIEST
    minute = timedelta(minutes=1)
    assert queue.plan(near - minute, near - 2 * minute) == 0
    assert queue.plan(near, near - minute) == 1
    assert queue.plan(near + minute, near) == 0


def test_a_run_sees_what_was_booked_or_moved_since_the_last_one(reminding, amina, dr_benali, el_djazair):
    ago = clock.now() - timedelta(minutes=1)
    assert queue.plan(clock.now(), ago) == 0
    made = booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("10:00", 4),
    )
    keep()
    assert queue.plan(clock.now(), ago) == 1
    booking.reschedule(amina.actor, made.id, starts_at=at("11:00", 4))
    keep()
    assert queue.plan(clock.now(), ago) == 1
    assert queue.plan(clock.now(), ago) == 0


def test_a_run_that_was_missed_for_hours_looks_at_everything(visit, run, before):
    run(before(days=9))
    run(before(days=5), minutes=2)
    assert _states(visit) == [(10080, "email", "sent")]


def test_a_reminder_that_is_added_is_planned_at_once(visit, run, before, superadmin, standing_at, drain, mailbox):
    run(before(hours=60), minutes=2)
    mailbox._box.clear()
    with standing_at(before(hours=60) + timedelta(minutes=2)):
        settings.add(superadmin.actor, visit.clinic_id, minutes_before=48 * 60, channels=["email"], asks=False)
        drain()
    assert 2880 in [one.minutes_before for one in _ledger(visit)]


def test_a_run_that_is_full_goes_on_in_another(visit, before, standing_at, monkeypatch, mailbox, drain):
    monkeypatch.setattr(queue, "AT_ONCE", 1)
    monkeypatch.setattr(queue, "MOST_ROUNDS", 2)
    with standing_at(before(hours=24)):
        queue.queue_due()
        keep()
        drain()
    assert len(mailbox._box.read()) == 1


@pytest.fixture
def no_mail(app, monkeypatch):
    """A mail server that is away."""
    monkeypatch.setattr(app.extensions["portal.mail"], "send", _away)


@pytest.fixture
def no_sms(app, monkeypatch):
    """A provider that is away."""
    monkeypatch.setattr(app.extensions["portal.sms"], "send", _away)


def _away(*_):
    raise OSError("away")


def _ledger(visit):
    statement = select(Reminder).where(Reminder.appointment_id == visit.id)
    order = (Reminder.version, Reminder.minutes_before.desc(), Reminder.created_at)
    return session().scalars(statement.order_by(*order).execution_options(populate_existing=True)).all()


def _states(visit):
    """What became of each reminder that does not wait any more."""
    return [(one.minutes_before, one.channel, one.state) for one in _ledger(visit) if one.state != "waiting"]


def _sent(visit):
    return [one for one in _ledger(visit) if one.state == "sent"]


def _calls():
    return session().scalars(select(CallItem)).all()


def _kinds(person):
    return (
        session()
        .scalars(
            select(Notification.kind).where(Notification.user_id == person.user_id).order_by(Notification.created_at)
        )
        .all()
    )
