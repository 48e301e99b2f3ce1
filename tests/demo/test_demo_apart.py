"""The demo stays away from real people, and its own people are always the same."""

from __future__ import annotations

import random
from datetime import date

from sqlalchemy import func, select

from portal import demo
from portal.core.db import keep, session
from portal.demo import people
from portal.domain.patients.models import Patient
from tests.builders import make_patient, make_user


def test_it_is_not_put_among_real_people(database, app):
    make_patient(make_user())
    keep()
    assert demo.seed(app).startswith("This database is in use")
    assert session().scalar(select(func.count()).select_from(Patient)) == 1


def test_the_same_people_come_out_every_time():
    first, second = (people.patients(random.Random(7), date(2026, 3, 31)) for _ in range(2))
    assert first == second
    assert len({who.email for who in first if who.email}) == people.WITH_ACCOUNT
    assert len(first) == people.WITH_ACCOUNT + people.WITHOUT_ACCOUNT
