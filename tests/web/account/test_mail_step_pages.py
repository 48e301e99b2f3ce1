"""Signing in by a code that was mailed, on the pages and by the API, after strangers tried many passwords."""

from __future__ import annotations

import re
from typing import Any

import pytest

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.events import Event
from portal.domain.identity import sessions
from portal.domain.identity.mail_challenges import MailCodeRequired
from tests.api.conftest import Program, problem
from tests.apps import Phone
from tests.builders import PASSWORD
from tests.domain.identity.test_mail_step import code_in
from tests.web.account.test_entering import enter

STEP = "/account/sign-in/mail"


@pytest.fixture
def tried(amina: Any, with_limits: None) -> None:
    """Wrong passwords for two addresses, one of which has an account, from all over."""
    for email in (amina.email, "nobody@example.dz"):
        for number in range(50):
            with pytest.raises((sessions.SignInRefused, MailCodeRequired)):
                sessions.sign_in(Actor(door="web", address=f"172.16.0.{number}"), email, "wrong password")


@pytest.fixture
def api(client: Any) -> Program:
    return Program(client)


def test_the_code_lets_the_owner_in_where_they_wanted_to_go(client: Any, amina: Any, tried: None, mailbox: Any) -> None:
    answer = enter(client, amina.email, next="/patient/appointments")
    assert (answer.status_code, answer.location) == (303, f"{STEP}?next=/patient/appointments")
    page = client.get(answer.location).text
    assert 'autocomplete="one-time-code"' in page
    wrong = client.post(answer.location, data={"code": "00000000"})
    assert wrong.status_code == 422 and 'href="#code"' in wrong.text
    assert client.get("/account/profile").status_code == 303
    answer = client.post(answer.location, data={"code": code_in(mailbox, amina.email)})
    assert (answer.status_code, answer.location) == (303, "/patient/appointments")
    assert client.get("/account/profile").status_code == 200


def test_right_wrong_and_unknown_lead_to_one_page(client: Any, amina: Any, tried: None, mailbox: Any) -> None:
    seen = set()
    for email, password in ((amina.email, PASSWORD), (amina.email, "wrong"), ("nobody@example.dz", "wrong")):
        client.sign_out()
        answer = enter(client, email, password)
        page = re.sub(r'name="csrf_token" value="[^"]*"|X-CSRFToken":"[^"]*"|nonce="[^"]*"', "", client.get(STEP).text)
        refused = client.post(STEP, data={"code": "00000000"}).status_code
        seen.add((answer.status_code, answer.location, page, refused))
    assert len(seen) == 1
    assert len(mailbox.to("")) == 1
    asked = session().query(Event).filter_by(name="session.mail_asked").all()
    assert len(asked) >= 3 and {(one.facts.get("user_id"), one.actor_id) for one in asked} == {(None, None)}


def test_without_a_challenge_one_signs_in_first(client: Any, database: Any) -> None:
    assert client.get(STEP).location == "/account/sign-in"
    with client.session_transaction() as kept:
        kept["by_mail"] = "made up"
    answer = client.post(STEP, data={"code": "12345678"})
    assert answer.status_code == 410
    assert client.get(STEP).location == "/account/sign-in"


def test_the_second_factor_follows(client: Any, amina: Any, tried: None, mailbox: Any) -> None:
    phone = Phone(amina).set_up()
    enter(client, amina.email)
    answer = client.post(STEP, data={"code": code_in(mailbox, amina.email)})
    assert answer.location == "/account/sign-in/code"
    assert client.post(answer.location, data={"code": phone.fresh()}).status_code == 303
    assert client.get("/account/profile").status_code == 200


def test_a_program_finishes_with_the_code_too(api: Program, amina: Any, tried: None, mailbox: Any) -> None:
    told = {"email": amina.email, "password": PASSWORD, "label": "robot", "scopes": ["profile:read"]}
    said = problem(api.post("/auth/login", told), 401, "mail_code_required")
    same = problem(api.post("/auth/login", told | {"email": "nobody@example.dz"}), 401, "mail_code_required")
    assert said.keys() == same.keys() and len(said["challenge"]) == len(same["challenge"])
    answer = {"challenge": said["challenge"], "code": code_in(mailbox, amina.email)}
    problem(api.post("/auth/mail-code", answer | {"challenge": same["challenge"]}), 422, "wrong_mail_code")
    problem(api.post("/auth/second-factor", answer), 410, "challenge_over")
    tokens = api.post("/auth/mail-code", answer)
    assert tokens.status_code == 200
    me = Program(api.client, tokens.get_json()["access_token"]).get("/auth/me").get_json()
    assert me["email"] == amina.email and me["scopes"] == ["profile:read"]
    problem(api.post("/auth/mail-code", answer), 422, "wrong_mail_code")


def test_a_program_is_asked_for_the_second_factor_afterwards(
    api: Program, amina: Any, tried: None, mailbox: Any
) -> None:
    phone = Phone(amina).set_up()
    said = problem(api.post("/auth/login", {"email": amina.email, "password": PASSWORD}), 401, "mail_code_required")
    answer = {"challenge": said["challenge"], "code": code_in(mailbox, amina.email)}
    more = problem(api.post("/auth/mail-code", answer), 401, "second_factor_required")
    done = api.post("/auth/second-factor", {"challenge": more["challenge"], "code": phone.fresh()})
    assert done.status_code == 200
