"""A patient has died: nothing is sent, accounts and links end, visits go to a list; and a mistake is undone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Forbidden, Gone, Invalid, NotFound
from portal.domain.access import acting, actors
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.notifications import delivery
from portal.domain.notifications.models import Delivery
from portal.domain.patients import care, deaths, requests
from portal.domain.patients.models import SCOPES, Patient
from portal.domain.scheduling import booking, calls
from portal.domain.scheduling.models import Appointment
from portal.domain.waitlist import joining
from portal.domain.waitlist.models import WaitlistEntry
from tests.builders import at, make_member, register_at


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any, drain: Any) -> Appointment:
    made = booking.book(amina.actor, starts_at=at("09:00", 5), **about(dr_benali, el_djazair))
    keep()
    drain()
    return made


def about(dr_benali: Any, el_djazair: Any) -> dict[str, Any]:
    return {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}


def sent() -> int:
    return session().scalar(select(func.count()).select_from(Delivery).where(Delivery.state != "void")) or 0


def test_nothing_is_sent_the_account_and_links_end_and_visits_go_to_the_desk_s_list(
    amina: Any, yacine: Any, nadia: Any, visit: Appointment, dr_benali: Any, el_djazair: Any, drain: Any
) -> None:
    user, husband = session().get_one(User, amina.user_id), session().get_one(User, yacine.user_id)
    record = session().get_one(Patient, amina.patient_id)
    held = care.begin(amina.actor, record, husband, relation="spouse", scopes=SCOPES, until=None)
    entry = joining.join(amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.follow_up_id)
    token = acting.link("attendance", patient_id=amina.patient_id, subject_id=visit.id).removeprefix("/go/")
    keep()
    drain()
    before = sent()
    deaths.note(nadia.actor, amina.patient_id, died_on=date(2020, 1, 1) if record.birth_date is None else None)
    keep()
    drain()
    assert not user.is_active and actors.by_user(amina.user_id) is None
    assert yacine.actor.dependants == {}
    with pytest.raises(Gone):
        acting.read(token)
    listed = [(one.code, one.appointment_id) for one in calls.waiting(nadia.actor)]
    assert listed == [("deceased", visit.id)]
    assert session().get_one(WaitlistEntry, entry.id, populate_existing=True).state == "over"
    booking.cancel(nadia.actor, visit.id)
    keep()
    drain()
    doctors = session().scalars(select(Delivery).where(Delivery.notice.startswith("doctor."))).all()
    assert sent() - len(doctors) <= before and calls.waiting(nadia.actor) == []
    for refused in (
        lambda: booking.book(
            nadia.actor, patient_id=record.id, starts_at=at("10:00", 5), **about(dr_benali, el_djazair)
        ),
        lambda: requests.ask_for_carer(nadia.actor, record.id, email="x@example.dz", relation="other", scopes=["view"]),
    ):
        with pytest.raises(care.Deceased):
            refused()
    assert held.ended_at is not None


def test_a_message_that_is_under_way_does_not_leave(amina: Any, nadia: Any, visit: Appointment, drain: Any) -> None:
    delivery.tell_patient(amina.patient_id, "appointment.booked", visit, "again", clinic_id=visit.clinic_id)
    keep()
    waiting = session().scalars(select(Delivery).where(Delivery.state == "waiting")).all()
    deaths.note(nadia.actor, amina.patient_id)
    keep()
    drain()
    assert waiting and {session().get_one(Delivery, one.id).state for one in waiting} == {"void"}


def test_a_mistake_is_undone(amina: Any, yacine: Any, nadia: Any, visit: Appointment, drain: Any) -> None:
    record, husband = session().get_one(Patient, amina.patient_id), session().get_one(User, yacine.user_id)
    care.begin(amina.actor, record, husband, relation="spouse", scopes=SCOPES, until=None)
    keep()
    deaths.note(nadia.actor, amina.patient_id)
    keep()
    drain()
    deaths.undo(nadia.actor, amina.patient_id)
    keep()
    drain()
    assert amina.actor.patient_id == amina.patient_id and amina.patient_id in yacine.actor.dependants
    assert calls.waiting(nadia.actor) == [] and visit.status == "confirmed"
    with pytest.raises(deaths.NotDeceased):
        deaths.undo(nadia.actor, amina.patient_id)


def test_only_a_desk_that_knows_the_patient_notes_it_and_never_about_a_colleague(
    amina: Any, nadia: Any, kamel: Any, dr_benali: Any, yacine: Any, el_djazair: Any, visit: Appointment
) -> None:
    with pytest.raises(NotFound):
        deaths.note(kamel.actor, amina.patient_id)
    with pytest.raises(Forbidden):
        deaths.note(dr_benali.actor, amina.patient_id)
    with pytest.raises(Invalid):
        deaths.note(nadia.actor, amina.patient_id, died_on=clock.now().date() + timedelta(days=3))
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    register_at(session().get_one(Patient, yacine.patient_id), clinic)
    make_member(session().get_one(User, yacine.user_id), clinic, "staff")
    keep()
    with pytest.raises(deaths.WorksHere):
        deaths.note(nadia.actor, yacine.patient_id)
