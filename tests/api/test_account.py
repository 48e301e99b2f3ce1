"""One's own account by the API: registering, passwords, sign-ins, the second step; nothing tells who has an account."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from portal.core import clock
from portal.domain.identity import accounts, factors
from portal.domain.patients import profiles
from tests.api.conftest import Program, problem
from tests.apps import Phone
from tests.builders import PASSWORD, grant_for

NEW = "another long password"
MERIEM = {"email": "meriem@example.dz", "password": PASSWORD, "given_name": "Meriem", "family_name": "Saadi"}
ACCEPTED = {"detail": "Please look into your mailbox: an e-mail says how to go on."}


def token_in(link: str) -> str:
    return link.rsplit("/", 1)[1]


def login(api: Program, email: str, password: str = PASSWORD, **more: Any) -> Any:
    return api.post("/auth/login", {"email": email, "password": password, **more})


@pytest.fixture
def phone(amina: Any) -> Phone:
    return Phone(amina).set_up()


@pytest.fixture
def required_of_staff() -> Any:
    factors.require_of_staff(True)
    yield
    factors.require_of_staff(False)


# --- registering ---


def test_one_registers_verifies_and_books(api: Program, mailbox: Any, wish: Any) -> None:
    answer = api.post("/auth/register", MERIEM | {"locale": "fr"})
    assert answer.status_code == 202 and answer.get_json() == ACCEPTED
    problem(login(api, MERIEM["email"]), 403, "email_not_verified")
    token = token_in(mailbox.link(MERIEM["email"], "verify"))
    problem(api.post("/auth/verify", {"token": token}), 422, "invalid")
    shown = {"token": token, "password": PASSWORD}
    assert api.post("/auth/verify", shown).status_code == 204
    problem(api.post("/auth/verify", shown), 410, "gone")
    mine = Program(api.client, login(api, MERIEM["email"]).get_json()["access_token"])
    me = mine.get("/auth/me").get_json()
    assert (me["roles"], me["email_verified"], me["locale"]) == (["patient"], True, "fr")
    assert mine.post("/appointments", wish()).status_code == 201


def test_registering_a_known_address_answers_the_same_and_tells_its_owner(
    api: Program, amina: Any, mailbox: Any
) -> None:
    answer = api.post("/auth/register", MERIEM | {"email": amina.email.upper()})
    assert answer.status_code == 202 and answer.get_json() == ACCEPTED
    assert accounts.get(amina.user_id).name == "Amina Boudiaf"
    assert "/account/reset/" in mailbox.link(amina.email, "reset")


def test_a_weak_password_is_refused_before_anything_is_looked_up(api: Program, amina: Any) -> None:
    for email in (amina.email, MERIEM["email"]):
        said = problem(
            api.post("/auth/register", MERIEM | {"email": email, "password": "short"}), 422, "password_short"
        )
        assert [one["field"] for one in said["errors"]] == ["password"]
    assert accounts.by_email(MERIEM["email"]) is None


@pytest.mark.parametrize(
    "extra", [{"role": "superadmin"}, {"is_superadmin": True}, {"email_verified_at": "2020-01-01"}]
)
def test_nothing_else_can_be_said_about_oneself(api: Program, database: Any, extra: dict[str, Any]) -> None:
    problem(api.post("/auth/register", MERIEM | extra), 422, "invalid")


def test_one_place_registers_so_many_an_hour(api: Program, database: Any, with_limits: None) -> None:
    answers = [api.post("/auth/forgot", {"email": f"p{number}@example.dz"}) for number in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {202}
    said = problem(answers[-1], 429, "too_many")
    assert int(answers[-1].headers["Retry-After"]) == said["retry_after"]


def test_one_mailbox_gets_so_many_letters_and_nothing_tells(
    api: Program, amina: Any, mailbox: Any, with_limits: None
) -> None:
    letters = []
    for _ in range(9):
        answer = api.post("/auth/forgot", {"email": amina.email})
        assert (answer.status_code, answer.get_json()) == (202, ACCEPTED)
        letters.append(len(mailbox.to(amina.email)))
    assert letters == [1, 2, 3, 3, 3, 3, 3, 3, 3]


def test_whoever_asks_faster_than_letters_leave_gets_links_that_work(api: Program, amina: Any, mailbox: Any) -> None:
    for _ in range(3):
        api.post("/auth/forgot", {"email": amina.email})
    token = token_in(mailbox.link(amina.email, "reset"))
    assert len(mailbox.to(amina.email)) == 3
    assert api.post("/auth/reset", {"token": token, "password": NEW}).status_code == 204


# --- forgotten ---


def test_a_forgotten_password_is_chosen_anew_and_everybody_is_signed_out(
    api: Program, amina: Any, mailbox: Any
) -> None:
    signed_in = api.as_(amina)
    assert api.post("/auth/forgot", {"email": amina.email}).get_json() == ACCEPTED
    token = token_in(mailbox.link(amina.email, "reset"))
    problem(api.post("/auth/reset", {"token": token, "password": "short"}), 422, "password_short")
    assert api.post("/auth/reset", {"token": token, "password": NEW}).status_code == 204
    problem(signed_in.get("/auth/me"), 401, "invalid_token")
    problem(login(api, amina.email), 401, "sign_in_refused")
    assert login(api, amina.email, NEW).status_code == 200
    problem(api.post("/auth/reset", {"token": token, "password": NEW}), 410, "gone")


def test_forgetting_an_unknown_address_answers_the_same_and_writes_to_nobody(api: Program, mailbox: Any) -> None:
    answer = api.post("/auth/forgot", {"email": "nobody@example.dz"})
    assert answer.status_code == 202 and answer.get_json() == ACCEPTED
    assert mailbox.all() == []


def test_a_refused_sign_in_is_the_same_to_the_last_letter(api: Program, amina: Any) -> None:
    said = [problem(login(api, email, "wrong"), 401, "sign_in_refused") for email in (amina.email, "no@example.dz")]
    for one in said:
        del one["correlation_id"]
    assert said[0] == said[1]


# --- profile and password ---


def test_one_changes_name_and_language(api: Program, amina: Any) -> None:
    mine = api.as_(amina)
    body = {"given_name": "Amina", "family_name": "Boudiaf-Saadi", "locale": "ar"}
    answer = mine.send("PUT", "/auth/profile", body)
    assert answer.status_code == 200
    assert (answer.get_json()["name"], answer.get_json()["locale"]) == ("Amina Boudiaf-Saadi", "ar")
    assert mine.get("/auth/me").get_json()["name"] == "Amina Boudiaf-Saadi"
    patient = profiles.mine(amina.actor)
    assert patient and patient.family_name == "Boudiaf-Saadi"
    problem(mine.send("PUT", "/auth/profile", {"given_name": "Amina", "family_name": "B"}), 422, "invalid")


def test_a_changed_password_signs_everybody_out(api: Program, amina: Any, mailbox: Any) -> None:
    mine, other = api.as_(amina), api.as_(amina)
    wrong = mine.post("/auth/password", {"current_password": "wrong", "password": NEW})
    assert problem(wrong, 422, "wrong_password")["errors"][0]["field"] == "current_password"
    assert mine.post("/auth/password", {"current_password": PASSWORD, "password": NEW}).status_code == 204
    for one in (mine, other):
        problem(one.get("/auth/me"), 401, "invalid_token")
        problem(api.post("/auth/refresh", {"refresh_token": one.refresh}), 401, "invalid_token")
    assert login(api, amina.email, NEW).status_code == 200
    assert "password of your account was changed" in mailbox.text(amina.email)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/auth/profile", {"given_name": "A", "family_name": "B", "locale": "en"}),
        ("POST", "/auth/password", {"current_password": PASSWORD, "password": NEW}),
        ("DELETE", "/auth/sessions/019aa000-0000-7000-8000-000000000000", None),
    ],
)
def test_a_token_for_less_changes_nothing(api: Program, amina: Any, method: str, path: str, body: Any) -> None:
    reader = api.as_(amina, scopes=["profile:read", "appointments:write"])
    problem(reader.send(method, path, body), 403, "insufficient_scope")
    problem(api.send(method, path, body), 401, "no_token")


# --- what is signed in ---


def test_one_sees_browsers_and_programs_and_ends_them(
    api: Program, client: Any, new_client: Any, amina: Any, yacine: Any
) -> None:
    browser = new_client().sign_in(amina)
    other, mine = api.as_(amina), api.as_(amina)
    items = mine.get("/auth/sessions").get_json()["items"]
    assert sorted((one["kind"], one["is_current"]) for one in items) == [
        ("browser", False), ("program", False), ("program", True),
    ]  # fmt: skip
    assert items == sorted(items, key=lambda one: one["last_used_at"], reverse=True)
    (theirs,) = api.as_(yacine).get("/auth/sessions").get_json()["items"]
    for key in (theirs["id"], str(uuid4())):
        problem(mine.delete(f"/auth/sessions/{key}"), 404, "not_found")
    for one in items:
        if not one["is_current"]:
            assert mine.delete(f"/auth/sessions/{one['id']}").status_code == 204
    assert browser.get("/account/profile").status_code == 303
    problem(other.get("/auth/me"), 401, "invalid_token")
    (left,) = mine.get("/auth/sessions").get_json()["items"]
    assert mine.delete(f"/auth/sessions/{left['id']}").status_code == 204
    problem(mine.get("/auth/me"), 401, "invalid_token")


def test_one_sees_all_that_acts_and_ends_it(api: Program, amina: Any, yacine: Any, phone: Phone) -> None:
    mine = Program(api.client, grant_for(amina.user_id).access_token)
    mine.post("/calendars", {"whose": "patient"})
    mine.post("/webhooks", {"url": "https://93.184.215.14/hook", "description": "Mine"})
    mine.post(f"/patients/{amina.patient_id}/carer-invitations", {"email": yacine.email})
    items = mine.get("/auth/acting").get_json()["items"]
    assert [one["kind"] for one in items] == ["program", "calendar", "webhook", "invitation", "second_factor"]
    (theirs,) = api.as_(yacine).get("/auth/acting").get_json()["items"]
    problem(mine.delete(f"/auth/acting/{theirs['id']}"), 404, "not_found")
    problem(mine.delete(f"/auth/acting/{items[-1]['id']}"), 403, "ends_on_pages")
    for one in items[1:3]:
        assert mine.delete(f"/auth/acting/{one['id']}").status_code == 204
    assert [one["kind"] for one in mine.get("/auth/acting").get_json()["items"]] == [
        "program", "invitation", "second_factor",
    ]  # fmt: skip


def test_one_ends_all_that_acts_with_the_password_only(api: Program, amina: Any, mailbox: Any) -> None:
    mine, reader = api.as_(amina), api.as_(amina, scopes=["profile:read"])
    mine.post("/calendars", {"whose": "patient"})
    problem(reader.post("/auth/acting/end", {"current_password": PASSWORD}), 403, "insufficient_scope")
    said = problem(mine.post("/auth/acting/end", {"current_password": "wrong"}), 422, "wrong_password")
    assert [one["field"] for one in said["errors"]] == ["current_password"]
    assert mine.post("/auth/acting/end", {"current_password": PASSWORD}).status_code == 204
    for one in (mine, reader):
        problem(one.get("/auth/me"), 401, "invalid_token")
    assert [one["kind"] for one in api.as_(amina).get("/auth/acting").get_json()["items"]] == ["program"]
    assert "1 calendar address" in mailbox.text(amina.email)


# --- the second step ---


def half(api: Program, person: Any, **more: Any) -> str:
    answer = login(api, person.email, **more)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="portal"'
    said = problem(answer, 401, "second_factor_required")
    assert "user_id" not in said
    return str(said["challenge"])


def test_the_code_gives_the_tokens(api: Program, amina: Any, phone: Phone) -> None:
    challenge = half(api, amina, label="My robot", scopes=["profile:read"])
    answer = api.post("/auth/second-factor", {"challenge": challenge, "code": phone.fresh()})
    assert answer.status_code == 200 and answer.get_json()["token_type"] == "Bearer"
    mine = Program(api.client, answer.get_json()["access_token"])
    assert mine.get("/auth/me").get_json()["scopes"] == ["profile:read"]
    assert [one["label"] for one in mine.get("/auth/sessions").get_json()["items"]] == ["My robot"]


def test_a_recovery_code_does_as_well_once(api: Program, amina: Any, phone: Phone) -> None:
    body = {"challenge": half(api, amina), "code": phone.codes[0]}
    assert api.post("/auth/second-factor", body).status_code == 200
    problem(api.post("/auth/second-factor", body), 422, "wrong_code")


def test_a_wrong_code_is_refused(api: Program, amina: Any, phone: Phone) -> None:
    challenge = half(api, amina)
    for wrong in ("000000", "abc", "abcde-fghjk"):
        said = problem(api.post("/auth/second-factor", {"challenge": challenge, "code": wrong}), 422, "wrong_code")
        assert [one["field"] for one in said["errors"]] == ["code"] and "user_id" not in said


def test_a_challenge_is_bound_to_its_account_and_its_door(api: Program, amina: Any, yacine: Any, phone: Phone) -> None:
    other = Phone(yacine).set_up()
    problem(api.post("/auth/second-factor", {"challenge": half(api, amina), "code": other.fresh()}), 422, "wrong_code")
    api.client.post("/account/sign-in", data={"email": amina.email, "password": PASSWORD})
    with api.client.session_transaction() as kept:
        of_pages = kept["half_in"]
    for bad in (of_pages, half(api, amina)[:-2] + "xx", "not a challenge", "some.other.text", "é" * 20):
        problem(api.post("/auth/second-factor", {"challenge": bad, "code": phone.fresh()}), 410, "challenge_over")


def test_a_challenge_lasts_five_minutes(api: Program, amina: Any, phone: Phone, monkeypatch: Any) -> None:
    challenge, now = half(api, amina), time.time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 301)
    problem(api.post("/auth/second-factor", {"challenge": challenge, "code": phone.fresh()}), 410, "challenge_over")
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 295)
    assert api.post("/auth/second-factor", {"challenge": challenge, "code": phone.fresh()}).status_code == 200


def test_wrong_codes_run_out(api: Program, amina: Any, phone: Phone, with_limits: None) -> None:
    body = {"challenge": half(api, amina), "code": "000000"}
    answers = [api.post("/auth/second-factor", body) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    problem(answers[-1], 429, "too_many")


def test_an_employee_sets_it_up_on_the_pages_first(api: Program, nadia: Any, required_of_staff: None) -> None:
    token = login(api, nadia.email).get_json()["access_token"]
    said = problem(Program(api.client, token).get("/auth/me"), 403, "second_factor_setup_required")
    assert "Security" in said["detail"]
    phone = Phone(nadia).set_up()
    answer = api.post("/auth/second-factor", {"challenge": half(api, nadia), "code": phone.fresh()})
    assert Program(api.client, answer.get_json()["access_token"]).get("/auth/me").status_code == 200
    problem(Program(api.client, token).get("/auth/me"), 401, "invalid_token")


def test_an_access_token_of_before_is_no_way_around(api: Program, amina: Any, standing_at: Any) -> None:
    before = api.as_(amina)
    Phone(amina).set_up()
    with standing_at(clock.now() + timedelta(minutes=1)):
        problem(before.get("/auth/me"), 401, "invalid_token")
        problem(api.post("/auth/refresh", {"refresh_token": before.refresh}), 401, "invalid_token")


def test_a_token_tells_where_its_account_works(api: Program, nadia: Any, amina: Any, el_djazair: Any) -> None:
    works = api.as_(nadia).get("/auth/me").get_json()["memberships"]
    assert works == [{"clinic_id": str(el_djazair.clinic_id), "role": "staff"}]
    assert api.as_(amina).get("/auth/me").get_json()["memberships"] == []
