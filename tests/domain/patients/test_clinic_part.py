"""Carers a clinic's desk has named: they act in that clinic's part of the record, and the rest is as if it were not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.core.policy import find
from portal.domain.access import acting, actors
from portal.domain.changes import answering, listing
from portal.domain.clinics.models import Clinic
from portal.domain.day import arriving
from portal.domain.identity.models import User
from portal.domain.notifications import change_notices, kinds, recipients, stream
from portal.domain.notifications.models import Notification
from portal.domain.patients import care, family, inviting, own, profiles, requests
from portal.domain.patients.models import Delegation, Patient
from portal.domain.patients.shapes import PatientDetails
from portal.domain.reminders import answering as attendance
from portal.domain.reviews import writing
from portal.domain.scheduling import appointments, booking, feeds, glance, holds, invitations, series
from portal.domain.scheduling.models import VisitType
from portal.domain.waitlist import answering as offers
from portal.domain.waitlist import entries, joining
from portal.domain.webhooks import fanning
from portal.domain.webhooks.models import WebhookEndpoint
from portal.domain.webhooks.topics import TOPICS
from tests.builders import at, make_member, make_patient, register_at, working_day
from tests.domain.patients.test_family import booked, child_of, let
from tests.domain.patients.two_clinics import Two, named_by, two_clinics

WHOLE = ("view", "book", "profile")


def names(desk: Any, carer: Any, patient_id: Any, place: Any, *scopes: str) -> Delegation:
    """This account may act for the patient at this clinic, as its desk asked and the patient allowed."""
    return named_by(desk, carer, patient_id, place.clinic_id, *scopes)


def refused(verb: Any) -> bool:
    """Whether the verb says that this is not there, or not the actor's to do."""
    try:
        verb()
    except (NotFound, Forbidden):
        return True
    return False


@pytest.fixture
def known(amina: Any, el_djazair: Any, wahran: Any, dr_benali: Any, dr_haddad: Any) -> Any:
    """Amina's visits at both clinics, which know her by them: (at El Djazair, at Wahran)."""
    here = booked(amina, dr_benali, el_djazair, amina.patient_id, "09:00")
    there = booked(amina, dr_haddad, wahran, amina.patient_id, "11:00")
    return here, there


@pytest.fixture
def two(amina: Any, yacine: Any, nadia: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any) -> Two:
    """Everything of Amina's at both clinics; Nadia of El Djazair has named Yacine."""
    return two_clinics(amina, (el_djazair, dr_benali), (wahran, dr_haddad), nadia, yacine)


# --- what a desk may write down ---


def test_a_desk_names_a_carer_for_its_own_clinic_and_never_gives_the_profile(
    known: Any, amina: Any, yacine: Any, nadia: Any, el_djazair: Any
) -> None:
    held = names(nadia, yacine, amina.patient_id, el_djazair, *WHOLE)
    assert (held.clinic_id, held.scopes) == (el_djazair.clinic_id, ["view", "book"])
    actor = yacine.actor
    assert (actor.dependants, actor.dependants_at) == (
        {},
        {(amina.patient_id, el_djazair.clinic_id): frozenset({"view", "book"})},
    )
    assert family.change(amina.actor, held.id, scopes=WHOLE).scopes == ["view", "book"]


def test_the_database_keeps_the_profile_out_of_a_clinics_part(
    known: Any, amina: Any, yacine: Any, nadia: Any, el_djazair: Any
) -> None:
    held = names(nadia, yacine, amina.patient_id, el_djazair)
    held.scopes = list(WHOLE)
    with pytest.raises(IntegrityError, match="ck_delegations_clinic_part"), session().begin_nested():
        session().flush()


