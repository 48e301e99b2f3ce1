"""Who answers for a patient is told, by a way that works; whoever cannot be reached is called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.tasks import Task
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.notifications import delivery, inbox, kinds
from portal.domain.notifications.models import Delivery
from portal.domain.patients.models import Delegation, Patient
from portal.domain.scheduling import booking
from portal.domain.scheduling.planning import CallItem
from portal.gateways import sms
from tests.builders import at, make_patient, register_at


@pytest.fixture
def texts(app):
    box = app.extensions["portal.sms"]
    box.clear()
    yield box.read
    box.clear()


@pytest.fixture
def at_desk(nadia, dr_benali, el_djazair):
    """A function that books for a patient at the desk."""

    def book(patient_id, wall="09:00"):
        made = booking.book(
            nadia.actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall, 5),
            patient_id=patient_id,
        )
        keep()
        return made

    return book


@pytest.fixture
def without_account(el_djazair):
    """A function that makes a patient of the clinic who has no account."""

    def make(**about):
        patient = make_patient(**about)
        register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
        keep()
        return patient.id

    return make


def test_a_patient_without_an_account_is_told_by_mail_with_a_link_that_needs_none(at_desk, without_account, mailbox):
    at_desk(without_account(email="meriem@example.dz"))
    text = mailbox.text("meriem@example.dz")
    assert "/go/attendance." in text
    assert "because the clinic has this address" in text
    assert "/patient/" not in text


def test_one_without_an_address_is_told_by_sms(at_desk, without_account, drain, texts):
    at_desk(without_account(phone="+213661000000"))
    drain()
    (one,) = texts()
    assert one.to == "+213661000000"
    assert "Clinique El Djazair: appointment booked for" in one.text
    assert "Benali" not in one.text


def test_their_messages_come_in_their_language(at_desk, without_account, drain, texts):
    at_desk(without_account(phone="+213661000000", preferred_language="ar"))
    drain()
    assert "Clinique El Djazair" in texts()[0].text


def test_one_with_neither_is_called_when_something_changes_but_not_for_what_was_said_at_the_desk(
    at_desk, without_account, drain, nadia
):
    made = at_desk(without_account(phone=""))
    drain()
    assert _calls() == []
    booking.cancel(nadia.actor, made.id, code="doctor_away")
    drain()
    assert [(call.code, call.appointment_id) for call in _calls()] == [("no_contact", made.id)]


def test_those_who_book_for_a_patient_are_told_and_the_notice_names_the_patient(
    at_desk, without_account, mailbox, amina, yacine, lina
):
    child = without_account(given_name="Sami", family_name="Boudiaf", phone="")
    _cares(amina, child, ["view", "book"])
    _cares(yacine, child, ["view"])
    _cares(
        lina,
        child,
        ["view", "book"],
        ends_on=clock.today(clock.home()) - timedelta(days=1),
        starts_on=at("09:00", -9).date(),
    )
    at_desk(child)
    assert "This is about Sami Boudiaf" in mailbox.text(amina.email)
    assert inbox.mine(amina.actor).items[0].said.startswith("For Sami Boudiaf: Booked")
    assert mailbox.to(yacine.email) == []
    assert mailbox.to(lina.email) == []


def test_ones_own_notice_names_nobody(at_desk, mailbox, amina, el_djazair):
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    at_desk(amina.patient_id)
    assert "This is about" not in mailbox.text(amina.email)
    assert inbox.mine(amina.actor).items[0].said.startswith("Booked")


def test_mail_that_fails_for_good_goes_by_sms_and_then_to_the_desk(
    at_desk, without_account, drain, texts, app, monkeypatch, standing_at, nadia
):
    made = at_desk(without_account(email="meriem@example.dz", phone="+213661000000"))
    drain()
    booking.cancel(nadia.actor, made.id)
    monkeypatch.setattr(app.extensions["portal.mail"], "send", _away)
    _until_given_up(drain, standing_at)
    assert "is cancelled" in texts()[0].text
    assert _states("appointment.cancelled") == [("email", "failed"), ("sms", "sent")]
    assert _calls() == []


def test_when_every_way_fails_the_desk_is_asked_to_call_once(
    at_desk, without_account, drain, app, monkeypatch, standing_at, nadia
):
    made = at_desk(without_account(email="meriem@example.dz", phone="+213661000000"))
    drain()
    booking.cancel(nadia.actor, made.id)
    monkeypatch.setattr(app.extensions["portal.mail"], "send", _away)
    monkeypatch.setattr(app.extensions["portal.sms"], "send", _refuses)
    _until_given_up(drain, standing_at)
    assert _states("appointment.cancelled") == [("email", "failed"), ("sms", "failed")]
    assert [call.code for call in _calls()] == ["message_failed"]
    failed = session().scalars(select(Task.name).where(Task.state == "failed")).all()
    assert set(failed) == {"notifications.delivery.deliver"}


def test_a_refused_number_is_not_tried_again(at_desk, without_account, drain, app, monkeypatch):
    at_desk(without_account(phone="+213661000000"))
    monkeypatch.setattr(app.extensions["portal.sms"], "send", _refuses)
    drain()
    (task,) = session().scalars(select(Task).where(Task.state == "failed"))
    assert task.attempts == 1


def test_a_failed_message_that_an_admin_tries_again_is_sent(at_desk, without_account, drain, app, monkeypatch, texts):
    from portal.core import tasks

    at_desk(without_account(phone="+213661000000"))
    box = app.extensions["portal.sms"]
    really = box.send
    monkeypatch.setattr(box, "send", _refuses)
    drain()
    monkeypatch.setattr(box, "send", really)
    tasks.retry(session().scalars(select(Task.id).where(Task.state == "failed")).one())
    drain()
    assert len(texts()) == 1
    assert _states("appointment.booked") == [("sms", "sent")]


def test_a_doctor_whose_mail_fails_is_nobody_to_call(at_desk, without_account, drain, app, monkeypatch, standing_at):
    at_desk(without_account(phone="+213661000000"))
    monkeypatch.setattr(app.extensions["portal.mail"], "send", _away)
    _until_given_up(drain, standing_at)
    assert _states("doctor.booked") == [("email", "failed")]
    assert _calls() == []


def test_somebody_whose_account_is_shut_before_the_mail_leaves_is_not_written_to(
    at_desk, drain, mailbox, amina, el_djazair
):
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    made = at_desk(amina.patient_id)
    delivery.tell(session().get_one(User, amina.user_id), "appointment.moved", made, "x")
    session().get_one(User, amina.user_id).deactivated_at = clock.now()
    keep()
    assert mailbox.to(amina.email) == []
    assert _states("appointment.moved") == [("email", "void")]


def test_telling_the_same_thing_twice_tells_it_once(at_desk, without_account, drain, texts):
    made = at_desk(without_account(phone="+213661000000"))
    drain()
    for _ in range(2):
        delivery.tell_patient(made.patient_id, "appointment.cancelled", made, "the-same", clinic_id=made.clinic_id)
    drain()
    assert len(texts()) == 2


def test_without_a_provider_sms_is_no_way(at_desk, without_account, drain, monkeypatch, texts, nadia):
    monkeypatch.setattr(sms, "_transport", None)
    made = at_desk(without_account(phone="+213661000000"))
    booking.cancel(nadia.actor, made.id)
    drain()
    assert texts() == []
    assert [call.code for call in _calls()] == ["no_contact"]


def test_a_kind_that_is_not_known_any_more_is_shown_and_never_sent(amina, drain, mailbox, at_desk, el_djazair):
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    made = at_desk(amina.patient_id)
    drain()
    mailbox._box.clear()
    delivery.tell(session().get_one(User, amina.user_id), "of.yesterday", made, "x")
    drain()
    line = inbox.mine(amina.actor).items[0]
    assert (line.said, line.url) == ("Something changed.", None)
    assert mailbox._box.read() == []


def test_the_inbox_reads_a_page_of_many_kinds_by_a_fixed_number_of_statements(amina, at_desk, statements, el_djazair):
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    visits = [at_desk(amina.patient_id, wall) for wall in ("09:00", "10:00", "11:00")]
    user = session().get_one(User, amina.user_id)
    for number, visit in enumerate(visits):
        for name in ("appointment.booked", "appointment.confirmed", "appointment.moved"):
            delivery.tell(user, name, visit, f"{number}{name}", ())
    keep()
    actor = amina.actor
    with statements() as count:
        assert len(inbox.mine(actor).items) == 9
        assert count() <= 3


def test_what_is_told_in_the_app_only_asks_nobody_to_call(at_desk, without_account, drain):
    made = at_desk(without_account(phone=""))
    kinds.add(kinds.Kind("trial.quiet", kinds.get("appointment.booked").read, lambda facts, subject: "Quiet."))
    try:
        assert delivery.tell_patient(made.patient_id, "trial.quiet", made, "x", clinic_id=made.clinic_id) == 0
    finally:
        kinds._known.pop("trial.quiet")
    assert _calls() == []


def _cares(person, patient_id, scopes, **more):
    about = {"starts_on": clock.today(clock.home()), **more}
    session().add(Delegation(patient_id=patient_id, user_id=person.user_id, relation="child", scopes=scopes, **about))
    keep()


def _until_given_up(drain, standing_at):
    for hours in range(6):
        with standing_at(clock.now() + timedelta(hours=3 * hours)):
            drain()


def _away(*_):
    raise OSError("away")


def _refuses(*_):
    raise sms.Refused("no such number")


def _calls():
    return session().scalars(select(CallItem)).all()


def _states(notice):
    found = session().scalars(select(Delivery).where(Delivery.notice == notice).order_by(Delivery.created_at))
    return [(one.channel, one.state) for one in found]
