"""A record is joined to another by whoever both records reach: what somebody claimed beforehand takes over nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from portal.core import secrets
from portal.core.actor import NOBODY, Actor
from portal.core.db import keep, session
from portal.core.errors import Gone
from portal.core.events import Event
from portal.domain.access import acting
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.notifications import request_notices
from portal.domain.notifications.models import Delivery
from portal.domain.patients import accepting, deciding, desk, family, inviting, requests
from portal.domain.patients.deciding import AtBothContacts, Over, SignInToo
from portal.domain.patients.models import Patient
from portal.domain.patients.request_models import RecordJoin, RecordRequest
from tests.builders import actor_of, make_patient, make_user, register_at

BORN = date(1988, 4, 12)
OMAR = {"given_name": "Omar", "family_name": "Saidi", "birth_date": BORN, "phone": "+213550112233"}


@pytest.fixture
def there(wahran: Any) -> Clinic:
    return session().get_one(Clinic, wahran.clinic_id)


@pytest.fixture
def claimed(el_djazair: Any) -> Patient:
    """Omar's name, birth date and phone, entered at El Djazair with an address that is somebody else's."""
    patient = make_patient(**OMAR, email="thief@example.dz")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    return patient


def asked_by(kamel: Any, there: Clinic, email: str | None = None) -> RecordRequest:
    """Omar himself comes to Wahran, whose desk enters him and asks."""
    entered, may_exist = desk.enter(kamel.actor, there.id, **OMAR, email=email)
    asked = desk.ask_to_join(kamel.actor, entered.id)
    assert may_exist and asked
    keep()
    return asked


def by_link(asked: RecordRequest, who: Actor = NOBODY) -> Actor:
    """Who follows the link of the message, signed in as `who`."""
    return acting.actor_for(acting.read(request_notices.link(asked).removeprefix("/go/")), who, None)


def joined() -> bool:
    return session().scalar(select(RecordJoin.id)) is not None


def test_an_account_that_claims_name_birth_date_and_phone_takes_no_record_over(kamel: Any, there: Clinic) -> None:
    thief = make_user("Omar", "Saidi", email="thief@example.dz")
    make_patient(thief, **OMAR)
    asked = asked_by(kamel, there)
    with pytest.raises(AtBothContacts):
        deciding.accept(actor_of(thief.id), asked.id)
    with pytest.raises(SignInToo):  # and who holds the phone gives nothing to an account that is not theirs
        deciding.accept(by_link(asked), asked.id)
    assert not joined()


def test_nor_does_one_that_claims_to_look_after_such_a_person(kamel: Any, there: Clinic, yacine: Any) -> None:
    made = family.add_dependant(yacine.actor, given_name="Omar", family_name="Saidi", birth_date=date(2015, 4, 12))
    made.patient.phone, made.patient.birth_date = OMAR["phone"], BORN
    keep()
    asked = asked_by(kamel, there)
    with pytest.raises(AtBothContacts):
        deciding.accept(yacine.actor, asked.id)
    with pytest.raises(SignInToo):
        deciding.accept(by_link(asked), asked.id)
    deciding.accept(by_link(asked, yacine.actor), asked.id)  # who holds the phone as well is the parent
    assert joined()


@pytest.mark.parametrize("way", ["address", "link"])
def test_whose_account_it_is_says_yes_signed_in_by_the_link_or_where_the_clinic_wrote_the_same_address(
    kamel: Any, there: Clinic, way: str
) -> None:
    user = make_user("Omar", "Saidi", email="omar@example.dz")
    make_patient(user, **OMAR)
    own = actor_of(user.id)
    asked = asked_by(kamel, there, "omar@example.dz" if way == "address" else None)
    deciding.accept(own if way == "address" else by_link(asked, own), asked.id)
    assert joined()


@pytest.mark.parametrize("email", [None, "thief@example.dz"])
def test_the_link_goes_only_where_both_records_reach_somebody(
    kamel: Any, there: Clinic, claimed: Patient, email: str | None
) -> None:
    asked = asked_by(kamel, there, email)
    request_notices.asked("e", str(asked.id))
    ways = set(session().scalars(select(Delivery.channel).where(Delivery.notice == "record_request.sent")))
    assert ways == ({"sms"} if email is None else {"sms", "email"})


@pytest.mark.parametrize("written_down", [True, False])
def test_an_account_learns_which_clinic_asks_once_its_address_is_written_down_there_and_the_phone_gets_the_link(
    kamel: Any, there: Clinic, written_down: bool
) -> None:
    user = make_user("Omar", "Saidi", email="omar@example.dz")
    make_patient(user, **OMAR)
    asked = asked_by(kamel, there, "omar@example.dz" if written_down else None)
    request_notices.asked("e", str(asked.id))
    sent = select(Delivery.channel, Delivery.user_id).where(Delivery.notice == "record_request.sent")
    assert set(map(tuple, session().execute(sent))) == {("sms", None)} | (
        {("email", user.id)} if written_down else set()
    )
    assert bool(requests.to_answer(actor_of(user.id))) == written_down


def test_joined_it_is_not_reached_any_more_at_an_address_that_only_one_of_the_records_had(
    kamel: Any, nadia: Any, there: Clinic, claimed: Patient
) -> None:
    asked = asked_by(kamel, there)
    before = requests.ask_for_carer(
        nadia.actor, claimed.id, email="thief@example.dz", relation="other", scopes=["view"]
    )
    requests.ask_to_hand_over(nadia.actor, claimed.id, email="thief@example.dz")
    keep()
    letter = session().scalars(select(Event).where(Event.name == "invitation.sent")).one()
    invitation = inviting.from_event(letter)
    token = secrets.sign("family", inviting._facts(invitation, "thief@example.dz"))
    deciding.accept(by_link(asked), asked.id)
    assert claimed.email == ""
    thief = make_user("Omar", "Saidi", email="thief@example.dz")
    with pytest.raises(Gone):  # a letter of before takes over no more than it did then
        accepting.accept(actor_of(thief.id), token, birth_date=BORN)
    with pytest.raises(Over):
        deciding.accept(by_link(before), before.id)
    again = requests.ask_to_hand_over(nadia.actor, claimed.id, email="thief@example.dz")
    assert again and again.is_open  # it is another address now, so the patient is asked
    assert session().get_one(User, thief.id) and claimed.user_id is None


def test_a_letter_about_a_record_that_became_part_of_another_one_is_over(
    kamel: Any, there: Clinic, claimed: Patient
) -> None:
    asked = asked_by(kamel, there, "omar@example.dz")
    invitation = inviting.hand_over(kamel.actor, asked.entered_id or claimed.id, email="omar@example.dz")
    deciding.accept(by_link(asked), asked.id)
    own = make_user("Omar", "Saidi", email="omar@example.dz")
    token = secrets.sign("family", inviting._facts(invitation, "omar@example.dz"))
    with pytest.raises(Gone):
        accepting.accept(actor_of(own.id), token, birth_date=BORN)
