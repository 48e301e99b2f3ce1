"""Changes over booked visits at the same moment as everything else, and with the power going off in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select, text

from portal.core.db import keep, session
from portal.core.errors import Refused
from portal.domain.changes import answering, applying, listing, planning
from portal.domain.changes.models import Change, Proposal
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, Closure, Hold, VisitType
from tests.builders import at, make_opening, make_patient, make_user, register_at, working_day
from tests.engines import environment
from tests.processes import ROOT
from tests.races.test_booking_races import crowd, ways

WALLS = [f"{hour:02}:{minute:02}" for hour in (8, 9, 10, 11, 13, 14, 15) for minute in (0, 30)]


@pytest.fixture
def book(dr_benali: Any, el_djazair: Any) -> Any:
    def at_(actor: Any, wall: str) -> Appointment:
        return booking.book(
            actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall),
        )

    return at_


@pytest.fixture
def plan(dr_benali: Any) -> Any:
    def make(actor: Any = None, **more: Any) -> Change:
        about = {"first": working_day(), "last": working_day(), **more}
        change = planning.plan(actor or dr_benali.actor, "close_doctor", dr_benali.doctor_id, **about)
        keep()
        return change

    return make


@pytest.mark.parametrize("round_", range(3))
def test_a_visit_booked_while_the_change_is_saved_is_refused_or_decided(
    committed, race, round_, book, plan, amina, dr_benali
):
    book(amina.actor, "08:00")
    change, doctor = plan().id, dr_benali.actor
    people = crowd(8)
    bookings = [(lambda one=one, wall=wall: book(one, wall)) for one, wall in zip(people, WALLS[1:], strict=False)]
    *booked, saved = race([*bookings, lambda: applying.apply(doctor, change, {})])
    assert isinstance(saved, Change) or saved.code == "look_again", saved
    assert all(isinstance(one, Appointment) or one.code == "leave" for one in booked), booked
    if isinstance(saved, Refused):
        assert session().scalar(select(func.count()).select_from(Closure)) == 0
    assert _undecided() == 0


def test_forty_patients_who_accept_at_once_all_get_their_times(committed, race, book, plan, dr_benali, el_djazair):
    practice = session().get_one(Practice, dr_benali.practice_id)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    make_opening(practice, [kind], on_date=working_day(), starts="16:00", ends="23:00", capacity=3)
    people = crowd(40)
    evening = [f"{hour:02}:{minute:02}" for hour in range(16, 23) for minute in (0, 30)]
    for one, wall in zip(people, [*WALLS, *evening, *evening], strict=False):
        book(one, wall)
    keep()
    change = applying.apply(dr_benali.actor, plan().id, {})
    keep()
    wanted = {line.visit.patient_id: line.proposal.id for line in listing.show(dr_benali.actor, change.id).lines}
    results = race([(lambda one=one: answering.accept(one, wanted[one.patient_id])) for one in people])
    assert ways(results) == {"Proposal": 40}
    assert _overlapping() == 0
    moved = select(func.count()).where(Appointment.version == 2, Appointment.starts_at > at("23:30"))
    assert session().scalar(moved) == 40
    assert session().scalar(select(func.count()).select_from(Hold)) == 0


def test_the_double_click_accepts_once(committed, race, book, plan, amina, dr_benali):
    proposal = _asked(book, plan, amina, dr_benali)
    actor = amina.actor
    results = race([lambda: answering.accept(actor, proposal)] * 6)
    assert ways(results) == {"Proposal": 6}
    assert session().scalars(select(Appointment.version)).one() == 2


def test_different_answers_at_once_are_one_answer(committed, race, book, plan, amina, nadia, dr_benali):
    proposal = _asked(book, plan, amina, dr_benali)
    visit = session().get_one(Proposal, proposal).appointment_id
    patient, desk = amina.actor, nadia.actor
    another = at("14:00", 6)
    results = race(
        [
            lambda: answering.accept(patient, proposal),
            lambda: answering.choose(patient, proposal, starts_at=another),
            lambda: answering.call_off(patient, proposal),
            lambda: booking.cancel(desk, visit, version=1),
            lambda: answering.unanswered(str(proposal)),
        ]
    )
    assert not [one for one in results if isinstance(one, Exception) and not isinstance(one, Refused)], results
    assert Counter(type(one).__name__ for one in results[:4] if not isinstance(one, Refused)).total() == 1
    assert _overlapping() == 0
    assert session().scalar(select(func.count()).where(Appointment.status == "confirmed")) in {0, 1}


def test_a_change_saved_twice_at_once_is_saved_once(committed, race, book, plan, amina, nadia, dr_benali):
    book(amina.actor, "09:00")
    change, doctor, desk = plan().id, dr_benali.actor, nadia.actor
    results = race([lambda: applying.apply(doctor, change, {}), lambda: applying.apply(desk, change, {})])
    assert ways(results) == {"Change": 1, "change_over": 1}
    assert session().scalar(select(func.count()).select_from(Closure)) == 1


def test_two_people_planning_at_once_hold_no_place_twice(committed, race, book, plan, amina, nadia, dr_benali):
    for one, wall in zip(crowd(10), WALLS, strict=False):
        book(one, wall)
    keep()
    doctor, desk = dr_benali.actor, nadia.actor
    results = race([lambda: plan(doctor), lambda: plan(desk), lambda: plan(doctor, note="again")])
    assert ways(results) == {"Change": 3}
    assert _overlapping() == 0
    kept = session().execute(select(Hold.starts_at, func.count()).group_by(Hold.starts_at)).all()
    assert {count for _starts, count in kept} == {1}


def test_the_clock_dropping_a_plan_while_it_is_saved_harms_nobody(
    committed, race, book, plan, amina, dr_benali, standing_at
):
    book(amina.actor, "09:00")
    change, doctor = plan(), dr_benali.actor
    key, until = change.id, change.held_until

    def drop() -> int:
        with standing_at(until):
            return planning.drop_stale()

    results = race([lambda: applying.apply(doctor, key, {}), drop])
    assert all(not isinstance(one, Exception) or isinstance(one, Refused) for one in results), results
    assert _undecided() == 0


@pytest.fixture
def live_portal(request: pytest.FixtureRequest) -> Any:
    """The processes behind `live_server`."""
    return request.getfixturevalue("_live")


_CRASH = """
import sys
from portal import create_app
from portal.core.db import transaction
from portal.domain.access import actors
from portal.domain.changes import applying
from uuid import UUID
app = create_app()
with app.app_context(), transaction():
    applying.apply(actors.by_user(UUID(sys.argv[1])), sys.argv[2], {})
    print("in the middle", flush=True)
    sys.stdin.read()
