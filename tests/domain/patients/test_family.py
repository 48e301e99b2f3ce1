"""Who looks after whom: what it allows, for how long, and how it ends."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.core.policy import find
from portal.domain.audit import EventQuery, events
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.patients import care, family, profiles
from portal.domain.patients.family_shapes import CareShape, DependantShape
from portal.domain.patients.models import Delegation, Patient
from portal.domain.patients.shapes import PatientDetails
from portal.domain.scheduling import booking, glance
from portal.domain.scheduling.models import Appointment
from tests.builders import at, make_patient, make_user, register_at

TODAY = clock.today(clock.home())
BORN = TODAY.replace(day=1) - timedelta(days=365 * 6)


def child_of(person: Any, **more: Any) -> Delegation:
    about = {"given_name": "Ilyes", "family_name": "Boudiaf", "birth_date": BORN, "sex": "male", **more}
    made = family.add_dependant(person.actor, **about)
    keep()
    return made


def let(patient_id: Any, person: Any, *scopes: str, by: Any = None, **more: Any) -> Delegation:
    """This person may act for the patient."""
    from portal.domain.identity.models import User

    user, patient = session().get_one(User, person.user_id), session().get_one(Patient, patient_id)
    about = {"relation": "other", "scopes": scopes, "until": None, **more}
    made = care.begin((by or person).actor, patient, user, **about)
    keep()
    return made


def booked(person: Any, doctor: Any, place: Any, patient_id: Any, wall: str = "09:00") -> Appointment:
    made = booking.book(
        person.actor,
        practice_id=doctor.practice_id,
        visit_type_id=place.consultation_id,
        starts_at=at(wall),
        patient_id=patient_id,
    )
    keep()
    return made


# --- children ---


def test_a_child_is_a_patient_without_an_account_and_its_parent_may_do_everything(database: Any, amina: Any) -> None:
    made = child_of(amina)
    (held,) = family.mine(amina.actor)
    assert (held.patient.user_id, held.patient.name, held.relation) == (None, "Ilyes Boudiaf", "child")
    assert amina.actor.dependants == {made.patient_id: frozenset({"view", "book", "profile"})}


def test_care_for_a_child_ends_with_the_eve_of_the_eighteenth_birthday(database: Any, amina: Any) -> None:
    held = child_of(amina)
    assert held.ends_on == care.of_age_on(BORN) - timedelta(days=1)
    assert family.mine(amina.actor)


@pytest.mark.parametrize(
    ("born", "birthday"),
    [
        (date(2010, 3, 14), date(2028, 3, 14)),
        (date(2008, 2, 29), date(2026, 3, 1)),
        (date(2010, 2, 28), date(2028, 2, 28)),
    ],
)
def test_people_are_of_age_on_their_eighteenth_birthday(born: date, birthday: date) -> None:
    assert care.of_age_on(born) == birthday


def test_on_the_eighteenth_birthday_the_parent_sees_nothing_more(database: Any, amina: Any, standing_at: Any) -> None:
    held = child_of(amina)
    eve = clock.now() + (care.of_age_on(BORN) - timedelta(days=1) - TODAY)
    with standing_at(eve):
        assert held.patient_id in amina.actor.cares_for("book")
    with standing_at(eve + timedelta(days=1)):
        assert held.patient_id not in amina.actor.cares_for("view")
        assert family.mine(amina.actor) == []


def test_an_adult_child_is_not_added_but_somebody_in_legal_care_is(database: Any, amina: Any) -> None:
    grown = date(TODAY.year - 30, 1, 1)
    with pytest.raises(family.Grown):
        child_of(amina, birth_date=grown)
    assert child_of(amina, birth_date=grown, relation="ward").ends_on is None


def test_the_same_child_is_not_added_twice(database: Any, amina: Any) -> None:
    child_of(amina)
    with pytest.raises(Conflict) as no:
        child_of(amina, given_name="ILYÈS")
    assert no.value.code == "in_family"
    assert child_of(amina, birth_date=BORN + timedelta(days=1))


def test_strangers_add_nobody_and_a_birth_date_lies_in_the_past(database: Any) -> None:
    from portal.core.actor import NOBODY

    with pytest.raises(Forbidden):
        family.add_dependant(NOBODY, given_name="A", family_name="B", birth_date=BORN)
    with pytest.raises(Invalid) as no:
        DependantShape.parse(
            {"given_name": "A", "family_name": "B", "birth_date": str(TODAY + timedelta(days=2))}
        )  # on no calendar yet
    assert set(no.value.fields) == {"birth_date"}


def test_a_mother_books_moves_and_cancels_for_her_child(
    database: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    held = child_of(amina)
    made = booked(amina, dr_benali, el_djazair, held.patient_id)
    assert made.patient_id == held.patient_id
    assert booking.reschedule(amina.actor, made.id, starts_at=at("10:00")).moves == 1
    ended = booking.cancel(amina.actor, made.id, code="better")
    assert (ended.status, ended.ended_by) == ("cancelled", "patient")


def test_whoever_has_not_confirmed_their_address_books_for_nobody(
    database: Any, lina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    held = child_of(lina)
    with pytest.raises(Forbidden) as no:
        booked(lina, dr_benali, el_djazair, held.patient_id)
    assert no.value.code == "email_not_verified"


def test_she_changes_what_the_clinic_knows_of_the_child(database: Any, amina: Any) -> None:
    held = child_of(amina)
    given = PatientDetails.parse({"birth_date": str(BORN), "conditions": "Asthma"})
    assert profiles.change(amina.actor, held.patient_id, **given.values()).conditions == ["Asthma"]
    renamed = profiles.rename(amina.actor, held.patient_id, given_name="Ilyès", family_name="Boudiaf", locale="fr")
    assert (renamed.name, renamed.preferred_language) == ("Ilyès Boudiaf", "fr")


def test_nobody_else_sees_the_child(database: Any, amina: Any, yacine: Any, nadia: Any) -> None:
    held = child_of(amina)
    for other in (yacine, nadia):
        with pytest.raises(NotFound):
            find(other.actor, Patient, held.patient_id)
        with pytest.raises(NotFound):
            family.get(other.actor, held.patient_id)


# --- scopes ---


def test_whoever_may_only_look_sees_the_visits_and_changes_nothing(
    database: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    made = booked(amina, dr_benali, el_djazair, amina.patient_id)
    let(amina.patient_id, yacine, "view", by=amina)
    assert [one.id for one in glance.mine(yacine.actor).items] == [made.id]
    for verb in (
        lambda: booking.cancel(yacine.actor, made.id),
        lambda: booking.reschedule(yacine.actor, made.id, starts_at=at("10:00")),
        lambda: booked(yacine, dr_benali, el_djazair, amina.patient_id, "11:00"),
        lambda: profiles.change(yacine.actor, amina.patient_id, **PatientDetails.parse({}).values()),
    ):
        with pytest.raises(Forbidden):
            verb()
    assert session().get_one(Appointment, made.id).status == "confirmed"


def test_whoever_books_may_not_change_the_profile_and_the_other_way_round(
    database: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    nothing = PatientDetails.parse({}).values()
    let(amina.patient_id, yacine, "book", by=amina)
    assert booked(yacine, dr_benali, el_djazair, amina.patient_id).patient_id == amina.patient_id
    with pytest.raises(Forbidden):
        profiles.change(yacine.actor, amina.patient_id, **nothing)
    let(amina.patient_id, yacine, "profile", by=amina)
    assert profiles.change(yacine.actor, amina.patient_id, **nothing).id == amina.patient_id
    with pytest.raises(Forbidden):
        booked(yacine, dr_benali, el_djazair, amina.patient_id, "11:00")


def test_seeing_belongs_to_every_scope() -> None:
    assert CareShape.parse({"email": "a@example.dz", "scopes": ["profile"]}).scopes == ["view", "profile"]
    assert CareShape.parse({"email": "a@example.dz", "scopes": []}).scopes == ["view"]


# --- lists ---


def test_lists_show_the_visits_of_all_and_can_be_narrowed_to_one(
    database: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    held = child_of(amina)
    own = booked(amina, dr_benali, el_djazair, amina.patient_id, "10:00")
    theirs = booked(amina, dr_benali, el_djazair, held.patient_id, "09:00")
    assert [one.id for one in glance.mine(amina.actor).items] == [theirs.id, own.id]
    assert [one.id for one in glance.mine(amina.actor, patient_id=held.patient_id).items] == [theirs.id]
    with pytest.raises(NotFound):
        glance.mine(amina.actor, patient_id=yacine.patient_id)
    assert glance.mine(yacine.actor).items == []


def test_pages_of_a_family_skip_nothing(database: Any, amina: Any, dr_benali: Any, el_djazair: Any) -> None:
    held = child_of(amina)
    walls = ("08:00", "08:30", "09:00", "09:30", "10:00")
    made = [
        booked(amina, dr_benali, el_djazair, held.patient_id if number % 2 else amina.patient_id, wall).id
        for number, wall in enumerate(walls)
    ]
    seen, after = [], None
    while True:
        page = glance.mine(amina.actor, after=after, limit=2)
        seen += [one.id for one in page.items]
        after = page.next
        if after is None:
            break
    assert seen == made


# --- changing and ending ---


def test_either_side_ends_it_at_once(database: Any, amina: Any, yacine: Any) -> None:
    for ends in (amina, yacine):
        held = let(amina.patient_id, yacine, "view", by=amina)
        assert amina.patient_id in yacine.actor.cares_for("view")
        family.end(ends.actor, held.id)
        assert amina.patient_id not in yacine.actor.cares_for("view")
        assert family.end(ends.actor, held.id).ended_at is not None


def test_nobody_else_ends_or_reads_it(database: Any, amina: Any, yacine: Any, lina: Any, nadia: Any) -> None:
    held = let(amina.patient_id, yacine, "view", by=amina)
    for other in (lina, nadia):
        with pytest.raises(NotFound):
            family.end(other.actor, held.id)
        with pytest.raises(NotFound):
            family.one(other.actor, held.id)


def test_the_patient_gives_more_or_less_and_the_carer_only_takes_less(database: Any, amina: Any, yacine: Any) -> None:
    held = let(amina.patient_id, yacine, "view", "book", by=amina)
    family.change(amina.actor, held.id, scopes=["view", "book", "profile"])
    assert amina.patient_id in yacine.actor.cares_for("profile")
    family.change(yacine.actor, held.id, scopes=["view"], until=TODAY)
    assert yacine.actor.dependants[amina.patient_id] == {"view"}
    for more in ({"scopes": ["book"], "until": TODAY}, {"scopes": ["view"], "until": TODAY + timedelta(days=1)},
                 {"scopes": ["view"], "until": None}):  # fmt: skip
        with pytest.raises(Forbidden):
            family.change(yacine.actor, held.id, **more)


def test_what_is_over_is_not_changed(database: Any, amina: Any, yacine: Any) -> None:
    held = let(amina.patient_id, yacine, "view", by=amina)
    family.end(amina.actor, held.id)
    with pytest.raises(Conflict):
        family.change(amina.actor, held.id, scopes=["book"])


def test_a_parent_ends_what_they_gave_but_not_the_other_parents_own_care(
    database: Any, amina: Any, yacine: Any, lina: Any
) -> None:
    held = child_of(amina)
    everything = ("view", "book", "profile")
    father = let(held.patient_id, yacine, *everything, granted_by=amina.user_id)
    aunt = let(held.patient_id, lina, "view", granted_by=yacine.user_id)
    with pytest.raises(NotFound):
        family.end(yacine.actor, held.id)
    with pytest.raises(NotFound):
        family.end(amina.actor, aunt.id)
    family.end(yacine.actor, aunt.id)
    family.end(amina.actor, father.id)
    assert [one.user_id for one in family.carers(amina.actor, held.patient_id)] == [amina.user_id]


def test_nobody_acts_for_themselves_by_leave(database: Any, amina: Any) -> None:
    with pytest.raises(Conflict):
        let(amina.patient_id, amina, "view")


# --- the desk ---


def test_the_desk_ends_what_counts_for_its_own_clinic(
    database: Any, nadia: Any, kamel: Any, yacine: Any, el_djazair: Any
) -> None:
    old_man = make_patient(given_name="Rachid", family_name="Amrani")
    register_at(old_man, session().get_one(Clinic, el_djazair.clinic_id))
    held = care.begin(
        nadia.actor, old_man, session().get_one(User, yacine.user_id), relation="parent", scopes=["view", "book"],
        until=TODAY + timedelta(days=365), clinic_id=el_djazair.clinic_id,
    )  # fmt: skip
    keep()
    assert old_man.id in yacine.actor.cares_for("book", at=el_djazair.clinic_id)
    with pytest.raises(NotFound):
        family.end(kamel.actor, held.id)
    family.end(nadia.actor, held.id)
    assert yacine.actor.dependants_at == {}


def test_whoever_looks_after_somebody_gets_a_patients_pages(
    database: Any, nadia: Any, dr_haddad: Any, el_djazair: Any
) -> None:
    mother = make_patient(given_name="Zohra", family_name="Haddad")
    assert dr_haddad.actor.patient_id is None
    user, place = session().get_one(User, dr_haddad.user_id), el_djazair.clinic_id
    care.begin(nadia.actor, mother, user, relation="parent", scopes=["view"], until=None, clinic_id=place)
    keep()
    assert dr_haddad.actor.has_role("patient")


# --- who acted for whom ---


def test_the_audit_says_who_acted_for_whom(
    database: Any, amina: Any, superadmin: Any, dr_benali: Any, el_djazair: Any
) -> None:
    held = child_of(amina)
    booked(amina, dr_benali, el_djazair, held.patient_id, "09:00")
    booked(amina, dr_benali, el_djazair, amina.patient_id, "10:00")
    found = events(superadmin.actor, EventQuery(name="appointment.booked"))
    assert [(one.actor_name, one.for_whom) for one in found] == [
        ("Amina Boudiaf", ""),
        ("Amina Boudiaf", "Ilyes Boudiaf"),
    ]


def test_everything_about_a_family_is_an_event_without_names(database: Any, amina: Any, yacine: Any) -> None:
    from sqlalchemy import select

    held = child_of(amina)
    given = let(held.patient_id, yacine, "view", granted_by=amina.user_id)
    family.change(amina.actor, given.id, scopes=["view", "book"])
    family.end(amina.actor, given.id)
    keep()
    found = session().scalars(select(Event).where(Event.patient_id == held.patient_id).order_by(Event.seq)).all()
    assert [event.name for event in found] == [
        "patient.registered", "delegation.begun", "delegation.begun", "delegation.changed", "delegation.ended",
    ]  # fmt: skip
    assert "Ilyes" not in str([event.facts for event in found])


def test_a_doctor_whose_patient_has_a_carer_is_no_carer(database: Any, amina: Any) -> None:
    held = child_of(amina)
    other = make_user("Sonia", "Ziani")
    keep()
    event = Event(id=held.id, actor_id=other.id, patient_id=held.patient_id)
    assert care.acted_for([event]) == {}
