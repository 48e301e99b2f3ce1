"""Accounts are made once per address, and nothing tells a stranger which addresses have one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core import clock
from portal.core.actor import NOBODY, SYSTEM
from portal.core.db import keep
from portal.core.errors import Conflict, Forbidden, Gone, Invalid, TooMany
from portal.core.events import Event
from portal.core.tasks import Task
from portal.domain.identity import accounts, links
from portal.domain.identity.models import User
from portal.domain.patients import registering
from portal.domain.patients.models import Patient
from tests.builders import PASSWORD, actor_of, make_user

NEW = {"email": "rania@example.dz", "password": "seven green boats", "given_name": "Rania", "family_name": "Saadi"}


def token_in(mailbox: Any, address: str, about: str) -> str:
    return str(mailbox.link(address, about)).rpartition("/")[2]


def test_registering_makes_an_account_and_a_patient_profile(database: Any) -> None:
    patient = registering.register(NOBODY, **NEW, locale="fr")
    assert patient is not None
    user = database.get(User, patient.user_id)
    assert (user.email, user.locale, user.is_verified) == ("rania@example.dz", "fr", False)
    assert (patient.search_name, patient.preferred_language) == ("rania saadi", "fr")


def test_an_address_is_taken_however_it_is_capitalised(database: Any, amina: Any, mailbox: Any) -> None:
    again = NEW | {"email": "AMINA@Example.dz"}
    assert registering.register(NOBODY, **again, locale="en") is None
    assert database.scalar(select(func.count()).select_from(User).where(User.email == "amina@example.dz")) == 1
    assert "reset" in mailbox.link("amina@example.dz")


def test_the_first_mail_verifies_and_works_once(database: Any, mailbox: Any) -> None:
    registering.register(NOBODY, **NEW, locale="en", next="/somewhere")
    token = token_in(mailbox, "rania@example.dz", "verify")
    user, facts, _cookie = accounts.verify_email(NOBODY, token, password=NEW["password"])
    assert user.is_verified
    assert facts["next"] == "/somewhere"
    with pytest.raises(Gone):
        accounts.verify_email(NOBODY, token, password=NEW["password"])


def test_a_verification_link_ends_after_a_day(database: Any, mailbox: Any, standing_at: Any) -> None:
    registering.register(NOBODY, **NEW, locale="en")
    token = token_in(mailbox, "rania@example.dz", "verify")
    with standing_at(clock.now() + timedelta(hours=24, seconds=1)), pytest.raises(Gone):
        accounts.verify_email(NOBODY, token, password=NEW["password"])


def test_the_newest_three_links_work_until_one_is_used(database: Any, mailbox: Any) -> None:
    registering.register(NOBODY, **NEW, locale="en")
    tokens = [token_in(mailbox, "rania@example.dz", "verify")]
    for _ in range(3):
        accounts.send_verification(NOBODY, "rania@example.dz")
        tokens.append(token_in(mailbox, "rania@example.dz", "verify"))
    assert len(set(tokens)) == 4
    with pytest.raises(Gone):
        accounts.verify_email(NOBODY, tokens[0], password=NEW["password"])
    assert accounts.verify_email(NOBODY, tokens[1], password=NEW["password"])[0].is_verified
    for spent in tokens[1:]:
        with pytest.raises(Gone):
            accounts.verify_email(NOBODY, spent, password=NEW["password"])


def test_a_token_is_worthless_for_another_purpose(database: Any, amina: Any) -> None:
    token = links.make("reset", database.get(User, amina.user_id))
    with pytest.raises(Gone):
        links.look("verify", token)


def test_a_verified_address_gets_no_second_link(database: Any, amina: Any, mailbox: Any) -> None:
    accounts.send_verification(NOBODY, amina.email)
    assert mailbox.to(amina.email) == []


@pytest.mark.parametrize("verb", ["send_verification", "forgot", "register"])
def test_known_and_unknown_addresses_leave_the_same_work_behind(
    database: Any, amina: Any, drain: Any, verb: str
) -> None:
    from portal.domain.identity import credentials

    asked = {
        "send_verification": lambda email: accounts.send_verification(NOBODY, email),
        "forgot": lambda email: credentials.forgot(NOBODY, email),
        "register": lambda email: registering.register(NOBODY, **(NEW | {"email": email}), locale="en"),
    }[verb]
    left = []
    for email in (amina.email, "nobody@example.dz"):
        drain()
        before = database.scalar(select(func.count()).select_from(Task))
        assert asked(email) is None or verb == "register"
        keep()  # what a worker does of it, and when, no stranger sees
        left.append(database.scalar(select(func.count()).select_from(Task)) - before)
    assert left == [1, 1]


def test_one_address_is_not_flooded(database: Any, with_limits: None, mailbox: Any) -> None:
    registering.register(NOBODY, **NEW, locale="en")
    letters = [len(mailbox.to("rania@example.dz"))]
    for _ in range(9):
        accounts.send_verification(NOBODY, "rania@example.dz")
        letters.append(len(mailbox.to("rania@example.dz")))
    assert letters == [1, 2, 3, 3, 3, 3, 3, 3, 3, 3]


@pytest.mark.parametrize(
    "spelling", ["RANIA@example.dz", "ra\u200bnia@example.dz", "ｒania@EXAMPLE.dz", "rania@example.dz."]
)
def test_no_spelling_of_an_address_makes_a_second_account(database: Any, mailbox: Any, spelling: str) -> None:
    registering.register(NOBODY, **NEW, locale="en")
    assert registering.register(NOBODY, **(NEW | {"email": spelling}), locale="en") is None
    found = accounts.by_email(spelling)
    assert found and found.email == "rania@example.dz"
    assert {str(one["To"]) for one in mailbox.all()} == {"rania@example.dz"}


def test_every_spelling_of_an_address_gets_its_letters_from_one_count(
    database: Any, with_limits: None, mailbox: Any
) -> None:
    registering.register(NOBODY, **NEW, locale="en")
    for spelling in ("RANIA@example.dz", "ra\u200bnia@example.dz", "ｒania@example.dz", "rania@EXAMPLE.dz."):
        accounts.send_verification(NOBODY, spelling)
        keep()
    assert len(mailbox.to("rania@example.dz")) == 3


def test_whoever_confirms_the_address_is_not_counted(
    database: Any, with_limits: None, monkeypatch: Any, mailbox: Any
) -> None:
    """A waiting room, a school class: sixty who register and confirm do not lock the next one out."""
    monkeypatch.setattr(links, "PER_PLACE", "2 per hour")
    for number in range(4):
        email = f"a{number}@example.dz"
        registering.register(NOBODY, **(NEW | {"email": email}), locale="en")
        accounts.verify_email(NOBODY, token_in(mailbox, email, "verify"), password=NEW["password"])


def test_the_command_line_finds_an_account_however_it_is_written(database: Any, amina: Any) -> None:
    made = accounts.make_superadmin("Ａmina@EXAMPLE.dz", "seven green boats")
    assert made.id == amina.user_id


def test_one_place_makes_only_so_many_accounts(database: Any, with_limits: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(links, "PER_PLACE", "2 per hour")
    for number in range(2):
        registering.register(NOBODY, **(NEW | {"email": f"a{number}@example.dz"}), locale="en")
    with pytest.raises(TooMany) as no:
        registering.register(NOBODY, **(NEW | {"email": "a3@example.dz"}), locale="en")
    assert 0 < no.value.retry_after <= 3600


def test_nothing_is_made_with_a_weak_password(database: Any) -> None:
    with pytest.raises(Invalid) as no:
        registering.register(NOBODY, **(NEW | {"password": "12345678"}), locale="en")
    assert no.value.fields.keys() == {"password"}
    assert accounts.by_email("rania@example.dz") is None


def test_someone_with_a_work_account_becomes_a_patient_once(database: Any, nadia: Any) -> None:
    assert nadia.actor.patient_id is None
    patient = registering.become_patient(nadia.actor)
    assert nadia.actor.patient_id == patient.id
    with pytest.raises(Conflict):
        registering.become_patient(nadia.actor)
    with pytest.raises(Forbidden):
        registering.become_patient(NOBODY)


def test_the_first_superadmin_needs_a_good_password_and_may_sign_in_at_once(database: Any) -> None:
    with pytest.raises(Invalid):
        accounts.make_superadmin("root@example.dz", "short")
    made = accounts.make_superadmin("root@example.dz", PASSWORD)
    assert actor_of(made).is_superadmin
    assert made.is_verified
    assert accounts.make_superadmin("ROOT@example.dz", PASSWORD).id == made.id


def test_events_name_nobody(database: Any, drain: Any) -> None:
    registering.register(NOBODY, **NEW, locale="en")
    drain()
    written = database.scalars(select(Event).where(Event.name.in_(["user.registered", "patient.registered"]))).all()
    assert len(written) == 2
    assert not any("rania" in str(one.facts).casefold() for one in written)


def test_only_a_superadmin_shuts_and_opens_accounts(database: Any, superadmin: Any, admin: Any, amina: Any) -> None:
    for verb in (accounts.deactivate, accounts.reactivate):
        for person in (admin, amina):
            with pytest.raises(Forbidden):
                verb(person.actor, amina.user_id)
    accounts.deactivate(superadmin.actor, amina.user_id)
    assert not accounts.get(amina.user_id).is_active
    accounts.reactivate(superadmin.actor, amina.user_id)
    assert accounts.get(amina.user_id).is_active


def test_nobody_shuts_their_own_account(database: Any, superadmin: Any) -> None:
    with pytest.raises(Conflict):
        accounts.deactivate(superadmin.actor, superadmin.user_id)


def test_a_shut_account_gets_no_letters(database: Any, superadmin: Any, amina: Any, mailbox: Any) -> None:
    from portal.domain.identity import credentials

    accounts.deactivate(superadmin.actor, amina.user_id)
    credentials.forgot(NOBODY, amina.email)
    registering.register(NOBODY, **(NEW | {"email": amina.email}), locale="en")
    assert mailbox.to(amina.email) == []


def test_accounts_are_found_by_any_part_of_name_or_address(database: Any, superadmin: Any, admin: Any) -> None:
    make_user("Percent", "100%", email="percent@example.dz")
    for text in ("100%", "PERCENT@", "percent 100"):
        assert [one.name for one in accounts.search(superadmin.actor, text)] == ["Percent 100%"]
    assert list(accounts.search(superadmin.actor, "1_0")) == []
    with pytest.raises(Forbidden):
        accounts.search(admin.actor, "a")


def test_a_profile_without_an_account_is_nobodys(database: Any) -> None:
    assert database.scalar(select(func.count()).select_from(Patient).where(Patient.user_id == SYSTEM.user_id)) == 0
