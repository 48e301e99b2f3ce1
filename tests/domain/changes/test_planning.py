"""Planning a change: the visits it hits, the times held for them, and what nobody saved."""

from __future__ import annotations

import time as stopwatch
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.domain.changes import applying, keeping, listing, planning, proposing
from portal.domain.changes.models import Change, Proposal
from portal.domain.changes.refusals import ChangeOver
from portal.domain.clinics.models import Clinic, Resource, ResourceGroup
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.scheduling import booking, hours
from portal.domain.scheduling.models import Closure, Hold, Occupancy, Opening, VisitType
from portal.domain.scheduling.refusals import NotOffered, TimeTaken
from tests.builders import ALGIERS, at, make_doctor, make_opening, make_practice, make_week, working_day
from tests.domain.changes.conftest import guest


def held(change: Change) -> dict[Any, Hold]:
    """The holds of a change's proposals, by the visit's id."""
    session().expire_all()
    found = session().scalars(select(Proposal).where(Proposal.change_id == change.id))
    return {one.appointment_id: session().get_one(Hold, one.hold_id) for one in found if one.hold_id}


def closed() -> int:
    return session().scalar(select(func.count()).select_from(Closure)) or 0


def test_a_change_that_hits_nobody_is_saved_at_once(dr_benali: Any, day_off: Any) -> None:
    assert planning.save_or_plan(dr_benali.actor, "close_doctor", dr_benali.doctor_id, **day_off) is None
    assert closed() == 1


def test_a_plan_saves_nothing_and_holds_a_time_for_each_patient(
    plan: Any, book: Any, amina: Any, dr_benali: Any
) -> None:
    visit = book(amina, "09:00")
    change = plan()
    assert closed() == 0
    (line,) = listing.show(dr_benali.actor, change.id).lines
    assert (line.visit.id, line.proposal.decision) == (visit.id, "move")
    hold = held(change)[visit.id]
    assert (hold.patient_id, hold.expires_at) == (amina.patient_id, change.held_until)
    assert (
        hold.starts_at
        == line.proposal.starts_at
        == at("09:00", (working_day() - clock.today("Africa/Algiers")).days + 1)
    )
    assert visit.status == "confirmed"


def test_planning_leaves_no_trace_in_the_audit_but_of_what_was_done(plan: Any, book: Any, amina: Any) -> None:
    book(amina)
    plan()
    names = set(session().scalars(select(Event.name)))
    assert "closure.added" not in names
    assert "appointment.booked" in names


def test_a_held_time_is_offered_to_nobody_else(plan: Any, book: Any, amina: Any, yacine: Any, el_djazair: Any) -> None:
    visit = book(amina)
    hold = held(plan())[visit.id]
    with pytest.raises(TimeTaken):
        booking.book(
            yacine.actor,
            practice_id=hold.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=hold.starts_at,
        )


def test_times_are_proposed_neither_inside_the_closure_nor_twice(plan: Any, full_day: Any, dr_benali: Any) -> None:
    visits = full_day(40)
    change = plan(last=working_day() + timedelta(days=2))
    holds = held(change)
    assert set(holds) == {visit.id for visit in visits}
    after = clock.now() + timedelta(days=0)
    first = working_day() + timedelta(days=3)
    for hold in holds.values():
        assert hold.starts_at > after
        day = hold.starts_at.astimezone(ALGIERS).date()
        assert not working_day() <= day < first
    assert _overlaps() == 0
    assert len({(hold.starts_at, hold.practice_id) for hold in holds.values()}) == 40


def test_forty_visits_are_planned_quickly_and_with_few_statements(
    plan: Any, full_day: Any, dr_benali: Any, day_off: Any, statements: Any
) -> None:
    full_day(40)
    begun = stopwatch.monotonic()
    with statements() as count:
        plan()
        used = count()
    assert stopwatch.monotonic() - begun < 3
    assert used < 60  # however many visits: see the next test


