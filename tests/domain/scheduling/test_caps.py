"""What is open is counted: times held without an account, and visits ahead of one account over all its patients."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from portal.core import clock
from portal.core.actor import NOBODY, Actor
from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.core.errors import Refused
from portal.domain.patients.models import Delegation
from portal.domain.scheduling import anyone, booking, caps, holds, series
from portal.domain.scheduling.caps import SignInToHold, SignInToKeep, TooManyAhead, TooManyHolds
from portal.domain.scheduling.models import Hold, VisitType
from portal.domain.waitlist import joining
from tests.builders import at, make_doctor, make_opening, make_patient, make_practice, working_day

WALLS = ["08:00", "08:30", "09:00", "09:30", "10:00", "10:30", "11:00", "11:30", "13:00", "13:30", "14:00", "14:30"]


def from_(address: str) -> Actor:
    return NOBODY.at("web", address)


CAFE = from_("10.9.9.9")


@pytest.fixture
def hold(dr_benali: Any, el_djazair: Any) -> Any:
    """A function that holds a consultation with Dr Benali; returns its token."""

    def place(actor: Actor, wall: str = "09:00", ahead: int = 2, **more: Any) -> str:
        about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
        return holds.place(actor, **(about | {"starts_at": at(wall, ahead)} | more))[1]

    return place


@pytest.fixture
def visits_ahead() -> Any:
    """A function that says how many visits one account can have ahead."""
    yield lambda most: caps.allow_at_most(3, 25, most)
    caps.allow_at_most(3, 25, 30)


def children_of(person: Any, number: int) -> list[Any]:
    """So many patients this account may book for."""
    found = [make_patient(phone=f"+2135500{n:05d}").id for n in range(number)]
    for patient_id in found:
        session().add(
            Delegation(
                patient_id=patient_id, user_id=person.user_id, relation="child", scopes=["view", "book"],
                starts_on=clock.today(clock.home()) - timedelta(days=1),
            )
        )  # fmt: skip
    keep()
    return found


# --- without an account ---


def test_one_place_without_an_account_holds_three_times_and_not_a_doctors_week(hold: Any, dr_benali: Any) -> None:
    answers = []
    for ahead in range(2, 7):
        for wall in WALLS:
            try:
                answers.append(hold(CAFE, wall, ahead) and "held")
            except Refused as no:
                answers.append(no.code)
    assert answers[:4] == ["held"] * 3 + ["too_many_holds"]
    assert answers.count("held") == 3


def test_another_address_of_the_same_ipv6_network_is_the_same_place(hold: Any) -> None:
    for number in range(3):
        hold(from_(f"2001:db8:1:2:{number}::1"), WALLS[number], 2 + number)
    with pytest.raises(TooManyHolds):
        hold(from_("2001:db8:1:2:ffff::1"), "14:00")
    assert hold(from_("2001:db8:1:3::1"), "14:00")


def test_signing_in_lifts_the_cap_of_a_waiting_room(hold: Any, amina: Any, yacine: Any) -> None:
    tokens = [hold(CAFE, wall) for wall in WALLS[:3]]
    assert hold(amina.actor.at("web", CAFE.address), "11:00")
    with pytest.raises(TooManyHolds):
        hold(CAFE, "11:30")
    holds.claim(yacine.actor, tokens[0])
    assert hold(CAFE, "10:00", 5), "what was held before signing in is the account's now"


@pytest.mark.parametrize("freed", ["given back", "expired", "booked"])
def test_a_time_that_is_held_no_more_counts_no_more(
    hold: Any, amina: Any, dr_benali: Any, el_djazair: Any, freed: str
) -> None:
    token, *_others = [hold(CAFE, wall) for wall in WALLS[:3]]
    if freed == "given back":
        holds.release(token)
    elif freed == "booked":
        about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
        booking.book(amina.actor, **about, starts_at=at(WALLS[0]), hold_token=token)
    else:
        session().execute(update(Hold).values(expires_at=clock.now() - timedelta(seconds=1)))
    assert hold(CAFE, "11:00", 5)


def test_choosing_another_time_needs_no_second_hold(hold: Any) -> None:
    tokens = [hold(CAFE, wall) for wall in WALLS[:3]]
    assert hold(CAFE, "11:00", token=tokens[0])
    assert session().scalar(select(func.count()).select_from(Hold)) == 3


def test_all_without_an_account_hold_a_quarter_of_a_day_and_leave_the_rest(hold: Any, amina: Any) -> None:
    """Fourteen consultations fit into the day: three may be held so, from wherever."""
    for number, wall in enumerate(WALLS[:3]):
        hold(from_(f"10.1.1.{number}"), wall)
    with pytest.raises(SignInToHold):
        hold(from_("10.1.1.9"), "14:00")
    assert hold(from_("10.1.1.9"), "14:00", 4), "another day has its own share"
    assert hold(amina.actor, "14:00")


def test_of_a_short_day_two_times_can_be_held(hold: Any, dr_benali: Any, el_djazair: Any) -> None:
    from portal.domain.doctors.models import Practice

    practice = session().get_one(Practice, dr_benali.practice_id)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    friday = working_day(2) + timedelta(days=(4 - working_day(2).weekday()) % 7)
    make_opening(practice, [kind], on_date=friday, starts="09:00", ends="10:30")
    keep()
    times = [at("09:00") + (friday - working_day(2)) + timedelta(minutes=30) * n for n in range(3)]
    for number in range(2):
        hold(from_(f"10.1.1.{number}"), starts_at=times[number])
    with pytest.raises(SignInToHold):
        hold(from_("10.1.1.9"), starts_at=times[2])


def test_any_doctor_is_the_next_in_turn_when_the_share_of_one_is_held(
    hold: Any, dr_benali: Any, el_djazair: Any
) -> None:
    from portal.domain.clinics.models import Clinic
    from tests.builders import make_week

    other = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    for number, wall in enumerate(WALLS[:3]):
        hold(from_(f"10.1.1.{number}"), wall)
    of = anyone.choice(el_djazair.clinic_id, el_djazair.consultation_id, "cardiology")
    held = [anyone.hold(from_(f"10.2.2.{n}"), of, at("11:00"))[0].practice_id for n in range(1)]
    assert held == [other.id]


def test_no_account_keeps_a_time_longer_by_asking_or_by_holding_it_anew(hold: Any, amina: Any) -> None:
    began = clock.now()
    token = hold(CAFE)
    until = holds.look(token).expires_at
    with standing_at(began + timedelta(minutes=8)):
        with pytest.raises(SignInToKeep):
            holds.stay(CAFE, token)
        token = hold(CAFE, token=token)
        assert holds.look(token).expires_at == until
        assert holds.stay(amina.actor, token).expires_at > until
    for minutes in (14, 20, 26):
        with standing_at(began + timedelta(minutes=minutes)):
            token = hold(amina.actor, token=token)
            assert holds.look(token).expires_at <= began + holds.LONGEST + timedelta(seconds=5)


def test_no_address_stands_in_a_hold(hold: Any) -> None:
    hold(CAFE)
    row = session().scalars(select(Hold)).one()
    assert row.place and len(row.place) == 32 and "10.9" not in row.place


# --- with an account ---


def test_an_account_books_so_many_visits_over_all_its_patients(
    hold: Any, amina: Any, dr_benali: Any, el_djazair: Any, visits_ahead: Any, nadia: Any
) -> None:
    visits_ahead(4)
    children = children_of(amina, 3)
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    for number in range(3):
        booking.book(amina.actor, **about, starts_at=at(WALLS[number]), patient_id=children[number])
    token = hold(amina.actor, "13:00")
    with pytest.raises(TooManyAhead):
        hold(amina.actor, "13:30")
    with pytest.raises(TooManyAhead):
        booking.book(amina.actor, **about, starts_at=at("14:00"))
    booking.book(amina.actor, **about, starts_at=at("13:00"), hold_token=token)  # what it holds itself is in the count
    with pytest.raises(TooManyAhead):
        joining.join(amina.actor, **about)
    assert booking.book(nadia.actor, **about, starts_at=at("14:00"), patient_id=amina.patient_id)
    visits_ahead(5)
    assert booking.book(amina.actor, **about, starts_at=at("14:30"))


def test_waiting_counts_with_what_is_booked(amina: Any, dr_benali: Any, el_djazair: Any, visits_ahead: Any) -> None:
    visits_ahead(2)
    children = children_of(amina, 3)
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    for child in children[:2]:
        joining.join(amina.actor, **about, patient_id=child)
    with pytest.raises(TooManyAhead):
        joining.join(amina.actor, **about, patient_id=children[2])


def test_a_series_is_booked_whole_or_not_at_all_at_the_cap(
    amina: Any, dr_benali: Any, el_djazair: Any, visits_ahead: Any
) -> None:
    visits_ahead(2)
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    times = [at("09:00", 2) + timedelta(days=7 * number) for number in range(3)]
    with pytest.raises(TooManyAhead):
        series.book(amina.actor, **about, patient_id=amina.patient_id, times=times, every_days=7)


def test_a_booking_and_a_hold_ask_the_database_no_more_often_than_before(
    hold: Any, amina: Any, dr_benali: Any, el_djazair: Any, statements: Any
) -> None:
    actor, about = amina.actor, {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    with statements() as asked:
        booking.book(actor, **about, starts_at=at("09:00"))
    assert asked() == 2, "the rules with what is waited for, and the taking"
    with statements() as asked:
        hold(CAFE, "10:00")
    assert asked() <= 4
