"""Invitations by e-mail: to act for a patient, and to take over one's own record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.core import clock, secrets
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Gone, NotFound, TooMany
from portal.core.tasks import Task
from portal.domain.clinics.models import Clinic
from portal.domain.patients import accepting, care, desk, family, inviting, profiles, sent_invitations
from portal.domain.patients.family_letters import PURPOSE
from portal.domain.patients.models import Allergy, Delegation, Patient
from portal.domain.scheduling import booking, feeds, glance, invitations
from tests.builders import ALGIERS, at, make_patient, make_user, register_at
from tests.domain.patients.test_family import BORN, TODAY, booked, child_of, let
from tests.people import Person

EVERYTHING = ["view", "book", "profile"]


def ask(person: Any, email: str, **more: Any) -> inviting.Invitation:
    made = inviting.grant(person.actor, email=email, **{"scopes": ["view", "book"], **more})
    keep()
    return made


def token_in(mailbox: Any, email: str) -> str:
    return str(mailbox.link(email, "/family/invitation/")).rsplit("/", 1)[1]


def newcomer(email: str, given: str = "Ilyes") -> Person:
    """Somebody who has just registered with this address, with the empty profile every account comes with."""
    user = make_user(given, "Boudiaf", email=email)
    own = make_patient(user, birth_date=None)
    keep()
    return Person(user.name, email, user.id, patient_id=own.id)


# --- to act for somebody ---


def test_the_task_that_sends_an_invitation_holds_no_address(amina: Any, mailbox: Any) -> None:
    ask(amina, "secret.address@example.dz")
    rows = session().scalars(select(Task)).all()
    assert rows and not [row.name for row in rows if "@" in str(row.args)]
    assert token_in(mailbox, "secret.address@example.dz")


def test_a_patient_lets_her_husband_act_for_her_once_he_accepts(amina: Any, yacine: Any, mailbox: Any) -> None:
    made = ask(amina, yacine.email, relation="spouse", until=TODAY + timedelta(days=90))
    token = token_in(mailbox, yacine.email)
    assert yacine.actor.dependants == {}
    assert accepting.look(yacine.actor, token).asked_by == amina.name
    accepting.accept(yacine.actor, token)
    keep()
    (held,) = family.mine(yacine.actor)
    assert (held.id, held.patient_id, held.relation, held.scopes, held.ends_on, held.granted_by) == (
        made.id, amina.patient_id, "spouse", ["view", "book"], TODAY + timedelta(days=90), amina.user_id,
    )  # fmt: skip


def test_it_counts_once(amina: Any, yacine: Any, mailbox: Any) -> None:
    ask(amina, yacine.email)
    token = token_in(mailbox, yacine.email)
    held = accepting.accept(yacine.actor, token)
    keep()
    family.end(amina.actor, held.id)
    for verb in (accepting.look, accepting.accept):
        with pytest.raises(Gone):
            verb(yacine.actor, token)
    assert yacine.actor.dependants == {}


def test_only_the_reader_of_the_letter_accepts(amina: Any, yacine: Any, lina: Any, mailbox: Any) -> None:
    from portal.core.actor import NOBODY

    ask(amina, yacine.email.upper())
    token = token_in(mailbox, yacine.email)
    for other in (lina.actor, amina.actor, NOBODY):
        with pytest.raises(Forbidden):
            accepting.accept(other, token)
    assert accepting.accept(yacine.actor, token)


def test_an_altered_or_old_link_is_gone(amina: Any, yacine: Any, mailbox: Any, standing_at: Any) -> None:
    ask(amina, yacine.email)
    token = token_in(mailbox, yacine.email)
    with pytest.raises(Gone):
        accepting.accept(yacine.actor, token[:-2] + "xx")
    with standing_at(clock.now() + inviting.LASTS), pytest.raises(Gone):
        accepting.accept(yacine.actor, token)


def test_a_withdrawn_invitation_is_gone(amina: Any, yacine: Any, lina: Any, mailbox: Any) -> None:
    made = ask(amina, yacine.email)
    token = token_in(mailbox, yacine.email)
    patient = session().get_one(Patient, amina.patient_id)
    assert [one.id for one in inviting.waiting(amina.actor, patient)] == [made.id]
    assert inviting.waiting(lina.actor, patient) == []
    with pytest.raises(NotFound):
        inviting.withdraw(lina.actor, made.id)
    inviting.withdraw(amina.actor, made.id)
    keep()
    assert inviting.waiting(amina.actor, patient) == []
    with pytest.raises(Gone):
        accepting.accept(yacine.actor, token)


def test_an_invitation_to_book_is_none_to_care(amina: Any, dr_benali: Any, el_djazair: Any) -> None:
    patient, today = session().get_one(Patient, amina.patient_id), clock.today(ALGIERS)
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    invitations.invite(dr_benali.actor, patient_id=patient.id, first=today, last=today + timedelta(days=30), **about)
    keep()
    assert inviting.waiting(amina.actor, patient) == []


def test_an_accepted_invitation_waits_no_more(amina: Any, yacine: Any, mailbox: Any) -> None:
    ask(amina, yacine.email)
    accepting.accept(yacine.actor, token_in(mailbox, yacine.email))
    keep()
    assert inviting.waiting(amina.actor, session().get_one(Patient, amina.patient_id)) == []


def test_the_answer_is_the_same_for_an_address_nobody_has(amina: Any, mailbox: Any) -> None:
    ask(amina, "sister@example.dz")
    assert "make one on the way" in mailbox.text("sister@example.dz")
    sister = newcomer("sister@example.dz", "Karima")
    accepting.accept(sister.actor, token_in(mailbox, "sister@example.dz"))
    keep()
    assert amina.patient_id in sister.actor.cares_for("book")


def test_the_letter_is_in_the_readers_language_and_the_link_names_no_address(
    amina: Any, dr_haddad: Any, mailbox: Any
) -> None:
    ask(amina, dr_haddad.email)
    said = mailbox.text(dr_haddad.email)
    assert amina.name in said
    assert mailbox.latest(dr_haddad.email).get_body(("html",)).get_content().count('lang="fr"') == 1
    facts = secrets.unsign(PURPOSE, token_in(mailbox, dr_haddad.email))
    assert facts["to"] and "@" not in str(facts)


def test_a_doctor_without_a_patients_pages_gets_them_by_accepting(amina: Any, dr_haddad: Any, mailbox: Any) -> None:
    ask(amina, dr_haddad.email)
    accepting.accept(dr_haddad.actor, token_in(mailbox, dr_haddad.email))
    keep()
    assert dr_haddad.actor.has_role("patient")
    assert dr_haddad.actor.patient_id != amina.patient_id


def test_one_does_not_invite_oneself_nor_for_somebody_else(amina: Any, yacine: Any, lina: Any) -> None:
    with pytest.raises(Conflict):
        ask(amina, amina.email)
    with pytest.raises(NotFound):
        ask(amina, lina.email, patient_id=yacine.patient_id)
    with pytest.raises(Forbidden):  # her address is not confirmed
        ask(lina, yacine.email)


def test_letters_are_counted(amina: Any, with_limits: None) -> None:
    for number in range(20):
        ask(amina, f"friend{number}@example.dz")
    with pytest.raises(TooMany):
        ask(amina, "one.more@example.dz")


# --- several carers of a child ---


def test_a_mother_invites_the_father_and_both_book(
    amina: Any, yacine: Any, mailbox: Any, dr_benali: Any, el_djazair: Any
) -> None:
    held = child_of(amina)
    ask(amina, yacine.email, patient_id=held.patient_id, relation="child", scopes=EVERYTHING)
    accepting.accept(yacine.actor, token_in(mailbox, yacine.email))
    keep()
    made = booked(yacine, dr_benali, el_djazair, held.patient_id)
    assert [one.id for one in glance.mine(amina.actor).items] == [made.id]
    (his,) = family.mine(yacine.actor)
    assert his.ends_on == care.of_age_on(BORN) - timedelta(days=1)


def test_somebody_with_less_than_everything_invites_nobody(amina: Any, yacine: Any, lina: Any) -> None:
    held = child_of(amina)
    let(held.patient_id, yacine, "view", "book", granted_by=amina.user_id)
    with pytest.raises(Forbidden):
        ask(yacine, lina.email, patient_id=held.patient_id)


def test_carers_of_somebody_with_an_account_invite_nobody(amina: Any, yacine: Any, lina: Any) -> None:
    let(amina.patient_id, yacine, *EVERYTHING, by=amina)
    with pytest.raises(Forbidden):
        ask(yacine, lina.email, patient_id=amina.patient_id)


def test_nobody_gives_longer_than_they_have(amina: Any, yacine: Any, lina: Any, mailbox: Any) -> None:
    ward = child_of(amina, birth_date=TODAY.replace(year=TODAY.year - 40, day=1), relation="ward")
    soon = TODAY + timedelta(days=10)
    let(ward.patient_id, yacine, *EVERYTHING, granted_by=amina.user_id, until=soon)
    assert ask(yacine, lina.email, patient_id=ward.patient_id).until == soon
    assert ask(yacine, lina.email, patient_id=ward.patient_id, until=TODAY).until == TODAY


def test_an_invitation_dies_with_the_care_of_whoever_sent_it(amina: Any, yacine: Any, lina: Any, mailbox: Any) -> None:
    held = child_of(amina)
    father = let(held.patient_id, yacine, *EVERYTHING, granted_by=amina.user_id)
    ask(yacine, lina.email, patient_id=held.patient_id)
    token = token_in(mailbox, lina.email)
    family.end(amina.actor, father.id)
    keep()
    with pytest.raises(Gone):
        accepting.accept(lina.actor, token)


# --- taking over one's record ---


def test_a_grown_child_takes_the_record_into_their_own_hands(
    amina: Any, yacine: Any, mailbox: Any, dr_benali: Any, el_djazair: Any, standing_at: Any
) -> None:
    held = child_of(amina, birth_date=TODAY.replace(year=TODAY.year - 17, day=1))
    born = session().get_one(Patient, held.patient_id).birth_date
    made = booked(amina, dr_benali, el_djazair, held.patient_id)
    inviting.hand_over(amina.actor, held.patient_id, email="ilyes@example.dz")
    keep()
    record_id = held.patient_id
    ilyes = newcomer("ilyes@example.dz")
    token = token_in(mailbox, ilyes.email)
    for wrong in (None, born + timedelta(days=1)):
        with pytest.raises(Forbidden) as no:
            accepting.accept(ilyes.actor, token, birth_date=wrong)
        assert no.value.code == "wrong_birth_date"
    accepting.accept(ilyes.actor, token, birth_date=born)
    keep()
    assert session().get_one(Patient, record_id).merged_into_id == ilyes.actor.patient_id
    assert [one.id for one in glance.mine(ilyes.actor).items] == [made.id]
    assert ilyes.patient_id in amina.actor.cares_for("view")  # until the eighteenth birthday
    with pytest.raises(Gone):
        accepting.accept(ilyes.actor, token, birth_date=born)


def test_with_the_record_ends_what_was_let_in_for_less_and_every_other_invitation(
    amina: Any, yacine: Any, mailbox: Any
) -> None:
    held = child_of(amina)
    inviting.grant(amina.actor, patient_id=held.patient_id, email="aunt@example.dz", scopes=["view"])
    inviting.hand_over(amina.actor, held.patient_id, email=yacine.email)
    feed = feeds.make(yacine.actor, "patient")
    accepting.accept(yacine.actor, token_in(mailbox, yacine.email), birth_date=BORN)
    keep()
    with pytest.raises(NotFound):
        feeds.read(feed)
    assert sent_invitations.open_of(amina.user_id) == []


def test_once_of_age_nobody_acts_for_them_any_more(amina: Any, yacine: Any, mailbox: Any) -> None:
    grown = TODAY.replace(year=TODAY.year - 30, day=1)
    ward = child_of(amina, birth_date=grown, relation="ward")
    record_id = ward.patient_id
    inviting.hand_over(amina.actor, ward.patient_id, email=yacine.email)
    accepting.accept(yacine.actor, token_in(mailbox, yacine.email), birth_date=grown)
    keep()
    assert session().get_one(Patient, record_id).merged_into_id == yacine.actor.patient_id
    assert amina.actor.dependants == {}


def test_an_account_with_visits_of_its_own_takes_over_what_the_desk_entered(
    yacine: Any, nadia: Any, mailbox: Any, dr_benali: Any, el_djazair: Any
) -> None:
    """The desk enters him with his address; he registers with it, books, and then takes the desk's record over."""
    own = session().get_one(Patient, yacine.patient_id)
    own.phone, own.birth_date = "+213661000000", None
    session().add(Allergy(patient_id=own.id, substance="Latex"))
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    someone = make_patient(
        given_name="Yassine", family_name="Meziane", birth_date=BORN, email=yacine.email, city="Oran"
    )
    register_at(someone, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    inviting.hand_over(nadia.actor, someone.id, email=yacine.email)
    token = token_in(mailbox, yacine.email)
    booking.book(yacine.actor, starts_at=at("09:00", 5), **about)
    booking.book(nadia.actor, patient_id=someone.id, starts_at=at("11:00", 5), **about)
    keep()
    accepting.accept(yacine.actor, token, birth_date=BORN)
    keep()
    assert [one.starts_at for one in glance.mine(yacine.actor, limit=5).items] == [at("09:00", 5), at("11:00", 5)]
    mine = profiles.mine(yacine.actor)
    assert mine and (mine.phone, mine.birth_date, mine.name) == ("+213661000000", BORN, own.name)
    assert [one.substance for one in profiles.allergies(yacine.actor, mine.id)] == ["Latex"]
    assert desk.get(nadia.actor, someone.id).id == mine.id


def test_what_an_account_said_of_itself_is_not_lost_when_it_takes_a_record_over(
    amina: Any, yacine: Any, mailbox: Any
) -> None:
    held = child_of(amina)
    session().add(Allergy(patient_id=yacine.patient_id, substance="Latex"))
    keep()
    inviting.hand_over(amina.actor, held.patient_id, email=yacine.email)
    accepting.accept(yacine.actor, token_in(mailbox, yacine.email), birth_date=BORN)
    keep()
    assert [one.substance for one in profiles.allergies(yacine.actor, yacine.actor.patient_id)] == ["Latex"]
    assert yacine.patient_id in amina.actor.dependants  # he is still a child


def test_a_record_whose_birth_date_was_taken_out_is_not_taken_over_by_guessing(
    amina: Any, yacine: Any, mailbox: Any
) -> None:
    held = child_of(amina)
    inviting.hand_over(amina.actor, held.patient_id, email=yacine.email)
    session().get_one(Patient, held.patient_id).birth_date = None
    keep()
    with pytest.raises(inviting.NoBirthDate):
        accepting.accept(yacine.actor, token_in(mailbox, yacine.email), birth_date=BORN)


def test_the_desk_hands_a_record_over_and_others_do_not(
    amina: Any, yacine: Any, nadia: Any, kamel: Any, mailbox: Any, el_djazair: Any
) -> None:
    someone = make_patient(given_name="Yacine", family_name="Meziane", birth_date=BORN, email=yacine.email)
    register_at(someone, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    with pytest.raises(NotFound):
        inviting.hand_over(kamel.actor, someone.id, email=yacine.email)
    inviting.hand_over(nadia.actor, someone.id, email=yacine.email)
    accepting.accept(yacine.actor, token_in(mailbox, yacine.email), birth_date=BORN)
    keep()
    assert session().get_one(Patient, someone.id).merged_into_id == yacine.actor.patient_id
    with pytest.raises(Conflict):
        inviting.hand_over(nadia.actor, yacine.actor.patient_id, email="other@example.dz")


def test_somebody_with_less_than_everything_hands_nothing_over(amina: Any, yacine: Any) -> None:
    held = child_of(amina)
    let(held.patient_id, yacine, "view", "book", granted_by=amina.user_id)
    with pytest.raises(Forbidden):
        inviting.hand_over(yacine.actor, held.patient_id, email="ilyes@example.dz")
    with pytest.raises(Conflict):
        inviting.hand_over(amina.actor, held.patient_id, email=amina.email)


def test_an_invitation_is_for_every_spelling_of_its_address(amina: Any, mailbox: Any) -> None:
    held = child_of(amina)
    inviting.hand_over(amina.actor, held.patient_id, email="Ilyes@EXAMPLE.dz")
    keep()
    ilyes = newcomer("ilyes@example.dz")
    accepting.accept(ilyes.actor, token_in(mailbox, ilyes.email), birth_date=BORN)
    with pytest.raises(Conflict):
        inviting.grant(amina.actor, email="ａmina@example.dz", scopes=["view"])


def test_the_birth_date_is_not_guessed(amina: Any, mailbox: Any, with_limits: None) -> None:
    held = child_of(amina)
    inviting.hand_over(amina.actor, held.patient_id, email="ilyes@example.dz")
    keep()
    ilyes = newcomer("ilyes@example.dz")
    token = token_in(mailbox, ilyes.email)
    for number in range(1, 11):
        with pytest.raises(Forbidden):
            accepting.accept(ilyes.actor, token, birth_date=BORN - timedelta(days=number))
    with pytest.raises(TooMany):
        accepting.accept(ilyes.actor, token, birth_date=BORN)


def test_care_of_a_record_that_was_ended_stays_in_its_history(amina: Any, yacine: Any) -> None:
    held = let(amina.patient_id, yacine, "view", by=amina)
    family.end(amina.actor, held.id)
    let(amina.patient_id, yacine, "view", "book", by=amina)
    both = session().scalars(select(Delegation).where(Delegation.user_id == yacine.user_id)).all()
    assert sorted(one.ended_at is None for one in both) == [False, True]
