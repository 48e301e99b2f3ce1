"""Two desks at once: one number each, one patient called once, one walk-in."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.core.errors import Refused
from portal.domain.clinics.models import Clinic
from portal.domain.day import calling, walk_ins
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from tests.builders import at, make_patient, register_at

WALLS = ("08:00", "08:30", "09:00", "09:30", "10:00", "10:30", "11:00", "11:30")


@pytest.fixture
def crowd(committed: Any, nadia: Any, dr_benali: Any, el_djazair: Any) -> list[Any]:
    """Eight visits of one morning."""
    found = []
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    for wall in WALLS:
        patient = make_patient(given_name="Guest", family_name=wall.replace(":", " h "))
        register_at(patient, clinic)
        kind = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
        found.append(booking.book(nadia.actor, starts_at=at(wall), patient_id=patient.id, **kind).id)
    keep()
    return found


def frozen(moment: Any, do: Any) -> Any:
    def run() -> Any:
        with standing_at(moment):
            return do()

    return run


def test_eight_check_ins_at_once_get_eight_numbers(crowd: list[Any], race: Any, nadia: Any) -> None:
    who, moment = nadia.actor, at("07:50")
    results = race([frozen(moment, lambda key=key: visits.check_in(who, key).queue_number) for key in crowd])
    assert sorted(results) == list(range(1, 9))


def test_two_check_ins_of_one_patient_give_one_number(crowd: list[Any], race: Any, nadia: Any) -> None:
    who, moment = nadia.actor, at("07:50")
    results = race([frozen(moment, lambda: visits.check_in(who, crowd[0]).queue_number)] * 4)
    assert sorted(map(str, results)).count("1") == 1
    assert sum(isinstance(result, Refused) for result in results) == 3


def test_two_desks_that_call_next_at_once_call_one_patient_once(
    crowd: list[Any], race: Any, nadia: Any, admin: Any, dr_benali: Any, el_djazair: Any
) -> None:
    desk, other, moment = nadia.actor, admin.actor, at("07:55")
    with standing_at(moment):
        for key in crowd[:3]:
            visits.check_in(desk, key)

    def call(who: Any) -> Any:
        return frozen(
            moment,
            lambda: calling.call_next(who, el_djazair.clinic_id, dr_benali.doctor_id, expected=crowd[0]).id,
        )

    results = race([call(desk), call(other)] * 4)
    assert results.count(crowd[0]) == 1
    assert {result.code for result in results if isinstance(result, Refused)} == {"called_meanwhile"}
    called = select(func.count()).where(Appointment.called_at.is_not(None))
    assert session().scalar(called) == 1


def test_calling_next_at_once_without_having_looked_calls_each_once(
    crowd: list[Any], race: Any, nadia: Any, dr_benali: Any, el_djazair: Any
) -> None:
    who, moment = nadia.actor, at("07:55")
    with standing_at(moment):
        for key in crowd[:3]:
            visits.check_in(who, key)
    results = race([frozen(moment, lambda: calling.call_next(who, el_djazair.clinic_id, dr_benali.doctor_id).id)] * 5)
    assert sorted(one for one in results if not isinstance(one, Refused)) == sorted(crowd[:3])
    assert [one.code for one in results if isinstance(one, Refused)] == ["nobody_waits"] * 2


def test_a_double_click_on_a_walk_in_makes_one(
    committed: Any, race: Any, nadia: Any, dr_benali: Any, el_djazair: Any
) -> None:
    patient = make_patient(given_name="Walk", family_name="In")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    who, moment, key = nadia.actor, at("09:10"), patient.id
    results = race(
        [
            frozen(
                moment,
                lambda: (
                    walk_ins.add(
                        who, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, patient_id=key
                    ).queue_number
                ),
            )
        ]
        * 4
    )
    assert results.count(1) == 1
    assert {one.code for one in results if isinstance(one, Refused)} == {"already_on_the_list"}
