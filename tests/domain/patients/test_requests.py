"""Nothing that a clinic does widens who reads a record, or changes how its patient is reached, without the patient."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.core import secrets
from portal.core.actor import NOBODY
from portal.core.clock import now as present
from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.core.events import Event
from portal.domain.access import acting
from portal.domain.clinics.models import Clinic
from portal.domain.day import walk_ins
from portal.domain.identity.models import User
from portal.domain.notifications import delivery, kinds, request_notices
from portal.domain.notifications.models import Delivery
from portal.domain.patients import accepting, deciding, desk, family, inviting, profiles, requests
from portal.domain.patients.care import NotOnList
from portal.domain.patients.deciding import Over, SecondPerson
from portal.domain.patients.models import Delegation, Patient, Registration
from portal.domain.patients.request_models import RecordJoin, RecordRequest
from portal.domain.patients.requests import NobodyToAsk
from portal.domain.scheduling import invitations
from tests.builders import actor_of, make_member, make_patient, make_user, register_at

BORN = date(1988, 4, 12)
NEW = {"phone": "0661223344", "email": None}


@pytest.fixture
def here(el_djazair: Any) -> Clinic:
    return session().get_one(Clinic, el_djazair.clinic_id)


@pytest.fixture
def there(wahran: Any) -> Clinic:
    return session().get_one(Clinic, wahran.clinic_id)


@pytest.fixture
def omar(here: Clinic) -> Patient:
    """Without an account, known at El Djazair, reached by phone and e-mail."""
    about = {"phone": "+213550112233", "email": "omar@example.dz", "birth_date": BORN, "conditions": ["Asthma"]}
    patient = make_patient(given_name="Omar", family_name="Saidi", **about)
    register_at(patient, here)
    return patient


@pytest.fixture
def rachid(here: Clinic) -> Any:
    """A second person at the desk of El Djazair."""
    user = make_user("Rachid", "Amrani", email="rachid@example.dz")
    make_member(user, here, "staff")
    return user


def linked(patient: Patient) -> Any:
    """Who follows the link in the message to this patient and showed the birth date."""
    claim = acting.read(acting.link("request", patient_id=patient.id, subject_id=patient.id).removeprefix("/go/"))
    return acting.actor_for(claim, NOBODY, None)


def ask_contact(actor: Any, patient: Patient, **more: Any) -> RecordRequest:
    about = {"given_name": patient.given_name, "family_name": patient.family_name, "birth_date": patient.birth_date}
    _patient, asked = desk.change(actor, patient.id, **about, **{**NEW, "email": patient.email or None}, **more)
    assert asked is not None
    return asked


# --- another clinic's record ---


def entered_there(kamel: Any, there: Clinic) -> Patient:
    about = {"given_name": "Omar", "family_name": "Saidi", "birth_date": BORN, "phone": "0550 11 22 33"}
    return desk.enter(kamel.actor, there.id, **about)[0]


def test_a_clerk_who_knows_name_birth_date_and_phone_reads_nothing_of_another_clinic(
    kamel: Any, there: Clinic, omar: Patient
) -> None:
    entered = entered_there(kamel, there)
    assert entered.id != omar.id and entered.conditions == []
    for read in (desk.get, profiles.allergies, lambda a, k: desk.change(a, k, given_name="X", family_name="Y")):
        with pytest.raises(NotFound):
            read(kamel.actor, omar.id)
    with pytest.raises(NotFound):
        requests.ask_for_carer(kamel.actor, omar.id, email="mine@example.dz", relation="other", scopes=["view"])
    with pytest.raises(NotFound):
        requests.ask_to_hand_over(kamel.actor, omar.id, email="mine@example.dz")


def test_the_patient_who_allows_it_has_one_record_and_both_clinics_read_it(
    nadia: Any, kamel: Any, there: Clinic, omar: Patient
) -> None:
    entered = entered_there(kamel, there)
    asked = desk.ask_to_join(kamel.actor, entered.id)
    assert asked and asked.patient_id == omar.id
    deciding.accept(linked(omar), asked.id)
    assert desk.get(kamel.actor, entered.id).id == omar.id  # the earlier address finds the record
    assert desk.get(nadia.actor, omar.id).conditions == ["Asthma"]
    assert [one.id for one in desk.search(kamel.actor, "saidi")] == [omar.id]


def test_a_patient_with_an_account_answers_there_and_nobody_else_does(
    kamel: Any, there: Clinic, amina: Any, yacine: Any, nadia: Any
) -> None:
    profile = session().get_one(Patient, amina.patient_id)
    profile.birth_date = BORN
    entered, may_exist = desk.enter(
        kamel.actor, there.id, given_name="Amina", family_name="Boudiaf", birth_date=BORN, phone=profile.phone,
        email=amina.email,
    )  # fmt: skip
    asked = desk.ask_to_join(kamel.actor, entered.id)
    assert may_exist and asked
    for stranger in (yacine.actor, nadia.actor):
        with pytest.raises(NotFound):
            deciding.accept(stranger, asked.id)
    with pytest.raises(Forbidden):
        deciding.accept(kamel.actor, asked.id)
    with pytest.raises(Forbidden):
        deciding.confirm(kamel.actor, asked.id)
    assert [one.id for one in requests.to_answer(amina.actor)] == [asked.id]
    deciding.accept(amina.actor, asked.id)
    assert desk.get(kamel.actor, amina.patient_id)


def test_refused_it_stays_two_records(kamel: Any, there: Clinic, omar: Patient) -> None:
    entered = entered_there(kamel, there)
    asked = desk.ask_to_join(kamel.actor, entered.id)
    assert asked
    deciding.reject(linked(omar), asked.id)
    assert desk.get(kamel.actor, entered.id).id == entered.id
    with pytest.raises(Over):
        deciding.accept(linked(omar), asked.id)


def test_to_ask_where_nobody_is_like_this_asks_nobody_and_says_nothing(kamel: Any, there: Clinic) -> None:
    alone, may_exist = desk.enter(kamel.actor, there.id, given_name="Nour", family_name="Ziani", birth_date=BORN)
    assert (desk.ask_to_join(kamel.actor, alone.id), may_exist) == (None, False)


def test_the_asking_clinic_is_never_shown_whom_it_asked(client: Any, kamel: Any, there: Clinic, omar: Patient) -> None:
    omar.given_name, omar.city = "Omar Farouk", "Tamanrasset"
    entered = entered_there(kamel, there)
    asked = desk.ask_to_join(kamel.actor, entered.id)
    assert asked
    keep()
    client.sign_in(kamel)
    for path in ("/desk/requests", f"/desk/requests/{asked.id}", f"/desk/patients/{entered.id}"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Farouk" not in page.text and "Tamanrasset" not in page.text and str(omar.id) not in page.text


# --- how the patient is reached ---


def test_a_new_phone_counts_once_the_patient_allows_it_at_the_old_one(nadia: Any, omar: Patient) -> None:
    asked = ask_contact(nadia.actor, omar)
    assert omar.phone == "+213550112233"
    deciding.accept(linked(omar), asked.id)
    assert omar.phone == "+213661223344"


def test_the_one_who_entered_a_paper_cannot_confirm_it_and_a_colleague_can(
    nadia: Any, kamel: Any, rachid: Any, superadmin: Any, omar: Patient
) -> None:
    asked = ask_contact(nadia.actor, omar, on_paper=True)
    with pytest.raises(SecondPerson):
        deciding.confirm(nadia.actor, asked.id)
    with pytest.raises(NotFound):
        deciding.confirm(kamel.actor, asked.id)
    with pytest.raises(Forbidden):
        deciding.confirm(superadmin.actor, asked.id)  # of the installation, not of the clinic
    assert omar.phone == "+213550112233"
    deciding.confirm(actor_of(rachid.id), asked.id)
    assert omar.phone == "+213661223344"
    keep()
    who = {
        event.name: event.actor_id
        for event in session().scalars(select(Event).where(Event.subject_id == asked.id).order_by(Event.seq))
    }
    assert who == {"record_request.sent": nadia.user_id, "record_request.accepted": rachid.id}


def test_without_a_paper_no_colleague_confirms(nadia: Any, rachid: Any, omar: Patient) -> None:
    asked = ask_contact(nadia.actor, omar)
    with pytest.raises(Forbidden):
        deciding.confirm(actor_of(rachid.id), asked.id)


def test_the_patient_can_refuse_a_paper_before_it_is_confirmed(nadia: Any, rachid: Any, omar: Patient) -> None:
    asked = ask_contact(nadia.actor, omar, on_paper=True)
    deciding.reject(linked(omar), asked.id)
    with pytest.raises(Over):
        deciding.confirm(actor_of(rachid.id), asked.id)
    assert omar.phone == "+213550112233"


def test_a_paper_stands_at_the_next_sign_in_and_taken_back_the_old_contact_is_there_again(
    nadia: Any, rachid: Any, amina: Any, here: Clinic
) -> None:
    patient = session().get_one(Patient, amina.patient_id)
    register_at(patient, here)
    old = patient.phone
    asked = ask_contact(nadia.actor, patient, on_paper=True)
    deciding.confirm(actor_of(rachid.id), asked.id)
    assert patient.phone == "+213661223344"
    assert [one.id for one in requests.unseen(amina.actor)] == [asked.id]
    deciding.dispute(amina.actor, asked.id)
    assert (patient.phone, requests.unseen(amina.actor)) == (old, [])


def test_two_people_in_a_hurry_keep_no_paper_from_a_patient_without_an_account(
    client: Any, nadia: Any, rachid: Any, omar: Patient
) -> None:
    asked = ask_contact(nadia.actor, omar, on_paper=True)
    deciding.confirm(actor_of(rachid.id), asked.id)
    keep()
    for task in (request_notices.asked, request_notices.answered):
        task("e", str(asked.id))
    (sent,) = session().scalars(select(Delivery).where(Delivery.channel == "sms"))
    to = delivery._to(sent, kinds.get(sent.notice), asked)
    assert to and (sent.notice, to.phone) == ("record_request.paper", "+213550112233")  # not the new one
    links = request_notices.link(asked)
    client.post(f"{links}/who", data={"birth_date": BORN.isoformat()})
    assert "It is wrong: take it back" in client.get(links).text
    assert "It was taken back" in client.post(links, data={"answer": "wrong"}, follow_redirects=True).text
    assert session().get_one(Patient, omar.id, populate_existing=True).phone == "+213550112233"


def test_a_paper_that_is_older_than_what_the_patient_said_since_changes_nothing(
    nadia: Any, rachid: Any, omar: Patient
) -> None:
    asked = ask_contact(nadia.actor, omar, on_paper=True)
    omar.phone = "+213770000000"
    session().flush()
    with pytest.raises(Conflict):
        deciding.confirm(actor_of(rachid.id), asked.id)


def test_a_birth_date_that_is_known_proves_the_patient_and_is_asked_about_too(nadia: Any, omar: Patient) -> None:
    about = {"given_name": "Omar", "family_name": "Saidi", "phone": omar.phone, "email": omar.email}
    _patient, asked = desk.change(nadia.actor, omar.id, birth_date=date(1990, 1, 1), **about)
    assert omar.birth_date == BORN
    assert asked and asked.contact_changes == [("birth_date", BORN, date(1990, 1, 1))]


def test_without_any_contact_only_a_paper_helps(nadia: Any, rachid: Any, here: Clinic) -> None:
    patient = make_patient(given_name="Zohra", family_name="Hadj", birth_date=BORN, phone="", email="")
    register_at(patient, here)
    about = {"given_name": "Zohra", "family_name": "Hadj", "birth_date": BORN, "phone": "0661223344"}
    with pytest.raises(NobodyToAsk):
        desk.change(nadia.actor, patient.id, **about)
    _patient, asked = desk.change(nadia.actor, patient.id, on_paper=True, **about)
    assert asked
    deciding.confirm(actor_of(rachid.id), asked.id)
    assert patient.phone == "+213661223344"


def test_a_slip_is_no_slip_any_more_after_a_day_or_once_another_clinic_knows_the_patient(
    nadia: Any, here: Clinic, there: Clinic
) -> None:
    entered, _ = desk.enter(nadia.actor, here.id, given_name="Nour", family_name="Ziani", phone="0550998877")
    keep()
    about = {"given_name": "Nour", "family_name": "Ziani", "phone": "0550998866"}
    with standing_at(present() + timedelta(hours=25)):
        assert desk.change(nadia.actor, entered.id, **about)[1] is not None
    register_at(entered, there)
    assert desk.change(nadia.actor, entered.id, **about)[1] is not None


# --- who is let in ---


def let_in(nadia: Any, patient: Patient, email: str, **more: Any) -> RecordRequest:
    return requests.ask_for_carer(
        nadia.actor, patient.id, email=email, relation="parent", scopes=["view", "book"], **more
    )


def token_of(request: RecordRequest) -> str:
    """The link in the letter that followed from a request."""
    keep()
    sent = (
        session().scalars(select(Event).where(Event.subject_type == "invitation", Event.subject_id == request.id)).one()
    )
    invitation = inviting.from_event(sent)
    return secrets.sign("family", inviting._facts(invitation, request.wanted["email"]))


@pytest.mark.parametrize("email", ["yacine@example.dz", "nobody@example.dz"])
def test_naming_a_carer_tells_the_desk_nothing_of_the_account(
    nadia: Any, yacine: Any, omar: Patient, email: str
) -> None:
    asked = let_in(nadia, omar, email)
    assert (asked.kind, asked.is_open, asked.wanted["email"]) == ("carer", True, email)
    assert session().scalars(select(Delegation)).all() == []


def test_a_carer_acts_once_the_patient_has_allowed_it_and_they_have_accepted_and_at_this_clinic_only(
    nadia: Any, yacine: Any, omar: Patient, here: Clinic
) -> None:
    asked = let_in(nadia, omar, yacine.email)
    deciding.accept(linked(omar), asked.id)
    assert yacine.actor.dependants_at == {}
    invitation = accepting.look(yacine.actor, token_of(asked))
    assert (invitation.asked_by, invitation.clinic_id) == (here.name, here.id)  # as the letter says, not a clerk's name
    accepting.accept(yacine.actor, token_of(asked))
    assert dict(yacine.actor.dependants_at) == {(omar.id, here.id): frozenset({"view", "book"})}
    assert yacine.actor.dependants == {}
    with pytest.raises(NotFound):
        profiles.allergies(yacine.actor, omar.id)


def test_a_disputed_paper_puts_the_carer_out_and_stops_a_letter_that_is_under_way(
    nadia: Any, rachid: Any, yacine: Any, amina: Any, here: Clinic
) -> None:
    patient = session().get_one(Patient, amina.patient_id)
    register_at(patient, here)
    asked = let_in(nadia, patient, yacine.email, on_paper=True)
    deciding.confirm(actor_of(rachid.id), asked.id)
    token = token_of(asked)
    accepting.accept(yacine.actor, token)
    assert yacine.actor.dependants_at
    deciding.dispute(amina.actor, asked.id)
    assert not yacine.actor.dependants_at
    again = let_in(nadia, patient, yacine.email, on_paper=True)
    deciding.confirm(actor_of(rachid.id), again.id)
    token = token_of(again)
    deciding.dispute(amina.actor, again.id)
    with pytest.raises(accepting.Gone):
        accepting.accept(yacine.actor, token)


def test_a_second_account_made_for_the_purpose_is_no_second_person(nadia: Any, omar: Patient, here: Clinic) -> None:
    asked = ask_contact(nadia.actor, omar, on_paper=True)
    again = make_user("Nadia", "Slimani", email="nadia.two@example.dz")
    make_member(again, here)
    with pytest.raises(SecondPerson):
        deciding.confirm(actor_of(again.id), asked.id)


@pytest.mark.parametrize("has_profile", [True, False])
def test_a_disputed_paper_takes_a_record_back_that_was_taken_over(
    nadia: Any, rachid: Any, amina: Any, omar: Patient, has_profile: bool
) -> None:
    """By the link that went to the contact of before, although every other link to it is over."""
    visits_link = acting.link("attendance", patient_id=omar.id, subject_id=omar.id).removeprefix("/go/")
    asked = requests.ask_to_hand_over(nadia.actor, omar.id, email="thief@example.dz", on_paper=True)
    assert asked
    deciding.confirm(actor_of(rachid.id), asked.id)
    thief = make_user("Omar", "Thief", email="thief@example.dz")
    own = make_patient(thief, birth_date=None) if has_profile else None
    keep()
    accepting.accept(actor_of(thief.id), token_of(asked), birth_date=BORN)
    keep()
    mine = actor_of(thief.id).patient_id
    assert mine == (own.id if own else omar.id)
    with pytest.raises(accepting.Gone):
        acting.read(visits_link)
    deciding.dispute(linked(omar), asked.id)
    keep()
    assert actor_of(thief.id).patient_id == (own.id if own else None)
    found = session().get_one(Patient, omar.id, populate_existing=True)
    assert (found.user_id, found.merged_into_id, found.email) == (None, None, "omar@example.dz")
    assert desk.get(nadia.actor, omar.id).id == omar.id


def test_a_record_goes_to_its_own_address_and_to_another_one_only_when_the_patient_allows_it(
    nadia: Any, omar: Patient
) -> None:
    assert requests.ask_to_hand_over(nadia.actor, omar.id, email="OMAR@example.dz") is None
    with pytest.raises(inviting.AddressNotKnown):
        inviting.hand_over(nadia.actor, omar.id, email="thief@example.dz")
    asked = requests.ask_to_hand_over(nadia.actor, omar.id, email="omar.new@example.dz")
    assert asked and asked.is_open
    thief = make_user("Omar", "Saidi", email="omar.new@example.dz")
    deciding.accept(linked(omar), asked.id)
    accepting.accept(actor_of(thief.id), token_of(asked), birth_date=BORN)
    assert omar.user_id == thief.id


def test_a_record_without_a_birth_date_is_not_handed_over_since_nobody_could_take_it(nadia: Any, omar: Patient) -> None:
    omar.birth_date = None
    for ask in (requests.ask_to_hand_over, inviting.hand_over):
        with pytest.raises(inviting.NoBirthDate):
            ask(nadia.actor, omar.id, email=omar.email)


def test_a_mother_answers_for_her_child_and_a_carer_of_a_clinic_s_part_does_not(
    nadia: Any, amina: Any, yacine: Any, here: Clinic
) -> None:
    born = date(2020, 1, 1)
    child = family.add_dependant(amina.actor, given_name="Ines", family_name="Boudiaf", birth_date=born).patient
    register_at(child, here)
    asked = let_in(nadia, child, yacine.email)
    keep()
    with pytest.raises(NotFound):
        deciding.accept(yacine.actor, asked.id)
    deciding.accept(amina.actor, asked.id)
    accepting.accept(yacine.actor, token_of(asked))
    again = ask_contact(nadia.actor, child)
    with pytest.raises(NotFound):
        deciding.accept(yacine.actor, again.id)


def test_the_newer_request_replaces_the_older_and_old_ones_end_by_themselves(nadia: Any, omar: Patient) -> None:
    first, second = ask_contact(nadia.actor, omar), ask_contact(nadia.actor, omar)
    assert (first.outcome, second.is_open) == ("withdrawn", True)
    with standing_at(present() + requests.LASTS + timedelta(seconds=1)), pytest.raises(Over):
        deciding.accept(linked(omar), second.id)


def test_the_database_refuses_a_paper_that_one_person_confirms_alone(nadia: Any, omar: Patient) -> None:
    asked = ask_contact(nadia.actor, omar, on_paper=True)
    alone = {"outcome": "accepted", "decided_way": "paper", "decided_by": nadia.user_id, "decided_at": present()}
    with pytest.raises(IntegrityError, match="two_people"):
        session().execute(update(RecordRequest).where(RecordRequest.id == asked.id).values(**alone))


# --- clinics that learn of a patient by arranging something ---


def test_somebody_who_works_at_two_clinics_does_not_carry_a_patient_from_one_to_the_other(
    nadia: Any, there: Clinic, wahran: Any, dr_haddad: Any, omar: Patient
) -> None:
    make_member(session().get_one(User, nadia.user_id), there, "staff")
    both = actor_of(nadia.user_id)
    about = {"practice_id": dr_haddad.practice_id, "visit_type_id": wahran.consultation_id, "patient_id": omar.id}
    with pytest.raises(NotOnList):
        walk_ins.add(both, **about)
    with pytest.raises(NotOnList):
        invitations.invite(both, **about, first=date(2030, 1, 1), last=date(2030, 2, 1))
    there_now = select(Registration.clinic_id).where(Registration.patient_id == omar.id)
    assert there.id not in set(session().scalars(there_now))


def test_joining_keeps_a_ledger_of_what_moved(kamel: Any, there: Clinic, omar: Patient) -> None:
    entered = entered_there(kamel, there)
    entered.address, omar.address = "12 rue Larbi", ""
    asked = desk.ask_to_join(kamel.actor, entered.id)
    assert asked
    deciding.accept(linked(omar), asked.id)
    made = session().scalars(select(RecordJoin)).one()
    assert (made.kept_id, made.gone_id, made.request_id) == (omar.id, entered.id, asked.id)
    assert set(made.moved) == {"registrations"}
    assert (omar.address, made.filled) == ("12 rue Larbi", {"address": "", "email": "omar@example.dz"})
