"""Sessions: opened by the right password, throttled without locking anybody out, ended at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core import clock, limits
from portal.core.actor import Actor
from portal.core.errors import Invalid, NotFound, TooMany
from portal.core.events import Event
from portal.domain.access import actors
from portal.domain.identity import accounts, credentials, passwords, sessions
from portal.domain.identity.mail_challenges import MailCodeRequired
from portal.domain.identity.models import User, UserSession
from tests.builders import PASSWORD

HERE = Actor(door="web", address="10.0.0.1")


def open_(person: Any, agent: str = "tests", where: Actor = HERE) -> tuple[UserSession, str, Actor]:
    opened, token = sessions.sign_in(where, person.email, PASSWORD, agent)
    found = actors.by_session(token, where.address)
    assert found is not None
    return opened, token, found


def test_the_right_password_opens_a_session(database: Any, amina: Any) -> None:
    _, token, found = open_(amina)
    assert (found.user_id, found.patient_id, found.sudo) == (amina.user_id, amina.patient_id, True)
    assert actors.by_session(token + "x", None) is None


@pytest.mark.parametrize("email", ["amina@example.dz", "nobody@example.dz"])
def test_a_wrong_password_never_says_what_was_wrong(database: Any, amina: Any, email: str) -> None:
    with pytest.raises(sessions.SignInRefused) as no:
        sessions.sign_in(HERE, email, "not her password")
    assert (no.value.code, no.value.status, no.value.fields) == ("sign_in_refused", 401, {})


def test_a_shut_account_is_refused_like_a_wrong_password(database: Any, amina: Any, superadmin: Any) -> None:
    accounts.deactivate(superadmin.actor, amina.user_id)
    with pytest.raises(sessions.SignInRefused):
        sessions.sign_in(HERE, amina.email, PASSWORD)


def test_a_session_ends_with_the_account(database: Any, amina: Any, superadmin: Any) -> None:
    _, token, _ = open_(amina)
    accounts.deactivate(superadmin.actor, amina.user_id)
    assert actors.by_session(token, None) is None
    accounts.reactivate(superadmin.actor, amina.user_id)
    assert actors.by_session(token, None) is None


def test_a_session_ends_unused_and_in_any_case(database: Any, amina: Any, standing_at: Any) -> None:
    _, token, _ = open_(amina)
    start = clock.now()
    with standing_at(start + timedelta(hours=12, minutes=1)):
        assert actors.by_session(token, None) is None
    for hours in range(11, 24 * 14 + 11, 11):
        with standing_at(start + timedelta(hours=hours)):
            assert (actors.by_session(token, None) is not None) == (hours < 24 * 14)


def test_a_password_shown_is_trusted_for_some_minutes(database: Any, amina: Any, standing_at: Any) -> None:
    _, token, _ = open_(amina)
    with standing_at(clock.now() + timedelta(minutes=16)):
        found = actors.by_session(token, HERE.address)
        assert found
        assert not found.sudo
        with pytest.raises(Invalid) as no:
            sessions.prove(found, "not her password")
        assert no.value.fields.keys() == {"password"}
        sessions.prove(found, PASSWORD)
        again = actors.by_session(token, None)
        assert again
        assert again.sudo


def test_guessing_the_password_once_more_is_stopped_and_says_how_long(
    database: Any, amina: Any, with_limits: None
) -> None:
    _, _, here = open_(amina)
    for _ in range(10):
        with pytest.raises(Invalid):
            sessions.prove(here, "wrong password")
    with pytest.raises(TooMany) as no:
        sessions.prove(here, PASSWORD)
    assert 0 < no.value.retry_after <= 900
    _, _, elsewhere = open_(amina)
    sessions.prove(elsewhere, PASSWORD)  # who guesses in one browser locks no other one


def test_one_place_cannot_try_everybody(database: Any, with_limits: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(sessions, "PER_PLACE", "3 per minute")
    for number in range(3):
        with pytest.raises(sessions.SignInRefused):
            sessions.sign_in(HERE, f"p{number}@example.dz", "wrong password")
    with pytest.raises(TooMany):
        sessions.sign_in(HERE, "p4@example.dz", "wrong password")


def test_the_right_password_starts_counting_anew(database: Any, amina: Any, with_limits: None) -> None:
    for _ in range(3):
        for _ in range(8):
            with pytest.raises(sessions.SignInRefused):
                sessions.sign_in(HERE, amina.email, "wrong password")
        open_(amina)


def test_without_redis_guessing_is_still_stopped(database: Any, amina: Any, with_limits: None) -> None:
    limits.connect("redis://127.0.0.1:1/0", on=True)
    for _ in range(10):
        with pytest.raises(sessions.SignInRefused):
            sessions.sign_in(HERE, amina.email, "wrong password")
    with pytest.raises(MailCodeRequired):
        sessions.sign_in(HERE, amina.email, PASSWORD)


def test_an_old_hash_is_renewed_at_sign_in(database: Any, amina: Any) -> None:
    from argon2 import PasswordHasher

    user = database.get(User, amina.user_id)
    user.password_hash = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    database.flush()
    open_(amina)
    assert not passwords.outdated(user.password_hash)


def test_one_sees_and_ends_ones_own_sessions_only(database: Any, amina: Any, yacine: Any) -> None:
    first, first_token, _ = open_(amina, "a phone")
    _, _, here = open_(amina, "a desk")
    theirs, their_token, _ = open_(yacine)
    assert {one.user_agent for one in sessions.mine(here)} == {"a phone", "a desk"}
    sessions.end(here, first.id)
    assert actors.by_session(first_token, None) is None
    with pytest.raises(NotFound):
        sessions.end(here, theirs.id)
    assert actors.by_session(their_token, None) is not None


def test_ending_everything_spares_this_one_under_a_new_token(database: Any, amina: Any) -> None:
    _, first_token, _ = open_(amina)
    _, here_token, here = open_(amina)
    ended = accounts.sign_out_everywhere(here)
    assert ended.counts == {"browser": 1}
    assert actors.by_session(first_token, None) is None
    assert actors.by_session(here_token, None) is None
    assert actors.by_session(ended.cookie, None) is not None


def test_a_new_password_ends_every_other_session(database: Any, amina: Any) -> None:
    _, first_token, _ = open_(amina)
    _, here_token, here = open_(amina)
    ended = credentials.change(here, PASSWORD, "seven green boats")
    assert actors.by_session(first_token, None) is None
    assert actors.by_session(here_token, None) is None, "a copy of the cookie is worth nothing"
    assert actors.by_session(ended.cookie, None) is not None


def test_changing_the_password_needs_the_present_one(database: Any, amina: Any) -> None:
    _, _, here = open_(amina)
    with pytest.raises(Invalid) as no:
        credentials.change(here, "not her password", "seven green boats")
    assert no.value.fields.keys() == {"current_password"}
    assert no.value.audit == "password.refused"


def test_what_a_browser_calls_itself_is_kept_short_and_printable(database: Any, amina: Any) -> None:
    opened, _, _ = open_(amina, "Browser\x00\r\n" + "x" * 1000)
    assert opened.user_agent is not None
    assert opened.user_agent.isprintable()
    assert len(opened.user_agent) == 300


def test_signing_in_is_recorded_and_old_sessions_are_forgotten(
    database: Any, amina: Any, drain: Any, standing_at: Any
) -> None:
    opened, _, _ = open_(amina)
    drain()
    assert (
        database.scalar(select(func.count()).where(Event.name == "session.started", Event.subject_id == opened.id)) == 1
    )
    with standing_at(clock.now() + timedelta(days=200)):
        assert sessions.prune() == 1
