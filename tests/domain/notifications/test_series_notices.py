"""One message for a series, however many visits it has; so too when several of them are called off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.db import session
from portal.domain.clinics.models import Clinic
from portal.domain.notifications.models import Notification
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, series
from portal.domain.scheduling.models import Appointment
from tests.builders import at, register_at

WEEK = timedelta(days=7)


@pytest.fixture
def run(nadia: Any, amina: Any, dr_benali: Any, el_djazair: Any) -> list[Appointment]:
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    return _book(nadia, amina, dr_benali, el_djazair.consultation_id)


def _book(desk: Any, patient: Any, doctor: Any, kind: Any) -> list[Appointment]:
    return series.book(
        desk.actor,
        practice_id=doctor.practice_id,
        visit_type_id=kind,
        patient_id=patient.patient_id,
        times=[at() + n * WEEK for n in range(4)],
        every_days=7,
    )[1]


def _told(person: Any) -> list[str]:
    found = select(Notification.kind).where(Notification.user_id == person.user_id).order_by(Notification.created_at)
    return list(session().scalars(found))


def test_a_series_is_told_in_one_letter_with_all_its_times(run: Any, mailbox: Any, amina: Any) -> None:
    (letter,) = mailbox.to(amina.email)
    text = mailbox.text(amina.email)
    assert letter["Subject"].startswith("Your visits are booked")
    assert text.count("\n- ") == 4
    assert "Samira Benali" in text
    assert "09:00" in text
    (calendar,) = list(letter.iter_attachments())
    assert str(calendar.get_content()).count("BEGIN:VEVENT") == 4


def test_the_app_says_it_once_to_the_patient_and_to_the_doctor(
    run: Any, drain: Any, amina: Any, dr_benali: Any
) -> None:
    drain()
    assert _told(amina) == ["series.booked"]
    assert _told(dr_benali) == ["doctor.series_booked"]


def test_visits_called_off_together_are_told_together(
    run: Any, mailbox: Any, drain: Any, amina: Any, nadia: Any, dr_benali: Any
) -> None:
    drain()
    series.cancel(nadia.actor, run[1].id, following=True, code="doctor_away")
    assert len(mailbox.to(amina.email)) == 2
    text = mailbox.text(amina.email)
    assert "These visits are cancelled" in text
    assert text.count("\n- ") == 3
    assert _told(amina) == ["series.booked", "series.cancelled"]
    assert _told(dr_benali) == ["doctor.series_booked", "doctor.series_cancelled"]


def test_one_visit_of_a_series_that_is_called_off_is_told_as_any_other(
    run: Any, mailbox: Any, drain: Any, amina: Any, nadia: Any
) -> None:
    drain()
    booking.cancel(nadia.actor, run[1].id)
    drain()
    assert _told(amina) == ["series.booked", "appointment.cancelled"]


def test_a_series_the_doctor_has_to_confirm_says_so(
    nadia: Any, amina: Any, dr_benali: Any, el_djazair: Any, mailbox: Any
) -> None:
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    _book(nadia, amina, dr_benali, el_djazair.follow_up_id)
    assert mailbox.latest(amina.email)["Subject"].startswith("Your visits are requested")


def test_a_series_that_was_called_off_meanwhile_is_not_announced(
    run: Any, mailbox: Any, amina: Any, nadia: Any
) -> None:
    series.cancel(nadia.actor, run[0].id, following=True)
    assert [letter["Subject"].split(" –")[0] for letter in mailbox.to(amina.email)] == ["Your visits are cancelled"]
