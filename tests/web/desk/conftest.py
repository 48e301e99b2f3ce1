"""Somebody at the desk of El Djazair, their visit and their series."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, series
from portal.domain.scheduling.models import Appointment
from tests.builders import (
    at,
    make_patient,
    register_at,
)
from tests.web.desk.arranging import wish_of

WEEK = timedelta(days=7)


@pytest.fixture
def selma(el_djazair: Any) -> Patient:
    """Known at El Djazair, without an account."""
    patient = make_patient(given_name="Selma", family_name="Bensalem", phone="+213550112233")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return patient


@pytest.fixture
def visit(selma: Patient, nadia: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    made = booking.book(nadia.actor, **wish_of(selma, dr_benali, el_djazair))
    keep()
    return made


@pytest.fixture
def run(selma: Patient, nadia: Any, dr_benali: Any, el_djazair: Any) -> list[Appointment]:
    wish = wish_of(selma, dr_benali, el_djazair)
    del wish["starts_at"]
    times = [at("10:30") + n * WEEK for n in range(4)]
    made = series.book(nadia.actor, **wish, times=times, every_days=7)[1]
    keep()
    return made
