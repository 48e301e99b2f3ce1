"""Tokens: how they are got, what is refused, and when they end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from portal.core import clock, secrets
from portal.core.db import keep, session
from portal.domain.identity import accounts, sessions, signing
from portal.domain.identity.models import TokenFamily
from portal.domain.identity.signing import AUDIENCE
from tests.api.conftest import Program, problem
from tests.builders import PASSWORD


def family_of(person: Any) -> Any:
    return session().query(TokenFamily).filter_by(user_id=person.user_id).one()


def forged(person: Any, signed_with: Any = None, alg: str = "ES256", typ: str = "at+jwt", **claims: Any) -> str:
    """A token as ours are made, with something else in it."""
    now = int(clock.now().timestamp())
    told = {
        "iss": "http://localhost",
        "aud": AUDIENCE,
        "sub": str(person.user_id),
        "fam": str(family_of(person).id),
        "iat": now,
    }
    told |= {"exp": now + 600, "client_id": "portal"} | claims
    told = {name: value for name, value in told.items() if value is not None}
    return jwt.encode({"alg": alg, "typ": typ}, told, signed_with or signing._key(), algorithms=[alg])


def _public_as_secret() -> OctKey:
    """The old trick: sign with what everybody knows and claim it was a shared secret."""
    return OctKey.import_key(signing._key().as_dict(private=False)["x"])


def test_a_program_signs_in_with_email_and_password(api: Program, amina: Any) -> None:
    answer = api.post("/auth/login", {"email": "AMINA@example.dz ", "password": PASSWORD, "label": "robot"})
    assert answer.status_code == 200
    said = answer.get_json()
    assert said["token_type"] == "Bearer" and said["expires_in"] == 900
    me = Program(api.client, said["access_token"]).get("/auth/me").get_json()
    assert me["email"] == amina.email and me["roles"] == ["patient"] and me["patient_id"] == str(amina.patient_id)
    assert family_of(amina).label == "robot"


@pytest.mark.parametrize("email", ["amina@example.dz", "nobody@example.dz"])
def test_a_wrong_password_and_an_unknown_address_are_refused_alike(api: Program, amina: Any, email: str) -> None:
    answer = api.post("/auth/login", {"email": email, "password": "not this one"})
    said = problem(answer, 401, "sign_in_refused")
    assert said["errors"] == []
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="portal"'


def test_without_a_token_the_answer_says_how_to_send_one(api: Program, database: Any) -> None:
    answer = api.get("/auth/me")
    problem(answer, 401, "no_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="portal"'


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "bearer\t", "Token abc", ""])
def test_what_is_not_a_bearer_token_is_no_token(api: Program, database: Any, header: str) -> None:
    problem(api.get("/auth/me", headers={"Authorization": header}), 401, "no_token")


@pytest.mark.parametrize("token", ["abc", "a.b.c", "é", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_not_ours_is_refused(api: Program, database: Any, token: str) -> None:
    answer = api.get("/auth/me", headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")})
    problem(answer, 401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_tokens_made_otherwise_are_refused(api: Program, amina: Any) -> None:
    signed_in = api.as_(amina)
    assert signed_in.get("/auth/me").status_code == 200
    past = int((clock.now() - timedelta(seconds=1)).timestamp())
    bad = {
        "another key": forged(amina, ECKey.generate_key("P-256")),
        "another algorithm": forged(amina, OctKey.generate_key(256), alg="HS256"),
        "our public key as a secret": forged(amina, _public_as_secret(), alg="HS256"),
        "a key pair": forged(amina, RSAKey.generate_key(2048), alg="RS256"),
        "too old": forged(amina, exp=past),
        "no end": forged(amina, exp=None),
        "for somebody else": forged(amina, aud="another-api"),
        "by somebody else": forged(amina, iss="another-portal"),
        "not for access": forged(amina, typ="JWT"),
        "no family": forged(amina, fam=None),
        "an unknown family": forged(amina, fam="019aa000-0000-7000-8000-000000000000"),
        "a family that is none": forged(amina, fam="x"),
    }
    refused = {why: Program(api.client, token).get("/auth/me").status_code for why, token in bad.items()}
    assert set(refused.values()) == {401}, refused
    assert Program(api.client, forged(amina)).get("/auth/me").status_code == 200


def test_a_bad_token_is_refused_where_none_is_needed_too(api: Program, database: Any) -> None:
    problem(Program(api.client, "abc").get("/clinics"), 401, "invalid_token")


def test_an_access_token_ends_after_fifteen_minutes(api: Program, amina: Any, standing_at: Any) -> None:
    signed_in = api.as_(amina)
    with standing_at(clock.now() + timedelta(minutes=14)):
        assert signed_in.get("/auth/me").status_code == 200
    with standing_at(clock.now() + timedelta(minutes=16)):
        problem(signed_in.get("/auth/me"), 401, "invalid_token")


def test_under_another_secret_no_token_is_good_that_was_before(api: Program, amina: Any, monkeypatch: Any) -> None:
    signed_in = api.as_(amina)
    assert signed_in.get("/auth/me").status_code == 200  # from here on its signature is known
    monkeypatch.setattr(secrets, "_key", b"what the portal was given after its old secret was lost")
    problem(signed_in.get("/auth/me"), 401, "invalid_token")


def test_a_refresh_token_makes_a_new_pair_once(api: Program, amina: Any) -> None:
    first = api.as_(amina)
    second = api.post("/auth/refresh", {"refresh_token": first.refresh}).get_json()
    assert Program(api.client, second["access_token"]).get("/auth/me").status_code == 200
    third = api.post("/auth/refresh", {"refresh_token": second["refresh_token"]})
    assert third.status_code == 200


def test_showing_a_spent_refresh_token_ends_the_whole_sign_in(api: Program, amina: Any) -> None:
    first = api.as_(amina)
    second = api.post("/auth/refresh", {"refresh_token": first.refresh}).get_json()
    problem(api.post("/auth/refresh", {"refresh_token": first.refresh}), 401, "token_reused")
    problem(api.post("/auth/refresh", {"refresh_token": second["refresh_token"]}), 401, "invalid_token")
    problem(Program(api.client, second["access_token"]).get("/auth/me"), 401, "invalid_token")
    assert family_of(amina).ended_why == "reused"


def test_an_old_refresh_token_is_refused(api: Program, amina: Any, standing_at: Any) -> None:
    signed_in = api.as_(amina)
    with standing_at(clock.now() + timedelta(days=31)):
        problem(api.post("/auth/refresh", {"refresh_token": signed_in.refresh}), 401, "invalid_token")


def test_signing_out_ends_both_tokens_at_once(api: Program, amina: Any) -> None:
    signed_in = api.as_(amina)
    answer = signed_in.post("/auth/logout")
    assert answer.status_code == 204 and answer.data == b""
    problem(signed_in.get("/auth/me"), 401, "invalid_token")
    problem(api.post("/auth/refresh", {"refresh_token": signed_in.refresh}), 401, "invalid_token")


def test_a_deactivated_account_is_refused_at_its_next_request(api: Program, amina: Any, superadmin: Any) -> None:
    signed_in = api.as_(amina)
    accounts.deactivate(superadmin.actor, amina.user_id)
    keep()
    problem(signed_in.get("/auth/me"), 401, "invalid_token")
    problem(api.post("/auth/refresh", {"refresh_token": signed_in.refresh}), 401, "invalid_token")
    problem(api.post("/auth/login", {"email": amina.email, "password": PASSWORD}), 401, "sign_in_refused")


def test_a_session_cookie_means_nothing_to_the_api(api: Program, client: Any, amina: Any) -> None:
    client.sign_in(amina)
    assert client.get("/patient/home").status_code == 200
    problem(api.get("/auth/me"), 401, "no_token")
    problem(api.get("/appointments"), 401, "no_token")


def test_no_answer_of_the_api_sets_a_cookie(api: Program, amina: Any) -> None:
    signed_in = api.as_(amina)
    for path in ("/auth/me", "/docs", "/openapi.json", "/clinics", "/nowhere"):
        assert "Set-Cookie" not in signed_in.get(path).headers


def test_a_scope_narrows_what_a_token_may_do(api: Program, amina: Any, wish: Any) -> None:
    reader = api.as_(amina, scopes=["appointments:read"])
    assert reader.get("/appointments").status_code == 200
    answer = reader.post("/appointments", wish())
    assert problem(answer, 403, "insufficient_scope")["scope"] == "appointments:write"
    assert 'scope="appointments:write"' in answer.headers["WWW-Authenticate"]
    problem(reader.get("/auth/me"), 403, "insufficient_scope")


def test_an_unknown_scope_is_refused_at_sign_in(api: Program, amina: Any) -> None:
    told = {"email": amina.email, "password": PASSWORD, "scopes": ["everything"]}
    assert problem(api.post("/auth/login", told), 422, "invalid")["errors"][0]["field"] == "scopes.0"


def test_too_many_sign_ins_are_told_when_to_come_back(
    api: Program, database: Any, with_limits: None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(sessions, "PER_PLACE", "10 per 15 minutes")
    answers = [api.post("/auth/login", {"email": f"p{n}@example.dz", "password": "wrong"}) for n in range(11)]
    assert {answer.status_code for answer in answers[:10]} == {401}
    said = problem(answers[-1], 429, "too_many")
    assert 0 < int(answers[-1].headers["Retry-After"]) == said["retry_after"] <= 900
    assert answers[-1].headers["RateLimit-Policy"] == '"default";q=10;w=900'
    assert answers[-1].headers["RateLimit"].startswith('"default";r=0;t=')


def test_a_search_says_what_is_left_of_its_quota(api: Program, database: Any, with_limits: None) -> None:
    answer = api.get("/doctors")
    assert answer.status_code == 200
    assert answer.headers["RateLimit-Policy"] == '"default";q=300;w=60'
    assert answer.headers["RateLimit"].startswith('"default";r=299;t=')
