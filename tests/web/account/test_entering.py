"""Signing in and out: the same answer to everybody who is not let in, a new session for who is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import url_for

from portal.domain.identity import accounts, sessions
from tests.builders import PASSWORD

NOT_HERE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/ok\r\nSet-Cookie: a=b",
    "evil.example",
    "///evil.example",
    "http:evil.example",
    "",
]


def enter(client: Any, email: str, password: str = PASSWORD, **query: str) -> Any:
    return client.post("/account/sign-in", query_string=query, data={"email": email, "password": password})


def home(client: Any) -> str:
    """Where a patient starts."""
    with client.application.test_request_context():
        return url_for("patient.home")


def cookie(client: Any) -> str:
    with client.session_transaction() as kept:
        return str(kept.get("_user_id", ""))


def test_the_right_password_leads_home(client: Any, amina: Any) -> None:
    answer = enter(client, amina.email)
    assert (answer.status_code, answer.location) == (303, home(client))
    assert client.get("/account/profile").status_code == 200


def test_everybody_starts_where_they_work(client: Any, dr_benali: Any, admin: Any, superadmin: Any) -> None:
    starts = {}
    for person in (dr_benali, admin, superadmin):
        client.sign_out()
        starts[person.email] = enter(client, person.email).location
    assert starts[dr_benali.email].startswith("/doctor")
    assert starts[admin.email].startswith("/admin")
    assert starts[superadmin.email].startswith("/admin")


def test_one_goes_on_where_one_wanted_to(client: Any, amina: Any) -> None:
    asked = client.get("/account/security")
    assert (asked.status_code, asked.location) == (303, "/account/sign-in?next=/account/security")
    page = client.get(asked.location).text
    action = re.search(r'<form method="post" action="([^"]*sign-in[^"]*)"', page)
    assert action
    answer = client.post(action[1], data={"email": amina.email, "password": PASSWORD})
    assert answer.location == "/account/security"


@pytest.mark.parametrize("target", NOT_HERE)
def test_one_never_goes_on_to_another_site(client: Any, amina: Any, target: str) -> None:
    assert enter(client, amina.email, next=target).location == home(client)
    assert client.get("/account/sign-in", query_string={"next": target}).location == home(client)


def test_wrong_and_unknown_get_the_same_page(client: Any, amina: Any) -> None:
    answers = []
    for email in (amina.email, "nobody@example.dz"):
        client.sign_out()
        answer = enter(client, email, "not the password")
        body = re.sub(r'name="csrf_token" value="[^"]*"|X-CSRFToken":"[^"]*"|nonce="[^"]*"', "", answer.text)
        answers.append((answer.status_code, body.replace(email, "…")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


def test_what_was_entered_is_kept_but_not_the_password(client: Any, amina: Any) -> None:
    page = enter(client, amina.email, "not the password").text
    assert f'value="{amina.email}"' in page
    assert "not the password" not in page


def test_a_shut_account_gets_the_page_of_a_wrong_password(client: Any, amina: Any, superadmin: Any) -> None:
    accounts.deactivate(superadmin.actor, amina.user_id)
    assert enter(client, amina.email).status_code == 401


def test_too_many_tries_say_how_long_to_wait(client: Any, amina: Any, with_limits: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(sessions, "PER_PLACE", "3 per 15 minutes")
    for number in range(3):
        assert enter(client, f"p{number}@example.dz", "wrong").status_code == 401
    answer = enter(client, amina.email)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert re.search(r"\d+ (second|minute)s?", answer.text)


def test_signing_in_makes_a_new_session_and_keeps_only_the_held_time(client: Any, amina: Any) -> None:
    with client.session_transaction() as kept:
        kept.update(_user_id="planted", hold="a hold", anything="planted")
    enter(client, amina.email)
    first = cookie(client)
    assert first != "planted"
    with client.session_transaction() as kept:
        assert kept["hold"] == "a hold"
        assert "anything" not in kept
    enter(client, amina.email)
    assert cookie(client) not in {"", first}


def test_signing_in_anew_ends_the_earlier_session_of_this_browser(client: Any, amina: Any, new_client: Any) -> None:
    enter(client, amina.email)
    other = new_client()
    with other.session_transaction() as kept:
        kept["_user_id"] = cookie(client)
    assert other.get("/account/profile").status_code == 200
    enter(client, amina.email)
    assert other.get("/account/profile").status_code == 303


def test_signing_out_ends_the_session_on_the_server(client: Any, amina: Any, new_client: Any) -> None:
    enter(client, amina.email)
    thief = new_client()
    with thief.session_transaction() as kept:
        kept["_user_id"] = cookie(client)
    answer = client.post("/account/sign-out")
    assert answer.status_code == 303
    assert '"storage"' in answer.headers["Clear-Site-Data"]
    assert client.get("/account/profile").status_code == 303
    assert thief.get("/account/profile").status_code == 303


def test_a_shut_account_is_out_at_its_next_request(client: Any, amina: Any, superadmin: Any) -> None:
    enter(client, amina.email)
    accounts.deactivate(superadmin.actor, amina.user_id)
    assert client.get("/account/profile").status_code == 303
    assert client.post("/account/profile", data={}).status_code == 401


def test_whoever_is_in_already_goes_on(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    for page in ("sign-in", "register"):
        assert client.get(f"/account/{page}?next=/account/security").location == "/account/security"


def test_demo_accounts_are_shown_in_the_demo_only(client: Any, app: Any, monkeypatch: Any) -> None:
    assert "demo-accounts" not in client.get("/account/sign-in").text
    shown = {"people": [("x@demo.dz", "patient", "Xenia")], "password": "secret of the demo"}
    monkeypatch.setitem(app.extensions, "portal.demo_accounts", lambda: shown)
    page = client.get("/account/sign-in").text
    assert "x@demo.dz" in page
    assert "secret of the demo" in page


def test_signing_in_takes_few_queries(client: Any, amina: Any, statements: Any) -> None:
    with statements() as asked:
        assert enter(client, amina.email).status_code == 303
    assert asked() <= 8
