"""One request, one transaction: an answer below 400 keeps, anything else undoes."""

from __future__ import annotations

import threading

import pytest
from flask import Response, g
from sqlalchemy import func, select, text

from portal.app import PortalFlask
from portal.core import tasks
from portal.core.actor import Actor
from portal.core.db import db, keep, new_id, session
from portal.core.errors import Conflict, Forbidden, Refused
from portal.core.events import Event, record
from portal.core.tasks import Task
from portal.domain.identity.models import User
from tests.builders import make_user
from tests.core.test_tasks import note

WHO = Actor(user_id=new_id(), door="web")


@pytest.fixture
def probe(where):
    """A portal with a few doors of its own, on the same connection."""
    app = PortalFlask("probe")
    app.config |= {"SQLALCHEMY_DATABASE_URI": where.config["SQLALCHEMY_DATABASE_URI"], "SECRET_KEY": "probe"}
    db.init_app(app)
    own = db._app_engines[app][None]
    db._app_engines[app][None] = db._app_engines[where][None]
    app.register_error_handler(Refused, lambda no: (no.code, no.status))

    @app.post("/answer/<int:status>")
    def answer(status):
        _change()
        return Response(status=status)

    @app.post("/refuse")
    def refuse():
        _change()
        raise Conflict

    @app.post("/refuse-and-tell")
    def refuse_and_tell():
        g.actor = WHO
        _change()
        raise Forbidden(audit="thing.refused", user_id=new_id(), name="never in an event")

    @app.post("/break")
    def break_():
        _change()
        raise ZeroDivisionError

    @app.post("/swap/<first>/<second>")
    def swap(first, second):
        _rename(first)
        meet = app.extensions.get("meet")
        if meet and not g.get("met"):
            g.met = True
            meet.wait(10)
        _rename(second)
        return "swapped"

    yield app
    own.dispose()


@pytest.mark.parametrize("status", [200, 201, 204, 302, 303])
def test_an_answer_below_400_keeps(probe, database, status):
    assert probe.test_client().post(f"/answer/{status}").status_code == status
    assert _kept() == (1, 1, 1)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500, 503])
def test_an_answer_from_400_undoes(probe, database, status):
    assert probe.test_client().post(f"/answer/{status}").status_code == status
    assert _kept() == (0, 0, 0)


def test_a_refusal_undoes(probe, database):
    assert probe.test_client().post("/refuse").status_code == 409
    assert _kept() == (0, 0, 0)


def test_a_failure_undoes(probe, database):
    probe.config["PROPAGATE_EXCEPTIONS"] = False
    assert probe.test_client().post("/break").status_code == 500
    assert _kept() == (0, 0, 0)


def test_the_audit_event_of_a_refusal_stays_although_all_else_is_undone(probe, database):
    assert probe.test_client().post("/refuse-and-tell").status_code == 403
    assert _kept() == (0, 1, 0)
    event = session().scalars(select(Event)).one()
    assert (event.name, event.actor_id) == ("thing.refused", WHO.user_id)
    assert list(event.facts) == ["user_id"]


def test_what_a_refused_request_asked_for_does_not_leak_into_the_next(probe, database):
    client = probe.test_client()
    client.post("/refuse")
    client.post("/answer/200")
    assert _kept() == (1, 1, 1)


@pytest.mark.race
def test_requests_that_wait_for_each_other_in_a_circle_both_succeed(committed, probe):
    one, other = make_user("One", "First").id, make_user("Other", "Second").id
    keep()
    probe.extensions["meet"] = threading.Barrier(2)
    answers = []

    def ask(first, second):
        try:
            answers.append(probe.test_client().post(f"/swap/{first}/{second}").status_code)
        except threading.BrokenBarrierError:
            answers.append(None)

    threads = [threading.Thread(target=ask, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    session().expire_all()
    assert set(session().scalars(select(User.family_name))) == {"First!!", "Second!!"}


def _change() -> None:
    user = make_user()
    record(WHO, "user.made", user)
    tasks.later(note, user.id)


def _rename(user_id) -> None:
    session().execute(text("UPDATE users SET family_name = family_name || '!' WHERE id = :id"), {"id": str(user_id)})


def _kept() -> tuple[int, int, int]:
    return tuple(session().scalar(select(func.count()).select_from(table)) for table in (User, Event, Task))
