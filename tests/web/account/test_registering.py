"""From registering to being in: by a mail that only the owner of the address reads."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from portal.core.db import keep

NEW = {"given_name": "Rania", "family_name": "Saadi", "email": "rania@example.dz", "password": "seven green boats"}


def register(client: Any, next: str = "", **more: str) -> Any:
    return client.post("/account/register", query_string={"next": next} if next else {}, data=NEW | more)


def plain(text: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"|X-CSRFToken":"[^"]*"|nonce="[^"]*"', "", text)


def path(link: str) -> str:
    return link.removeprefix("http://localhost")


def test_the_walk_of_a_new_patient(client: Any, mailbox: Any) -> None:
    with client.session_transaction() as kept:
        kept["hold"] = "a held time"
    answer = register(client, next="/book/somewhere?step=3")
    assert (answer.status_code, answer.location) == (303, "/account/check-mail")
    assert NEW["email"] in client.get("/account/check-mail").text
    link = path(mailbox.link(NEW["email"]))
    page = client.get(link)
    assert page.status_code == 200
    assert 'type="submit"' in page.text
    assert client.get("/account/profile").status_code == 303, "opening the link alone lets nobody in"
    answer = client.post(link)
    assert (answer.status_code, answer.location) == (303, "/book/somewhere?step=3")
    assert client.get("/account/profile").status_code == 200
    with client.session_transaction() as kept:
        assert kept["hold"] == "a held time"


def test_in_another_browser_a_password_is_chosen(client: Any, new_client: Any, mailbox: Any) -> None:
    register(client, next="/account/security")
    link, other = path(mailbox.link(NEW["email"])), new_client()
    assert 'name="password"' in other.get(link).text and 'name="password"' not in client.get(link).text
    for data in ({}, {"password": "short"}):
        assert other.post(link, data=data).status_code == 422
        assert other.get("/account/profile").status_code == 303
    answer = other.post(link, data={"password": "another seven boats"})
    assert answer.location == "/account/security"
    assert other.get("/account/profile").status_code == 200
    assert client.post(link).status_code == 410


def test_whoever_asks_for_the_link_again_is_not_the_one_who_chose_the_password(
    client: Any, new_client: Any, mailbox: Any
) -> None:
    stranger = new_client()
    register(stranger)
    register(client)  # the owner of the address, later: their browser looks the same to everybody
    client.post("/account/resend", data={"email": NEW["email"]})
    link = path(mailbox.link(NEW["email"], "verify"))
    assert client.post(link).status_code == 422, "the stranger's password must not stay by one click"
    assert client.post(link, data={"password": "another seven boats"}).status_code == 303
    answer = stranger.post("/account/sign-in", data={"email": NEW["email"], "password": NEW["password"]})
    assert answer.status_code == 401


def test_somebody_elses_registration_never_lets_its_maker_in_by_ones_click(
    client: Any, new_client: Any, mailbox: Any
) -> None:
    attacker = new_client()
    register(attacker)
    link = path(mailbox.link(NEW["email"]))
    register(client)
    client.post(link)
    assert client.get("/account/profile").status_code == 303


def test_known_and_unknown_addresses_get_the_same_pages(client: Any, new_client: Any, amina: Any) -> None:
    seen = []
    for email in (amina.email, "nobody@example.dz"):
        browser = new_client()
        answer = register(browser, email=email)
        page = browser.get(answer.location)
        seen.append((answer.status_code, answer.location, answer.text, plain(page.text).replace(email, "…")))
        again = browser.post("/account/resend", data={"email": email})
        seen[-1] += (again.status_code, again.location)
    assert seen[0] == seen[1]


def test_an_owner_who_registers_again_is_told_how_to_get_in(client: Any, amina: Any, mailbox: Any) -> None:
    register(client, email=amina.email, next="/account/security")
    answer = client.get(path(mailbox.link(amina.email)))
    assert answer.status_code == 200
    assert 'name="password"' in answer.text
    done = client.post(path(mailbox.link(amina.email)), data={"password": "another seven boats"})
    assert done.location == "/account/sign-in?next=/account/security"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nonsense"),
        ("email", ""),
        ("email", "x@" + "y" * 300 + ".dz"),
        ("given_name", ""),
        ("given_name", "x" * 81),
        ("family_name", "nul\x00byte"),
        ("password", "short"),
        ("password", "12345678"),
        ("password", "x1" * 200),
    ],
)
def test_a_refusal_keeps_what_was_entered(client: Any, field: str, value: str) -> None:
    answer = register(client, **{field: value})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    kept = {name: entered for name, entered in NEW.items() if name not in {field, "password"}}
    assert all(f'value="{entered}"' in answer.text for entered in kept.values())
    assert NEW["password"] not in answer.text


def test_extra_fields_give_nothing(client: Any, mailbox: Any) -> None:
    register(client, is_superadmin="1", role="superadmin", locale="ar")
    client.post(path(mailbox.link(NEW["email"])))
    assert client.get("/admin/users").status_code in {403, 404}


def test_registering_is_in_the_language_one_reads(client: Any, mailbox: Any) -> None:
    client.set_cookie("language", "fr")
    register(client)
    mail = mailbox.latest(NEW["email"])
    body = mail.get_body(("html",))
    assert body is not None
    assert 'lang="fr"' in body.get_content()


@pytest.mark.parametrize("kind", ["verify", "reset", "invitation"])
@pytest.mark.parametrize("token", ["x", "x" * 500, "%00", "%ED%A0%80", "a b", "..%2f"])
def test_a_link_that_is_none_says_what_to_do(client: Any, kind: str, token: str) -> None:
    for answer in (
        client.get(f"/account/{kind}/{token}"),
        client.post(f"/account/{kind}/{token}", data={"password": "x" * 9 + "yzw"}),
    ):
        assert answer.status_code in {404, 410}
        if answer.status_code == 410:
            assert "/account/sign-in" in answer.text


def test_a_used_link_offers_a_new_one(client: Any, new_client: Any, mailbox: Any) -> None:
    register(client)
    link = path(mailbox.link(NEW["email"]))
    client.post(link)
    other = new_client()
    for answer in (other.get(link), other.post(link)):
        assert answer.status_code == 410
        assert "/account/resend" in answer.text
    assert other.post("/account/resend", data={"email": "nonsense"}).status_code == 422


def test_asking_again_sends_again(client: Any, mailbox: Any) -> None:
    register(client)
    assert len(mailbox.to(NEW["email"])) == 1
    client.post("/account/resend", data={"email": NEW["email"]})
    assert len(mailbox.to(NEW["email"])) == 2
    assert client.post(path(mailbox.link(NEW["email"]))).status_code == 303


def test_whoever_is_signed_in_but_not_verified_gets_the_link(client: Any, lina: Any, mailbox: Any) -> None:
    client.sign_in(lina)
    assert "/account/resend" in client.get("/account/profile").text
    client.post("/account/resend?next=/account/security")
    answer = client.post(path(mailbox.link(lina.email)))
    assert answer.location == "/account/security"
    assert lina.actor.email_verified
    assert "/account/resend" not in client.get("/account/profile").text


def test_a_link_for_another_account_does_not_change_who_one_is(
    client: Any, amina: Any, new_client: Any, mailbox: Any
) -> None:
    register(new_client())
    client.sign_in(amina)
    link = path(mailbox.link(NEW["email"]))
    assert client.post(link).status_code == 422
    assert client.post(link, data={"password": "another seven boats"}).status_code == 303
    assert amina.email in client.get("/account/profile").text


def test_nobody_asked_for_a_mail_here(client: Any) -> None:
    assert client.get("/account/check-mail").location == "/account/sign-in"


@pytest.mark.race
@pytest.mark.parametrize("kind", ["verify", "reset"])
def test_of_two_who_use_a_link_at_once_one_wins(
    committed: Any, mailbox: Any, new_client: Any, lina: Any, kind: str
) -> None:
    browsers = [new_client(), new_client(), new_client()]
    if kind == "verify":
        for browser in browsers[:1]:
            browser.sign_in(lina)
            browser.post("/account/resend")
    else:
        browsers[0].post("/account/forgot", data={"email": lina.email})
    link = path(mailbox.link(lina.email, kind))
    keep()
    together, answers = threading.Barrier(len(browsers)), []

    def press(browser: Any) -> None:
        together.wait(10)
        answers.append(browser.post(link, data={"password": "seven green boats"}).status_code)

    threads = [threading.Thread(target=press, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [303, 410, 410]


@pytest.mark.race
def test_of_two_who_register_an_address_at_once_both_get_the_same_answer(committed: Any, new_client: Any) -> None:
    browsers = [new_client() for _ in range(4)]
    together, answers = threading.Barrier(len(browsers)), []

    def press(browser: Any) -> None:
        together.wait(10)
        answer = register(browser)
        answers.append((answer.status_code, answer.location))

    threads = [threading.Thread(target=press, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [(303, "/account/check-mail")] * 4


def test_all_that_is_wrong_is_said_in_one_round(client: Any) -> None:
    """The password is judged with the other fields, not after them."""
    wrong = {"email": "not one", "password": "short", "given_name": "Nora", "family_name": ""}
    page = client.post("/account/register", data=wrong).text
    summary = page[page.index("error-summary") : page.index("</ul>", page.index("error-summary"))]
    for field in ("email", "password", "family_name"):
        assert f'href="#{field}"' in summary


def test_a_password_made_of_ones_name_is_said_with_the_rest(client: Any) -> None:
    said = {"email": "not one", "password": "Bensalem", "given_name": "Nora", "family_name": "Bensalem"}
    page = client.post("/account/register", data=said).text
    assert 'id="email-error"' in page and 'id="password-error"' in page
