"""Forgotten, reset, chosen by invitation, changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import PASSWORD

NEW = "seven green boats"


def path(link: str) -> str:
    return link.removeprefix("http://localhost")


def test_a_forgotten_password_is_replaced_by_mail(client: Any, new_client: Any, amina: Any, mailbox: Any) -> None:
    elsewhere = new_client().sign_in(amina)
    assert client.post("/account/forgot?next=/account/security", data={"email": amina.email}).status_code == 303
    link = path(mailbox.link(amina.email, "reset"))
    assert client.get(link).status_code == 200
    answer = client.post(link, data={"password": NEW})
    assert answer.location == "/account/sign-in?next=/account/security"
    assert elsewhere.get("/account/profile").status_code == 303, "a reset ends every session"
    for password, status in ((PASSWORD, 401), (NEW, 303)):
        answer = client.post("/account/sign-in", data={"email": amina.email, "password": password})
        assert answer.status_code == status
    assert client.get(link).status_code == 410


def test_forgetting_says_the_same_to_everybody(client: Any, new_client: Any, amina: Any, mailbox: Any) -> None:
    seen = []
    for email in (amina.email, "nobody@example.dz"):
        browser = new_client()
        answer = browser.post("/account/forgot", data={"email": email})
        seen.append((answer.status_code, answer.location, answer.text))
    assert seen[0] == seen[1]
    assert len(mailbox.to(amina.email)) == 1
    assert mailbox.to("nobody@example.dz") == []


@pytest.mark.parametrize("password", ["", "short", "12345678", "x" * 257, "nul\x00 seven boats"])
def test_a_weak_password_is_refused_and_the_link_lives(client: Any, amina: Any, mailbox: Any, password: str) -> None:
    client.post("/account/forgot", data={"email": amina.email})
    link = path(mailbox.link(amina.email, "reset"))
    answer = client.post(link, data={"password": password})
    assert answer.status_code == 422
    assert 'href="#password"' in answer.text
    assert client.post(link, data={"password": NEW}).status_code == 303


def test_an_address_that_is_none_is_told_so(client: Any) -> None:
    answer = client.post("/account/forgot", data={"email": "nonsense"})
    assert answer.status_code == 422
    assert "name@example.com" in answer.text
    assert 'value="nonsense"' in answer.text


def test_changing_the_password_signs_others_out(client: Any, new_client: Any, amina: Any, mailbox: Any) -> None:
    elsewhere = new_client().sign_in(amina)
    client.sign_in(amina)
    answer = client.post("/account/password", data={"current_password": PASSWORD, "password": NEW})
    assert answer.location == "/account/security"
    assert client.get("/account/security").status_code == 200
    assert elsewhere.get("/account/security").status_code == 303
    assert "changed" in str(mailbox.latest(amina.email)["Subject"])


def test_changing_the_password_needs_the_present_one(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    answer = client.post("/account/password", data={"current_password": "wrong", "password": NEW})
    assert answer.status_code == 422
    assert 'href="#current_password"' in answer.text
    answer = client.post("/account/password", data={"current_password": PASSWORD, "password": "12345678"})
    assert 'href="#password"' in answer.text


def test_guessing_the_present_password_is_stopped(client: Any, amina: Any, with_limits: None) -> None:
    client.sign_in(amina)
    for _ in range(10):
        client.post("/account/password", data={"current_password": "wrong", "password": NEW})
    answer = client.post("/account/password", data={"current_password": PASSWORD, "password": NEW})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
