"""Booking: who may, by which rules, and what the database refuses whatever the code says."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Forbidden, NotFound
from portal.core.events import Event
from portal.domain.patients.models import Registration
from portal.domain.scheduling import availability, booking, holds
from portal.domain.scheduling.models import Appointment, Occupancy, VisitType
from portal.domain.scheduling.refusals import (
    EmailNotVerified,
    NoPatientProfile,
    NotInThisState,
    NotOffered,
    NotSelfBookable,
    StaleVersion,
    TimeTaken,
    TooLate,
    TooManyMoves,
    TooManyUpcoming,
)
from tests.builders import at, make_closure, make_opening, working_day


@pytest.fixture
def consult(dr_benali, el_djazair):
    """A function that books a consultation with Dr Benali."""

    def book(person, wall="09:00", ahead=2, **more):
        more.setdefault("starts_at", at(wall, ahead))
        more.setdefault("practice_id", dr_benali.practice_id)
        more.setdefault("visit_type_id", el_djazair.consultation_id)
        return booking.book(person.actor, **more)

    return book


def test_a_booked_visit_is_confirmed_at_once_and_takes_the_doctors_and_the_patients_time(consult, amina, dr_benali):
    made = consult(amina)
    assert (made.status, made.version, made.patient_id) == ("confirmed", 1, amina.patient_id)
    assert made.ends_at - made.starts_at == timedelta(minutes=30)
    taken = {(row.kind, row.resource_id) for row in session().scalars(select(Occupancy))}
    assert taken == {("doctor", dr_benali.doctor_id), ("patient", amina.patient_id)}
    assert session().scalars(select(Registration.patient_id)).all() == [amina.patient_id]


def test_what_was_booked_is_written_down_with_who_did_it(consult, amina):
    made = consult(amina, reason="a headache")
    keep()
    event = session().scalars(select(Event).where(Event.name == "appointment.booked")).one()
    assert (event.actor_id, event.subject_id, event.patient_id) == (amina.user_id, made.id, amina.patient_id)
    assert "headache" not in str(event.facts)


def test_a_type_that_the_doctor_confirms_begins_as_a_request(consult, amina, el_djazair):
    assert consult(amina, visit_type_id=el_djazair.follow_up_id).status == "pending"


def test_a_taken_time_is_refused_with_the_next_free_ones(consult, amina, yacine):
    consult(amina)
    with pytest.raises(TimeTaken) as no:
        consult(yacine)
    alternatives = no.value.facts["alternatives"]
    assert alternatives and at("09:00") not in alternatives
    assert no.value.status == 409


def test_the_times_offered_instead_are_those_nearest_to_the_wish_in_order(consult, amina, yacine):
    consult(amina, "10:30")
    with pytest.raises(TimeTaken) as no:
        consult(yacine, "10:30")
    assert no.value.facts["alternatives"] == [at("09:30"), at("10:00"), at("11:00")]


def test_when_the_day_has_no_other_time_the_nearest_before_and_after_it_are_offered(consult, amina, dr_benali):
    day = at("00:00", 10)
    make_closure(day, day + timedelta(days=1), doctor_id=dr_benali.doctor_id)
    with pytest.raises(NotOffered) as no:
        consult(amina, "15:30", 10)
    offered = no.value.facts["alternatives"]
    assert offered == sorted(offered) and len(offered) == 3
    assert all(abs(one - at("15:30", 10)) < timedelta(days=4) for one in offered)


def test_a_wish_beyond_what_can_be_booked_is_answered_with_the_latest_free_times(consult, amina, yacine):
    with pytest.raises(NotOffered) as no:
        consult(yacine, "15:30", 120)
    *_others, latest = no.value.facts["alternatives"]
    consult(amina, starts_at=latest)
    with pytest.raises(NotOffered) as no:
        consult(yacine, "15:30", 120)
    assert len(no.value.facts["alternatives"]) == 3 and latest not in no.value.facts["alternatives"]


def test_a_patient_who_is_elsewhere_is_offered_times_at_which_they_are_free(consult, amina, dr_haddad, wahran):
    consult(amina, "10:00")
    with pytest.raises(NotOffered) as no:
        consult(amina, "10:00", practice_id=dr_haddad.practice_id, visit_type_id=wahran.consultation_id)
    assert no.value.facts["alternatives"] == [at("09:00"), at("09:30"), at("10:30")]


def test_the_alternatives_can_be_booked(consult, amina, yacine, dr_benali, el_djazair):
    consult(amina)
    with pytest.raises(TimeTaken) as no:
        consult(yacine)
    made = booking.book(
        yacine.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=no.value.facts["alternatives"][0],
    )
    assert made.patient_id == yacine.patient_id


@pytest.mark.parametrize(
    ("wall", "ahead", "reason"),
    [("12:30", 2, "no_opening"), ("09:10", 2, "not_on_grid"), ("09:00", 120, "too_far"), ("09:00", -8, "past")],
)
def test_a_time_outside_the_rules_is_refused_with_its_reason(consult, amina, wall, ahead, reason):
    with pytest.raises(NotOffered) as no:
        consult(amina, wall, ahead)
    assert no.value.code == reason


def test_a_time_within_the_lead_time_is_too_soon(consult, amina, standing_at):
    with standing_at(at("08:00")), pytest.raises(NotOffered) as no:
        consult(amina, "09:00", 0)
    assert no.value.code == "too_soon"


def test_leave_closes_the_doctors_time(consult, amina, dr_benali):
    make_closure(at("08:00"), at("11:00"), doctor_id=dr_benali.doctor_id)
    with pytest.raises(NotOffered) as no:
        consult(amina)
    assert no.value.code == "leave"


def test_a_patient_cannot_be_in_two_places(consult, amina, dr_haddad, wahran):
    consult(amina)
    with pytest.raises(NotOffered) as no:
        consult(amina, practice_id=dr_haddad.practice_id, visit_type_id=wahran.consultation_id)
    assert no.value.code == "patient_busy"


def test_an_unverified_address_books_nothing(consult, lina):
    with pytest.raises(EmailNotVerified):
        consult(lina)


def test_an_account_without_a_patient_profile_books_nothing_for_itself(consult, dr_benali):
    with pytest.raises(NoPatientProfile):
        consult(dr_benali)


def test_a_patient_books_for_nobody_else(consult, amina, yacine):
    with pytest.raises(NotFound):
        consult(amina, patient_id=yacine.patient_id)


def test_the_desk_books_for_a_patient_of_its_clinic_and_the_event_says_who_for_whom(consult, amina, nadia):
    consult(amina)
    consult(nadia, "10:00", patient_id=amina.patient_id)
    keep()
    last = session().scalars(select(Event).where(Event.name == "appointment.booked").order_by(Event.seq.desc())).first()
    assert (last.actor_id, last.patient_id) == (nadia.user_id, amina.patient_id)


def test_the_desk_of_another_clinic_books_nobody_here(consult, amina, kamel):
    consult(amina)
    with pytest.raises(NotFound):
        consult(kamel, "10:00", patient_id=amina.patient_id)


def test_a_doctor_whose_licence_is_not_verified_cannot_be_booked(consult, amina, dr_benali):
    session().execute(text("UPDATE doctors SET licence_verified_at = NULL"))
    with pytest.raises(NotFound):
        consult(amina)


@pytest.mark.parametrize("key", ["practice_id", "visit_type_id"])
def test_what_does_not_exist_is_not_found(consult, amina, key):
    with pytest.raises(NotFound):
        consult(amina, **{key: uuid4()})


def test_another_clinics_visit_type_is_not_found(consult, amina, wahran):
    with pytest.raises(NotFound):
        consult(amina, visit_type_id=wahran.consultation_id)


def test_a_type_for_the_desk_is_not_booked_by_patients(consult, amina, nadia, el_djazair):
    _policy(el_djazair, bookable_by="desk")
    with pytest.raises(NotSelfBookable):
        consult(amina)


def test_a_patient_has_at_most_so_many_visits_of_a_type_ahead(consult, amina, el_djazair):
    _policy(el_djazair, most_upcoming=2)
    consult(amina, "09:00")
    consult(amina, "10:00")
    with pytest.raises(TooManyUpcoming):
        consult(amina, "11:00")


def test_a_day_has_at_most_so_many_patients(consult, amina, yacine, el_djazair):
    _policy(el_djazair, most_per_day=1)
    consult(amina)
    with pytest.raises(NotOffered) as no:
        consult(yacine, "11:00")
    assert no.value.code == "day_full"


def test_a_group_has_as_many_places_as_it_says(consult, amina, yacine, lina, dr_benali, el_djazair):
    _policy(el_djazair)
    day = working_day(5)
    make_opening_on(dr_benali, el_djazair, day, capacity=2)
    session().execute(text("UPDATE users SET email_verified_at = now()"))
    for person in (amina, yacine):
        assert consult(person, "18:00", 5).status == "confirmed"
    with pytest.raises(TimeTaken):
        consult(lina, "18:00", 5)


def test_the_database_itself_refuses_an_overlap(consult, amina, yacine, dr_benali):
    made = consult(amina)
    with pytest.raises(IntegrityError, match="ex_occupancies_no_overlap"), session().begin_nested():
        session().execute(
            text(
                "INSERT INTO occupancies (id, created_at, resource_id, kind, lane, during, appointment_id)"
                " VALUES (gen_random_uuid(), now(), :doctor, 'doctor', 1, tstzrange(:a, :b), :id)"
            ),
            {"doctor": dr_benali.doctor_id, "a": made.starts_at, "b": made.ends_at, "id": made.id},
        )


def test_a_buffer_keeps_the_next_visit_away(consult, amina, yacine, el_djazair):
    _policy(el_djazair, buffer_before=10)
    consult(amina, "09:00")
    with pytest.raises(NotOffered) as no:
        consult(yacine, "09:30")
    assert no.value.code == "buffer"


# --- holds ---


def test_a_hold_keeps_the_time_for_its_owner_alone(consult, amina, yacine, dr_benali, el_djazair):
    _, token = _hold(yacine, dr_benali, el_djazair)
    with pytest.raises(TimeTaken):
        consult(amina)
    assert consult(yacine, hold_token=token).status == "confirmed"
    assert session().scalars(select(Occupancy.hold_id)).all() == [None, None]


def test_a_stranger_may_hold_a_time_before_signing_in(amina, dr_benali, el_djazair, consult):
    from portal.core.actor import NOBODY

    _, token = holds.place(
        NOBODY, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    assert consult(amina, hold_token=token).starts_at == at("09:00")


def test_a_hold_sent_twice_makes_one_appointment(consult, amina, dr_benali, el_djazair):
    _, token = _hold(amina, dr_benali, el_djazair)
    assert consult(amina, hold_token=token).id == consult(amina, hold_token=token).id


def test_an_expired_hold_stands_in_nobodys_way(consult, amina, yacine, dr_benali, el_djazair, standing_at):
    _, token = _hold(yacine, dr_benali, el_djazair)
    with standing_at(clock.now() + timedelta(minutes=11)):
        assert consult(amina).patient_id == amina.patient_id
        with pytest.raises(holds.HoldExpired):
            holds.look(token)


def test_an_expired_hold_still_books_when_its_time_is_free(consult, amina, dr_benali, el_djazair, standing_at):
    _, token = _hold(amina, dr_benali, el_djazair)
    with standing_at(clock.now() + timedelta(minutes=11)):
        assert consult(amina, hold_token=token).starts_at == at("09:00")


def test_choosing_another_time_gives_the_first_back(amina, yacine, dr_benali, el_djazair, consult):
    _, token = _hold(amina, dr_benali, el_djazair)
    _, second = _hold(amina, dr_benali, el_djazair, "10:00", token=token)
    assert token != second
    assert consult(yacine, "09:00").patient_id == yacine.patient_id


def test_a_hold_for_another_time_does_not_take_that_time(consult, amina, dr_benali, el_djazair):
    _, token = _hold(amina, dr_benali, el_djazair)
    assert consult(amina, "11:00", hold_token=token).starts_at == at("11:00")


def test_a_released_hold_is_free_at_once(consult, amina, yacine, dr_benali, el_djazair):
    _, token = _hold(amina, dr_benali, el_djazair)
    holds.release(token)
    assert consult(yacine).patient_id == yacine.patient_id


# --- confirm, decline, cancel, move ---


def test_the_doctor_confirms_and_declines_requests(consult, amina, dr_benali, el_djazair):
    first = consult(amina, visit_type_id=el_djazair.follow_up_id)
    assert booking.confirm(dr_benali.actor, first.id).status == "confirmed"
    second = consult(amina, "10:00", visit_type_id=el_djazair.follow_up_id)
    assert booking.decline(dr_benali.actor, second.id, code="no_time").status == "declined"
    with pytest.raises(NotInThisState):
        booking.confirm(dr_benali.actor, second.id)


def test_a_patient_confirms_nothing(consult, amina, el_djazair):
    made = consult(amina, visit_type_id=el_djazair.follow_up_id)
    with pytest.raises(Forbidden):
        booking.confirm(amina.actor, made.id)


def test_a_declined_time_is_free_again(consult, amina, yacine, dr_benali, el_djazair):
    made = consult(amina, visit_type_id=el_djazair.follow_up_id)
    booking.decline(dr_benali.actor, made.id)
    assert consult(yacine).patient_id == yacine.patient_id


def test_a_cancelled_time_is_free_again(consult, amina, yacine):
    made = consult(amina)
    ended = booking.cancel(amina.actor, made.id, code="better", version=1)
    assert (ended.status, ended.ended_by, ended.version) == ("cancelled", "patient", 2)
    assert consult(yacine).patient_id == yacine.patient_id


def test_nobody_cancels_twice(consult, amina):
    made = consult(amina)
    booking.cancel(amina.actor, made.id)
    with pytest.raises(NotInThisState):
        booking.cancel(amina.actor, made.id)


def test_another_patients_visit_does_not_exist(consult, amina, yacine, kamel):
    made = consult(amina)
    for stranger in (yacine, kamel):
        with pytest.raises(NotFound):
            booking.cancel(stranger.actor, made.id)
        with pytest.raises(NotFound):
            booking.reschedule(stranger.actor, made.id, starts_at=at("10:00"))


def test_after_the_cutoff_only_the_clinic_cancels(consult, amina, nadia, standing_at):
    made = consult(amina, "15:00", 5)
    with standing_at(made.starts_at - timedelta(hours=23)):
        with pytest.raises(TooLate):
            booking.cancel(amina.actor, made.id)
        assert booking.cancel(nadia.actor, made.id).ended_by == "staff"


def test_a_change_of_something_seen_too_long_ago_is_refused(consult, amina):
    made = consult(amina)
    booking.reschedule(amina.actor, made.id, starts_at=at("10:00"), version=1)
    with pytest.raises(StaleVersion):
        booking.cancel(amina.actor, made.id, version=1)


def test_a_move_keeps_the_appointment_and_frees_the_old_time(consult, amina, yacine):
    made = consult(amina)
    moved = booking.reschedule(amina.actor, made.id, starts_at=at("10:30"))
    assert (moved.id, moved.starts_at, moved.version, moved.moves) == (made.id, at("10:30"), 2, 1)
    assert consult(yacine).starts_at == at("09:00")


def test_a_move_may_overlap_its_own_old_time(consult, amina, dr_benali, el_djazair):
    session().execute(text("UPDATE openings SET step = 10"))
    made = consult(amina, "09:00")
    assert booking.reschedule(amina.actor, made.id, starts_at=at("09:10")).starts_at == at("09:10")


def test_a_move_into_a_taken_time_leaves_the_old_one(consult, amina, yacine):
    consult(yacine, "10:00")
    made = consult(amina)
    with pytest.raises(TimeTaken):
        booking.reschedule(amina.actor, made.id, starts_at=at("10:00"))
    assert session().get_one(Appointment, made.id).starts_at == at("09:00")


def test_a_patient_moves_a_visit_only_so_often(consult, amina, nadia, el_djazair):
    _policy(el_djazair, most_moves=1)
    made = consult(amina)
    booking.reschedule(amina.actor, made.id, starts_at=at("10:00"))
    with pytest.raises(TooManyMoves):
        booking.reschedule(amina.actor, made.id, starts_at=at("11:00"))
    assert booking.reschedule(nadia.actor, made.id, starts_at=at("11:00")).moves == 1


def test_a_patients_move_asks_the_doctor_again(consult, amina, dr_benali, el_djazair):
    made = consult(amina, visit_type_id=el_djazair.follow_up_id)
    booking.confirm(dr_benali.actor, made.id)
    assert booking.reschedule(amina.actor, made.id, starts_at=at("10:00")).status == "pending"


def test_a_visit_moved_to_its_own_time_is_as_before(consult, amina):
    made = consult(amina)
    assert booking.reschedule(amina.actor, made.id, starts_at=at("09:00")).version == 1


# --- looking ---


def test_free_times_leave_out_what_is_taken_and_explain_agrees(consult, amina, yacine, dr_benali, el_djazair):
    consult(amina)
    ask = (yacine.actor, dr_benali.practice_id, el_djazair.consultation_id)
    free = availability.offers(*ask, working_day(2), working_day(2))
    starts = [slot.starts_at for slot in free]
    assert at("09:00") not in starts and at("09:30") in starts
    assert availability.explain(*ask, at("09:00")) == "taken"
    assert availability.explain(*ask, at("09:30")) == "offered"


def test_the_next_free_times_of_many_doctors_take_two_statements(dr_benali, dr_haddad, statements):
    with statements() as count:
        found = availability.next_free([dr_benali.practice_id, dr_haddad.practice_id])
    assert [len(slots) for slots in found.values()] == [3, 3]
    assert count() <= 2


def make_opening_on(doctor, clinic, day, **more):
    from portal.domain.doctors.models import Practice

    practice = session().get_one(Practice, doctor.practice_id)
    kind = session().get_one(VisitType, clinic.consultation_id)
    return make_opening(practice, [kind], on_date=day, starts="18:00", ends="19:00", **more)


def _policy(clinic, **values):
    kind = session().get_one(VisitType, clinic.consultation_id)
    for name, value in values.items():
        setattr(kind, name, value)
    session().flush()


def _hold(person, doctor, clinic, wall="09:00", **more):
    return holds.place(
        person.actor, practice_id=doctor.practice_id, visit_type_id=clinic.consultation_id, starts_at=at(wall), **more
    )
