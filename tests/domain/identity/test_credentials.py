"""Forgotten passwords and invitations: links that work once, for a while, for one purpose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.actor import NOBODY, Actor
from portal.core.errors import Conflict, Forbidden, Gone, Invalid
from portal.domain.access import actors
from portal.domain.clinics import members
from portal.domain.identity import accounts, credentials, sessions, tokens
from tests.builders import PASSWORD

HERE = Actor(door="web", address="10.0.0.1")
NEW = "seven green boats"
GUEST = {"email": "new.desk@example.dz", "given_name": "Nora", "family_name": "Kaci", "locale": "fr"}


def reset_token(mailbox: Any, person: Any) -> str:
    credentials.forgot(NOBODY, person.email)
    return str(mailbox.link(person.email, "reset")).rpartition("/")[2]


def test_a_reset_ends_every_session_and_program(database: Any, amina: Any, mailbox: Any) -> None:
    _, session_token = sessions.sign_in(HERE, amina.email, PASSWORD)
    grant = tokens.sign_in(HERE, amina.email, PASSWORD)
    credentials.reset(NOBODY, reset_token(mailbox, amina), NEW)
    assert actors.by_session(session_token, None) is None
    with pytest.raises(tokens.TokenRefused):
        actors.by_bearer(grant.access_token, None)
    with pytest.raises(sessions.SignInRefused):
        sessions.sign_in(HERE, amina.email, PASSWORD)
    assert sessions.sign_in(HERE, amina.email, NEW)


def test_a_reset_link_works_once_for_an_hour(database: Any, amina: Any, mailbox: Any, standing_at: Any) -> None:
    token = reset_token(mailbox, amina)
    with standing_at(clock.now() + timedelta(minutes=61)), pytest.raises(Gone):
        credentials.reset(NOBODY, token, NEW)
    credentials.reset(NOBODY, token, NEW)
    with pytest.raises(Gone):
        credentials.reset(NOBODY, token, "another seven boats")


def test_a_weak_password_does_not_spend_the_link(database: Any, amina: Any, mailbox: Any) -> None:
    token = reset_token(mailbox, amina)
    with pytest.raises(Invalid):
        credentials.reset(NOBODY, token, "12345678")
    assert credentials.reset(NOBODY, token, NEW)


def test_a_reset_shows_that_the_address_is_ones_own(database: Any, lina: Any, mailbox: Any) -> None:
    assert not lina.actor.email_verified
    credentials.reset(NOBODY, reset_token(mailbox, lina), NEW)
    assert lina.actor.email_verified


def test_the_owner_is_told_that_the_password_was_changed(database: Any, amina: Any, mailbox: Any) -> None:
    credentials.reset(NOBODY, reset_token(mailbox, amina), NEW)
    assert "changed" in str(mailbox.latest(amina.email)["Subject"])
    assert NEW not in mailbox.text(amina.email)


def test_an_invited_person_chooses_a_password_and_has_the_role(
    database: Any, admin: Any, el_djazair: Any, mailbox: Any
) -> None:
    members.invite(admin.actor, el_djazair.clinic_id, **GUEST, role="staff")
    with pytest.raises(sessions.SignInRefused):
        sessions.sign_in(HERE, GUEST["email"], "")
    token = str(mailbox.link(GUEST["email"], "invitation")).rpartition("/")[2]
    user, _ = credentials.accept_invitation(NOBODY, token, NEW)
    assert user.is_verified
    _, opened = sessions.sign_in(HERE, GUEST["email"], NEW)
    found = actors.by_session(opened, None)
    assert found
    assert found.clinics_as("staff") == {el_djazair.clinic_id}
    with pytest.raises(Gone):
        credentials.accept_invitation(NOBODY, token, "another seven boats")


def test_an_invitation_lasts_a_week(database: Any, admin: Any, el_djazair: Any, mailbox: Any, standing_at: Any) -> None:
    members.invite(admin.actor, el_djazair.clinic_id, **GUEST, role="staff")
    token = str(mailbox.link(GUEST["email"], "invitation")).rpartition("/")[2]
    with standing_at(clock.now() + timedelta(days=7, seconds=1)), pytest.raises(Gone):
        credentials.accept_invitation(NOBODY, token, NEW)


def test_who_has_a_password_is_only_told_of_the_new_role(
    database: Any, admin: Any, el_djazair: Any, amina: Any, mailbox: Any
) -> None:
    members.invite(admin.actor, el_djazair.clinic_id, **(GUEST | {"email": amina.email}), role="staff")
    assert "invitation" not in mailbox.text(amina.email)
    assert "sign-in" in mailbox.link(amina.email)
    assert sessions.sign_in(HERE, amina.email, PASSWORD)


def test_a_shut_account_is_not_invited(database: Any, admin: Any, superadmin: Any, el_djazair: Any, amina: Any) -> None:
    accounts.deactivate(superadmin.actor, amina.user_id)
    with pytest.raises(Conflict):
        members.invite(admin.actor, el_djazair.clinic_id, **(GUEST | {"email": amina.email}), role="staff")


def test_an_invitation_is_sent_again_and_one_of_the_two_works_once(
    database: Any, admin: Any, superadmin: Any, el_djazair: Any, mailbox: Any
) -> None:
    member = members.invite(admin.actor, el_djazair.clinic_id, **GUEST, role="staff")
    first = str(mailbox.link(GUEST["email"], "invitation")).rpartition("/")[2]
    with pytest.raises(Forbidden):
        accounts.invite_again(admin.actor, member.user_id)
    accounts.invite_again(superadmin.actor, member.user_id)
    second = str(mailbox.link(GUEST["email"], "invitation")).rpartition("/")[2]
    credentials.accept_invitation(NOBODY, first, NEW)
    with pytest.raises(Gone):
        credentials.accept_invitation(NOBODY, second, NEW)
    with pytest.raises(Conflict):
        accounts.invite_again(superadmin.actor, member.user_id)
