"""Signing in by a provider: known by issuer and subject, linked by an e-mail that both have verified."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.actor import Actor
from portal.domain.access import actors
from portal.domain.identity import accounts, sessions, sso
from portal.domain.identity.models import SsoLink, User
from tests.builders import PASSWORD

HERE = Actor(door="web", address="10.0.0.1")


def who(person: Any, **more: Any) -> dict[str, Any]:
    return {"issuer": "https://id.example", "subject": "abc", "email": person.email, "email_verified": True, **more}


def test_a_verified_address_links_once_and_then_the_subject_counts(database: Any, amina: Any) -> None:
    sso.sign_in(HERE, **who(amina))
    _, token = sso.sign_in(HERE, **who(amina, email="moved@example.dz", email_verified=False))
    found = actors.by_session(token, None)
    assert found
    assert found.user_id == amina.user_id
    assert database.scalar(select(func.count()).select_from(SsoLink)) == 1


def test_a_provider_may_spell_the_address_otherwise(database: Any, amina: Any) -> None:
    _, token = sso.sign_in(HERE, **who(amina, email="ＡＭＩＮＡ@Example.DZ"))
    found = actors.by_session(token, None)
    assert found and found.user_id == amina.user_id


def test_the_same_subject_elsewhere_is_somebody_else(database: Any, amina: Any) -> None:
    sso.sign_in(HERE, **who(amina))
    with pytest.raises(sso.NoAccountYet):
        sso.sign_in(HERE, **who(amina, issuer="https://evil.example", email="x@example.dz"))


def test_an_address_the_provider_does_not_vouch_for_opens_nothing(database: Any, amina: Any) -> None:
    for more in ({"email_verified": False}, {"email": ""}):
        with pytest.raises(sso.AddressNotVerified):
            sso.sign_in(HERE, **who(amina, **more))


def test_an_unknown_address_makes_no_account(database: Any, amina: Any) -> None:
    with pytest.raises(sso.NoAccountYet):
        sso.sign_in(HERE, **who(amina, email="unknown@example.dz"))
    assert accounts.by_email("unknown@example.dz") is None


def test_a_password_set_before_the_address_was_verified_is_worth_nothing_afterwards(database: Any, lina: Any) -> None:
    _, planted = sessions.sign_in(HERE, lina.email, PASSWORD)
    sso.sign_in(HERE, **who(lina))
    assert actors.by_session(planted, None) is None
    with pytest.raises(sessions.SignInRefused):
        sessions.sign_in(HERE, lina.email, PASSWORD)
    assert lina.actor.email_verified


@pytest.mark.parametrize("linked", [True, False])
def test_a_shut_account_stays_shut(database: Any, amina: Any, superadmin: Any, linked: bool) -> None:
    if linked:
        sso.sign_in(HERE, **who(amina))
    accounts.deactivate(superadmin.actor, amina.user_id)
    with pytest.raises(sso.NoAccountYet):
        sso.sign_in(HERE, **who(amina))


def test_a_verified_account_keeps_its_password(database: Any, amina: Any) -> None:
    sso.sign_in(HERE, **who(amina))
    assert database.get(User, amina.user_id).password_hash
    assert sessions.sign_in(HERE, amina.email, PASSWORD)
