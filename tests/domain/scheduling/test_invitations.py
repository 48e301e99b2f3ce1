"""Invitations to book: who may invite, what the patient may book with one, and how it ends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Delegation, Patient
from portal.domain.scheduling import availability, booking, holds, invitations
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.refusals import NotSelfBookable
from tests.builders import ALGIERS, at, register_at


@pytest.fixture
def known(amina, el_djazair):
    """Amina has been to El Djazair."""
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return amina


@pytest.fixture
def invite(dr_benali, el_djazair, known):
    """Dr Benali asks Amina to come for a consultation within a month."""

    def do(who=dr_benali, **more):
        today = clock.today(ALGIERS)
        about = {
            "practice_id": dr_benali.practice_id, "patient_id": known.patient_id,
            "visit_type_id": el_djazair.consultation_id, "first": today, "last": today + timedelta(days=30),
        }  # fmt: skip
        made = invitations.invite(who.actor, **(about | more))
        keep()
        return made

    return do


@pytest.fixture
def invited_only(el_djazair):
    session().get_one(VisitType, el_djazair.consultation_id).bookable_by = "invited"
    keep()


def consult(person, dr_benali, el_djazair, wall="09:00", **more):
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    made = booking.book(person.actor, starts_at=at(wall), **about, **more)
    keep()
    return made


def with_clinic(made):
    """Whether it is open is asked by the date where the clinic is."""
    session().refresh(made, ["clinic"])
    return made


def test_the_doctor_the_desk_and_the_admin_invite(invite, dr_benali, nadia, admin, superadmin, amina):
    for who in (dr_benali, nadia, admin, superadmin):
        made = invite(who)
        assert (made.patient_id, made.invited_by, with_clinic(made).is_open) == (amina.patient_id, who.user_id, True)
        invitations.withdraw(who.actor, made.id)


def test_nobody_else_does(invite, amina, kamel, dr_haddad):
    for who in (kamel, dr_haddad, amina):
        with pytest.raises((Forbidden, NotFound)):
            invite(who)


def test_only_patients_the_clinic_knows_are_invited(invite, yacine):
    with pytest.raises(NotFound):
        invite(patient_id=yacine.patient_id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": date(2030, 1, 2), "last": date(2030, 1, 1)},
        {"first": date(2020, 1, 1), "last": date(2020, 1, 2)},
        {"first": date(2200, 1, 1), "last": date(2200, 1, 2)},
        {"note": "x" * 501},
    ],
)
def test_dates_and_notes_that_make_no_sense_are_refused(invite, wrong):
    with pytest.raises(Invalid):
        invite(**wrong)


def test_another_clinics_visit_type_is_not_found(invite, wahran):
    with pytest.raises(NotFound):
        invite(visit_type_id=wahran.consultation_id)


def test_a_follow_up_is_of_a_visit_of_the_same_patient(invite, yacine, amina, dr_benali, el_djazair):
    others = consult(yacine, dr_benali, el_djazair)
    with pytest.raises(NotFound):
        invite(follow_up_of=others.id)
    own = consult(amina, dr_benali, el_djazair, "10:00")
    assert invite(follow_up_of=own.id).follow_up_of == own.id


def test_the_same_is_asked_once(invite):
    first = invite()
    with pytest.raises(invitations.AlreadyInvited) as no:
        invite()
    assert no.value.facts["invitation_id"] == first.id


def test_without_one_a_type_for_invited_patients_is_neither_shown_held_nor_booked(
    invited_only, amina, dr_benali, el_djazair
):
    shown = availability.bookable_types(
        dr_benali.practice_id, also=invitations.types_for(amina.actor, dr_benali.practice_id)
    )
    assert el_djazair.consultation_id not in {kind.id for kind in shown}
    with pytest.raises(NotSelfBookable):
        consult(amina, dr_benali, el_djazair)
    with pytest.raises(NotSelfBookable):
        holds.place(
            amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id,
            starts_at=at("09:00"),
        )  # fmt: skip


def test_with_one_it_is_shown_held_and_booked_once(invited_only, invite, amina, yacine, dr_benali, el_djazair):
    made = invite()
    shown = availability.bookable_types(
        dr_benali.practice_id, also=invitations.types_for(amina.actor, dr_benali.practice_id)
    )
    assert el_djazair.consultation_id in {kind.id for kind in shown}
    _, token = holds.place(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    booked = consult(amina, dr_benali, el_djazair, hold_token=token)
    session().refresh(made)
    assert (made.appointment_id, made.is_open) == (booked.id, False)
    with pytest.raises(NotSelfBookable):
        consult(amina, dr_benali, el_djazair, "10:00")
    with pytest.raises(NotSelfBookable):
        consult(yacine, dr_benali, el_djazair, "10:00")


def test_an_invitation_to_a_type_for_everybody_is_used_by_booking_it(invite, amina, dr_benali, el_djazair):
    made = invite()
    booked = consult(amina, dr_benali, el_djazair)
    session().refresh(made)
    assert made.appointment_id == booked.id


def test_desk_only_types_stay_the_desks_even_with_an_invitation(invite, amina, dr_benali, el_djazair):
    session().get_one(VisitType, el_djazair.consultation_id).bookable_by = "desk"
    keep()
    invite()
    with pytest.raises(NotSelfBookable):
        consult(amina, dr_benali, el_djazair)


def test_calling_the_visit_off_opens_the_invitation_again(invite, amina, dr_benali, el_djazair, drain):
    made = invite()
    booked = consult(amina, dr_benali, el_djazair)
    booking.cancel(amina.actor, booked.id)
    drain()
    session().refresh(made)
    assert (made.appointment_id, with_clinic(made).is_open) == (None, True)


def test_a_carer_finds_and_uses_the_childs_invitation(invited_only, invite, amina, yacine, dr_benali, el_djazair):
    session().add(
        Delegation(
            patient_id=amina.patient_id, user_id=yacine.user_id, relation="spouse", scopes=["view", "book"],
            starts_on=clock.today(clock.home()),
        )
    )  # fmt: skip
    keep()
    made = invite()
    assert [one.id for one in invitations.mine(yacine.actor)] == [made.id]
    consult(yacine, dr_benali, el_djazair, patient_id=amina.patient_id)
    session().refresh(made)
    assert made.appointment_id is not None


def test_the_patient_declines_and_the_doctor_is_told(invite, amina, dr_benali, drain, new_client):
    made = invite()
    drain()
    invitations.decline(amina.actor, made.id)
    drain()
    told = new_client().sign_in(dr_benali).get("/notifications").get_data(as_text=True)
    assert "does not want to book the visit" in told
    assert invitations.mine(amina.actor) == []


def test_only_the_patient_declines_and_only_the_clinic_withdraws(invite, amina, dr_benali, kamel, yacine):
    made = invite()
    with pytest.raises(Forbidden):
        invitations.decline(dr_benali.actor, made.id)
    with pytest.raises(Forbidden):
        invitations.withdraw(amina.actor, made.id)
    for stranger in (kamel, yacine):
        for verb in (invitations.decline, invitations.withdraw, invitations.find):
            with pytest.raises(NotFound):
                verb(stranger.actor, made.id)


@pytest.mark.parametrize("how", ["withdrawn", "declined", "booked", "past"])
def test_what_is_over_is_not_ended_again(invite, amina, dr_benali, el_djazair, how, standing_at):
    made = invite()
    if how == "withdrawn":
        invitations.withdraw(dr_benali.actor, made.id)
    elif how == "declined":
        invitations.decline(amina.actor, made.id)
    elif how == "booked":
        consult(amina, dr_benali, el_djazair)
    keep()
    when = clock.now() + timedelta(days=40 if how == "past" else 0)
    with standing_at(when):
        assert invitations.mine(amina.actor) == []
        with pytest.raises(invitations.InvitationOver):
            invitations.decline(amina.actor, made.id)
        with pytest.raises(invitations.InvitationOver):
            invitations.withdraw(dr_benali.actor, made.id)


def test_a_used_invitation_is_not_used_twice(invite, amina, dr_benali, el_djazair):
    made = invite()
    booked = consult(amina, dr_benali, el_djazair)
    with pytest.raises(invitations.InvitationOver):
        invitations.use(made, booked.id)


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ("1w", date(2027, 3, 6), date(2027, 3, 10)),
        ("3m", date(2027, 5, 16), date(2027, 6, 15)),
        ("1y", date(2027, 12, 31), date(2028, 4, 29)),
    ],
)
def test_a_follow_up_is_proposed_around_its_day(span, first, last):
    assert invitations.proposed(span, date(2027, 3, 1)) == (first, last)


def test_the_patient_gets_one_letter_that_leads_to_the_times_and_says_nothing_of_why(invite, amina, mailbox, drain):
    made = invite(note="your blood test")
    drain()
    letter = mailbox.text(amina.email)
    assert f"/book/{made.practice_id}/{made.visit_type_id}?from={made.first}" in letter
    assert "blood" not in letter
    assert len(mailbox.to(amina.email)) == 1


def test_dates_too_far_ahead_are_told_once_more_when_they_can_be_booked(
    invite, amina, mailbox, drain, standing_at, dr_benali
):
    today = clock.today(ALGIERS)
    made = invite(first=today + timedelta(days=85), last=today + timedelta(days=100))
    drain()
    assert "We write to you again then" in mailbox.text(amina.email)
    assert len(mailbox.to(amina.email)) == 1
    with standing_at(clock.now() + timedelta(days=24)):
        drain()
        assert len(mailbox.to(amina.email)) == 1
    with standing_at(clock.now() + timedelta(days=26)):
        drain()
        assert len(mailbox.to(amina.email)) == 2
        assert "We write to you again then" not in mailbox.text(amina.email)
    assert with_clinic(made).is_open


def test_withdrawn_before_the_letter_left_nothing_is_sent(invite, amina, dr_benali, mailbox, drain):
    invitations.withdraw(dr_benali.actor, invite().id)
    drain()
    assert mailbox.to(amina.email) == []


def test_everything_is_written_down(invite, amina, dr_benali):
    made = invite(note="your blood test")
    invitations.withdraw(dr_benali.actor, made.id)
    keep()
    events = session().scalars(select(Event).where(Event.subject_id == made.id).order_by(Event.seq)).all()
    assert [event.name for event in events] == ["booking_invitation.sent", "booking_invitation.withdrawn"]
    assert all(event.patient_id == amina.patient_id and "blood" not in str(event.facts) for event in events)
