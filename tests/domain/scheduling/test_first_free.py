"""The kept first free times: never later than the true ones, and a search by time that is exact whatever they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.actor import NOBODY
from portal.core.db import session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling import booking, by_time, finding, first_free, holds, hours
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.planning import FirstFree
from portal.worker import drain
from tests.builders import at, make_doctor, make_practice, make_week, working_day

pytestmark = pytest.mark.usefixtures("database")


def kept(practice_id, mode=first_free.ANY) -> datetime | None:
    wanted = FirstFree.practice_id == practice_id, FirstFree.mode == mode
    return session().scalars(select(FirstFree.starts_at).where(*wanted)).one()


def true_first(practice_id, mode=None) -> datetime:
    from portal.domain.scheduling import availability

    return availability.next_free([practice_id], limit=1, mode=mode)[practice_id][0].starts_at


def test_what_is_kept_is_the_true_first_free_time_of_each_mode(dr_benali):
    first_free.refresh([dr_benali.practice_id])
    for mode in ("in_person", "video"):
        assert kept(dr_benali.practice_id, mode) == true_first(dr_benali.practice_id, mode)
    assert kept(dr_benali.practice_id) == true_first(dr_benali.practice_id)


def test_a_hold_is_overlooked_since_it_may_be_over_in_a_minute(dr_benali, el_djazair, amina):
    first = true_first(dr_benali.practice_id, "in_person")
    place = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    holds.place(amina.actor, **place, starts_at=first)
    first_free.refresh([dr_benali.practice_id])
    assert kept(dr_benali.practice_id, "in_person") == first < true_first(dr_benali.practice_id, "in_person")


def test_cancelling_lowers_it_in_the_same_transaction(dr_benali, el_djazair, amina):
    place = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    made = booking.book(amina.actor, **place, starts_at=true_first(dr_benali.practice_id, "in_person"))
    first_free.refresh([dr_benali.practice_id])
    assert kept(dr_benali.practice_id, "in_person") > made.starts_at
    booking.cancel(dr_benali.actor, made.id)
    session().expire_all()
    assert kept(dr_benali.practice_id, "in_person") <= made.starts_at == true_first(dr_benali.practice_id, "in_person")


def test_moving_lowers_it_too(dr_benali, el_djazair, amina):
    place = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    made = booking.book(amina.actor, **place, starts_at=true_first(dr_benali.practice_id, "in_person"))
    first_free.refresh([dr_benali.practice_id])
    was = made.starts_at
    booking.reschedule(dr_benali.actor, made.id, starts_at=at("10:00", 9))
    session().expire_all()
    assert kept(dr_benali.practice_id, "in_person") <= was


def test_new_hours_are_found_by_the_task_they_cause(app, committed, dr_benali, el_djazair):
    first_free.refresh([dr_benali.practice_id])
    before = kept(dr_benali.practice_id, "in_person")
    early = clock.now().astimezone().date() + timedelta(days=1)
    while early.weekday() in {6, 0, 1, 2, 3}:
        early += timedelta(days=1)  # Friday or Saturday, when nobody receives
    hours.add(dr_benali.actor, dr_benali.practice_id, on_date=early, starts="08:00", ends="09:00")
    from portal.core.db import keep

    keep()
    drain(app)
    session().expire_all()
    after = kept(dr_benali.practice_id, "in_person")
    assert after == true_first(dr_benali.practice_id, "in_person") <= before


def test_a_practice_that_takes_no_bookings_any_more_has_no_row(dr_benali):
    first_free.refresh([dr_benali.practice_id])
    from portal.domain.doctors.models import Practice

    session().get_one(Practice, dr_benali.practice_id).is_active = False
    session().flush()
    first_free.refresh([dr_benali.practice_id])
    assert session().scalars(select(FirstFree)).all() == []


def test_the_sweep_finds_practices_without_a_row(dr_benali, dr_haddad):
    first_free.sweep()
    found = set(session().scalars(select(FirstFree.practice_id)))
    assert found == {dr_benali.practice_id, dr_haddad.practice_id}


@pytest.fixture
def crowd(dr_benali, el_djazair) -> list:
    """Nine more doctors of the clinic, each free from another day on."""
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    practices = [dr_benali.practice_id]
    for number in range(9):
        practice = make_practice(make_doctor(given_name=f"Doctor{number}"), clinic)
        make_week(practice, [kind], valid_from=working_day(2 + 3 * ((number * 7) % 9)))
        practices.append(practice.id)
    return practices


@pytest.mark.parametrize("stale", ["true", "missing", "too early", "all the same"])
def test_soonest_first_is_exact_whatever_is_kept(crowd, stale, monkeypatch):
    monkeypatch.setattr(by_time, "BATCH", 3)
    if stale != "missing":
        first_free.refresh(crowd)
    for number, row in enumerate(session().scalars(select(FirstFree).order_by(FirstFree.practice_id))):
        if stale == "too early" and number % 2 and row.starts_at:
            row.starts_at -= timedelta(days=number)
        if stale == "all the same":
            row.starts_at = datetime(2020, 1, 1, tzinfo=UTC)
    session().flush()
    true = sorted((true_first(one), one) for one in crowd)
    seen, after = [], None
    while True:
        answer = finding.search(NOBODY, DirectoryQuery(limit=3, after=after))
        seen += [found.times[0].starts_at for found in answer.items]
        after = answer.next
        if after is None:
            break
    assert seen == [starts for starts, _one in true]


def test_free_by_a_date_verifies_what_it_shows(crowd):
    first_free.refresh(crowd)
    day = working_day(8)
    for row in session().scalars(select(FirstFree)):
        row.starts_at = datetime(2020, 1, 1, tzinfo=UTC)
    session().flush()
    for sort in ("soonest", "name"):
        answer = finding.search(NOBODY, DirectoryQuery(before=day, sort=sort, limit=50))
        assert {found.times[0].starts_at.date() <= day for found in answer.items} == {True}
        assert len(answer.items) == sum(true_first(one).date() <= day for one in crowd)


def test_within_a_distance_of_a_city(dr_benali, dr_haddad):
    def found(**asked):
        answer = finding.search(NOBODY, DirectoryQuery(**asked))
        return {one.doctor.slug for one in answer.items}

    assert found(city="Algiers", within_km=20) == {dr_benali.slug}
    assert found(city="Algiers", within_km=500) == {dr_benali.slug, dr_haddad.slug}
    assert found(latitude=35.7, longitude=-0.63, within_km=20) == {dr_haddad.slug}
