"""Signing in with an OpenID Connect provider: a real one over HTTP, made here, that can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from portal.web.account import oidc
from portal.web.account.arriving import PROVIDER

KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Provider(ThreadingHTTPServer):
    """Knows one person, gives codes, and checks the code verifier as a real one does (RFC 7636)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.claims: dict[str, Any] = {"sub": "person-1", "email": "amina@example.dz", "email_verified": True}
        self.signed_with, self.header = KEY, {"alg": "RS256", "kid": "one"}
        self.algorithms = ["RS256"]
        self.asked: dict[str, dict[str, str]] = {}
        self.answer: dict[str, Any] = {}

    def agree(self, location: str) -> str:
        """The person agrees: what the provider sends their browser back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return f"/account/provider/back?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.asked.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        shown = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or asked["code_challenge_method"] != "S256" or asked["code_challenge"] != shown:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": asked["client_id"], "iat": now, "exp": now + 60, "nonce": asked["nonce"],
        } | self.claims  # fmt: skip
        signed = jwt.encode(self.header, claims, self.signed_with, algorithms=["RS256", "HS256"])
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": signed} | self.answer


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        issuer = self.server.issuer
        if self.path.startswith("/.well-known"):
            self._say(200, {
                "issuer": issuer, "authorization_endpoint": f"{issuer}/authorize", "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks", "id_token_signing_alg_values_supported": self.server.algorithms,
            })  # fmt: skip
        else:
            self._say(200, {"keys": [KEY.as_dict(private=False)]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._say(*self.server.token({name: values[0] for name, values in parse_qs(body).items()}))

    def _say(self, status: int, said: dict[str, Any]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *_: Any) -> None:
        """A test is silent."""


@pytest.fixture
def provider(app: Any, monkeypatch: Any) -> Iterator[Provider]:
    """The provider, running, and the portal told of it as `create_app` does when it is in the settings."""
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = app.extensions["portal.settings"].model_copy(
        update={
            "oidc_name": "Sihha ID", "oidc_metadata_url": f"{server.issuer}/.well-known/openid-configuration",
            "oidc_client_id": "portal", "oidc_client_secret": "a secret of the portal and its provider",
        }
    )  # fmt: skip
    monkeypatch.setitem(app.extensions, "portal.settings", settings)
    monkeypatch.setitem(app.extensions, PROVIDER, oidc.client_of(app, settings))
    yield server
    server.shutdown()
    server.server_close()


def walk(client: Any, provider: Provider, next: str = "") -> Any:
    sent = client.get("/account/provider", query_string={"next": next} if next else {})
    assert sent.status_code == 302
    return client.get(provider.agree(sent.location))


def test_without_a_provider_there_is_no_such_page(client: Any) -> None:
    assert client.get("/account/provider").status_code == 404
    assert client.get("/account/provider/back?code=x&state=y").status_code == 404
    assert "/account/provider" not in client.get("/account/sign-in").text


def test_the_provider_lets_a_known_person_in(client: Any, amina: Any, provider: Provider) -> None:
    assert "Sihha ID" in client.get("/account/sign-in").text
    answer = walk(client, provider, next="/account/security")
    assert (answer.status_code, answer.location) == (303, "/account/security")
    assert client.get("/account/security").status_code == 200


def test_the_request_carries_state_nonce_and_pkce(client: Any, provider: Provider) -> None:
    asked = parse_qs(urlsplit(client.get("/account/provider").location).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://localhost/account/provider/back"]
    assert all(len(asked[name][0]) >= 20 for name in ("state", "nonce", "code_challenge"))


def test_the_subject_is_remembered_when_the_address_changes(client: Any, amina: Any, provider: Provider) -> None:
    walk(client, provider)
    client.post("/account/sign-out")
    provider.claims = {"sub": "person-1", "email": "new@elsewhere.example"}
    assert walk(client, provider).status_code == 303
    assert amina.email in client.get("/account/profile").text


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "planted"},
    "another issuer": {"iss": "https://evil.example"},
    "for somebody else": {"aud": "another client"},
    "long ago": {"exp": 1_000_000},
    "no subject": {"sub": None},
}


@pytest.mark.parametrize("claims", LIES.values(), ids=LIES.keys())
def test_a_token_that_is_not_for_us_is_refused(
    client: Any, amina: Any, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    assert walk(client, provider).status_code == 401
    assert client.get("/account/profile").status_code == 303


def test_a_token_signed_by_another_key_is_refused(client: Any, amina: Any, provider: Provider) -> None:
    provider.signed_with = OTHER
    assert walk(client, provider).status_code == 401


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_a_token_signed_with_what_is_public_is_refused(
    client: Any, amina: Any, provider: Provider, algorithm: str
) -> None:
    provider.algorithms = ["RS256", algorithm]
    if algorithm == "HS256":
        provider.signed_with, provider.header = (
            OctKey.import_key("a secret of the portal and its provider"),
            {"alg": "HS256", "kid": "one"},
        )
    else:
        head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        claims = base64.urlsafe_b64encode(json.dumps(provider.claims).encode()).decode().rstrip("=")
        provider.answer = {"id_token": f"{head}.{claims}."}
    assert walk(client, provider).status_code == 401


def test_an_answer_without_a_token_is_refused(client: Any, amina: Any, provider: Provider) -> None:
    provider.answer = {"id_token": None}
    assert walk(client, provider).status_code == 401


def test_an_answer_this_browser_did_not_ask_for_is_refused(
    client: Any, new_client: Any, amina: Any, provider: Provider
) -> None:
    back = provider.agree(new_client().get("/account/provider").location)
    assert client.get(back).status_code == 401
    assert client.get("/account/provider/back").status_code == 401


def test_a_code_works_once(client: Any, amina: Any, provider: Provider) -> None:
    back = provider.agree(client.get("/account/provider").location)
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 401


def test_whoever_changes_their_mind_is_back_at_the_start(client: Any, provider: Provider) -> None:
    client.get("/account/provider")
    answer = client.get("/account/provider/back?error=access_denied&state=x")
    assert answer.status_code == 401
    assert 'name="password"' in answer.text


@pytest.mark.parametrize(
    "claims", [{"email": "unknown@example.dz"}, {"email_verified": False}, {"email_verified": "true"}, {"email": None}]
)
def test_nobody_is_let_in_on_an_address_nobody_vouches_for(
    client: Any, amina: Any, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    assert walk(client, provider).status_code == 403
    assert client.get("/account/profile").status_code == 303


def test_a_provider_that_is_away_leaves_the_password(client: Any, provider: Provider) -> None:
    provider.shutdown()
    provider.server_close()
    answer = client.get("/account/provider")
    assert answer.status_code == 503
    assert 'name="password"' in answer.text


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example"])
def test_the_provider_leads_to_no_other_site(client: Any, amina: Any, provider: Provider, target: str) -> None:
    assert walk(client, provider, next=target).location.startswith("/patient")
