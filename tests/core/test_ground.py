"""The ground the tests stand on holds: what one test does, the next does not see."""

from __future__ import annotations

import threading

from sqlalchemy import func, select

from portal.core.db import keep, session
from portal.core.events import Event, record
from portal.core.tasks import Task
from portal.domain.identity.models import User
from tests.builders import make_user


def test_what_a_test_keeps_is_gone_in_the_next(database):
    _nobody_is_here()
    make_user()
    keep()


def test_what_a_test_keeps_is_gone_in_the_next_again(database):
    _nobody_is_here()
    make_user()
    keep()


def test_a_request_sees_what_the_test_made_and_the_test_what_the_request_made(client, amina):
    answer = client.sign_in(amina).get("/health")
    assert answer.status_code == 200
    assert session().get_one(User, amina.user_id).last_signed_in_at is not None


def test_everybody_has_the_role_they_are_named_for(amina, dr_benali, nadia, admin, superadmin, lina, kamel, wahran):
    assert amina.actor.roles == ("patient",)
    assert amina.actor.email_verified
    assert not lina.actor.email_verified
    assert dr_benali.actor.roles == ("doctor",)
    assert nadia.actor.roles == ("staff",)
    assert admin.actor.roles == ("admin",)
    assert superadmin.actor.roles == ("superadmin",)
    assert kamel.actor.works_at(wahran.clinic_id)
    assert not nadia.actor.works_at(wahran.clinic_id)


def test_what_is_committed_is_seen_by_other_threads_and_gone_afterwards(committed, amina, drain):
    _see_amina_from_a_thread(committed, amina)


def test_what_is_committed_is_seen_by_other_threads_and_gone_afterwards_again(committed, amina, drain):
    _see_amina_from_a_thread(committed, amina)


def _see_amina_from_a_thread(app, amina):
    record(amina.actor, "test.happened")
    keep()
    seen = []

    def look():
        with app.app_context():
            seen.append(session().scalar(select(func.count()).select_from(User)))
            seen.append(session().scalar(select(func.count()).select_from(Event)))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [1, 1]


def _nobody_is_here():
    for table in (User, Event, Task):
        assert session().scalar(select(func.count()).select_from(table)) == 0
