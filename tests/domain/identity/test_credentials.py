"""Forgotten passwords: links that work once, for a while, for one purpose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.actor import NOBODY, Actor
from portal.core.errors import Gone, Invalid
from portal.domain.access import actors
from portal.domain.identity import credentials, sessions, tokens
from tests.builders import PASSWORD

HERE = Actor(door="web", address="10.0.0.1")
NEW = "seven green boats"


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
