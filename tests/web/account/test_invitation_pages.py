"""Answering a clinic on the pages: by the letter's link without an account, else signed in."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep
from portal.domain.clinics import invitations, members
from portal.domain.doctors import joining, practices
from portal.domain.identity import accounts
from tests.apps import Phone
from tests.builders import PASSWORD, actor_of

NEW = "seven green boats"
MINE = "/account/invitations"
NAME = {"given_name": "Nora", "family_name": "Kaci"}


@pytest.fixture
def ask(admin: Any, el_djazair: Any) -> Any:
    def send(email: str, role: str = "staff") -> Any:
        made = members.invite(admin.actor, el_djazair.clinic_id, email=email, role=role, **NAME)
        keep()
        return made

    return send


def path(link: str) -> str:
    return link.removeprefix("http://localhost")


def test_an_invited_person_sees_who_asks_for_what_and_walks_in(client: Any, ask: Any, mailbox: Any) -> None:
    ask("nora@example.dz", "admin")
    link = path(mailbox.link("nora@example.dz", "/account/invitation/"))
    page = client.get(link).text
    for said in ("Clinique El Djazair", "Clinic admin", "Farid Ouali", "nora@example.dz", 'value="Nora"'):
        assert said in page
    assert accounts.by_email("nora@example.dz") is None, "opening the page is no yes"
    assert client.post(link, data=NAME | {"password": "short"}).status_code == 422
    answer = client.post(link, data={"given_name": "Nora", "family_name": "Own", "password": NEW})
    assert (answer.status_code, answer.location[:6]) == (303, "/admin")
    assert client.get(answer.location).status_code == 200
    user = accounts.by_email("nora@example.dz")
    assert user and user.name == "Nora Own"
    client.sign_out()
    assert client.get(link).status_code == 410


def test_who_has_an_account_signs_in_with_the_second_factor_and_then_answers(
    client: Any, ask: Any, amina: Any, el_djazair: Any, mailbox: Any
) -> None:
    phone = Phone(amina).set_up()
    asked = ask(amina.email)
    link = path(mailbox.link(amina.email, "/account/invitation/"))
    page = client.get(link).text
    assert "sign in to accept" in page and 'type="password"' not in page and "Amina" not in page
    assert client.post(link, data=NAME | {"password": NEW}).status_code == 200, "the link opens no account that stands"
    answer = client.post(f"/account/sign-in?next={MINE}", data={"email": amina.email, "password": PASSWORD})
    answer = client.post(answer.location, data={"code": phone.fresh()})
    assert answer.location == MINE
    assert client.get(link).location == MINE
    page = client.get(MINE).text
    assert "Clinique El Djazair" in page and "Front desk" in page
    assert f'href="{MINE}"' in client.get("/account/profile").text
    assert client.post(f"{MINE}/{asked.id}/accept").location == MINE
    assert actor_of(amina.user_id).works_at(el_djazair.clinic_id)
    assert "Nothing waits for your answer" in client.get(MINE).text
    assert client.post(f"{MINE}/{asked.id}/accept").status_code == 410


def test_an_invitation_is_declined_signed_in_or_by_the_link(
    client: Any, ask: Any, admin: Any, amina: Any, el_djazair: Any, mailbox: Any
) -> None:
    asked = ask(amina.email)
    client.sign_in(amina)
    assert client.post(f"{MINE}/{asked.id}/decline").location == MINE
    assert not actor_of(amina.user_id).works_at(el_djazair.clinic_id)
    client.sign_out()
    ask("nora@example.dz")
    link = path(mailbox.link("nora@example.dz", "/account/invitation/"))
    assert client.post(f"{link}/decline").location == "/"
    assert client.post(f"{link}/decline").status_code == 410
    client.sign_in(admin)
    assert client.get(f"/admin/clinics/{el_djazair.slug}").text.count("The answer was no") == 2
    assert {one.state for one in invitations.of_clinic(admin.actor, el_djazair.clinic_id)} == {"declined"}


def test_another_account_answers_nothing(client: Any, ask: Any, amina: Any, yacine: Any, mailbox: Any) -> None:
    asked = ask("nora@example.dz")
    link = path(mailbox.link("nora@example.dz", "/account/invitation/"))
    client.sign_in(yacine)
    assert "another address" in client.get(link).text
    assert "another address" in client.post(link, data=NAME | {"password": NEW}).text
    assert accounts.by_email("nora@example.dz") is None
    for step in ("accept", "decline"):
        assert client.post(f"{MINE}/{asked.id}/{step}").status_code == 404


def test_an_unverified_account_is_told_to_verify_first(client: Any, ask: Any, lina: Any) -> None:
    asked = ask(lina.email)
    client.sign_in(lina)
    page = client.get(MINE).text
    assert "confirm your e-mail address first" in page and "El Djazair" not in page
    assert client.post(f"{MINE}/{asked.id}/accept").status_code == 403


def test_a_doctor_says_yes_to_one_more_clinic(
    client: Any, admin: Any, dr_haddad: Any, el_djazair: Any, mailbox: Any
) -> None:
    client.sign_in(admin)
    asked = practices.start(admin.actor, dr_haddad.slug, clinic_id=el_djazair.clinic_id)
    keep()
    page = client.get(f"/admin/clinics/{el_djazair.slug}").text
    assert "Omar Haddad" in page and dr_haddad.email not in page
    client.sign_in(dr_haddad)
    assert client.post(f"{MINE}/{asked.id}/accept").location == MINE
    assert el_djazair.clinic_id in dr_haddad.actor.clinics_as("doctor")
    assert joining.mine(dr_haddad.actor) == []


def test_a_pharmacist_who_accepts_comes_to_a_page_of_their_own(client: Any, ask: Any, mailbox: Any) -> None:
    ask("rania@example.dz", "pharmacist")
    link = path(mailbox.link("rania@example.dz", "/account/invitation/"))
    answer = client.post(link, data=NAME | {"password": NEW})
    assert (answer.status_code, answer.location) == (303, "/notifications")
    page = client.get(answer.location, follow_redirects=True).text
    assert 'aria-label="Main"' in page
