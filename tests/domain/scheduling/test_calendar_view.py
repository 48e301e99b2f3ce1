"""The clinic's calendar: whose it is, what stands on it, and moving a visit on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portal.core.db import keep, session
from portal.core.errors import Invalid, NotFound
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import booking, calendar_view, holds
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.refusals import NotOffered, StaleVersion, TimeTaken
from tests.builders import ALGIERS, at, make_closure, make_doctor, make_practice, make_week, working_day


@pytest.fixture
def second(dr_benali: Any, el_djazair: Any) -> Practice:
    """Another doctor of the same clinic with the same hours."""
    practice = make_practice(make_doctor(given_name="Amel", family_name="Aziz"), clinic(el_djazair))
    make_week(practice, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    return practice


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Any:
    return book(amina, dr_benali, el_djazair)


def clinic(place: Any) -> Clinic:
    return session().get_one(Clinic, place.clinic_id)


def book(patient: Any, doctor: Any, place: Any, wall: str = "09:00") -> Any:
    return booking.book(
        patient.actor, practice_id=doctor.practice_id, visit_type_id=place.consultation_id, starts_at=at(wall)
    )


def test_the_desk_sees_its_own_clinics_by_name(nadia: Any, kamel: Any, superadmin: Any, wahran: Any) -> None:
    assert [one.name for one in calendar_view.clinics_of(nadia.actor)] == ["Clinique El Djazair"]
    assert [one.id for one in calendar_view.clinics_of(kamel.actor)] == [wahran.clinic_id]
    assert len(calendar_view.clinics_of(superadmin.actor)) == 2


def test_a_day_shows_every_doctor_with_hours_visits_kept_times_and_what_is_closed(
    nadia: Any, dr_benali: Any, el_djazair: Any, amina: Any, yacine: Any, second: Practice, visit: Any
) -> None:
    make_closure(at("13:00"), at("16:00"), practice_id=second.id)
    session().add(Holiday(clinic_id=el_djazair.clinic_id, day=working_day(), name="Revolution Day"))
    day = working_day()
    board = calendar_view.board(nadia.actor, clinic(el_djazair), day, day)
    assert [one.doctor.family_name for one in board.practices] == ["Aziz", "Benali"]
    assert [one.id for one in board.visits] == [visit.id]
    assert len(board.hours) == 4
    assert [one.name for one in board.holidays] == ["Revolution Day"]
    assert [calendar_view.concerns(board.off[0], one) for one in board.practices] == [True, False]


def test_a_kept_time_says_whose_it_is_only_to_those_who_may_know(
    nadia: Any, dr_benali: Any, el_djazair: Any, amina: Any, visit: Any
) -> None:
    day = working_day()
    holds.place(
        nadia.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("10:00")
    )
    board = calendar_view.board(nadia.actor, clinic(el_djazair), day, day)
    assert [(one.starts_at, one.patient) for one in board.kept] == [(at("10:00"), "")]


def test_a_practice_that_was_ended_stands_on_the_calendar_while_it_has_visits(
    nadia: Any, el_djazair: Any, second: Practice, dr_benali: Any, visit: Any
) -> None:
    session().get_one(Practice, visit.practice_id).is_active = False
    session().flush()
    day = working_day()
    assert len(calendar_view.board(nadia.actor, clinic(el_djazair), day, day).practices) == 2
    other = day + timedelta(days=1)
    assert len(calendar_view.board(nadia.actor, clinic(el_djazair), other, other).practices) == 1


def test_those_who_are_not_there_that_day_are_left_out_unless_nobody_is(
    nadia: Any, el_djazair: Any, dr_benali: Any, second: Practice
) -> None:
    make_practice(make_doctor(given_name="Nour", family_name="Zidane"), clinic(el_djazair))
    day = working_day()
    assert len(calendar_view.board(nadia.actor, clinic(el_djazair), day, day).present) == 2
    friday = day + timedelta(days=(4 - day.weekday()) % 7)
    assert len(calendar_view.board(nadia.actor, clinic(el_djazair), friday, friday).present) == 3


def test_one_doctor_is_shown_alone_with_what_concerns_them(
    nadia: Any, el_djazair: Any, dr_benali: Any, second: Practice, visit: Any
) -> None:
    day = working_day()
    make_closure(at("13:00"), at("16:00"), doctor_id=dr_benali.doctor_id)
    asked = calendar_view.board(nadia.actor, clinic(el_djazair), day, day, second.id)
    cut = calendar_view.board(nadia.actor, clinic(el_djazair), day, day).only(second.id)
    for board in (asked, cut):
        assert ([one.id for one in board.practices], board.visits, board.off) == ([second.id], [], [])


def test_a_clinic_one_does_not_work_at_and_a_practice_of_another_do_not_exist(
    nadia: Any, kamel: Any, amina: Any, dr_haddad: Any, el_djazair: Any
) -> None:
    day = working_day()
    for who in (kamel, amina):
        with pytest.raises(NotFound):
            calendar_view.board(who.actor, clinic(el_djazair), day, day)
        with pytest.raises(NotFound):
            calendar_view.practices_of(who.actor, clinic(el_djazair))
    with pytest.raises(NotFound):
        calendar_view.board(nadia.actor, clinic(el_djazair), day, day, dr_haddad.practice_id)


def test_a_board_is_at_most_six_weeks_and_few_statements(
    nadia: Any, el_djazair: Any, dr_benali: Any, second: Practice, visit: Any, statements: Any
) -> None:
    place, who = clinic(el_djazair), nadia.actor
    with statements() as count:
        board = calendar_view.board(who, place, working_day(), working_day() + timedelta(days=400))
    assert (board.last - board.first).days == calendar_view.MOST_DAYS - 1
    assert count() <= 7


def test_a_visit_is_moved_to_a_wall_time_and_can_go_back(nadia: Any, visit: Any) -> None:
    wall = datetime.combine(working_day(), at("10:30").astimezone(ALGIERS).time())
    moved = calendar_view.move(nadia.actor, visit.id, at=wall, version=1)
    assert (moved.visit.starts_at, moved.was, moved.can_go_back) == (at("10:30"), at("09:00"), True)
    back = calendar_view.move(nadia.actor, visit.id, starts_at=moved.was, version=2)
    assert back.visit.starts_at == at("09:00")


def test_a_visit_goes_to_another_doctor_at_the_same_time(nadia: Any, visit: Any, second: Practice) -> None:
    moved = calendar_view.move(nadia.actor, visit.id, starts_at=at("09:00"), practice_id=second.id, version=1)
    assert (moved.visit.practice_id, moved.visit.starts_at) == (second.id, at("09:00"))
    assert moved.was_practice_id != second.id


def test_a_move_is_refused_as_everywhere_else(
    nadia: Any, visit: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    book(yacine, dr_benali, el_djazair, "10:00")
    with pytest.raises(TimeTaken) as taken:
        calendar_view.move(nadia.actor, visit.id, starts_at=at("10:00"), version=1)
    assert taken.value.facts["alternatives"]
    with pytest.raises(NotOffered):
        calendar_view.move(nadia.actor, visit.id, starts_at=at("12:15"), version=1)
    with pytest.raises(StaleVersion):
        calendar_view.move(nadia.actor, visit.id, starts_at=at("11:00"), version=7)
    with pytest.raises(Invalid):
        calendar_view.move(nadia.actor, visit.id, version=1)


@pytest.mark.parametrize("who", ["kamel", "yacine", "dr_haddad"])
def test_nobody_moves_another_clinics_visit(visit: Any, who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotFound):
        calendar_view.move(request.getfixturevalue(who).actor, visit.id, starts_at=at("10:00"))


def test_an_overbooked_visit_offers_no_way_back(
    nadia: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any, visit: Any
) -> None:
    over = booking.book(
        nadia.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00"), patient_id=_known(yacine, el_djazair), overbook="Pain",
    )  # fmt: skip
    assert not calendar_view.move(nadia.actor, over.id, starts_at=at("10:00")).can_go_back


def test_a_wall_time_in_a_gap_is_no_time_and_one_that_comes_twice_is_the_first() -> None:
    paris = ZoneInfo("Europe/Paris")
    with pytest.raises(Invalid):
        calendar_view.instant_of(paris, datetime.fromisoformat("2027-03-28T02:30"))
    assert (
        calendar_view.instant_of(paris, datetime.fromisoformat("2027-10-31T02:30")).isoformat()
        == "2027-10-31T00:30:00+00:00"
    )


def test_a_dragged_visit_snaps_to_the_times_at_which_visits_begin(nadia: Any, el_djazair: Any, dr_benali: Any) -> None:
    day = working_day()
    hours = calendar_view.board(nadia.actor, clinic(el_djazair), day, day).hours
    assert calendar_view.snap(hours, ALGIERS, [30, 45]) == 15
    assert calendar_view.snap(hours, ALGIERS, [20]) == 20
    assert calendar_view.snap(hours, ALGIERS, [7]) == calendar_view.FINEST
    assert calendar_view.snap([], ALGIERS) == calendar_view.COARSEST


def _known(patient: Any, place: Any) -> Any:
    from portal.domain.patients.models import Patient
    from tests.builders import register_at

    register_at(session().get_one(Patient, patient.patient_id), clinic(place))
    return patient.patient_id