def test_more_visits_do_not_mean_more_statements(plan: Any, full_day: Any, dr_benali: Any, statements: Any) -> None:
    full_day(4)
    plan()  # whatever is prepared once is prepared
    planning.drop(dr_benali.actor, session().scalars(select(Change.id)).one())
    with statements() as count:
        plan(note="four")
        few = count()
    session().execute(Change.__table__.delete())
    full_day_more = [guest() for _ in range(10)]
    for number, person in enumerate(full_day_more):
        planning.taking.one_at_a_time("warm", person.user_id)
        booking.book(
            person,
            practice_id=dr_benali.practice_id,
            visit_type_id=session().scalars(select(VisitType.id).where(VisitType.duration == 30)).first(),
            starts_at=at(f"{10 + number // 2}:{'30' if number % 2 else '00'}")
            if number < 4
            else at(f"{13 + (number - 4) // 2}:{'30' if number % 2 else '00'}"),
        )
    keep()
    with statements() as count:
        plan(note="fourteen")
        many = count()
    assert many <= few + 10  # a new row each for proposals may be one statement more, never several for each


def test_new_hours_are_those_after_the_change(book: Any, amina: Any, dr_benali: Any) -> None:
    """Mornings become afternoons: the proposal lies in hours that do not exist yet."""
    visit = book(amina, "09:00")
    morning = _opening(dr_benali, working_day().weekday(), time(8))
    change = planning.save_or_plan(
        dr_benali.actor, "opening_changed", morning.id, weekday=morning.weekday, starts=time(16), ends=time(20)
    )
    hold = held(change)[visit.id]
    local = hold.starts_at.astimezone(ALGIERS)
    assert local.date() == working_day()
    assert time(13) <= local.time() < time(20)
    session().expire_all()
    assert session().get_one(Opening, morning.id).starts == time(8)
    applying.apply(dr_benali.actor, change.id, {})
    assert session().get_one(Opening, morning.id).starts == time(16)


@pytest.mark.parametrize("kind", ["opening_removed", "opening_break", "opening_moved"])
def test_every_change_of_hours_is_planned_alike(kind: str, book: Any, amina: Any, dr_benali: Any) -> None:
    visit = book(amina, "09:00")
    morning = _opening(dr_benali, working_day().weekday(), time(8))
    about = {
        "opening_removed": {},
        "opening_break": {"starts": time(9), "ends": time(10)},
        "opening_moved": {"starts": time(10), "ends": time(12)},
    }[kind]
    change = planning.save_or_plan(dr_benali.actor, kind, morning.id, **about)
    assert set(held(change)) == {visit.id}
    applying.apply(dr_benali.actor, change.id, {})
    assert change.state == "applied"


def test_a_holiday_and_a_closed_clinic_hit_every_doctor(book: Any, amina: Any, admin: Any, el_djazair: Any) -> None:
    visit = book(amina, "09:00")
    holiday = planning.save_or_plan(admin.actor, "holiday", el_djazair.clinic_id, day=working_day(), name="Eid")
    assert set(held(holiday)) == {visit.id}
    planning.drop(admin.actor, holiday.id)
    closing = planning.save_or_plan(
        admin.actor, "close_clinic", el_djazair.clinic_id, first=working_day(), last=working_day(), kind="blocked"
    )
    assert set(held(closing)) == {visit.id}


def test_a_doctor_who_leaves_is_followed_by_a_colleague(
    book: Any, amina: Any, admin: Any, dr_benali: Any, el_djazair: Any
) -> None:
    visit = book(amina, "09:00")
    colleague = _colleague(el_djazair)
    change = planning.save_or_plan(admin.actor, "practice_ended", dr_benali.practice_id)
    assert held(change)[visit.id].practice_id == colleague.id
    applying.apply(admin.actor, change.id, {})
    session().expire_all()
    assert not session().get_one(Practice, dr_benali.practice_id).is_active


