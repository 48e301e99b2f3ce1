"""The form of answers: fewer fields, the envelope, links to the next page, tags, compression, other sites' scripts."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from flask import Flask

from portal.api import let_in
from portal.api.shaping import ENVELOPE
from portal.config import Settings
from portal.core.text import speaking
from tests.api.conftest import Program, problem

PUBLIC = "/doctors"


@pytest.fixture
def doctors(dr_benali: Any, dr_haddad: Any) -> None:
    """Two doctors, so that a list has a second page."""


# --- fields ---


def test_a_list_sends_only_the_fields_that_are_named(api: Program, doctors: None) -> None:
    said = api.get(f"{PUBLIC}?fields=id,name").get_json()
    assert len(said["items"]) == 2 and all(set(one) == {"id", "name"} for one in said["items"])
    assert "next" in said


def test_a_single_thing_sends_only_the_fields_that_are_named(api: Program, amina: Any) -> None:
    assert api.as_(amina).get("/auth/me?fields=email,roles").get_json() == {"email": amina.email, "roles": ["patient"]}


@pytest.mark.parametrize("fields", ["", "nonsense", "id,", "id,secret_fingerprint", "id;name", "id&fields=name"])
def test_fields_that_are_not_there_are_refused(api: Program, doctors: None, fields: str) -> None:
    said = problem(api.get(f"{PUBLIC}?fields={fields}"), 422, "invalid")
    assert [one["field"] for one in said["errors"]] == ["fields"]


def test_a_change_knows_no_fields(api: Program, amina: Any, wish: Any) -> None:
    problem(api.as_(amina).post("/appointments?fields=id", wish()), 422, "invalid")


# --- envelope ---


def test_the_envelope_is_put_around_what_would_be_sent(api: Program, doctors: None) -> None:
    plain = api.get(PUBLIC)
    around = api.get(PUBLIC, headers={"Accept": ENVELOPE})
    assert plain.mimetype == "application/json" and around.mimetype == ENVELOPE
    assert around.get_json() == {"success": True, "data": plain.get_json(), "message": "Done."}
    assert "Accept" in [one.strip() for one in around.headers["Vary"].split(",")]


def test_the_envelope_speaks_the_language_that_was_asked_for(api: Program, doctors: None) -> None:
    answer = api.get(PUBLIC, headers={"Accept": ENVELOPE, "Accept-Language": "fr"})
    with speaking("fr"):
        from portal.core.text import gettext

        assert answer.get_json()["message"] == gettext("Done.") != "Done."


def test_a_kept_reply_is_put_into_the_envelope_when_asked_for(api: Program, amina: Any, wish: Any) -> None:
    program, key = api.as_(amina), {"Idempotency-Key": "one-key"}
    plain = program.post("/appointments", wish(), headers=key)
    again = program.post("/appointments", wish(), headers=key | {"Accept": ENVELOPE})
    assert (plain.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.get_json()["data"] == plain.get_json()


def test_a_refusal_is_never_put_into_an_envelope(api: Program) -> None:
    problem(api.get("/auth/me", headers={"Accept": ENVELOPE}), 401, "no_token")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", f"application/json, {ENVELOPE};q=0.5"])
def test_whoever_does_not_ask_for_it_gets_none(api: Program, doctors: None, accept: str) -> None:
    assert api.get(PUBLIC, headers={"Accept": accept}).mimetype == "application/json"


# --- links, tags, methods ---


def test_a_list_that_goes_on_says_where(api: Program, doctors: None) -> None:
    first = api.get(f"{PUBLIC}?limit=1&fields=id")
    link = first.headers["Link"]
    assert link.endswith('; rel="next"')
    address = link[1 : link.index(">")]
    second = api.client.get(address)
    assert second.status_code == 200 and "Link" not in second.headers
    assert set(second.get_json()["items"][0]) == {"id"}
    assert second.get_json()["items"] != first.get_json()["items"]


def test_what_one_has_already_is_not_sent_again(api: Program, doctors: None) -> None:
    tag = api.get("/clinics").headers["ETag"]
    for said in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = api.get("/clinics", headers={"If-None-Match": said})
        assert (answer.status_code, answer.get_data()) == (304, b""), said
        assert answer.headers["ETag"] == tag
    assert api.get("/clinics", headers={"If-None-Match": '"x"'}).status_code == 200


def test_head_is_get_without_a_body(api: Program, doctors: None) -> None:
    head, get = api.send("HEAD", "/clinics"), api.get("/clinics")
    assert (head.status_code, head.get_data()) == (200, b"")
    assert head.headers["ETag"] == get.headers["ETag"]
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_options_name_the_methods_of_an_address(api: Program) -> None:
    answer = api.send("OPTIONS", "/appointments")
    assert answer.status_code == 200
    assert {one.strip() for one in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS", "POST"}


def test_another_method_is_told_which_there_are(api: Program) -> None:
    answer = api.send("PUT", "/appointments")
    problem(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} <= {one.strip() for one in answer.headers["Allow"].split(",")}


# --- compression ---


@pytest.mark.parametrize("how", ["gzip", "br", "zstd"])
def test_a_large_answer_is_compressed_for_whoever_can_read_it(api: Program, doctors: None, how: str) -> None:
    plain = api.get("/doctors")
    packed = api.get("/doctors", headers={"Accept-Encoding": how})
    assert packed.headers["Content-Encoding"] == how and "Content-Encoding" not in plain.headers
    assert len(packed.get_data()) < len(plain.get_data())
    if how == "gzip":
        assert json.loads(gzip.decompress(packed.get_data())) == plain.get_json()
    assert "Accept-Encoding" in packed.headers["Vary"]
    again = api.get("/doctors", headers={"Accept-Encoding": how, "If-None-Match": packed.headers["ETag"]})
    assert again.status_code == 304


def test_a_tag_of_a_compressed_answer_guards_a_change(api: Program, amina: Any, wish: Any) -> None:
    program = api.as_(amina)
    made = program.post("/appointments", wish(), headers={"Accept-Encoding": "gzip"})
    assert made.headers["ETag"].endswith(':gzip"')
    path = made.headers["Location"].removeprefix("/api/v1")
    gone = program.post(f"{path}/cancel", {"code": "mistake"}, headers={"If-Match": made.headers["ETag"]})
    assert gone.status_code == 200


def test_pages_are_never_compressed_here_because_they_hold_tokens(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    assert "Content-Encoding" not in client.get("/patient/", headers={"Accept-Encoding": "gzip"}).headers


# --- scripts of other sites ---

ASK = {
    "Origin": "https://app.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization",
}


def test_no_other_site_is_let_in_unless_told(api: Program, doctors: None) -> None:
    assert "Access-Control-Allow-Origin" not in api.send("OPTIONS", "/appointments", headers=ASK).headers
    assert "Access-Control-Allow-Origin" not in api.get(PUBLIC, headers={"Origin": "https://app.example"}).headers


@pytest.fixture
def shared() -> Any:
    """An application that lets the scripts of two other sites in: a second whole portal would replace the first."""
    told = {
        "cors_origins": "https://app.example, https://b.example/",
        "database_url": "postgresql://x",
        "redis_url": "unix:///x",
    }
    settings = Settings(**told, secret_key="x" * 32, base_url="http://localhost", portal_mode="test")
    app = Flask("shared")
    let_in(app, settings.cors)
    app.add_url_rule("/api/v1/thing", "thing", lambda: "found", methods=["GET", "POST"])
    app.add_url_rule("/account/sign-in", "page", lambda: "page")
    return app.test_client()


def test_a_site_that_was_named_may_call_and_read_the_head(shared: Any) -> None:
    asked = shared.options("/api/v1/thing", headers=ASK)
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"].casefold()
    answer = shared.get("/api/v1/thing", headers={"Origin": "https://b.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert {"ETag", "Link", "RateLimit"} <= {
        one.strip() for one in answer.headers["Access-Control-Expose-Headers"].split(",")
    }
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("path", "origin"), [("/api/v1/thing", "https://evil.example"), ("/account/sign-in", "https://app.example")]
)
def test_others_and_the_pages_stay_closed(shared: Any, path: str, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in shared.options(path, headers=ASK | {"Origin": origin}).headers


@pytest.mark.parametrize("origins", ["app.example", "https://app.example, evil"])
def test_origins_that_are_none_are_refused_at_start(origins: str) -> None:
    with pytest.raises(ValueError, match="origins"):
        Settings(cors_origins=origins, database_url="postgresql://x", redis_url="unix:///x", secret_key="x" * 32,
                 base_url="http://localhost", portal_mode="test")  # fmt: skip
