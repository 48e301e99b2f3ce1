"""The demo network stands: living, honest, silent about its past, and only where nothing else is."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal import demo, worker
from portal.core import chain, clock, db, seals
from portal.core.tasks import Task
from portal.demo import people
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor
from portal.domain.identity import accounts, passwords
from portal.domain.identity.models import User
from portal.domain.notifications.models import Delivery, Notification
from portal.domain.scheduling import glance
from portal.domain.scheduling.models import Appointment
from tests.builders import actor_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def network(request, app, ground, number):
    """The demo on a database of its own, built once for these tests."""
    from sqlalchemy import create_engine

    url = ground.clone(f"demo_{number}").replace("postgresql://", "postgresql+psycopg2://", 1)
    own, engine = db.db._app_engines[app][None], create_engine(url)
    app.extensions["portal.mail"].clear()
    db.db._app_engines[app][None] = engine
    began = time.process_time()
    said = demo.seed(app)
    with app.app_context():
        yield said, time.process_time() - began
    db.db._app_engines[app][None] = own
    engine.dispose()
    ground.drop(f"demo_{number}")


def test_it_is_there_soon(network):
    said, seconds_of_work = network
    assert said.startswith("The demo network is there: 132 patients")
    assert seconds_of_work < 25  # of this process, so that a busy machine does not count; a minute in all


def test_it_has_clinics_in_several_cities_and_doctors_of_a_dozen_fields(network):
    here = db.session()
    assert len(set(here.scalars(select(Clinic.city)))) == 7
    assert _count(Clinic) == 8
    assert here.scalar(select(func.count()).select_from(Doctor).where(Doctor.public())) == 32
    fields = {field for doctor in here.scalars(select(Doctor).options(*_fields())) for field in doctor.specialties}
    assert len(fields) >= 12


def test_its_past_and_its_future_are_alive(network):
    here = db.session()
    states = dict(here.execute(select(Appointment.status, func.count()).group_by(Appointment.status)).all())
    assert {"confirmed", "completed", "cancelled", "no_show", "pending"} <= set(states)
    for first, last, least in ((-60, -1, 200), (0, 2, 10), (0, 21, 100)):
        began = clock.now() + timedelta(days=first)
        until = clock.now() + timedelta(days=last)
        statement = select(func.count()).where(Appointment.starts_at.between(began, until))
        assert here.scalar(statement) >= least


def test_nothing_of_the_past_is_still_open(network):
    statement = select(func.count()).where(
        Appointment.status.in_(("pending", "confirmed")), Appointment.ends_at < clock.now() - timedelta(hours=2)
    )
    assert db.session().scalar(statement) == 0


def test_what_the_past_would_have_mailed_is_not_mailed(network, app):
    assert app.extensions["portal.mail"].read() == []
    assert _count(Notification) > 20
    worker.drain(app)
    later = select(Task.due_at).where(Task.state != "done")
    assert all(due > clock.now() for due in db.session().scalars(later))
    letters = app.extensions["portal.mail"].read()
    assert 1 <= len(letters) <= 12, "only the day off that is being told tells anybody"
    assert set(db.session().scalars(select(Delivery.state))) == {"sent"}


def test_everybody_on_the_sign_in_page_can_sign_in_and_is_who_they_are_said_to_be(network):
    for email, role, name in demo.SIGN_INS:
        user = accounts.by_email(email)
        assert user is not None, email
        assert passwords.matches(people.PASSWORD, user.password_hash)
        assert role in actor_of(user).roles
        assert user.name in name
    assert len(demo.accounts()) == len(demo.SIGN_INS) + 1


def test_amina_has_visits_behind_her_and_ahead_one_of_which_waits(network):
    amina = actor_of(accounts.by_email("amina@demo.dz"))
    ahead = glance.mine(amina).items
    assert len(ahead) >= 2
    assert "pending" in {visit.status for visit in ahead}
    assert len(glance.mine(amina, "past").items) >= 3


def test_the_audit_of_the_demo_can_be_sealed_and_holds(network):
    while seals.seal().made:
        db.keep()
    assert list(chain.verify()) == []


def test_a_second_time_changes_nothing(network, app):
    before = _count(User), _count(Appointment)
    assert demo.seed(app) == "The demo network is there already."
    assert (_count(User), _count(Appointment)) == before


def _count(table) -> int:
    return db.session().scalar(select(func.count()).select_from(table))


def _fields():
    from sqlalchemy.orm import selectinload

    return (selectinload(Doctor.specialties),)
