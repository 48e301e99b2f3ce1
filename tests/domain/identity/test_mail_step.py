"""After too many wrong passwords the account is not locked: its owner comes in with a code that was mailed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock, limits
from portal.core.actor import Actor
from portal.core.db import keep
from portal.core.errors import TooMany
from portal.domain.access import actors
from portal.domain.identity import challenges, credentials, letters, mail_step, sessions, tokens
from portal.domain.identity.challenges import ChallengeOver, SecondFactorRequired
from portal.domain.identity.mail_challenges import MailCodeRequired
from portal.domain.identity.mail_step import WrongMailCode
from tests.apps import Phone
from tests.builders import PASSWORD

pytestmark = pytest.mark.usefixtures("with_limits")
HOME, CAFE = Actor(door="web", address="10.0.0.1"), Actor(door="web", address="10.9.9.9")


def strangers_try(email: str, times: int = 60) -> None:
    """From so many places a wrong password is tried for this account."""
    for number in range(times):
        with pytest.raises((sessions.SignInRefused, MailCodeRequired)):
            sessions.sign_in(Actor(door="web", address=f"172.16.0.{number}"), email, "wrong password")


def asked(where: Actor, email: str, password: str = PASSWORD) -> str:
    """The challenge that a sign-in ends with here."""
    with pytest.raises(MailCodeRequired) as needed:
        sessions.sign_in(where, email, password)
    keep()
    return needed.value.challenge


def code_in(mailbox: Any, email: str) -> str:
    (code,) = re.findall(r"^(\d{8})$", mailbox.text(email), re.MULTILINE)
    return str(code)


def test_the_owner_comes_in_from_a_new_place_by_a_code_that_was_mailed(database: Any, amina: Any, mailbox: Any) -> None:
    strangers_try(amina.email)
    challenge = asked(CAFE, amina.email)
    _, token = mail_step.open_session(CAFE, challenge, code_in(mailbox, amina.email))
    found = actors.by_session(token, None)
    assert found is not None and found.user_id == amina.user_id
    assert sessions.sign_in(CAFE, amina.email, PASSWORD), "and is known there from now on"


def test_where_the_owner_is_known_nothing_more_is_asked(database: Any, amina: Any) -> None:
    sessions.sign_in(HOME, amina.email, PASSWORD)
    strangers_try(amina.email)
    assert sessions.sign_in(HOME, amina.email, PASSWORD)


def test_a_program_of_ones_own_makes_its_place_known(database: Any, amina: Any) -> None:
    tokens.sign_in(Actor(door="api", address="10.0.0.1"), amina.email, PASSWORD)
    strangers_try(amina.email)
    assert tokens.sign_in(Actor(door="api", address="10.0.0.1"), amina.email, PASSWORD)


def test_the_next_address_of_ones_ipv6_network_is_the_same_place(database: Any, amina: Any) -> None:
    sessions.sign_in(Actor(door="web", address="2001:db8:1:2:a::1"), amina.email, PASSWORD)
    strangers_try(amina.email)
    assert sessions.sign_in(Actor(door="web", address="2001:db8:1:2:b::2"), amina.email, PASSWORD)


def test_a_stranger_beside_the_owner_locks_nobody_out_either(database: Any, amina: Any, mailbox: Any) -> None:
    sessions.sign_in(HOME, amina.email, PASSWORD)
    for _ in range(10):
        with pytest.raises(sessions.SignInRefused):
            sessions.sign_in(HOME, amina.email, "wrong password")
    challenge = asked(HOME, amina.email)
    assert mail_step.open_session(HOME, challenge, code_in(mailbox, amina.email))
    assert sessions.sign_in(HOME, amina.email, PASSWORD), "and the wrong tries are forgotten"


@pytest.mark.parametrize(
    "spelling", ["AMINA@example.dz", "ami\u200bna@example.dz", "ａｍｉｎａ@example.dz", "amina@example.dz."]
)
def test_all_spellings_of_an_address_share_one_count(database: Any, amina: Any, spelling: str) -> None:
    for _ in range(10):
        with pytest.raises(sessions.SignInRefused):
            sessions.sign_in(HOME, spelling, "wrong password")
    asked(HOME, amina.email)


def test_the_addresses_of_one_ipv6_network_share_one_count(database: Any, amina: Any) -> None:
    for number in range(10):
        with pytest.raises(sessions.SignInRefused):
            sessions.sign_in(Actor(door="web", address=f"2001:db8:1:2:{number}::1"), amina.email, "wrong password")
    asked(Actor(door="web", address="2001:db8:1:2:ffff::1"), amina.email)
    assert sessions.sign_in(Actor(door="web", address="2001:db8:1:3::1"), amina.email, PASSWORD)


def test_right_wrong_and_unknown_are_told_alike_and_only_the_owner_gets_mail(
    database: Any, amina: Any, mailbox: Any
) -> None:
    strangers_try(amina.email, 50)
    strangers_try("nobody@example.dz", 50)
    told = set()
    tries = ((amina.email, PASSWORD), (amina.email, "wrong password"), ("nobody@example.dz", PASSWORD))
    for number, (email, password) in enumerate(tries):
        with pytest.raises(MailCodeRequired) as no:
            sessions.sign_in(Actor(door="web", address=f"10.1.1.{number}"), email, password)
        told.add((no.value.code, str(no.value), tuple(no.value.facts), len(no.value.challenge)))
    assert len(told) == 1, told
    assert [str(one["To"]) for one in mailbox.all()] == [f"Amina Boudiaf <{amina.email}>"]


def test_without_the_right_password_no_code_is_right(database: Any, amina: Any, mailbox: Any) -> None:
    strangers_try(amina.email)
    right, wrong = asked(CAFE, amina.email), asked(CAFE, amina.email, "wrong password")
    code = code_in(mailbox, amina.email)
    with pytest.raises(WrongMailCode):
        mail_step.open_session(CAFE, wrong, code)
    assert mail_step.open_session(CAFE, right, code)


def test_a_code_works_once_at_its_door_for_a_quarter_of_an_hour(
    database: Any, amina: Any, mailbox: Any, standing_at: Any
) -> None:
    strangers_try(amina.email)
    challenge = asked(CAFE, amina.email)
    code = code_in(mailbox, amina.email)
    with pytest.raises(ChallengeOver):
        mail_step.grant_tokens(CAFE, challenge, code)
    with standing_at(clock.now() + timedelta(minutes=16)), pytest.raises(ChallengeOver):
        mail_step.open_session(CAFE, challenge, code)
    for altered in ("", "x", challenge[:-6] + "AAAAA=", "é"):
        with pytest.raises(ChallengeOver):
            mail_step.open_session(CAFE, altered, code)
    assert mail_step.open_session(CAFE, challenge, f" {code[:4]}-{code[4:]} ")
    with pytest.raises(WrongMailCode):
        mail_step.open_session(CAFE, challenge, code)


def test_codes_are_not_tried_out(database: Any, amina: Any, mailbox: Any) -> None:
    strangers_try(amina.email)
    challenge = asked(CAFE, amina.email)
    for _ in range(5):
        with pytest.raises(WrongMailCode):
            mail_step.open_session(CAFE, challenge, "00000000")
    with pytest.raises(TooMany):
        mail_step.open_session(CAFE, challenge, code_in(mailbox, amina.email))


def test_another_password_ends_the_challenge(database: Any, amina: Any, mailbox: Any) -> None:
    strangers_try(amina.email)
    challenge = asked(CAFE, amina.email)
    code = code_in(mailbox, amina.email)
    credentials.change(amina.actor, PASSWORD, "seven green boats")
    with pytest.raises(ChallengeOver):
        mail_step.open_session(CAFE, challenge, code)


def test_the_second_factor_is_asked_for_after_the_mail(database: Any, amina: Any, mailbox: Any) -> None:
    Phone(amina).set_up()
    strangers_try(amina.email)
    challenge = asked(CAFE, amina.email)
    with pytest.raises(SecondFactorRequired) as needed:
        mail_step.open_session(CAFE, challenge, code_in(mailbox, amina.email))
    assert challenges.read("web", needed.value.challenge).user.id == amina.user_id


def test_a_stranger_starves_nobody_of_a_link_to_a_new_password(
    database: Any, amina: Any, mailbox: Any, standing_at: Any
) -> None:
    """Whenever the owner asks, a link that works is in the mailbox; and one that was asked for is not taken away."""
    start = clock.now()
    credentials.forgot(HOME, amina.email)
    own = str(mailbox.link(amina.email, "reset")).rpartition("/")[2]
    for _ in range(8):
        credentials.forgot(CAFE, amina.email)
        keep()
    assert len(mailbox.to(amina.email)) == 3
    with standing_at(start + timedelta(minutes=29)):
        newest = str(mailbox.link(amina.email, "reset")).rpartition("/")[2]
        assert newest != own
        credentials.reset(HOME, own, "seven green boats")
    assert letters.PER_ADDRESSEE == "3 per 30 minute", "half as long as the link lives, see there"


def test_whoever_uses_the_link_they_asked_for_is_not_counted(
    database: Any, amina: Any, mailbox: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("portal.domain.identity.links.PER_PLACE", "2 per hour")
    for number in range(4):
        limits.forget(letters.PER_ADDRESSEE, "letter", "reset", amina.email)
        credentials.forgot(HOME, amina.email)
        link = str(mailbox.link(amina.email, "reset"))
        credentials.reset(HOME, link.rpartition("/")[2], f"seven green boats {number}")
