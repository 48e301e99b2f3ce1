"""Offers: who gets freed time, in which order, for how long, and what happens to it afterwards."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Forbidden, NotFound
from portal.core.events import Event
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import availability, booking, closures, holds, hours
from portal.domain.scheduling.models import Appointment, Hold, VisitType
from portal.domain.scheduling.refusals import NotOffered, TimeTaken
from portal.domain.waitlist import answering, joining, offering
from portal.domain.waitlist.wishes import NotWaiting, OfferOver, OfferStands
from tests.builders import ALGIERS, at, make_doctor, make_practice, make_week, working_day
from tests.domain.waitlist.conftest import NOON, offers, open_offers

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def free(book, yacine, drain):
    """Yacine calls off a visit on the third day: its time is free, and everything that follows is done."""

    def do(wall="09:00", ahead=3, **more):
        visit = book(yacine, wall, ahead, **more)
        drain()
        booking.cancel(yacine.actor, visit.id)
        drain()
        return visit

    return do


@pytest.fixture
def sara():
    """One more patient."""
    from tests.people import Person, make_patient, make_user

    user = make_user("Sara", "Belkacem")
    patient = make_patient(user, phone="+213550000009")
    keep()
    return Person(user.name, str(user.email), user.id, patient.id)


def whose(offer):
    return offer.entry.patient_id


def test_freed_time_is_offered_and_held_for_as_long_as_the_clinic_says(join, free, amina):
    entry = join(amina)
    visit = free()
    (offer,) = open_offers()
    assert (offer.entry_id, offer.starts_at, offer.practice_id) == (entry.id, visit.starts_at, visit.practice_id)
    assert offer.expires_at == NOON + timedelta(minutes=30)
    hold = session().get_one(Hold, offer.hold_id)
    assert (hold.patient_id, hold.starts_at) == (amina.patient_id, visit.starts_at)
    assert hold.expires_at >= offer.expires_at


def test_a_held_time_is_nobody_elses(join, free, book, amina, yacine):
    join(amina)
    free()
    with pytest.raises(TimeTaken):
        book(yacine)


def test_nobody_waiting_means_nobody_is_asked(free):
    free()
    assert offers() == []


def test_the_more_urgent_comes_first_then_who_joined_earlier(join, free, amina, sara, nadia, drain):
    first, second = join(amina), join(sara)
    joining.change(nadia.actor, second.id, urgency="urgent")
    free("09:00")
    free("10:00")
    assert [(offer.entry_id, f"{offer.starts_at.astimezone(ALGIERS):%H:%M}") for offer in open_offers()] == [
        (second.id, "09:00"),
        (first.id, "10:00"),
    ]


@pytest.mark.parametrize(
    "wish",
    [
        {"windows": [{"weekday": 4}]},
        {"windows": [{"starts": "10:00"}]},
        {"windows": [{"until": "09:15"}]},
        {"windows": [{"weekday": 3, "starts": "08:00", "until": "09:00"}, {"weekday": 2}]},
        {"first": "2027-03-05"},
        {"last": "2027-03-03"},
    ],
)
def test_a_time_that_does_not_suit_is_not_offered(join, free, amina, wish):
    join(amina, **wish)
    free("09:00")  # on 4 March, a Thursday
    assert open_offers() == []


@pytest.mark.parametrize(
    "windows", [[], [{"weekday": 3, "starts": "09:00", "until": "09:30"}], [{"weekday": 2}, {"starts": "08:00"}]]
)
def test_a_time_that_suits_is_offered(join, free, amina, windows):
    join(amina, windows=windows)
    free("09:00")
    assert len(open_offers()) == 1


def test_a_time_at_which_the_patient_is_elsewhere_goes_to_the_next(join, free, book, amina, sara, el_djazair):
    from portal.domain.doctors.models import Practice

    other = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    join(amina)
    waiting = join(sara)
    book(amina, "09:00", practice_id=session().get_one(Practice, other.id).id)
    free("09:00")
    assert [offer.entry_id for offer in open_offers()] == [waiting.id]


def test_an_earlier_time_is_offered_only_when_it_is_earlier(join, free, book, amina):
    visit = book(amina, "10:00", 3)
    join(amina, moves_id=visit.id)
    free("11:00", 3)
    assert open_offers() == []
    free("09:00", 3)
    assert len(open_offers()) == 1


def test_another_type_of_visit_fits_where_it_is_given(join, free, amina, el_djazair):
    entry = join(amina, visit_type_id=el_djazair.follow_up_id)
    free("09:00")
    (offer,) = open_offers()
    assert (offer.entry_id, offer.ends_at - offer.starts_at) == (entry.id, timedelta(minutes=15))


def test_time_too_soon_to_be_booked_by_patients_is_not_offered(join, book, nadia, amina, yacine, drain):
    join(amina)
    visit = booking.book(
        nadia.actor, practice_id=book(yacine).practice_id, visit_type_id=book(yacine, "10:00").visit_type_id,
        starts_at=NOON + timedelta(hours=1), patient_id=yacine.patient_id,
    )  # fmt: skip
    booking.cancel(nadia.actor, visit.id)
    drain()
    assert open_offers() == []


def test_who_waits_for_any_doctor_gets_any_doctors_time_but_not_another_clinics(
    join, free, amina, dr_haddad, wahran, drain
):
    joining.join(amina.actor, clinic_id=wahran.clinic_id, visit_type_id=wahran.consultation_id)
    free()
    assert open_offers() == []
    entry = join(amina, any_doctor=True)
    free("10:00")
    assert [offer.entry_id for offer in open_offers()] == [entry.id]


def test_who_waits_for_one_doctor_gets_no_other_doctors_time(join, book, yacine, amina, el_djazair, drain):
    other = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    join(amina)
    visit = book(yacine, practice_id=other.id)
    booking.cancel(yacine.actor, visit.id)
    drain()
    assert open_offers() == []


def test_an_unanswered_offer_goes_to_the_next_at_its_minute(join, free, amina, sara, drain, standing_at):
    first, second = join(amina), join(sara)
    free()
    with standing_at(NOON + timedelta(minutes=29)):
        drain()
        assert [offer.entry_id for offer in open_offers()] == [first.id]
    with standing_at(NOON + timedelta(minutes=30)):
        drain()
        assert [offer.state for offer in offers()] == ["expired", "open"]
        (offer,) = open_offers()
        assert (offer.entry_id, offer.expires_at) == (second.id, NOON + timedelta(minutes=60))
    with standing_at(NOON + timedelta(minutes=61)):
        drain()
        assert [offer.state for offer in offers()] == ["expired", "expired"]  # nobody is asked twice about one time
        assert session().scalars(select(Hold)).all() == []


def test_a_declined_offer_goes_to_the_next_and_one_waits_on(join, free, amina, sara, drain):
    first, second = join(amina), join(sara)
    free()
    declined = answering.decline(amina.actor, open_offers()[0].id)
    assert answering.decline(amina.actor, declined.id).state == "declined"  # said twice, it is said once
    drain()
    assert [offer.entry_id for offer in open_offers()] == [second.id]
    free("10:00")
    assert {offer.entry_id for offer in open_offers()} == {first.id, second.id}


def test_leaving_gives_the_offered_time_to_the_next(join, free, amina, sara, drain):
    entry, second = join(amina), join(sara)
    free()
    joining.leave(amina.actor, entry.id)
    drain()
    assert [(offer.entry_id, offer.state) for offer in offers()] == [(entry.id, "void"), (second.id, "open")]


def test_one_waits_for_an_answer_before_the_next_offer(join, free, amina):
    join(amina)
    free("09:00")
    free("10:00")
    assert len(open_offers()) == 1


def test_in_quiet_hours_nothing_goes_out_and_the_morning_looks_again(join, free, amina, drain, standing_at):
    night = NOON.replace(hour=22)
    join(amina)
    with standing_at(night):
        free(ahead=3)
        assert offers() == []
    with standing_at(NOON + timedelta(hours=19, minutes=59)):  # 07:59
        drain()
        assert offers() == []
    with standing_at(NOON + timedelta(hours=20)):
        drain()
        (offer,) = open_offers()
        assert offer.expires_at == NOON + timedelta(hours=20, minutes=30)


def test_time_taken_in_the_quiet_hours_is_not_offered_in_the_morning(
    join, free, book, amina, yacine, drain, standing_at
):
    join(amina)
    with standing_at(NOON.replace(hour=22)):
        free(ahead=3)
        book(yacine, ahead=3)
    with standing_at(NOON + timedelta(hours=20)):
        drain()
        assert offers() == []


@pytest.mark.parametrize(
    ("begins", "ends", "wall", "wakes"),
    [
        (time(21), time(8), "23:30", "2027-03-02T08:00"),
        (time(21), time(8), "07:59", "2027-03-01T08:00"),
        (time(21), time(8), "08:00", None),
        (time(21), time(8), "20:59", None),
        (time(12), time(14), "13:00", "2027-03-01T14:00"),
        (time(12), time(14), "14:00", None),
        (time(8), time(8), "08:00", None),
    ],
)
def test_quiet_hours_are_the_clinics_own(el_djazair, standing_at, begins, ends, wall, wakes):
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    clinic.quiet_from, clinic.quiet_until = begins, ends
    with standing_at(datetime.combine(NOON.date(), time.fromisoformat(wall), ALGIERS)):
        found = offering.quiet_until(clinic)
    assert (f"{found.astimezone(ALGIERS):%Y-%m-%dT%H:%M}" if found else None) == wakes


def test_time_somebody_else_holds_is_looked_at_again_when_they_let_it_go(
    join, free, amina, yacine, dr_benali, el_djazair, drain, standing_at
):
    visit = free()
    holds.place(
        yacine.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id,
        starts_at=visit.starts_at,
    )  # fmt: skip
    join(amina)
    offering.look(offering.Freed(visit.clinic_id, visit.practice_id, visit.starts_at, visit.ends_at))
    drain()
    assert offers() == []
    with standing_at(NOON + timedelta(minutes=11)):
        drain()
        assert [offer.starts_at for offer in open_offers()] == [visit.starts_at]


def test_a_moved_visit_frees_its_old_time_also_when_it_goes_to_another_doctor(
    join, book, amina, yacine, nadia, el_djazair, drain
):
    other = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    join(amina)
    visit = book(yacine, "09:00")
    was = visit.starts_at
    booking.reschedule(nadia.actor, visit.id, starts_at=at("11:00", 3), practice_id=other.id)
    drain()
    assert [offer.starts_at for offer in open_offers()] == [was]


def test_a_declined_request_frees_its_time(join, book, amina, yacine, dr_benali, el_djazair, drain):
    join(amina)
    visit = book(yacine, visit_type_id=el_djazair.follow_up_id)
    booking.decline(dr_benali.actor, visit.id)
    drain()
    assert [offer.starts_at for offer in open_offers()] == [visit.starts_at]


def test_a_visit_that_did_not_take_place_frees_nothing(join, book, amina, yacine, nadia, drain, standing_at):
    from portal.domain.scheduling import visits

    join(amina)
    visit = book(yacine)
    with standing_at(visit.starts_at + timedelta(minutes=5)):
        visits.mark_no_show(nadia.actor, visit.id)
        drain()
    assert offers() == []


def test_new_hours_are_offered(join, amina, dr_benali, el_djazair, drain):
    join(amina)
    hours.add(
        dr_benali.actor, dr_benali.practice_id, on_date=working_day(3), starts=time(18), ends=time(19),
        visit_type_ids=[el_djazair.consultation_id],
    )  # fmt: skip
    drain()
    assert [f"{offer.starts_at.astimezone(ALGIERS):%H:%M}" for offer in open_offers()] == ["18:00"]


def test_time_off_that_is_taken_away_is_offered(join, amina, dr_benali, drain):
    day = working_day(3)
    off = closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, first=day, last=day)
    drain()
    join(amina)
    closures.reopen(dr_benali.actor, off.id)
    drain()
    (offer,) = open_offers()
    assert offer.starts_at.astimezone(ALGIERS).date() == day


def test_a_holiday_that_is_taken_away_is_offered(join, amina, admin, el_djazair, drain):
    day = working_day(3)
    slug = el_djazair.slug
    holiday = closures.add_holiday(admin.actor, slug, day=day, name="Day of rest")
    drain()
    join(amina)
    closures.remove_holiday(admin.actor, holiday.id)
    drain()
    (offer,) = open_offers()
    assert offer.starts_at.astimezone(ALGIERS).date() == day


def test_a_whole_day_freed_gives_each_a_time_of_their_own(join, amina, sara, yacine, dr_benali, drain):
    day = working_day(3)
    off = closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, first=day, last=day)
    drain()
    for one in (amina, sara, yacine):
        join(one)
    closures.reopen(dr_benali.actor, off.id)
    drain()
    assert [f"{offer.starts_at.astimezone(ALGIERS):%H:%M}" for offer in open_offers()] == ["08:00", "08:30", "09:00"]


def test_the_desk_offers_a_free_time_by_hand_at_night_too(join, amina, nadia, dr_benali, standing_at, drain):
    entry = join(amina)
    with standing_at(NOON.replace(hour=23)):
        offer = offering.by_hand(nadia.actor, entry.id, practice_id=dr_benali.practice_id, starts_at=at("09:00", 3))
        keep()
        assert offer.state == "open"
        with pytest.raises(OfferStands):
            offering.by_hand(nadia.actor, entry.id, practice_id=dr_benali.practice_id, starts_at=at("10:00", 3))
    event = session().scalars(select(Event).where(Event.name == "waitlist.offered")).one()
    assert event.actor_id == nadia.user_id


def test_only_the_clinic_offers_by_hand_and_only_what_is_free_there(
    join, book, amina, yacine, nadia, kamel, dr_benali, dr_haddad, drain
):
    entry = join(amina)
    wish = {"practice_id": dr_benali.practice_id, "starts_at": at("09:00", 3)}
    with pytest.raises(Forbidden):
        offering.by_hand(amina.actor, entry.id, **wish)
    with pytest.raises(NotFound):
        offering.by_hand(kamel.actor, entry.id, **wish)
    with pytest.raises(NotFound):
        offering.by_hand(nadia.actor, entry.id, **(wish | {"practice_id": dr_haddad.practice_id}))
    book(yacine, "09:00")
    with pytest.raises(NotOffered):
        offering.by_hand(nadia.actor, entry.id, **wish)
    joining.leave(nadia.actor, entry.id)
    with pytest.raises(NotWaiting):
        offering.by_hand(nadia.actor, entry.id, **wish)


def test_an_inactive_practice_offers_nothing(join, free, book, amina, yacine, drain, dr_benali):
    join(amina)
    visit = book(yacine)
    drain()
    session().get_one(Practice, dr_benali.practice_id).is_active = False
    booking.cancel(yacine.actor, visit.id)
    drain()
    assert offers() == []


def test_a_group_opening_gives_as_many_offers_as_places(join, amina, sara, yacine, dr_benali, el_djazair, drain):
    join(amina)
    join(sara)
    hours.add(
        dr_benali.actor, dr_benali.practice_id, on_date=working_day(3), starts=time(18), ends=time(18, 30), capacity=2,
        visit_type_ids=[el_djazair.consultation_id],
    )  # fmt: skip
    drain()
    assert len({offer.starts_at for offer in open_offers()}) == 1
    assert len(open_offers()) == 2
    assert (
        availability.explain(yacine.actor, dr_benali.practice_id, el_djazair.consultation_id, at("18:00", 3)) == "taken"
    )


# --- answering ---


def test_yes_books_the_time_and_ends_the_wait(join, free, amina, drain):
    entry = join(amina)
    visit = free()
    (offer,) = open_offers()
    made = answering.accept(amina.actor, offer.id)
    drain()
    assert (made.starts_at, made.patient_id, made.status) == (visit.starts_at, amina.patient_id, "confirmed")
    session().refresh(entry)
    assert (entry.state, entry.appointment_id) == ("booked", made.id)
    assert [one.state for one in offers()] == ["accepted"]
    assert answering.accept(amina.actor, offer.id).id == made.id  # said twice
    assert session().scalars(select(Hold)).all() == []


def test_yes_moves_the_visit_without_counting_as_a_move_even_after_the_cut_off(
    join, free, book, amina, nadia, el_djazair, drain
):
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    visit = book(amina, "15:00", 3)
    kind.most_moves, kind.cutoff_minutes = 0, 10 * 24 * 60
    keep()
    join(amina, moves_id=visit.id)
    kind.cutoff_minutes = 0
    free("09:00", 3)
    kind.cutoff_minutes = 10 * 24 * 60
    keep()
    (offer,) = open_offers()
    moved = answering.accept(amina.actor, offer.id)
    assert (moved.id, moved.starts_at, moved.moves, moved.version) == (visit.id, offer.starts_at, 0, 2)


def test_the_time_a_move_leaves_goes_to_the_next_who_waits(join, free, book, amina, sara, drain):
    visit = book(amina, "15:00", 3)
    later = visit.starts_at
    join(amina, moves_id=visit.id)
    second = join(sara, windows=[{"starts": "14:00"}])
    free("09:00", 3)
    (offer,) = open_offers()
    answering.accept(amina.actor, offer.id)
    drain()
    assert [(one.entry_id, one.starts_at) for one in open_offers()] == [(second.id, later)]


def test_yes_moves_to_another_doctor_of_the_clinic(join, book, amina, yacine, el_djazair, drain):
    other = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    visit = book(amina, "15:00", 3)
    join(amina, moves_id=visit.id, any_doctor=True)
    freed = book(yacine, "09:00", 3, practice_id=other.id)
    booking.cancel(yacine.actor, freed.id)
    drain()
    (offer,) = open_offers()
    moved = answering.accept(amina.actor, offer.id)
    assert (moved.id, moved.practice_id) == (visit.id, other.id)


def test_what_the_clinic_offers_is_not_refused_for_the_patients_limits(join, free, book, amina, el_djazair):
    session().get_one(VisitType, el_djazair.consultation_id).most_upcoming = 1
    keep()
    join(amina)
    free()
    session().get_one(VisitType, el_djazair.consultation_id).bookable_by = "desk"
    keep()
    assert answering.accept(amina.actor, open_offers()[0].id).patient_id == amina.patient_id


def test_the_desk_says_yes_for_somebody_on_the_phone(join, free, amina, nadia, drain):
    join(amina)
    free()
    made = answering.accept(nadia.actor, open_offers()[0].id)
    assert (made.patient_id, made.booked_by) == (amina.patient_id, nadia.user_id)


@pytest.mark.parametrize("verb", [answering.accept, answering.decline])
def test_others_do_not_answer(join, free, amina, yacine, kamel, verb):
    join(amina)
    free()
    for stranger in (yacine, kamel):
        with pytest.raises(NotFound):
            verb(stranger.actor, open_offers()[0].id)


@pytest.mark.parametrize("verb", [answering.accept, answering.decline])
def test_an_offer_that_is_over_says_so(join, free, amina, verb, standing_at):
    join(amina)
    free()
    (offer,) = open_offers()
    with standing_at(offer.expires_at), pytest.raises(OfferOver) as no:
        verb(amina.actor, offer.id)
    assert no.value.facts["state"] == "expired"
    assert "next person" in str(no.value)


def test_after_no_there_is_no_yes_and_after_leaving_neither(join, free, amina, drain):
    entry = join(amina)
    free()
    (offer,) = open_offers()
    answering.decline(amina.actor, offer.id)
    drain()
    with pytest.raises(OfferOver):
        answering.accept(amina.actor, offer.id)
    free("10:00")
    (offer,) = open_offers()
    joining.leave(amina.actor, entry.id)
    with pytest.raises(OfferOver):
        answering.accept(amina.actor, offer.id)


def test_after_yes_there_is_no_no(join, free, amina):
    join(amina)
    free()
    (offer,) = open_offers()
    answering.accept(amina.actor, offer.id)
    with pytest.raises(OfferOver):
        answering.decline(amina.actor, offer.id)
    assert clock.now() == NOON.astimezone(ALGIERS)


def test_everything_is_written_down_with_who_did_it(join, free, amina, drain):
    join(amina)
    free()
    made = answering.accept(amina.actor, open_offers()[0].id)
    drain()
    names = list(session().scalars(select(Event.name).where(Event.patient_id == amina.patient_id).order_by(Event.seq)))
    assert [name for name in names if name.startswith("waitlist.")] == [
        "waitlist.joined",
        "waitlist.offered",
        "waitlist.accepted",
    ]
    booked = (
        session().scalars(select(Event).where(Event.subject_id == made.id, Event.name == "appointment.booked")).one()
    )
    assert booked.actor_id == amina.user_id
    assert session().get_one(Appointment, made.id).booked_by == amina.user_id
