"""Offers of the waitlist under fire: a yes against a booking, two at once, the end of an offer against its answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import keep, session
from portal.core.errors import Refused
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, Hold, Occupancy
from portal.domain.waitlist import answering, joining, offering
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer
from portal.domain.waitlist.offering import Freed
from tests.builders import at
from tests.races.test_booking_races import crowd, ways


@pytest.fixture
def offered(committed: Any, amina: Any, nadia: Any, dr_benali: Any, el_djazair: Any) -> Callable[..., UUID]:
    """Amina waits, and a free time is offered to her by hand; with `moves` it would move her visit."""
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    clinic.quiet_from = clinic.quiet_until  # at whatever hour this runs
    keep()

    def do(wall: str = "09:00", *, moves: bool = False) -> UUID:
        about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
        visit = booking.book(amina.actor, starts_at=at("15:00", 9), **about) if moves else None
        entry = joining.join(amina.actor, **({"moves_id": visit.id} if visit else about))
        offer = offering.by_hand(nadia.actor, entry.id, practice_id=dr_benali.practice_id, starts_at=at(wall, 4))
        keep()
        return offer.id

    return do


def book(actor: Any, doctor: Any, clinic: Any, wall: str = "09:00") -> Callable[[], Any]:
    about = {"practice_id": doctor.practice_id, "visit_type_id": clinic.consultation_id}
    return lambda: booking.book(actor, starts_at=at(wall, 4), **about)


def end_now(offer_id: UUID) -> None:
    """The offer's minutes are over, and so are those of the hold behind it."""
    for table in ("waitlist_offers", "holds", "occupancies"):
        where = " WHERE hold_id IS NOT NULL" if table == "occupancies" else ""
        session().execute(text(f"UPDATE {table} SET expires_at = now() - interval '1 second'{where}"))
    keep()


def nothing_overlaps_and_all_is_told() -> None:
    session().rollback()
    overlapping = session().scalar(
        text(
            "SELECT count(*) FROM occupancies a JOIN occupancies b ON a.id < b.id AND a.resource_id = b.resource_id"
            " AND a.lane = b.lane AND a.during && b.during"
        )
    )
    assert overlapping == 0
    coming = Appointment.status.in_(("pending", "confirmed")) & (Appointment.starts_at > clock.now())
    taken = Occupancy.kind == "doctor", Occupancy.appointment_id.is_not(None)
    assert session().scalar(select(func.count()).where(*taken)) == session().scalar(select(func.count()).where(coming))
    times = session().execute(
        select(WaitlistOffer.practice_id, WaitlistOffer.starts_at, func.count())
        .where(WaitlistOffer.state == "open")
        .group_by(WaitlistOffer.practice_id, WaitlistOffer.starts_at)
    )
    assert all(row[2] == 1 for row in times)


