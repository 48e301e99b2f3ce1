"""Sessions are seen and ended by their owner, who shows the password again when it was long ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from portal.core import clock
from portal.core.actor import Actor
from portal.domain.identity import sessions, tokens
from portal.web.account.devices import describe
from tests.builders import PASSWORD


def session_of(person: Any) -> Any:
    return sessions.mine(person.actor)[0]


def test_one_ends_another_browser_at_once(client: Any, new_client: Any, amina: Any) -> None:
    other = new_client().sign_in(amina)
    theirs = session_of(amina).id
    client.sign_in(amina)
    assert str(theirs) in client.get("/account/security").text
    assert client.post(f"/account/acting/{theirs}/end").status_code == 303
    assert other.get("/account/profile").status_code == 303
    assert client.get("/account/profile").status_code == 200


def test_ending_this_browser_is_signing_out(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    answer = client.post(f"/account/acting/{session_of(amina).id}/end")
    assert answer.location == "/"
    assert "Clear-Site-Data" in answer.headers
    assert client.get("/account/profile").status_code == 303


def test_nobody_ends_somebody_elses(client: Any, new_client: Any, amina: Any, yacine: Any) -> None:
    other = new_client().sign_in(yacine)
    client.sign_in(amina)
    for key in (session_of(yacine).id, uuid4()):
        assert client.post(f"/account/acting/{key}/end").status_code == 404
    assert other.get("/account/profile").status_code == 200


def test_signing_out_everywhere_else(client: Any, new_client: Any, amina: Any) -> None:
    others = [new_client().sign_in(amina) for _ in range(2)]
    grant = tokens.sign_in(Actor(door="api", address="10.0.0.1"), amina.email, PASSWORD, "A calendar")
    client.sign_in(amina)
    assert "A calendar" in client.get("/account/security").text
    assert client.post("/account/acting/end").status_code == 303
    assert [one.get("/account/profile").status_code for one in others] == [303, 303]
    assert "A calendar" not in client.get("/account/security").text
    with pytest.raises(tokens.TokenRefused):
        tokens.refresh(Actor(door="api"), grant.refresh_token)


def test_one_ends_a_program(client: Any, amina: Any) -> None:
    tokens.sign_in(Actor(door="api", address="10.0.0.1"), amina.email, PASSWORD, "A calendar")
    client.sign_in(amina)
    family = tokens.mine(amina.actor)[0].id
    assert client.post(f"/account/acting/{family}/end").status_code == 303
    assert tokens.mine(amina.actor) == []


def test_the_password_is_asked_for_when_it_was_long_ago(
    client: Any, new_client: Any, amina: Any, standing_at: Any
) -> None:
    new_client().sign_in(amina)
    theirs = session_of(amina).id
    client.sign_in(amina)
    with standing_at(clock.now() + timedelta(minutes=30)):
        answer = client.post(f"/account/acting/{theirs}/end", headers={"Referer": "http://localhost/account/security"})
        assert answer.location == "/account/sudo?next=/account/security"
        assert client.get(answer.location).status_code == 200
        refused = client.post(answer.location, data={"password": "wrong"})
        assert refused.status_code == 422
        assert client.post(answer.location, data={"password": PASSWORD}).location.startswith("/account/security")
        assert client.post(f"/account/acting/{theirs}/end").location.startswith("/account/security")


@pytest.mark.parametrize(
    "referer", ["https://evil.example/account/security", "nonsense", "http://localhost//evil.example"]
)
def test_showing_the_password_leads_to_no_other_site(client: Any, amina: Any, standing_at: Any, referer: str) -> None:
    client.sign_in(amina)
    with standing_at(clock.now() + timedelta(minutes=30)):
        answer = client.post("/account/acting/end", headers={"Referer": referer})
    assert answer.location == "/account/sudo"


def test_the_page_takes_few_queries(client: Any, new_client: Any, amina: Any, statements: Any) -> None:
    for _ in range(5):
        new_client().sign_in(amina)
    client.sign_in(amina)
    with statements() as asked:
        assert client.get("/account/security").status_code == 200
    assert asked() <= 12, "one for each kind, however many there are"


@pytest.mark.parametrize(
    ("agent", "words", "icon"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux", "device-laptop"),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
            "Chrome on Android",
            "device-mobile",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Safari/604.1",
            "Safari on iPad",
            "device-tablet",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows", "device-laptop"),
        ("curl/8", "An unknown browser", "device-laptop"),
        (None, "An unknown browser", "device-laptop"),
    ],
)
def test_browsers_are_named_as_people_know_them(agent: str | None, words: str, icon: str) -> None:
    assert describe(agent) == (words, icon)
