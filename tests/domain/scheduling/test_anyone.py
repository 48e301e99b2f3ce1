"""Any doctor of a clinic: everybody's free times in one list, and turns that are fair."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.db import session
from portal.core.errors import NotFound
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import anyone, availability, booking, holds, rulebook, turns
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.refusals import NotSelfBookable, TimeTaken
from portal.domain.scheduling.turns import Candidate
from tests.builders import (
    at,
    make_closure,
    make_doctor,
    make_opening,
    make_practice,
    make_specialty,
    make_week,
    working_day,
)

# --- the rule itself ---

SECONDS = st.integers(min_value=1800, max_value=60 * 3600)


@given(st.lists(SECONDS, min_size=2, max_size=6), st.integers(min_value=1, max_value=80))
def test_turns_are_fair_for_any_hours(hours: list[int], count: int) -> None:
    """After any number of turns nobody is more than one visit ahead of another, measured against their hours."""
    booked: dict[UUID, tuple[int, datetime | None]] = {UUID(int=n + 1): (0, None) for n in range(len(hours))}
    seconds = dict(zip(booked, hours, strict=True))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for turn in range(count):
        people = [Candidate(key, visits, seconds[key], last) for key, (visits, last) in booked.items()]
        chosen = turns.in_turn(people)[0].practice_id
        booked[chosen] = (booked[chosen][0] + 1, now + timedelta(minutes=turn))
    for one, (mine, _last) in booked.items():
        for other, (theirs, _their_last) in booked.items():
            assert Fraction(mine - 1, seconds[one]) <= Fraction(theirs, seconds[other])


@given(st.permutations([Candidate(UUID(int=n), n % 3, 3600, None) for n in range(1, 7)]))
def test_turns_do_not_depend_on_the_order_in_which_doctors_are_listed(people: list[Candidate]) -> None:
    assert [one.visits for one in turns.in_turn(people)] == [0, 0, 1, 1, 2, 2]
    assert turns.in_turn(people) == turns.in_turn(reversed(people))


def test_where_loads_are_equal_whoever_waited_longest_is_next() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    people = [Candidate(UUID(int=1), 1, 10, late), Candidate(UUID(int=2), 1, 10, early), Candidate(UUID(int=3), 1, 10)]
    assert [one.practice_id.int for one in turns.in_turn(people)] == [3, 2, 1]


def test_a_doctor_of_half_the_hours_gets_half_the_visits() -> None:
    assert turns.in_turn([Candidate(UUID(int=1), 3, 20), Candidate(UUID(int=2), 2, 10)])[0].practice_id.int == 1


# --- with real doctors ---


@pytest.fixture
def clinic(el_djazair: Any) -> Clinic:
    return session().get_one(Clinic, el_djazair.clinic_id)


@pytest.fixture
def kind(el_djazair: Any) -> VisitType:
    return session().get_one(VisitType, el_djazair.consultation_id)


@pytest.fixture
def colleague(dr_benali: Any, clinic: Clinic, kind: VisitType) -> Practice:
    """Another cardiologist of the clinic with the same week as Dr Benali."""
    practice = make_practice(make_doctor(given_name="Nadir", family_name="Amrani"), clinic)
    make_week(practice, [kind])
    return practice


@pytest.fixture
def dermatologist(clinic: Clinic, kind: VisitType) -> Practice:
    field = make_specialty("dermatology", "Dermatology", "Dermatologie", "طب الجلد")
    practice = make_practice(make_doctor(given_name="Lamia", family_name="Tahar", specialties=[field]), clinic)
    make_week(practice, [kind])
    return practice


def _book(person: Any, practice_id: UUID, kind: VisitType, wall: str, ahead: int = 2) -> Any:
    return booking.book(person.actor, practice_id=practice_id, visit_type_id=kind.id, starts_at=at(wall, ahead))


def test_the_free_times_of_all_doctors_stand_in_one_list(
    amina: Any, dr_benali: Any, colleague: Practice, kind: VisitType, clinic: Clinic
) -> None:
    _book(amina, dr_benali.practice_id, kind, "09:00")
    day = working_day()
    slots = {slot.starts_at: slot for slot in anyone.offers(amina.actor, clinic.id, kind.id, day, day)}
    assert slots[at("09:00")].practice_ids == (colleague.id,)
    assert (set(slots[at("09:30")].practice_ids), slots[at("09:30")].places) == (
        {dr_benali.practice_id, colleague.id},
        2,
    )
    alone = {
        slot.starts_at
        for key in (dr_benali.practice_id, colleague.id)
        for slot in availability.offers(amina.actor, key, kind.id, day, day)
    }
    assert set(slots) == alone


def test_they_take_few_statements_however_many_doctors_there_are(
    amina: Any, dr_benali: Any, clinic: Clinic, kind: VisitType, statements: Any
) -> None:
    for n in range(6):
        make_week(make_practice(make_doctor(given_name=f"Doctor{n}"), clinic), [kind])
    actor = amina.actor
    session().flush()
    with statements() as count:
        assert anyone.offers(actor, clinic.id, kind.id, working_day(), working_day(5))
    assert count() <= 3


def test_what_can_be_asked_is_listed_by_field(
    dr_benali: Any, colleague: Practice, dermatologist: Practice, clinic: Clinic, kind: VisitType
) -> None:
    found = {(one.code, one.kind.id): len(one.practices) for one in anyone.choices(clinic.id)}
    assert found == {("cardiology", kind.id): 2}
    for code in ("surgery", "dermatology"):
        with pytest.raises(NotFound):
            anyone.choice(clinic.id, kind.id, code)
    assert set(anyone.choice(clinic.id, kind.id, "cardiology").practice_ids) == {dr_benali.practice_id, colleague.id}


def test_what_patients_may_not_book_cannot_be_asked(
    dr_benali: Any, clinic: Clinic, kind: VisitType, amina: Any
) -> None:
    kind.bookable_by = "desk"
    session().flush()
    assert kind.id not in {one.kind.id for one in anyone.choices(clinic.id)}
    assert anyone.offers(amina.actor, clinic.id, kind.id, working_day(), working_day()) == []
    with pytest.raises(NotSelfBookable):
        anyone.choose(amina.actor, clinic.id, kind.id, at("09:00"))


def test_the_desk_may_ask_for_what_only_the_desk_books(
    dr_benali: Any, clinic: Clinic, kind: VisitType, nadia: Any
) -> None:
    kind.bookable_by = "desk"
    session().flush()
    assert anyone.choose(nadia.actor, clinic.id, kind.id, at("09:00")) == dr_benali.practice_id


def test_the_one_with_fewer_visits_of_the_week_is_chosen(
    amina: Any, yacine: Any, dr_benali: Any, colleague: Practice, clinic: Clinic, kind: VisitType
) -> None:
    day = working_day(7)
    _book(amina, dr_benali.practice_id, kind, "09:00", 7)
    week = {turns.monday_of(at("09:00", 7), clinic.zone), turns.monday_of(at("10:00", 7), clinic.zone)}
    assert (len(week), day) == (1, at("09:00", 7).date())
    assert anyone.choose(yacine.actor, clinic.id, kind.id, at("10:00", 7)) == colleague.id
    _book(amina, colleague.id, kind, "10:00", 7)
    _book(yacine, colleague.id, kind, "10:30", 7)
    assert anyone.choose(yacine.actor, clinic.id, kind.id, at("11:00", 7)) == dr_benali.practice_id


def test_a_held_time_counts_as_a_turn(
    amina: Any, yacine: Any, dr_benali: Any, colleague: Practice, clinic: Clinic, kind: VisitType
) -> None:
    first = anyone.choose(amina.actor, clinic.id, kind.id, at("09:00"))
    holds.place(amina.actor, practice_id=first, visit_type_id=kind.id, starts_at=at("09:00"))
    assert anyone.choose(yacine.actor, clinic.id, kind.id, at("10:00")) != first


def test_only_who_is_free_is_chosen_and_nobody_when_none_is(
    amina: Any, yacine: Any, dr_benali: Any, colleague: Practice, clinic: Clinic, kind: VisitType
) -> None:
    _book(amina, colleague.id, kind, "09:00")
    assert anyone.choose(yacine.actor, clinic.id, kind.id, at("09:00")) == dr_benali.practice_id
    holds.place(yacine.actor, practice_id=dr_benali.practice_id, visit_type_id=kind.id, starts_at=at("09:00"))
    with pytest.raises(TimeTaken) as no:
        anyone.choose(amina.actor, clinic.id, kind.id, at("09:00"))
    assert len(no.value.facts["alternatives"]) == 3


def test_the_hold_is_with_whose_turn_it_is_and_another_time_gives_it_back(
    amina: Any, dr_benali: Any, colleague: Practice, clinic: Clinic, kind: VisitType
) -> None:
    of = anyone.choice(clinic.id, kind.id, "cardiology")
    kept, token = anyone.hold(amina.actor, of, at("09:00"))
    again, new = anyone.hold(amina.actor, of, at("09:00"), token)
    assert {kept.practice_id, again.practice_id} <= {dr_benali.practice_id, colleague.id}
    assert new != token
    moved, _token = anyone.hold(amina.actor, of, at("10:00"), new)
    assert moved.starts_at == at("10:00")
    free = anyone.offers(amina.actor, clinic.id, kind.id, working_day(), working_day())
    assert next(slot for slot in free if slot.starts_at == at("09:00")).places == 2


def test_choosing_the_same_last_time_once_more_is_no_refusal(
    amina: Any, yacine: Any, dr_benali: Any, colleague: Practice, clinic: Clinic, kind: VisitType
) -> None:
    of = anyone.choice(clinic.id, kind.id, "cardiology")
    _book(yacine, colleague.id, kind, "09:00")
    _kept, token = anyone.hold(amina.actor, of, at("09:00"))
    assert anyone.hold(amina.actor, of, at("09:00"), token)[0].practice_id == dr_benali.practice_id


def test_when_somebody_is_faster_with_the_one_in_turn_the_next_is_asked(
    amina: Any, yacine: Any, dr_benali: Any, colleague: Practice, clinic: Clinic, kind: VisitType, monkeypatch: Any
) -> None:
    """What was free while ranking is gone when it is held: the ranking is made before the other's booking."""
    of = anyone.choice(clinic.id, kind.id, "cardiology")
    ranked = anyone.ranked(amina.actor, clinic.id, kind.id, at("09:00"), among=of.practice_ids)
    _book(yacine, ranked[0], kind, "09:00")
    monkeypatch.setattr(anyone, "ranked", lambda *_args, **_more: ranked)
    assert anyone.hold(amina.actor, of, at("09:00"))[0].practice_id == ranked[1]


