"""Overbooking: what is in the way is named, nothing else is booked over, and the mark stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import session
from portal.core.errors import Forbidden, NotFound
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, holds, overbooking
from portal.domain.scheduling.models import Appointment, VisitType
from portal.domain.scheduling.overbooking import Collision, MoreInTheWay
from portal.domain.scheduling.refusals import NotOffered
from tests.builders import at, make_clinic, make_closure, make_practice, make_visit_type, make_week, register_at


@pytest.fixture
def taken(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    return booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00"),
    )


@pytest.fixture
def look(nadia: Any, dr_benali: Any, el_djazair: Any) -> Any:
    """What the desk of El Djazair collides with at this wall time."""

    def looking(wall: str = "09:00", who: Any = nadia, **more: Any) -> list[Collision]:
        kind = more.pop("kind", el_djazair.consultation_id)
        starts_at = more.pop("starts_at", None) or at(wall)
        return overbooking.collisions(who.actor, dr_benali.practice_id, kind, starts_at, **more)

    return looking


def _codes(found: list[Collision]) -> list[str]:
    return [one.key.split(":")[0] for one in found]


def test_nothing_is_in_the_way_of_a_free_time(look: Any) -> None:
    assert look() == []


def test_a_visit_in_the_way_is_named(look: Any, taken: Appointment) -> None:
    (found,) = look("09:00")
    assert (found.key, found.visit, found.is_final) == (f"visit:{taken.id}", taken, False)
    assert found.visit.patient.name == "Amina Boudiaf"


def test_all_visits_in_the_way_are_named(
    look: Any, taken: Appointment, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    other = booking.book(
        yacine.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:30")
    )
    assert [one.key for one in look("09:15")] == ["not_on_grid", f"visit:{taken.id}", f"visit:{other.id}"]


def test_a_time_somebody_is_booking_is_said_without_a_name(
    look: Any, dr_benali: Any, el_djazair: Any, yacine: Any
) -> None:
    kind, practice = el_djazair.consultation_id, dr_benali.practice_id
    holds.place(yacine.actor, practice_id=practice, visit_type_id=kind, starts_at=at("09:00"))
    (found,) = look()
    assert (_codes([found]), found.visit) == (["hold"], None)
    with clock.standing_at(clock.now() + timedelta(minutes=30)):
        assert look() == []


def test_the_rules_in_the_way_are_named(look: Any, dr_benali: Any, el_djazair: Any) -> None:
    assert _codes(look("17:00")) == ["no_opening"]
    assert _codes(look("09:10")) == ["not_on_grid"]
    make_closure(at("08:00"), at("12:00"), practice_id=dr_benali.practice_id)
    assert _codes(look("09:00")) == ["leave"]


def test_a_rule_and_the_visits_behind_it_are_both_named(look: Any, taken: Appointment, dr_benali: Any) -> None:
    make_closure(at("08:00"), at("12:00"), practice_id=dr_benali.practice_id)
    assert _codes(look("09:00")) == ["leave", "visit"]


def test_a_full_day_is_named(look: Any, taken: Appointment, el_djazair: Any) -> None:
    session().get_one(VisitType, el_djazair.consultation_id).most_per_day = 1
    session().flush()
    assert _codes(look("10:00")) == ["day_full"]


def test_buffers_count(look: Any, taken: Appointment, dr_benali: Any) -> None:
    practice = session().get_one(Practice, dr_benali.practice_id)
    long = make_visit_type(session().get_one(Clinic, practice.clinic_id), "Long", 30, buffer_before=15)
    make_week(practice, [long], valid_from=at("09:00").date() + timedelta(days=400))
    found = look("09:30", kind=long.id)
    assert f"visit:{taken.id}" in [one.key for one in found]


def test_the_past_and_the_patient_s_own_time_are_final(look: Any, taken: Appointment, amina: Any) -> None:
    past = look(starts_at=clock.now().replace(second=0, microsecond=0) - timedelta(days=1))
    assert [(one.key, one.is_final) for one in past] == [("past", True)]
    found = look("09:00", patient_id=amina.patient_id)
    assert [(one.key.split(":")[0], one.is_final) for one in found] == [("visit", False), ("patient_busy", True)]


def test_moving_a_visit_its_own_time_is_not_in_the_way(look: Any, taken: Appointment, amina: Any) -> None:
    assert look("09:00", moving_id=taken.id, patient_id=amina.patient_id) == []


def test_a_visit_at_another_clinic_is_not_told(look: Any, dr_benali: Any, yacine: Any) -> None:
    other = make_clinic("Clinique Ailleurs")
    kind = make_visit_type(other)
    practice = session().get_one(Practice, dr_benali.practice_id)
    elsewhere = make_practice(session().get_one(Doctor, practice.doctor_id), other)
    make_week(elsewhere, [kind])
    booking.book(yacine.actor, practice_id=elsewhere.id, visit_type_id=kind.id, starts_at=at("09:00"))
    (found,) = look("09:00")
    assert found.visit is None
    assert "another clinic" in str(found.sentence)


@pytest.mark.parametrize("who", ["kamel", "amina", "dr_haddad"])
def test_only_the_clinic_s_people_may_look(look: Any, taken: Any, who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(Forbidden):
        look("09:00", who=request.getfixturevalue(who))


@pytest.mark.parametrize("who", ["admin", "superadmin", "dr_benali"])
def test_all_of_them(look: Any, taken: Any, who: str, request: pytest.FixtureRequest) -> None:
    assert _codes(look("09:00", who=request.getfixturevalue(who))) == ["visit"]


def test_what_is_not_there_is_not_found(look: Any, wahran: Any) -> None:
    with pytest.raises(NotFound):
        look("09:00", kind=wahran.consultation_id)


def test_only_what_was_seen_is_agreed_to(look: Any, taken: Appointment) -> None:
    found = look("09:00")
    overbooking.agreed(found, [f"visit:{taken.id}", "day_full"])
    overbooking.agreed([], [])
    with pytest.raises(MoreInTheWay):
        overbooking.agreed(found, ["day_full"])


def test_booked_over_it_is_marked_and_the_other_visit_stays(
    nadia: Any, yacine: Any, taken: Appointment, dr_benali: Any, el_djazair: Any
) -> None:
    register_at(session().get_one(Patient, yacine.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    wanted = {
        "practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id, "starts_at": at("09:00"),
        "patient_id": yacine.patient_id,
    }  # fmt: skip
    with pytest.raises(NotOffered):
        booking.book(nadia.actor, **wanted)
    made = booking.book(nadia.actor, **wanted, overbook="Chest pain")
    assert (made.overbooked, made.starts_at) == ("Chest pain", taken.starts_at)
    free = booking.book(nadia.actor, **wanted | {"starts_at": at("10:00")}, overbook="Chest pain")
    assert free.overbooked is None
