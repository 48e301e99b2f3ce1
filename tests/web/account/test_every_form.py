"""What holds for every form of the account: a CSRF token, and no input that breaks it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

NOBODYS = UUID(int=7)
POSTS = [
    "sign-in", "sign-in/code", "second-factor/begin", "second-factor/confirm", "second-factor/codes",
    "second-factor/remove", "register", "resend", "verify/x", "forgot", "reset/x", "password", "sudo",
    "sign-out", "language", "theme", "profile", "profile/details", "profile/patient", "allergies",
    f"allergies/{NOBODYS}/remove", f"acting/{NOBODYS}/end", "acting/end",
    "calendars", f"calendars/{NOBODYS}/end", "invitation/x", "invitation/x/decline", "second-factor-help/x",
    f"invitations/{NOBODYS}/accept", f"invitations/{NOBODYS}/decline",
]  # fmt: skip
FIELDS = [
    "email", "password", "current_password", "given_name", "family_name", "locale", "theme", "next", "birth_date",
    "sex", "phone", "address", "city", "blood_group", "conditions", "contact_name", "contact_phone", "contact_relation",
    "substance", "reaction", "severity", "unread", "kind", "code", "way",
]  # fmt: skip
NASTY = {
    "nothing": "",
    "a nul byte": "a\x00b",
    "a lone surrogate": "\ud800",
    "ten thousand letters": "x" * 10_000,
    "a line break": "a\r\nSet-Cookie: x=y",
    "markup": "<script>alert(1)</script>",
    "a quote": "' OR 1=1 --",
    "right to left": "\u202eevil\u202c",
    "a percent sign": "%(name)s %s {0}",
}


@pytest.fixture(params=["a stranger", "a patient", "a colleague"])
def somebody(request: Any, client: Any) -> Any:
    if request.param != "a stranger":
        client.sign_in(request.getfixturevalue("amina" if request.param == "a patient" else "nadia"))
    return client


def test_every_post_of_the_account_is_in_this_table(app: Any) -> None:
    known = {path.partition("/")[0] for path in POSTS}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("account.") and "POST" in rule.methods:
            assert rule.rule.removeprefix("/account/").partition("/")[0] in known, rule


@pytest.mark.parametrize("path", POSTS)
def test_without_a_token_nothing_is_done(somebody: Any, with_csrf: None, path: str) -> None:
    answer = somebody.post(f"/account/{path}", data={"email": "a@example.dz", "locale": "fr", "theme": "dark"})
    assert answer.status_code == 400
    assert "language" not in str(answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("path", ["/notifications/read", f"/notifications/{NOBODYS}/read"])
def test_notifications_need_a_token_too(client: Any, amina: Any, with_csrf: None, path: str) -> None:
    client.sign_in(amina)
    assert client.post(path).status_code == 400


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY.keys())
def test_no_input_breaks_a_form(somebody: Any, nasty: str) -> None:
    body = b"&".join(
        field.encode() + b"=" + "".join(f"%{byte:02X}" for byte in nasty.encode("utf-8", "surrogatepass")).encode()
        for field in FIELDS
    )
    for path in POSTS:
        if path == "sign-out":
            continue
        answer = somebody.post(f"/account/{path}", data=body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code < 500, (path, answer.text)
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY.keys())
def test_no_address_breaks_a_page(somebody: Any, nasty: str) -> None:
    query = {
        name: nasty.encode("utf-8", "surrogatepass").decode("latin-1") for name in ("next", "after", "kind", "unread")
    }
    for page in ("account/sign-in", "account/register", "account/forgot", "account/sudo", "notifications", "dev/mail"):
        answer = somebody.get(f"/{page}", query_string=query)
        assert answer.status_code < 500, (page, answer.text)
        assert "<script>alert" not in answer.text


def test_pages_of_the_account_are_kept_by_no_cache(client: Any) -> None:
    for page in ("sign-in", "register", "reset/x", "verify/x"):
        assert client.get(f"/account/{page}").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("page", ["profile", "security", "password", "sudo"])
def test_a_stranger_is_asked_to_sign_in_and_comes_back(client: Any, page: str) -> None:
    answer = client.get(f"/account/{page}")
    assert (answer.status_code, answer.location) == (303, f"/account/sign-in?next=/account/{page}")
