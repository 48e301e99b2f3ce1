"""Language and appearance are for everybody and stay in the browser."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(("code", "direction"), [("fr", "ltr"), ("ar", "rtl"), ("en", "ltr")])
def test_a_stranger_reads_in_their_language(client: Any, code: str, direction: str) -> None:
    answer = client.post("/account/language", data={"locale": code, "next": "/account/register"})
    assert (answer.status_code, answer.location) == (303, "/account/register")
    assert f'<html lang="{code}" dir="{direction}"' in client.get("/account/register").text


def test_the_browsers_wish_counts_until_one_chooses(client: Any) -> None:
    wish = {"Accept-Language": "ar-DZ,ar;q=0.9,fr;q=0.8"}
    assert '<html lang="ar"' in client.get("/account/sign-in", headers=wish).text
    client.post("/account/language", data={"locale": "fr"})
    assert '<html lang="fr"' in client.get("/account/sign-in", headers=wish).text


def test_the_account_remembers_the_language(client: Any, new_client: Any, amina: Any) -> None:
    client.sign_in(amina)
    client.post("/account/language", data={"locale": "ar"})
    assert amina.actor.locale == "ar"
    assert '<html lang="ar"' in new_client().sign_in(amina).get("/account/profile").text


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_appearance_is_chosen(client: Any, theme: str) -> None:
    client.post("/account/theme", data={"theme": theme})
    assert f'data-theme="{theme}"' in client.get("/account/sign-in").text


def test_the_cookies_are_kept_from_scripts_and_other_sites(client: Any) -> None:
    for page, data in (("language", {"locale": "fr"}), ("theme", {"theme": "dark"})):
        cookie = client.post(f"/account/{page}", data=data).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("bad", ["", "xx", "en\x00", "x" * 10_000, "../../etc"])
def test_what_is_none_is_refused(client: Any, bad: str) -> None:
    assert client.post("/account/language", data={"locale": bad}).status_code == 422
    assert client.post("/account/theme", data={"theme": bad}).status_code == 422


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_choosing_leads_to_no_other_site(client: Any, target: str) -> None:
    assert client.post("/account/language", data={"locale": "fr", "next": target}).location == "/"
    assert client.post("/account/theme", data={"theme": "dark", "next": target}).location == "/"