@pytest.mark.parametrize("moves", [False, True])
def test_an_accept_wins_against_everybody_who_books_the_same_time(
    race: Any, offered: Any, moves: bool, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    offer, me = offered(moves=moves), amina.actor
    others = [book(one, dr_benali, el_djazair) for one in crowd(12)]
    results = race([lambda: answering.accept(me, offer), *others])
    assert ways(results) == {"Appointment": 1, "taken": 12}
    session().rollback()
    assert session().scalars(select(Appointment.patient_id)).all() == [amina.patient_id]
    nothing_overlaps_and_all_is_told()


@pytest.mark.parametrize("moves", [False, True])
def test_two_accepts_lead_to_one_visit(race: Any, offered: Any, moves: bool, amina: Any, nadia: Any) -> None:
    offer, me, desk = offered(moves=moves), amina.actor, nadia.actor
    results = race([lambda: answering.accept(me, offer), lambda: answering.accept(desk, offer)] * 3)
    assert ways(results) == {"Appointment": 6}
    session().rollback()
    assert session().scalar(select(func.count()).select_from(Appointment)) == 1
    nothing_overlaps_and_all_is_told()


def test_yes_and_no_at_once_is_one_of_them(race: Any, offered: Any, amina: Any) -> None:
    offer, me = offered(), amina.actor
    results = race([lambda: answering.accept(me, offer), lambda: answering.decline(me, offer)] * 2)
    session().rollback()
    made = session().scalar(select(func.count()).select_from(Appointment))
    state = session().get_one(WaitlistOffer, offer, populate_existing=True).state
    assert (made, state) in {(1, "accepted"), (0, "declined")}
    assert all(isinstance(result, (Appointment, WaitlistOffer, Refused)) for result in results), results
    nothing_overlaps_and_all_is_told()


@pytest.mark.parametrize("round_", range(3))
def test_the_end_of_an_offer_against_its_answer_and_a_booking(
    race: Any, offered: Any, round_: int, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any, drain: Any
) -> None:
    offer, me, other = offered(), amina.actor, yacine.actor
    end_now(offer)
    results = race(
        [
            lambda: answering.accept(me, offer),
            lambda: offering.expire(str(offer)),
            book(other, dr_benali, el_djazair),
        ]
    )
    drain()
    assert isinstance(results[0], Refused) and results[0].code == "offer_over"
    assert results[1] is None and isinstance(results[2], Appointment)
    session().rollback()
    assert session().get_one(WaitlistOffer, offer, populate_existing=True).state == "expired"
    assert session().scalar(select(func.count()).select_from(Hold)) == 0
    nothing_overlaps_and_all_is_told()


def test_leaving_against_accepting_is_one_of_them(race: Any, offered: Any, amina: Any, nadia: Any, drain: Any) -> None:
    offer, me, desk = offered(), amina.actor, nadia.actor
    entry = session().scalars(select(WaitlistEntry.id)).one()
    results = race([lambda: answering.accept(me, offer), lambda: joining.leave(desk, entry)])
    drain()
    assert sum(not isinstance(result, Refused) for result in results) == 1, results
    session().rollback()
    state = session().get_one(WaitlistEntry, entry, populate_existing=True).state
    assert state == ("booked" if isinstance(results[0], Appointment) else "left")
    nothing_overlaps_and_all_is_told()


def test_the_same_wish_sent_many_times_is_one_place(
    committed: Any, race: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    me = amina.actor
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    results = race([lambda: joining.join(me, **about)] * 8)
    assert ways(results) == {"WaitlistEntry": 1, "already_waiting": 7}


def test_many_looks_at_one_freed_time_make_one_offer(
    committed: Any, race: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    clinic.quiet_from = clinic.quiet_until
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    for who in (amina, yacine):
        joining.join(who.actor, **about)
    keep()
    starts = at("09:00", 4)
    freed = Freed(el_djazair.clinic_id, dr_benali.practice_id, starts, starts + timedelta(minutes=30))
    race([lambda: offering.look(freed)] * 6)
    session().rollback()
    found = session().scalars(select(WaitlistOffer)).all()
    assert [(offer.starts_at, offer.state) for offer in found] == [(starts, "open")]
    nothing_overlaps_and_all_is_told()


def test_a_storm_of_cancelling_looking_and_booking_leaves_nothing_overlapping(
    committed: Any, race: Any, dr_benali: Any, el_djazair: Any, drain: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    clinic.quiet_from = clinic.quiet_until
    keep()
    people = crowd(10)
    walls = ("08:00", "08:30", "09:00", "09:30")
    made = [book(one, dr_benali, el_djazair, wall)().id for one, wall in zip(people, walls, strict=False)]
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    for one in people[4:8]:
        joining.join(one, **about)
    keep()
    starts = at("08:00", 4)
    freed = Freed(el_djazair.clinic_id, dr_benali.practice_id, starts, starts + timedelta(hours=2))
    runners: list[Callable[[], Any]] = [
        (lambda one=one, key=key: booking.cancel(one, key)) for one, key in zip(people, made, strict=False)
    ]
    runners += [lambda: offering.look(freed)] * 3
    runners += [book(one, dr_benali, el_djazair, wall) for one, wall in zip(people[8:], walls, strict=False)]
    results = race(runners)
    assert all(result is None or isinstance(result, (Refused, Appointment, list)) for result in results), results
    drain()
    nothing_overlaps_and_all_is_told()
    offers = session().scalars(select(WaitlistOffer).where(WaitlistOffer.state == "open")).all()
    answers = race([(lambda key=offer.id: answering.accept(_owner(key), key)) for offer in offers])
    assert all(isinstance(answer, Appointment) for answer in answers), answers
    nothing_overlaps_and_all_is_told()


def _owner(offer_id: UUID) -> Any:
    patient = select(WaitlistEntry.patient_id).join(WaitlistOffer).where(WaitlistOffer.id == offer_id)
    return Actor(patient_id=session().scalar(patient), email_verified=True, door="web")
