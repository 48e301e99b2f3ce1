"""The second factor on the pages: between password and session, setting it up, and what an admin can do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from portal.core import clock
from portal.domain.identity import credentials, factors, sessions
from tests.apps import Phone
from tests.builders import HTMX, PASSWORD
from tests.doors import Browser
from tests.web.account.test_entering import cookie, enter
from tests.web.account.test_provider import provider, walk  # noqa: F401 - a fixture and how one goes through it

STEP = "/account/sign-in/code"


@pytest.fixture
def phone(amina: Any) -> Phone:
    return Phone(amina).set_up()


@pytest.fixture
def required_of_staff() -> Any:
    factors.require_of_staff(True)
    yield
    factors.require_of_staff(False)


def is_in(client: Browser) -> bool:
    return client.get("/account/profile").status_code == 200


def shown_codes(page: str) -> list[str]:
    return re.findall(r"<li><code>([^<]+)</code></li>", page)


# --- signing in ---


def test_the_password_alone_opens_nothing(client: Any, amina: Any, phone: Phone) -> None:
    answer = enter(client, amina.email)
    assert (answer.status_code, answer.location) == (303, STEP)
    assert not cookie(client) and not is_in(client)
    page = client.get(STEP).text
    assert 'autocomplete="one-time-code"' in page and 'inputmode="numeric"' in page


def test_the_code_lets_one_in_where_one_wanted_to_go(client: Any, amina: Any, phone: Phone) -> None:
    answer = enter(client, amina.email, next="/patient/appointments")
    assert answer.location == f"{STEP}?next=/patient/appointments"
    assert "next=/patient/appointments" in unquote(client.get(answer.location).text)
    answer = client.post(answer.location, data={"code": phone.fresh()})
    assert (answer.status_code, answer.location) == (303, "/patient/appointments")
    assert is_in(client)
    with client.session_transaction() as kept:
        assert "half_in" not in kept


def test_the_cookie_is_another_after_each_step(client: Any, amina: Any, phone: Phone) -> None:
    seen = set()
    for code in (phone.codes[0], phone.codes[1]):
        enter(client, amina.email)
        client.post(STEP, data={"code": code})
        seen.add(cookie(client))
    assert len(seen) == 2


def test_a_wrong_code_is_asked_for_again(client: Any, amina: Any, phone: Phone) -> None:
    enter(client, amina.email)
    answer = client.post(STEP, data={"code": "000000"})
    assert answer.status_code == 422
    assert "This code is not right" in answer.text and "000000" in answer.text
    assert not is_in(client)
    assert client.post(STEP, data={"code": ""}).status_code == 422
    assert client.post(STEP, data={"code": phone.fresh()}).status_code == 303
    assert is_in(client)


def test_a_recovery_code_is_the_other_way(client: Any, amina: Any, phone: Phone) -> None:
    enter(client, amina.email)
    assert f"{STEP}?way=recovery" in client.get(STEP).text
    page = client.get(f"{STEP}?way=recovery").text
    assert "Recovery code" in page and 'inputmode="text"' in page and "one-time-code" not in page
    wrong = client.post(f"{STEP}?way=recovery", data={"code": "abcde-fghjk"})
    assert wrong.status_code == 422 and "Recovery code" in wrong.text
    assert client.post(f"{STEP}?way=recovery", data={"code": phone.codes[0]}).status_code == 303
    assert is_in(client)
    assert "9 recovery codes are left" in client.get("/account/security").text


def test_without_a_password_first_there_is_no_such_page(client: Any, amina: Any, phone: Phone) -> None:
    for answer in (client.get(STEP), client.post(STEP, data={"code": phone.fresh()})):
        assert (answer.status_code, answer.location) == (303, "/account/sign-in")


def test_whoever_takes_too_long_begins_again(client: Any, amina: Any, phone: Phone) -> None:
    enter(client, amina.email)
    credentials.change(amina.actor, PASSWORD, "another long password")
    answer = client.post(STEP, data={"code": phone.fresh()})
    assert answer.status_code == 410
    assert "Please sign in again" in answer.text and 'name="password"' in answer.text
    assert client.get(STEP).location == "/account/sign-in"


def test_too_many_wrong_codes_are_told_when_to_come_back(
    client: Any, amina: Any, phone: Phone, with_limits: None
) -> None:
    enter(client, amina.email)
    answers = [client.post(STEP, data={"code": "000000"}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_step_is_not_kept_and_leads_nowhere_else(client: Any, amina: Any, phone: Phone) -> None:
    answer = enter(client, amina.email, next="//evil.example")
    assert answer.location == STEP
    assert client.get(STEP).headers["Cache-Control"] == "no-store"
    answer = client.post(f"{STEP}?next=https://evil.example", data={"code": phone.fresh()})
    assert answer.location.startswith("/patient")


def test_before_the_address_is_confirmed_none_is_set_up(client: Any, lina: Any) -> None:
    client.sign_in(lina)
    assert "Send me a new link" in client.get("/account/second-factor").text
    answer = client.post("/account/second-factor/begin")
    assert answer.status_code == 303
    assert "Please confirm your e-mail address first" in client.get(answer.location).text
    assert factors.pending(lina.actor, "Portal") is None


def test_a_provider_vouches_for_one_factor_only(client: Any, amina: Any, phone: Phone, provider: Any) -> None:  # noqa: F811
    answer = walk(client, provider, next="/patient/appointments")
    assert answer.status_code == 303 and answer.location == f"{STEP}?next=/patient/appointments"
    assert not is_in(client)
    client.post(answer.location, data={"code": phone.fresh()})
    assert is_in(client)


# --- setting up ---


def test_setting_up_from_the_security_page(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    assert "/account/second-factor" in client.get("/account/security").text
    assert "sign-code" not in client.get("/account/second-factor").text
    answer = client.post("/account/second-factor/begin")
    assert (answer.status_code, answer.location) == (303, "/account/second-factor")
    page = client.get(answer.location).text
    assert 'class="sign-code"' in page and "otpauth://totp/" in page and "style=" not in page
    again = client.get(answer.location).text
    assert re.findall('href="otpauth[^"]+"', again) == re.findall('href="otpauth[^"]+"', page), "loaded again: the same"
    wrong = client.post("/account/second-factor/confirm", data={"code": "000000"})
    assert wrong.status_code == 422 and 'class="sign-code"' in wrong.text
    before = cookie(client)
    done = client.post("/account/second-factor/confirm", data={"code": Phone(amina).code()})
    assert done.status_code == 201 and done.headers["Cache-Control"] == "no-store"
    codes = shown_codes(done.text)
    assert len(codes) == 10
    assert cookie(client) != before and is_in(client)
    download = re.search(r'download="recovery-codes.txt" href="data:text/plain;charset=utf-8,([^"]+)"', done.text)
    assert download and all(code in unquote(download[1]) for code in codes)
    page = client.get("/account/security").text
    assert "10 recovery codes are left" in page and not any(code in page for code in codes)


def test_loading_the_codes_again_shows_them_no_more(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    client.post("/account/second-factor/begin")
    code = Phone(amina).code()
    client.post("/account/second-factor/confirm", data={"code": code})
    for answer in (
        client.post("/account/second-factor/confirm", data={"code": code}),
        client.get("/account/second-factor"),
        client.post("/account/second-factor/begin"),
    ):
        assert (answer.status_code, answer.location) == (303, "/account/security#second-factor")


def test_an_old_cookie_is_worth_nothing_after_the_set_up(client: Any, new_client: Any, amina: Any) -> None:
    client.sign_in(amina)
    stolen = new_client()
    with stolen.session_transaction() as theirs:
        theirs["_user_id"] = cookie(client)
    assert is_in(stolen)
    client.post("/account/second-factor/begin")
    client.post("/account/second-factor/confirm", data={"code": Phone(amina).code()})
    assert is_in(client) and not is_in(stolen)


def test_new_codes_and_removing(client: Any, amina: Any, phone: Phone) -> None:
    client.sign_in(amina)
    renewed = client.post("/account/second-factor/codes")
    assert renewed.status_code == 201 and len(shown_codes(renewed.text)) == 10
    assert "The earlier ones do not work" in renewed.text
    answer = client.post("/account/second-factor/remove")
    assert (answer.status_code, answer.location) == (303, "/account/security#second-factor")
    assert "Set up a second factor" in client.get("/account/security").text
    assert client.post("/account/second-factor/remove").status_code == 404


@pytest.mark.parametrize("what", ["begin", "confirm", "codes", "remove"])
def test_what_matters_needs_the_password_once_more(
    client: Any, amina: Any, phone: Phone, what: str, standing_at: Any
) -> None:
    client.sign_in(amina)
    with standing_at(clock.now() + timedelta(minutes=20)):
        answer = client.post(f"/account/second-factor/{what}", data={"code": phone.fresh()})
        assert answer.status_code == 303 and answer.location.startswith("/account/sudo")
    assert factors.of(amina.user_id) is not None


def test_the_secret_is_shown_only_after_the_password(client: Any, amina: Any, standing_at: Any) -> None:
    client.sign_in(amina)
    client.post("/account/second-factor/begin")
    with standing_at(clock.now() + timedelta(minutes=20)):
        answer = client.get("/account/second-factor")
    assert (answer.status_code, answer.location) == (303, "/account/sudo?next=/account/second-factor")


# --- required of everybody who works here ---


def test_an_employee_is_led_to_set_it_up_before_anything_else(client: Any, nadia: Any, required_of_staff: None) -> None:
    enter(client, nadia.email)
    for page in ("/desk/", "/", "/account/security", "/patient/home", "/doctors", "/nowhere"):
        answer = client.get(page)
        assert answer.status_code == 303 and answer.location == f"/account/second-factor?next={page}", page
    page = client.get("/account/second-factor?next=/desk/").text
    assert "Everybody who works here needs one" in page and "/account/sign-out" in page
    answer = client.post("/account/second-factor/begin?next=/desk/")
    assert answer.location == "/account/second-factor?next=/desk/"
    assert "next=/desk/" in client.get(answer.location).text
    done = client.post("/account/second-factor/confirm?next=/desk/", data={"code": Phone(nadia).code()})
    assert 'href="/desk/"' in done.text
    assert client.get("/desk/").status_code == 200


def test_nothing_is_changed_without_it(client: Any, nadia: Any, required_of_staff: None) -> None:
    client.sign_in(nadia)
    answer = client.post("/account/profile", data={"given_name": "X", "family_name": "Y", "locale": "en"})
    assert answer.status_code == 403 and "second factor" in answer.text
    assert client.get("/desk/", headers=HTMX).status_code == 403
    assert client.post("/account/language", data={"locale": "fr"}).status_code == 303
    assert client.post("/account/sign-out").status_code == 303


def test_a_patient_is_not_led_anywhere(client: Any, amina: Any, required_of_staff: None) -> None:
    enter(client, amina.email)
    assert client.get("/patient/home").status_code == 200


def test_whoever_removes_it_sets_up_another(client: Any, nadia: Any, required_of_staff: None) -> None:
    Phone(nadia).set_up()
    client.sign_in(nadia)
    assert "You will be led to set up another one" in client.get("/account/security").text
    client.post("/account/second-factor/remove")
    assert client.get("/desk/").location == "/account/second-factor?next=/desk/"


# --- an admin helps ---


def test_a_superadmin_removes_it_for_whoever_lost_the_phone(
    client: Any, new_client: Any, superadmin: Any, nadia: Any
) -> None:
    Phone(nadia).set_up()
    theirs = new_client().sign_in(nadia)
    client.sign_in(superadmin)
    url = f"/admin/users/{nadia.user_id}"
    assert "signed out everywhere" in client.get(url).text
    answer = client.post(f"{url}/second-factor/remove")
    assert (answer.status_code, answer.location) == (303, url)
    assert f"{url}/second-factor/remove" not in client.get(url).text
    assert not is_in(theirs)
    assert client.post(f"{url}/second-factor/remove").status_code == 404


def test_an_admin_asks_and_the_person_agrees_on_a_page_that_a_scanner_may_open(
    client: Any, new_client: Any, admin: Any, nadia: Any, amina: Any, mailbox: Any
) -> None:
    Phone(nadia).set_up()
    theirs = new_client().sign_in(nadia)
    client.sign_in(admin)
    url = f"/admin/users/{nadia.user_id}"
    assert "Ask them by e-mail" in client.get(url).text
    assert client.post(f"{url}/second-factor/remove").location == url
    assert "it is removed once they agree" in client.get(url).text
    assert factors.of(nadia.user_id) and is_in(theirs)
    link = mailbox.link(nadia.email, "second-factor-help").removeprefix("http://localhost")
    guest = new_client()
    assert "Farid Ouali" in guest.get(link).text
    assert factors.of(nadia.user_id)
    assert guest.post(link).location == "/account/sign-in"
    assert factors.of(nadia.user_id) is None and not is_in(theirs)
    assert (guest.get(link).status_code, guest.post(link).status_code) == (410, 410)
    assert client.post(f"/admin/users/{amina.user_id}/second-factor/remove").status_code == 404


def test_an_admin_shows_the_password_first_and_cannot_help_themselves(
    client: Any, admin: Any, nadia: Any, standing_at: Any
) -> None:
    for person in (admin, nadia):
        Phone(person).set_up()
    client.sign_in(admin)
    own = f"/admin/users/{admin.user_id}"
    assert f"{own}/second-factor/remove" not in client.get(own).text
    assert client.post(f"{own}/second-factor/remove").status_code == 403
    with standing_at(clock.now() + timedelta(minutes=20)):
        answer = client.post(f"/admin/users/{nadia.user_id}/second-factor/remove")
    assert answer.location.startswith("/account/sudo")
    assert factors.of(nadia.user_id) is not None


def test_the_command_helps_the_last_superadmin(app: Any, superadmin: Any) -> None:
    Phone(superadmin).set_up()
    run = app.test_cli_runner()
    done = run.invoke(args=["portal", "remove-second-factor", "--email", superadmin.email])
    assert done.exit_code == 0, done.output
    assert factors.of(superadmin.user_id) is None
    for email in (superadmin.email, "nobody@example.dz"):
        assert run.invoke(args=["portal", "remove-second-factor", "--email", email]).exit_code == 1
    assert sessions.mine(superadmin.actor) == []
