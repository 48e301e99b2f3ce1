"""Joining, changing and leaving: who may, for whom, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.domain.patients.models import Delegation
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.refusals import EmailNotVerified, NoPatientProfile, NotSelfBookable
from portal.domain.waitlist import entries, joining
from portal.domain.waitlist.wishes import AlreadyWaiting, NothingToMove, NotWaiting, UrgencyIsTheClinics
from tests.builders import ALGIERS, make_patient, register_at

pytestmark = pytest.mark.usefixtures("noon")


def known_patient(el_djazair):
    from portal.domain.clinics.models import Clinic

    patient = make_patient()
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return patient


def test_a_patient_waits_from_today_as_far_as_the_visit_can_be_booked(join, amina, dr_benali, el_djazair):
    entry = join(amina)
    today = clock.today(ALGIERS)
    assert (entry.patient_id, entry.practice_id, entry.state, entry.urgency) == (
        amina.patient_id, dr_benali.practice_id, "waiting", "routine",
    )  # fmt: skip
    assert (entry.first, entry.last) == (today, today + timedelta(days=60))


def test_joining_is_written_down_without_what_was_noted(join, amina):
    entry = join(amina, note="my knee hurts")
    event = session().scalars(select(Event).where(Event.name == "waitlist.joined")).one()
    assert (event.subject_id, event.patient_id, event.actor_id) == (entry.id, amina.patient_id, amina.user_id)
    assert "knee" not in str(event.facts)


def test_an_earlier_time_is_waited_for_until_the_day_of_the_visit(join, book, amina):
    visit = book(amina, ahead=7)
    entry = join(amina, moves_id=visit.id, practice_id=None, visit_type_id=None)
    assert (entry.moves_id, entry.visit_type_id, entry.practice_id) == (
        visit.id, visit.visit_type_id, visit.practice_id,
    )  # fmt: skip
    assert entry.last == visit.starts_at.astimezone(ALGIERS).date()


def test_any_doctor_of_the_clinic_can_be_waited_for(join, amina, el_djazair):
    assert join(amina, any_doctor=True).practice_id is None
    other = joining.join(
        amina.actor, clinic_id=el_djazair.clinic_id, visit_type_id=el_djazair.follow_up_id
    )  # without naming a doctor
    assert (other.practice_id, other.clinic_id) == (None, el_djazair.clinic_id)


def test_the_same_wish_is_kept_once(join, amina):
    first = join(amina)
    with pytest.raises(AlreadyWaiting) as no:
        join(amina)
    assert no.value.facts["entry_id"] == first.id
    assert join(amina, any_doctor=True).id != first.id  # that is another wish


def test_after_leaving_one_can_join_again(join, amina):
    joining.leave(amina.actor, join(amina).id)
    assert join(amina).state == "waiting"


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": "2027-03-10", "last": "2027-03-09"},
        {"last": "2027-02-27"},
        {"last": "2031-01-01"},
        {"windows": [{"weekday": 7}]},
        {"windows": [{"starts": "12:00", "until": "09:00"}]},
        {"windows": [{"starts": "09:00+01:00"}]},
        {"visit_type_id": None},
        {"practice_id": None},
        {"urgency": "very"},
    ],
)
def test_wishes_that_make_no_sense_are_refused(join, amina, wrong):
    with pytest.raises(Invalid):
        join(amina, **wrong)


def test_a_first_day_in_the_past_is_today(join, amina):
    assert join(amina, first="2027-01-01").first == clock.today(ALGIERS)


def test_only_the_clinic_says_how_urgent_it_is(join, amina, nadia, dr_benali, el_djazair):
    with pytest.raises(UrgencyIsTheClinics):
        join(amina, urgency="soon")
    entry = join(amina)
    with pytest.raises(UrgencyIsTheClinics):
        joining.change(amina.actor, entry.id, urgency="urgent")
    assert joining.change(nadia.actor, entry.id, urgency="urgent").urgency == "urgent"
    assert joining.change(dr_benali.actor, entry.id, urgency="soon").urgency == "soon"


def test_the_desk_and_the_doctor_add_patients_the_clinic_knows(nadia, dr_benali, el_djazair):
    about = {"practice_id": dr_benali.practice_id, "urgency": "urgent"}
    for who, kind in ((nadia, el_djazair.consultation_id), (dr_benali, el_djazair.follow_up_id)):
        patient = known_patient(el_djazair)
        entry = joining.join(who.actor, patient_id=patient.id, visit_type_id=kind, **about)
        assert (entry.patient_id, entry.urgency, entry.joined_by) == (patient.id, "urgent", who.user_id)


def test_the_desk_adds_nobody_it_does_not_know(join, nadia, kamel, amina, el_djazair):
    with pytest.raises(NotFound):
        join(nadia, patient_id=amina.patient_id)
    with pytest.raises((Forbidden, NotFound)):
        join(kamel, patient_id=known_patient(el_djazair).id)


def test_a_patient_adds_nobody_else(join, amina, yacine):
    with pytest.raises(NotFound):
        join(amina, patient_id=yacine.patient_id)


def test_whoever_books_for_a_child_joins_for_the_child(join, amina):
    child = make_patient(given_name="Rym", family_name="Boudiaf")
    session().add(
        Delegation(
            patient_id=child.id, user_id=amina.user_id, relation="child", scopes=["view", "book"],
            starts_on=clock.today(clock.home()),
        )
    )  # fmt: skip
    keep()
    assert join(amina, patient_id=child.id).patient_id == child.id


def test_an_address_has_to_be_confirmed_first(join, lina):
    with pytest.raises(EmailNotVerified):
        join(lina)


def test_staff_without_a_profile_name_the_patient(join, nadia):
    with pytest.raises(NoPatientProfile):
        join(nadia)


def test_a_visit_that_only_the_desk_books_is_not_waited_for_by_patients(join, amina, nadia, el_djazair):
    session().get_one(VisitType, el_djazair.consultation_id).bookable_by = "desk"
    keep()
    with pytest.raises(NotSelfBookable):
        join(amina)
    assert join(nadia, patient_id=known_patient(el_djazair).id).state == "waiting"


def test_another_clinics_visit_type_or_an_unknown_doctor_is_not_found(join, amina, wahran, dr_haddad):
    with pytest.raises(NotFound):
        join(amina, visit_type_id=wahran.consultation_id)
    with pytest.raises(NotFound):
        join(amina, practice_id=uuid4())
    with pytest.raises(NotFound):
        join(amina, any_doctor=True, visit_type_id=wahran.consultation_id)


def test_there_is_nothing_to_move_once_a_visit_is_called_off_or_somebody_elses(join, book, amina, yacine):
    visit = book(amina, ahead=7)
    with pytest.raises(NotFound):
        join(yacine, moves_id=visit.id)
    booking.cancel(amina.actor, visit.id)
    with pytest.raises(NothingToMove):
        join(amina, moves_id=visit.id)


def test_days_and_hours_can_be_changed_while_waiting(join, amina):
    entry = join(amina)
    changed = joining.change(amina.actor, entry.id, windows=[{"weekday": 1, "starts": "09:00"}], last="2027-03-20")
    assert changed.windows == [{"weekday": 1, "from": "09:00", "until": "00:00"}]
    assert str(changed.last) == "2027-03-20"
    keep()
    event = session().scalars(select(Event).where(Event.name == "waitlist.changed")).one()
    assert event.facts["fields"] == ["last", "windows"]
    joining.change(amina.actor, entry.id, last="2027-03-20")
    keep()
    assert session().scalars(select(Event).where(Event.name == "waitlist.changed")).one()  # nothing changed


def test_strangers_and_other_clinics_neither_see_change_nor_end_it(join, amina, yacine, kamel, dr_haddad):
    entry = join(amina)
    for stranger in (yacine, kamel, dr_haddad):
        for verb in (joining.change, joining.leave, entries.find):
            with pytest.raises(NotFound):
                verb(stranger.actor, entry.id)


def test_whoever_only_looks_on_cannot_leave_for_the_patient(join, amina, yacine):
    entry = join(amina)
    session().add(
        Delegation(
            patient_id=amina.patient_id, user_id=yacine.user_id, relation="spouse", scopes=["view"],
            starts_on=clock.today(clock.home()),
        )
    )  # fmt: skip
    keep()
    assert entries.find(yacine.actor, entry.id).entry.id == entry.id
    with pytest.raises(Forbidden):
        joining.leave(yacine.actor, entry.id)


def test_what_has_ended_is_not_changed(join, amina, nadia):
    entry = join(amina)
    joining.leave(nadia.actor, entry.id)
    for verb in (joining.change, joining.leave):
        with pytest.raises(NotWaiting):
            verb(amina.actor, entry.id)


def test_ones_position_counts_the_more_urgent_and_the_earlier(join, amina, yacine, nadia, dr_benali, el_djazair):
    mine = join(amina)
    assert entries.find(amina.actor, mine.id).before == 0
    later = join(yacine)
    assert entries.find(yacine.actor, later.id).before == 1
    joining.change(nadia.actor, later.id, urgency="urgent")
    keep()
    assert entries.find(yacine.actor, later.id).before == 0
    assert entries.find(amina.actor, mine.id).before == 1


def test_who_waits_for_any_doctor_is_before_those_who_wait_for_one(join, amina, yacine, el_djazair):
    join(amina, any_doctor=True)
    assert entries.find(yacine.actor, join(yacine).id).before == 1


def test_the_clinics_list_is_in_the_order_of_offers_and_can_be_narrowed(
    join, amina, yacine, nadia, kamel, dr_benali, el_djazair
):
    join(amina)
    second = join(yacine)
    joining.change(nadia.actor, second.id, urgency="soon")
    keep()
    clinics = [clinic.id for clinic in entries.clinics_of(nadia.actor)]
    assert clinics == [el_djazair.clinic_id]

    def names(**more):
        return [place.entry.patient.given_name for place in entries.of_clinics(nadia.actor, clinics, **more).items]

    assert names() == ["Yacine", "Amina"]
    assert names(urgency="soon") == ["Yacine"]
    assert names(text="amina bou") == ["Amina"]
    assert names(practice_id=dr_benali.practice_id) == ["Yacine", "Amina"]
    assert names(practice_id=uuid4()) == []
    assert names(ended=True) == []
    page = entries.of_clinics(nadia.actor, clinics, limit=1)
    assert [place.entry.patient.given_name for place in page.items] == ["Yacine"]
    after = entries.of_clinics(nadia.actor, clinics, limit=1, after=page.next)
    assert [place.entry.patient.given_name for place in after.items] == ["Amina"]
    assert entries.of_clinics(kamel.actor, clinics).items == []


def test_reading_the_list_takes_the_same_few_statements_however_long(
    join, statements, amina, yacine, nadia, el_djazair
):
    join(amina)
    with statements() as one:
        entries.of_clinics(nadia.actor, [el_djazair.clinic_id])
        few = one()
    join(yacine)
    join(yacine, any_doctor=True)
    with statements() as more:
        entries.of_clinics(nadia.actor, [el_djazair.clinic_id])
        assert more() == few <= 4  # one of them reads who asks