"""


def test_a_process_killed_in_the_middle_leaves_nothing_and_saved_again_it_is_whole(
    committed, ground, number, data, book, plan, dr_benali, drain
):
    for one, wall in zip(crowd(12), WALLS, strict=False):
        book(one, wall)
    change = plan().id
    told = environment(ground, f"committed_{number}", 8 + number, PORTAL_DATA=str(data / "crash"))
    command = [sys.executable, "-c", _CRASH, str(dr_benali.user_id), str(change)]
    child = subprocess.Popen(command, cwd=ROOT, env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline().strip() == "in the middle"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    session().rollback()
    assert session().scalar(select(func.count()).select_from(Closure)) == 0
    assert session().get_one(Change, change).state == "draft"
    assert session().scalar(text("SELECT count(*) FROM tasks WHERE key LIKE 'change:%'")) == 0
    keep()
    applying.apply(dr_benali.actor, change, {})
    keep()
    assert _undecided() == 0
    drain()
    asked = text("SELECT count(*), count(DISTINCT user_id) FROM deliveries WHERE notice = 'change.asked'")
    assert tuple(session().execute(asked).one()) == (12, 12)


@pytest.mark.drill
@pytest.mark.xdist_group("journeys")
def test_with_the_worker_killed_again_and_again_everybody_is_asked_once(
    live_server, live_portal, live_mailbox, plan, dr_benali, el_djazair
):
    practice = session().get_one(Practice, dr_benali.practice_id)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    make_opening(practice, [kind], on_date=working_day(), starts="16:00", ends="23:00", capacity=3)
    evening = [f"{hour:02}:{minute:02}" for hour in range(16, 23) for minute in (0, 30)]
    people = []
    for wall in [*WALLS, *evening, *evening][:40]:
        user = make_user("Guest", "Patient")
        patient = make_patient(user)
        people.append((user.email, patient.id))
        booking.book(
            dr_benali.actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=kind.id,
            starts_at=at(wall),
            patient_id=_known(patient, practice),
        )
    keep()
    applying.apply(dr_benali.actor, plan().id, {})
    keep()
    for _kill in range(4):
        time.sleep(0.5)
        live_portal.stop("worker", by=signal.SIGKILL)
        live_portal.start("worker")
    give_up = time.monotonic() + 90
    while len(_asked_by(live_mailbox)) < 40 and time.monotonic() < give_up:
        time.sleep(0.3)
    assert _asked_by(live_mailbox) == {email: 1 for email, _id in people}
    assert _undecided() == 0


def _asked(book: Any, plan: Any, amina: Any, dr_benali: Any) -> Any:
    book(amina.actor, "09:00")
    keep()
    applying.apply(dr_benali.actor, plan().id, {})
    keep()
    return session().scalars(select(Proposal.id)).one()


def _known(patient: Any, practice: Practice) -> Any:
    """The patient, once the clinic knows them, so that its doctor may book for them."""
    register_at(patient, session().get_one(Clinic, practice.clinic_id))
    return patient.id


def _asked_by(mailbox: Any) -> Counter[str]:
    letters = [letter for letter in mailbox.all() if "has to change" in str(letter["Subject"])]
    return Counter(str(letter["To"]).rpartition("<")[2].strip(">") for letter in letters)


def _undecided() -> int:
    """Visits inside a closure for which nobody has decided anything."""
    return (
        session().scalar(
            text(
                "SELECT count(*) FROM appointments a JOIN closures c ON c.doctor_id = a.doctor_id"
                " AND a.starts_at < c.ends_at AND a.ends_at > c.starts_at"
                " WHERE a.status IN ('pending', 'confirmed')"
                " AND NOT EXISTS (SELECT FROM proposals p JOIN changes h ON h.id = p.change_id AND h.state = 'applied'"
                "                  WHERE p.appointment_id = a.id AND p.decision IS NOT NULL)"
            )
        )
        or 0
    )


def _overlapping() -> int:
    return (
        session().scalar(
            text(
                "SELECT count(*) FROM occupancies a JOIN occupancies b ON a.id < b.id AND a.resource_id = b.resource_id"
                " AND a.lane = b.lane AND a.during && b.during"
            )
        )
        or 0
    )
