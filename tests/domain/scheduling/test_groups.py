"""Group visits: places left for patients, people together for the clinic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core.db import session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import appointments, availability, booking, groups
from portal.domain.scheduling.models import Appointment, Opening, VisitType
from tests.builders import at, make_opening, make_visit_type, working_day


@pytest.fixture
def course(dr_benali: Any, el_djazair: Any) -> VisitType:
    return make_visit_type(session().get_one(Clinic, el_djazair.clinic_id), "Heart school", 60)


@pytest.fixture
def evening(dr_benali: Any, course: VisitType) -> Opening:
    """Four places at 18:00."""
    practice = session().get_one(Practice, dr_benali.practice_id)
    return make_opening(practice, [course], on_date=working_day(), starts="18:00", ends="19:00", capacity=4)


@pytest.fixture
def join(dr_benali: Any, course: VisitType, evening: Opening) -> Any:
    def joining(person: Any) -> Appointment:
        made = booking.book(
            person.actor, practice_id=dr_benali.practice_id, visit_type_id=course.id, starts_at=at("18:00")
        )
        return appointments.find(person.actor, made.id)

    return joining


def test_a_group_after_midnight_has_the_places_of_the_night(
    amina: Any, yacine: Any, dr_benali: Any, course: Any
) -> None:
    practice = session().get_one(Practice, dr_benali.practice_id)
    make_opening(practice, [course], on_date=working_day(), starts="23:00", ends="02:00", capacity=4)
    for person in (amina, yacine):
        late = at("00:00") + timedelta(days=1)
        made = booking.book(person.actor, practice_id=practice.id, visit_type_id=course.id, starts_at=late)
    group = groups.of_visit(dr_benali.actor, appointments.find(dr_benali.actor, made.id))
    assert group is not None and (group.taken, group.places) == (2, 4)


def test_patients_see_the_places_that_are_left(
    amina: Any, dr_benali: Any, course: Any, evening: Any, join: Any
) -> None:
    def left() -> list[int]:
        slots = availability.offers(amina.actor, dr_benali.practice_id, course.id, working_day(), working_day())
        return [slot.places for slot in slots if slot.opening_id in groups.places_of([dr_benali.practice_id])]

    assert left() == [4]
    join(amina)
    assert left() == [3]
    assert groups.places_of([dr_benali.practice_id]) == {str(evening.id): 4}


def test_the_clinic_sees_who_comes_together(amina: Any, yacine: Any, dr_benali: Any, join: Any) -> None:
    first, second = join(amina), join(yacine)
    group = groups.of_visit(dr_benali.actor, appointments.find(dr_benali.actor, first.id))
    assert group is not None
    assert (group.taken, group.places, [one.patient.name for one in group.visits]) == (
        2,
        4,
        ["Amina Boudiaf", "Yacine Meziane"],
    )
    found = groups.of_visits([first, second])
    assert found[first.id] is found[second.id]
    assert list(groups.heads([first, second], found)) == [first.id]
    assert groups.heads([second], found)[second.id].taken == 2


def test_a_patient_sees_nobody_else_in_the_group(amina: Any, yacine: Any, join: Any) -> None:
    own, _other = join(amina), join(yacine)
    group = groups.of_visit(amina.actor, own)
    assert group is not None
    assert [one.id for one in group.visits] == [own.id]


def test_an_ordinary_visit_is_in_no_group(amina: Any, dr_benali: Any, el_djazair: Any, evening: Any) -> None:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    visit = appointments.find(amina.actor, made.id)
    assert groups.of_visit(amina.actor, visit) is None
    assert groups.of_visits([visit]) == {}
    assert groups.of_visits([]) == {}


def test_a_cancelled_visit_leaves_its_group(amina: Any, yacine: Any, join: Any, dr_benali: Any) -> None:
    first, second = join(amina), join(yacine)
    booking.cancel(dr_benali.actor, first.id)
    session().expire_all()
    group = groups.of_visit(dr_benali.actor, appointments.find(dr_benali.actor, second.id))
    assert group is not None
    assert [one.id for one in group.visits] == [second.id]
    assert groups.of_visit(dr_benali.actor, appointments.find(dr_benali.actor, first.id)) is None


def test_those_of_a_group_stand_together_in_a_day(amina: Any, yacine: Any, join: Any) -> None:
    first, second = join(amina), join(yacine)
    assert [one.id for one in groups.together([second, first])] == sorted([first.id, second.id])


def test_a_day_s_groups_take_few_statements(amina: Any, yacine: Any, join: Any, statements: Any) -> None:
    visits = [join(amina), join(yacine)]
    with statements() as count:
        groups.of_visits(visits)
    assert count() <= 2