def test_open_hours_are_those_of_the_type_less_what_is_closed(
    dr_benali: Any, colleague: Practice, clinic: Clinic, kind: VisitType
) -> None:
    monday = turns.monday_of(at("09:00", 8), clinic.zone)
    day = working_day(8)
    make_closure(at("08:00", 8), at("10:00", 8), practice_id=colleague.id)
    make_closure(at("09:00", 8), at("11:00", 8), practice_id=colleague.id)
    begins = datetime.combine(monday - timedelta(days=1), datetime.min.time(), UTC)
    books = rulebook.read([dr_benali.practice_id, colleague.id], begins, begins + timedelta(days=10))
    assert monday <= day
    assert turns.open_seconds(books[dr_benali.practice_id], kind.id, monday) == 5 * 7 * 3600
    assert turns.open_seconds(books[colleague.id], kind.id, monday) == 5 * 7 * 3600 - 3 * 3600


def test_a_week_begins_on_monday_at_the_clinic(clinic: Clinic) -> None:
    assert turns.monday_of(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), clinic.zone) == date(2026, 3, 2)


def test_other_hours_of_the_day_are_not_asked_of_other_clinics(
    amina: Any, dr_benali: Any, wahran: Any, kind: VisitType
) -> None:
    with pytest.raises(NotFound):
        anyone.choose(amina.actor, wahran.clinic_id, kind.id, at("09:00"))


def test_a_week_shows_the_next_free_time_when_it_has_none(
    amina: Any, clinic: Clinic, colleague: Practice, kind: VisitType, dr_benali: Any
) -> None:
    of = anyone.choice(clinic.id, kind.id, "cardiology")
    make_closure(at("00:00", 0), at("00:00", 12), clinic_id=clinic.id)
    week = anyone.week(amina.actor, of, clinic.zone)
    assert week.is_empty
    assert week.next_free is not None
    later = anyone.week(amina.actor, of, clinic.zone, week.next_free.starts_at.date())
    assert not later.is_empty
    make_opening(colleague, [kind], on_date=working_day(20), starts="20:00", ends="21:00")
    assert later.next
