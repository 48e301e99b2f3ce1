"""A letter calls nobody by a name that a stranger may have typed, only whoever has shown that the address is theirs."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.actor import NOBODY
from portal.core.db import session
from portal.domain.clinics import members
from portal.domain.clinics.models import Clinic
from portal.domain.identity import accounts, credentials
from portal.domain.patients import inviting, registering
from portal.domain.scheduling import booking
from tests.builders import at, make_patient, make_user, register_at

TYPED = {"given_name": "Win", "family_name": "Prizes"}


@pytest.fixture
def stranger(where: Any) -> Any:
    """Somebody registered this address and never opened the letter to it."""
    return make_user("Win", "Prizes", email="victim@example.dz", verified=False)


def is_greeted(mailbox: Any, address: str) -> bool:
    """Whether the latest letter to this address says the name that was typed, anywhere."""
    seen = mailbox.text(address) + str(mailbox.latest(address)["To"]) + str(mailbox.latest(address)["Subject"])
    assert ("Hello," in seen) != ("Hello Win Prizes," in seen)
    assert ("Win" in seen) == ("Hello Win Prizes," in seen)
    return "Win" in seen


def register() -> None:
    registering.register(NOBODY, email="victim@example.dz", password="seven green boats", locale="en", **TYPED)


def test_whoever_registers_an_address_is_not_greeted_there(database: Any, mailbox: Any) -> None:
    register()
    assert not is_greeted(mailbox, "victim@example.dz")


@pytest.mark.parametrize("ask", [register, lambda: accounts.send_verification(NOBODY, "victim@example.dz"),
                                 lambda: credentials.forgot(NOBODY, "victim@example.dz")])  # fmt: skip
@pytest.mark.parametrize("verified", [False, True])
def test_letters_of_accounts_greet_only_who_opened_one(database: Any, mailbox: Any, ask: Any, verified: bool) -> None:
    make_user("Win", "Prizes", email="victim@example.dz", verified=verified)
    ask()
    if mailbox.to("victim@example.dz"):
        assert is_greeted(mailbox, "victim@example.dz") is verified


def test_an_invitation_to_a_clinic_greets_nobody(database: Any, mailbox: Any, admin: Any, el_djazair: Any) -> None:
    members.invite(admin.actor, el_djazair.clinic_id, email="victim@example.dz", role="staff", **TYPED)
    assert not is_greeted(mailbox, "victim@example.dz")


def test_an_invitation_to_the_family_greets_nobody(database: Any, mailbox: Any, amina: Any, stranger: Any) -> None:
    inviting.grant(amina.actor, email=stranger.email, relation="spouse", scopes=["view"])
    assert not is_greeted(mailbox, stranger.email)


@pytest.mark.parametrize("has_account", [False, True])
def test_a_notice_about_a_visit_greets_nobody(
    database: Any, mailbox: Any, nadia: Any, dr_benali: Any, el_djazair: Any, stranger: Any, has_account: bool
) -> None:
    patient = make_patient(stranger) if has_account else make_patient(**TYPED, email=stranger.email)
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    booking.book(
        nadia.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00"),
        patient_id=patient.id,
    )
    assert not is_greeted(mailbox, stranger.email)