def test_a_desk_names_nobody_for_another_clinic_or_for_one_that_does_not_know_the_patient(
    known: Any, amina: Any, yacine: Any, lina: Any, nadia: Any, el_djazair: Any, wahran: Any
) -> None:
    about: dict[str, Any] = {"email": yacine.email, "relation": "other", "scopes": ["view"]}
    with pytest.raises(NotFound):
        requests.ask_for_carer(nadia.actor, amina.patient_id, clinic_id=wahran.clinic_id, **about)
    make_member(session().get_one(User, nadia.user_id), session().get_one(Clinic, wahran.clinic_id))
    stranger = make_patient()
    register_at(stranger, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    with pytest.raises(NotFound):
        requests.ask_for_carer(nadia.actor, stranger.id, clinic_id=wahran.clinic_id, **about)
    assert requests.ask_for_carer(nadia.actor, stranger.id, **about).clinic_id == el_djazair.clinic_id
    with pytest.raises(Invalid) as no:
        requests.ask_for_carer(nadia.actor, amina.patient_id, **about)
    assert set(no.value.fields) == {"clinic_id"}


def test_neither_a_desk_nor_the_patient_replaces_what_the_other_has_granted(
    known: Any, amina: Any, yacine: Any, nadia: Any, kamel: Any, el_djazair: Any, wahran: Any
) -> None:
    hers = let(amina.patient_id, yacine, "view", "profile", by=amina)
    here = names(nadia, yacine, amina.patient_id, el_djazair)
    there = names(kamel, yacine, amina.patient_id, wahran, "view")
    actor = yacine.actor
    assert actor.dependants == {amina.patient_id: frozenset({"view", "profile"})}
    assert actor.dependants_at[amina.patient_id, wahran.clinic_id] == {"view"}
    again = names(nadia, yacine, amina.patient_id, el_djazair, "view")
    assert [one.ended_at is None for one in (hers, here, there, again)] == [True, False, True, True]
    let(amina.patient_id, yacine, "view", by=amina)
    assert len(yacine.actor.dependants_at) == 2
    assert family.get(yacine.actor, amina.patient_id).clinic_id is None
    assert [one.id for one in family.looked_after(yacine.actor)] == [amina.patient_id]


def test_a_clinic_that_names_many_leaves_the_patient_her_own_places(
    known: Any, amina: Any, yacine: Any, lina: Any, nadia: Any, el_djazair: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(care, "MOST", 1)
    names(nadia, yacine, amina.patient_id, el_djazair)
    with pytest.raises(Conflict):
        names(nadia, lina, amina.patient_id, el_djazair)
    assert let(amina.patient_id, lina, "view", by=amina).ended_at is None


# --- who sees and ends it ---


def test_a_desk_sees_who_reaches_its_part_and_ends_whom_it_named(
    known: Any, amina: Any, yacine: Any, lina: Any, dr_benali: Any, nadia: Any, kamel: Any, superadmin: Any,
    el_djazair: Any, wahran: Any,
) -> None:  # fmt: skip
    hers = let(amina.patient_id, lina, "view", by=amina)
    here = names(nadia, yacine, amina.patient_id, el_djazair)
    there = names(kamel, yacine, amina.patient_id, wahran)
    seen = {"nadia": (nadia, [hers, here]), "kamel": (kamel, [hers, there]), "amina": (amina, [hers, here, there])}
    for person, carers in seen.values():
        assert own.circle(person.actor, amina.patient_id).carers == carers
    for nobody in (yacine, lina, dr_benali):
        with pytest.raises(NotFound):
            family.carers(nobody.actor, amina.patient_id)
    for not_hers in (hers, there):
        with pytest.raises(NotFound):
            family.end(nadia.actor, not_hers.id)
    assert family.end(nadia.actor, here.id).ended_at
    assert family.end(amina.actor, there.id).ended_at
    assert family.end(superadmin.actor, hers.id).ended_at


def test_a_parent_sees_and_ends_whom_a_desk_has_named_for_the_child(
    amina: Any, yacine: Any, nadia: Any, dr_benali: Any, el_djazair: Any
) -> None:
    key = child_of(amina).patient_id
    booked(amina, dr_benali, el_djazair, key)
    held = names(nadia, yacine, key, el_djazair)
    assert held in family.carers(amina.actor, key)
    assert family.change(amina.actor, held.id, scopes=["view"]).scopes == ["view"]
    assert family.end(amina.actor, held.id).ended_at


def test_whoever_is_named_takes_on_less_and_no_more_and_may_end_it(two: Two, yacine: Any) -> None:
    until = clock.today(clock.home()) + timedelta(days=9)
    family.change(yacine.actor, two.held.id, scopes=["view"], until=until)
    for more in ({"scopes": ["book"], "until": until}, {"scopes": ["view"], "until": None}):
        with pytest.raises(Forbidden):
            family.change(yacine.actor, two.held.id, **more)
    assert family.end(yacine.actor, two.held.id).ended_at
    assert yacine.actor.dependants_at == {}
    with pytest.raises(NotFound):
        appointments.find(yacine.actor, two.here.visit.id)


def _with_end(held: Delegation) -> Delegation:
    held.ends_on = clock.today(clock.home())
    session().flush()
    return held


def test_a_part_ends_on_its_day(two: Two, yacine: Any, standing_at: Any) -> None:
    _with_end(two.held)
    assert yacine.actor.dependants_at
    with standing_at(clock.now() + timedelta(days=1)):
        assert yacine.actor.dependants_at == {}
        assert two.here.visit.patient_id not in {one.id for one in family.looked_after(yacine.actor)}


def test_the_actor_is_still_read_in_one_statement(two: Two, yacine: Any, statements: Any) -> None:
    with statements() as count:
        actors.by_user(yacine.user_id)
    assert count() <= 1


# --- what they see ---


def test_they_see_the_visits_of_that_clinic_and_no_record(two: Two, yacine: Any) -> None:
    actor = yacine.actor
    for one in two.here.visits:
        assert appointments.find(actor, one.id).patient_id == two.patient_id
    for one in two.there.visits:
        with pytest.raises(NotFound):
            appointments.find(actor, one.id)
    own_visits = {one.id for one in two.here.visits}
    for which in ({}, {"patient_id": two.patient_id}):
        seen = [*glance.mine(actor, **which).items, *glance.mine(actor, "past", **which).items]
        assert {one.id for one in seen} == own_visits
    for read in (own.profile, family.carers, own.circle, profiles.allergies):
        with pytest.raises(NotFound):
            read(actor, two.patient_id)
    with pytest.raises(NotFound):
        find(actor, Patient, two.patient_id)


def test_lists_hold_what_belongs_to_that_clinic(two: Two, yacine: Any, el_djazair: Any, wahran: Any) -> None:
    actor = yacine.actor
    assert [place.entry.id for place in entries.mine(actor)] == [two.here.entry.id]
    assert [offer.id for offer in entries.offered(actor)] == [two.here.offer.id]
    assert [one.id for one in invitations.mine(actor)] == [two.here.invitation.id]
    assert [one.id for one in invitations.of_patient(actor, two.patient_id)] == [two.here.invitation.id]
    assert [line.visit.id for line in listing.waiting(actor)] == [two.here.moved.id]
    sheet = listing.for_patient(actor, two.here.proposal.change_id)
    assert [line.visit.id for line in sheet.lines] == [two.here.moved.id]
    assert [one.id for one in arriving.under_way(actor)] == [two.here.inside.id]
    today = {
        place.clinic_id: arriving.today_at(actor, session().get_one(Clinic, place.clinic_id))
        for place in (el_djazair, wahran)
    }
    assert today[wahran.clinic_id] == []
    assert {one.id for one in today[el_djazair.clinic_id]} <= {one.id for one in two.here.visits}


def test_a_calendar_feed_holds_the_visits_of_that_clinic_alone(two: Two, yacine: Any) -> None:
    keep()
    content = feeds.read(feeds.make(yacine.actor, "patient")).content
    told = {str(event["UID"]).partition("@")[0] for event in Calendar.from_ical(content).walk("VEVENT")}
    assert told == {str(one.id) for one in two.here.visits}
    family.end(yacine.actor, two.held.id)
    assert not Calendar.from_ical(feeds.read(feeds.make(yacine.actor, "patient")).content).walk("VEVENT")


def test_streams_tell_and_nudge_of_that_clinic_alone(two: Two, yacine: Any, dr_haddad: Any, amina: Any) -> None:
    actor = yacine.actor
    channel = f"patient:{two.patient_id}:{two.here.place.clinic_id}"
    assert channel in stream.channels(actor)
    assert f"patient:{two.patient_id}" not in stream.channels(actor)
    assert set(two.here.visit.audience) & set(stream.channels(actor)) == {channel}
    assert not set(two.there.visit.audience) & set(stream.channels(actor))
    told = {one.subject_id for one in stream._appointments(actor, 0, 1 << 60)}
    assert told == {one.id for one in two.here.visits}


def test_messages_about_the_patient_go_to_them_for_that_clinic_only(
    two: Two, yacine: Any, amina: Any, mailbox: Any, el_djazair: Any, wahran: Any
) -> None:
    mailbox.all()
    here, there = el_djazair.clinic_id, wahran.clinic_id
    assert yacine.user_id in {one.id for one in recipients.accounts_of(two.patient_id, here)}
    assert [one.id for one in recipients.accounts_of(two.patient_id, there)] == [amina.user_id]
    assert [one.id for one in recipients.accounts_of(two.patient_id, None)] == [amina.user_id]
    told = session().scalars(select(Notification).where(Notification.user_id == yacine.user_id)).all()
    other = {one.id for one in two.there.visits} | {two.there.proposal.id, two.there.entry.id, two.there.invitation.id}
    assert told and not {one.subject_id for one in told} & other
    letters = [letter.get_body(("plain",)).get_content() for letter in mailbox.to(yacine.email)]
    assert letters and not [text for text in letters if wahran.name in text]
    assert len([letter for letter in mailbox.to(amina.email) if "has to change" in str(letter["Subject"])]) == 2


def test_the_link_of_a_message_about_a_change_shows_the_visits_of_its_clinic(two: Two) -> None:
    for part in (two.here, two.there):
        proposal = kinds.get("change.asked").read(part.proposal.id)
        claim = acting.read(change_notices.link(proposal).rpartition("/")[2])
        sheet = listing.by_message(acting.actor_for(claim, Actor(), None), claim.subject_id)
        assert [line.visit.id for line in sheet.lines] == [part.moved.id]
    old = listing.by_message(acting.actor_for(claim, Actor(), None), two.here.proposal.change_id)
    assert len(old.lines) == 2  # as messages did before


def test_a_webhook_of_theirs_is_told_of_that_clinic_alone(two: Two, yacine: Any) -> None:
    hook = WebhookEndpoint(user_id=yacine.user_id, url="https://hooks.example.dz")
    for part, may in ((two.here, True), (two.there, False)):
        event = session().scalars(
            select(Event).where(Event.subject_id == part.visit.id, Event.name == "appointment.booked")
        ).one()  # fmt: skip
        assert fanning._may_be_told(hook, TOPICS[event.name], part.visit, event) is may


# --- what they do ---


def test_they_act_at_that_clinic(two: Two, yacine: Any, dr_benali: Any, el_djazair: Any) -> None:
    actor, here = yacine.actor, two.here
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    session().get_one(VisitType, el_djazair.consultation_id).most_upcoming = 20
    made = booking.book(actor, starts_at=at("10:00", 4), patient_id=two.patient_id, **about)
    assert booking.reschedule(actor, made.id, starts_at=at("10:30", 4)).moves == 1
    ended = booking.cancel(actor, made.id)
    assert (ended.status, ended.ended_by) == ("cancelled", "patient")
    times = [at("14:00", 30), at("14:00", 30) + timedelta(days=7)]
    plan = series.plan(actor, starts_at=times[0], count=2, every_weeks=1, patient_id=two.patient_id, **about)
    assert plan.is_whole
    assert len(series.book(actor, times=times, every_days=7, patient_id=two.patient_id, **about)[1]) == 2
    assert writing.may_write(actor, here.done)
    assert attendance.promise(actor, here.visit.id, version=1).promised_at
    assert answering.call_off(actor, here.proposal.id).answer == "cancelled"
    assert offers.decline(actor, here.offer.id).state == "declined"
    assert joining.leave(actor, here.entry.id).state == "left"
    assert joining.join(actor, patient_id=two.patient_id, **about).patient_id == two.patient_id
    assert invitations.decline(actor, here.invitation.id).ended_at


def test_they_hold_and_book_what_the_patient_is_invited_to_there(
    two: Two, yacine: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any
) -> None:
    for place in (el_djazair, wahran):
        session().get_one(VisitType, place.follow_up_id).bookable_by = "invited"
    session().flush()
    actor, when = yacine.actor, at("14:00", 5)
    assert el_djazair.follow_up_id in invitations.types_for(actor, dr_benali.practice_id)
    assert not invitations.types_for(actor, dr_haddad.practice_id)
    here = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.follow_up_id, "starts_at": when}
    _hold, token = holds.place(actor, **here)
    assert booking.book(actor, **here, patient_id=two.patient_id, hold_token=token).patient_id == two.patient_id
    there = {"practice_id": dr_haddad.practice_id, "visit_type_id": wahran.follow_up_id, "starts_at": when}
    with pytest.raises(Forbidden):
        holds.place(actor, **there)


def test_at_another_clinic_nothing_is_theirs_to_do(
    two: Two, yacine: Any, lina: Any, dr_haddad: Any, wahran: Any
) -> None:
    actor, there, key = yacine.actor, two.there, two.patient_id
    about = {"practice_id": dr_haddad.practice_id, "visit_type_id": wahran.consultation_id, "patient_id": key}
    times = [at("14:00", 30), at("14:00", 30) + timedelta(days=7)]
    day = PatientDetails.parse({}).values()
    verbs = {
        "book": lambda: booking.book(actor, starts_at=times[0], **about),
        "move": lambda: booking.reschedule(actor, there.visit.id, starts_at=times[0]),
        "cancel": lambda: booking.cancel(actor, there.visit.id),
        "cancel the run": lambda: series.cancel(actor, there.run[0].id, following=True),
        "plan a series": lambda: series.plan(actor, starts_at=times[0], count=2, every_weeks=1, **about),
        "book a series": lambda: series.book(actor, times=times, every_days=7, **about),
        "promise": lambda: attendance.promise(actor, there.visit.id, version=1),
        "say no": lambda: attendance.cannot_come(actor, there.visit.id, version=1),
        "arrive": lambda: arriving.arrive(actor, there.visit.id),
        "review": lambda: writing.write(actor, there.done.id, rating=1),
        "join": lambda: joining.join(actor, **about),
        "join to come earlier": lambda: joining.join(actor, moves_id=there.visit.id),
        "change the wait": lambda: joining.change(actor, there.entry.id, last=working_day(9)),
        "leave": lambda: joining.leave(actor, there.entry.id),
        "take the offer": lambda: offers.accept(actor, there.offer.id),
        "decline the offer": lambda: offers.decline(actor, there.offer.id),
        "decline the invitation": lambda: invitations.decline(actor, there.invitation.id),
        "accept the change": lambda: answering.accept(actor, there.proposal.id),
        "choose": lambda: answering.choose(actor, there.proposal.id, starts_at=times[0]),
        "look for choices": lambda: answering.choices(actor, there.proposal.id),
        "call off": lambda: answering.call_off(actor, there.proposal.id),
        "change the profile": lambda: profiles.change(actor, key, **day),
        "rename": lambda: profiles.rename(actor, key, given_name="X", family_name="Y", locale="fr"),
        "add an allergy": lambda: profiles.add_allergy(actor, key, substance="X", reaction="", severity="mild"),
        "grant": lambda: inviting.grant(actor, patient_id=key, email=lina.email, scopes=["view"]),
        "hand over": lambda: inviting.hand_over(actor, key, email=lina.email),
        "ask": lambda: requests.ask_for_carer(actor, key, email=lina.email, relation="other", scopes=["view"]),
    }
    assert [name for name, verb in verbs.items() if not refused(verb)] == []


def test_whoever_is_named_for_a_patient_without_an_account_decides_nothing(
    nadia: Any, yacine: Any, lina: Any, el_djazair: Any
) -> None:
    patient = make_patient()
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    names(nadia, yacine, patient.id, el_djazair, *WHOLE)
    assert not care.may_govern(yacine.actor, patient)
    for verb in (
        lambda: inviting.grant(yacine.actor, patient_id=patient.id, email=lina.email, scopes=["view"]),
        lambda: inviting.hand_over(yacine.actor, patient.id, email=lina.email),
    ):
        with pytest.raises(NotFound):
            verb()


def test_a_busy_patient_says_neither_where_nor_why(
    two: Two, yacine: Any, dr_benali: Any, el_djazair: Any, wahran: Any
) -> None:
    session().get_one(VisitType, el_djazair.consultation_id).most_upcoming = 20
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    with pytest.raises(Conflict) as no:
        booking.book(yacine.actor, starts_at=two.there.visit.starts_at, patient_id=two.patient_id, **about)
    told = f"{no.value} {no.value.facts}"
    assert no.value.code == "patient_busy"
    assert not [word for word in (*two.there.words, wahran.name, "Haddad") if word in told]


def test_entering_a_child_tells_no_birth_date(two: Two, yacine: Any, amina: Any) -> None:
    """Guessing a birth date would be refused as known if people of a clinic's part counted as family."""
    record = session().get_one(Patient, two.patient_id)
    about = {"given_name": record.given_name, "family_name": record.family_name, "relation": "ward"}
    for born in (record.birth_date, record.birth_date - timedelta(days=1)):
        assert family.add_dependant(yacine.actor, birth_date=born, **about).patient_id != two.patient_id