def test_a_doctor_who_leaves_alone_lets_patients_choose(book: Any, amina: Any, admin: Any, dr_benali: Any) -> None:
    book(amina, "09:00")
    change = planning.save_or_plan(admin.actor, "practice_ended", dr_benali.practice_id)
    (line,) = listing.show(admin.actor, change.id).lines
    assert (line.proposal.decision, line.proposal.starts_at, line.place) == ("choose", None, None)


def test_a_long_leave_is_answered_with_an_earlier_time(plan: Any, book: Any, amina: Any) -> None:
    visit = book(amina, "09:00", ahead=9)
    first = working_day(9)
    hold = held(plan(first=first, last=first + timedelta(days=40)))[visit.id]
    assert hold.starts_at < visit.starts_at


def test_nobody_is_sent_to_two_places_at_once(
    plan: Any, book: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    """The same patient has two visits in the closure and a third one where the first would go."""
    one, two = book(amina, "09:00"), book(amina, "10:00")
    elsewhere = _colleague(el_djazair)
    ahead = (working_day() - clock.today("Africa/Algiers")).days + 1
    booking.book(
        amina.actor,
        practice_id=elsewhere.id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00", ahead),
    )
    keep()
    holds = held(plan())
    assert len(holds) == 2
    assert holds[one.id].starts_at not in {at("09:00", ahead), holds[two.id].starts_at}


def test_a_room_is_held_with_the_doctor(plan: Any, book: Any, amina: Any, el_djazair: Any, dr_benali: Any) -> None:
    group = ResourceGroup(clinic_id=el_djazair.clinic_id, name="Echo", kind="device")
    session().add(group)
    session().flush()
    session().add(Resource(group_id=group.id, name="Echo 1", places=1))
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    session().refresh(kind, ["needs"])
    kind.needs.append(group)
    keep()
    visit = book(amina, "09:00")
    hold = held(plan())[visit.id]
    taken = select(Occupancy.kind).where(Occupancy.hold_id == hold.id)
    assert sorted(session().scalars(taken)) == ["doctor", "room"]


def test_the_same_change_planned_twice_is_one_plan(plan: Any, book: Any, amina: Any) -> None:
    book(amina)
    assert plan().id == plan().id
    assert session().scalar(select(func.count()).select_from(Hold)) == 1


def test_a_plan_looks_again_when_asked_and_keeps_what_was_decided(
    plan: Any, book: Any, amina: Any, yacine: Any, dr_benali: Any
) -> None:
    visit = book(amina)
    change = plan()
    (line,) = listing.show(dr_benali.actor, change.id).lines
    planning.remember(dr_benali.actor, change.id, {line.proposal.id: "keep"})
    before = line.proposal.starts_at
    another = book(yacine, "10:00")
    planning.renew(dr_benali.actor, change.id)
    lines = {line.visit.id: line for line in listing.show(dr_benali.actor, change.id).lines}
    assert set(lines) == {visit.id, another.id}
    assert lines[visit.id].proposal.decision == "keep"
    assert lines[visit.id].proposal.starts_at == before


def test_a_visit_that_is_gone_leaves_the_plan_and_its_time(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    visit = book(amina)
    change = plan()
    booking.cancel(amina.actor, visit.id)
    planning.renew(dr_benali.actor, change.id)
    assert listing.show(dr_benali.actor, change.id).lines == []
    assert session().scalar(select(func.count()).select_from(Hold)) == 0


def test_dropping_gives_every_time_back(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    book(amina)
    change = plan()
    planning.drop(dr_benali.actor, change.id)
    assert (change.state, session().scalar(select(func.count()).select_from(Hold))) == ("dropped", 0)
    assert closed() == 0


def test_what_nobody_decides_goes_back_by_the_clock_and_can_be_planned_again(
    plan: Any, book: Any, amina: Any, dr_benali: Any, standing_at: Any
) -> None:
    visit = book(amina)
    change = plan()
    assert planning.drop_stale() == 0
    with standing_at(change.held_until):
        assert planning.drop_stale() == 1
        assert held(change) == {}
        planning.renew(dr_benali.actor, change.id)
        assert set(held(change)) == {visit.id}
        assert change.state == "draft"


def test_an_expired_hold_does_not_stand_in_the_way(
    plan: Any, book: Any, amina: Any, dr_benali: Any, standing_at: Any
) -> None:
    visit = book(amina)
    change = plan()
    first = held(change)[visit.id]
    starts_at, old = first.starts_at, first.id
    with standing_at(change.held_until + timedelta(seconds=1)):
        planning.renew(dr_benali.actor, change.id)
        again = held(change)[visit.id]
        assert (again.starts_at, again.id == old) == (starts_at, False)


def test_another_time_is_held_instead(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    visit = book(amina)
    change = plan()
    (line,) = listing.show(dr_benali.actor, change.id).lines
    planning.remember(dr_benali.actor, change.id, {line.proposal.id: "choose"})
    week = planning.choices(dr_benali.actor, line.proposal.id).week
    wanted = [slot.starts_at for _day, slots in week.days for slot in slots][-1]
    planning.propose(dr_benali.actor, line.proposal.id, starts_at=wanted)
    assert held(change)[visit.id].starts_at == wanted
    assert session().scalar(select(func.count()).select_from(Hold)) == 1
    assert session().get_one(Proposal, line.proposal.id).decision == "move"


def test_no_time_of_the_closure_can_be_proposed_by_hand(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    book(amina)
    change = plan()
    (line,) = listing.show(dr_benali.actor, change.id).lines
    with pytest.raises(NotOffered):
        planning.propose(dr_benali.actor, line.proposal.id, starts_at=at("11:00"))
    with pytest.raises(NotFound):
        planning.propose(dr_benali.actor, line.proposal.id, starts_at=at("11:00", 5), practice_id=line.visit.id)
    week = planning.choices(dr_benali.actor, line.proposal.id, working_day()).week
    assert dict(week.days)[working_day()] == ()


def test_what_cannot_be_is_not_remembered(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    book(amina)
    change = plan()
    (line,) = listing.show(dr_benali.actor, change.id).lines
    with pytest.raises(Invalid):
        planning.remember(dr_benali.actor, change.id, {line.proposal.id: "forget"})
    keeping.give_back([line.proposal.hold_id])
    with pytest.raises(Invalid):
        planning.remember(dr_benali.actor, change.id, {line.proposal.id: "move"})


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("dr_benali", None), ("nadia", None), ("admin", None), ("superadmin", None), ("dr_haddad", NotFound),
     ("kamel", NotFound), ("amina", NotFound)],
)  # fmt: skip
def test_who_may_plan_for_a_doctor(
    request: Any, dr_benali: Any, book: Any, amina: Any, plan: Any, who: str, refusal: Any
) -> None:
    book(amina)
    actor = request.getfixturevalue(who).actor
    if refusal is None:
        change = plan(actor)
        assert listing.show(actor, change.id).lines
        planning.drop(actor, change.id)
    else:
        with pytest.raises(refusal):
            plan(actor)
        change = plan()
        for verb in (listing.show, planning.renew, planning.drop, planning.unsaved):
            with pytest.raises(NotFound):
                verb(actor, change.id)


def test_one_desk_of_two_does_not_plan_leave_everywhere(
    dr_benali: Any, nadia: Any, wahran: Any, book: Any, amina: Any, plan: Any
) -> None:
    book(amina)
    make_practice(session().get_one(Doctor, dr_benali.doctor_id), session().get_one(Clinic, wahran.clinic_id))
    keep()
    with pytest.raises(Forbidden):
        plan(nadia.actor)


def test_what_the_verb_refuses_is_refused_before_anything_is_held(dr_benali: Any, book: Any, amina: Any) -> None:
    book(amina)
    with pytest.raises(Invalid):
        planning.save_or_plan(
            dr_benali.actor, "close_doctor", dr_benali.doctor_id, first=working_day(), last=working_day() - timedelta(3)
        )
    with pytest.raises(NotFound):
        planning.save_or_plan(dr_benali.actor, "close_moon", dr_benali.doctor_id)
    with pytest.raises(NotFound):
        planning.save_or_plan(dr_benali.actor, "close_practice", "no id", first=working_day(), last=working_day())
    morning = _opening(dr_benali, working_day().weekday(), time(8))
    with pytest.raises(hours.OpeningOverlaps):
        planning.save_or_plan(
            dr_benali.actor, "opening_changed", morning.id, weekday=morning.weekday, starts=time(12), ends=time(14)
        )
    assert session().scalar(select(func.count()).select_from(Hold)) == 0


def test_a_saved_change_is_planned_no_more(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    book(amina)
    change = plan()
    applying.apply(dr_benali.actor, change.id, {})
    for verb in (planning.renew, planning.drop, planning.unsaved):
        with pytest.raises(ChangeOver):
            verb(dr_benali.actor, change.id)


def test_doctors_with_two_clinics_have_one_day(
    plan: Any, book: Any, amina: Any, yacine: Any, dr_benali: Any, wahran: Any
) -> None:
    """Held times at both clinics never overlap, because it is one doctor."""
    clinic = session().get_one(Clinic, wahran.clinic_id)
    second = make_practice(session().get_one(Doctor, dr_benali.doctor_id), clinic)
    kind = session().get_one(VisitType, wahran.consultation_id)
    make_opening(second, [kind], on_date=working_day(), starts="17:00", ends="20:00")
    ahead = (working_day() - clock.today("Africa/Algiers")).days + 1
    make_opening(second, [kind], on_date=working_day(ahead), starts="08:00", ends="16:00")
    keep()
    book(amina, "09:00")
    booking.book(yacine.actor, practice_id=second.id, visit_type_id=kind.id, starts_at=at("17:00"))
    keep()
    assert len(held(plan())) == 2
    assert _overlaps() == 0


def test_a_time_somebody_takes_while_it_is_looked_for_is_replaced(
    plan: Any, book: Any, amina: Any, dr_benali: Any, monkeypatch: Any
) -> None:
    """keep() answers without a visit the first time, as when another booking was faster."""
    visit = book(amina)
    once = [True]
    real = keeping.keep

    def first_lost(found: Any, until: Any) -> Any:
        if found and once.pop() if once else False:
            return {}
        return real(found, until)

    monkeypatch.setattr(keeping, "keep", first_lost)
    assert set(held(plan())) == {visit.id}
    assert once == []


def test_days_are_looked_at_onwards_then_back() -> None:
    day = working_day(20)
    chunks = list(proposing._chunks(day, clock.today("Africa/Algiers")))
    onwards = [chunk for chunk in chunks if not chunk[2]]
    assert onwards[0][0] == day
    assert onwards[-1][1] == day + timedelta(days=proposing.FAR)
    back = [chunk for chunk in chunks if chunk[2]]
    assert back[0][1] == day - timedelta(days=1)
    assert back[-1][0] == clock.today("Africa/Algiers")


def _opening(doctor: Any, weekday: int, starts: time) -> Opening:
    wanted = Opening.practice_id == doctor.practice_id, Opening.weekday == weekday, Opening.starts == starts
    return session().scalars(select(Opening).where(*wanted)).one()


def _colleague(place: Any) -> Practice:
    practice = make_practice(make_doctor(), session().get_one(Clinic, place.clinic_id))
    make_week(practice, [session().get_one(VisitType, place.consultation_id)])
    keep()
    return practice


def _overlaps() -> int:
    statement = (
        "SELECT count(*) FROM occupancies a JOIN occupancies b ON a.id < b.id AND a.resource_id = b.resource_id"
        " AND a.lane = b.lane AND a.during && b.during"
    )
    return session().scalar(text(statement)) or 0
