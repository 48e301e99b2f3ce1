"""OAuth 2 as programs see it: a person's yes, a program of its own, refreshing, giving back, looking up."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from portal.core import clock
from portal.core.db import keep, session
from portal.core.events import Event
from portal.domain.clinics import members, programs
from portal.domain.clinics.models import Membership
from portal.domain.identity import accounts, clients, credentials
from portal.domain.identity.models import TokenFamily
from portal.domain.identity.scopes import SCOPES
from tests.api.conftest import Program, problem
from tests.builders import PASSWORD

BACK = "https://planner.example/back"
VERIFIER = "a-verifier-of-forty-three-characters-or-more-0123456789"
SCOPE = "profile:read appointments:read"


@dataclass
class Robot:
    """A program that was let in, and the browser it sends people with."""

    browser: Any
    client_id: str
    secret: str | None
    key: Any

    def ask(self, **changed: Any) -> Any:
        """The consent page."""
        return self.browser.get("/oauth/authorize", query_string=self.wish(**changed))

    def wish(self, **changed: Any) -> dict[str, Any]:
        told = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "scope": SCOPE,
            "state": "xyz & more",
            "code_challenge": create_s256_code_challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (told | changed).items() if value is not None}

    def sent_back(self, decision: str = "allow", **changed: Any) -> dict[str, str]:
        """What the person brings back who decided so."""
        answer = self.browser.post("/oauth/authorize", query_string=self.wish(**changed), data={"decision": decision})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        assert answer.location.startswith(changed.get("redirect_uri", BACK))
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}

    def code(self, **changed: Any) -> str:
        return self.sent_back(**changed)["code"]

    def token(self, grant_type: str, *, secret: str | None = "own", **told: Any) -> Any:
        """Ask the token endpoint, with the secret in the body or, without one, with the id alone."""
        sent = {"grant_type": grant_type, "client_id": self.client_id, **told}
        if secret == "own":
            secret = self.secret
        if secret:
            sent["client_secret"] = secret
        return self.send("token", sent)

    def exchange(self, code: str, **changed: Any) -> Any:
        told = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER} | changed
        return self.token("authorization_code", **{name: value for name, value in told.items() if value is not None})

    def tokens(self, **changed: Any) -> dict[str, Any]:
        answer = self.exchange(self.code(**changed))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def send(self, endpoint: str, form: dict[str, Any], **more: Any) -> Any:
        return self.browser.post(f"/oauth/{endpoint}", data=form, **more)

    def about(self, endpoint: str, token: str) -> Any:
        sent = {"token": token, "client_id": self.client_id}
        return self.send(endpoint, sent | ({"client_secret": self.secret} if self.secret else {}))

    def looks_at(self, token: str) -> dict[str, Any]:
        answer = self.about("introspect", token)
        assert answer.status_code == 200
        return dict(answer.get_json())


Let = Callable[..., Robot]


@pytest.fixture
def let(client: Any, superadmin: Any) -> Let:
    """Lets a program in, an app without a secret unless said otherwise."""

    def made(kind: str = "app", *, by: Any = superadmin, **about: Any) -> Robot:
        told = {"name": "Family planner", "scopes": [*SCOPE.split(), "appointments:write"]} | about
        if kind != "service":
            told.setdefault("redirect_uris", [BACK])
        row, secret = programs.add(by.actor, kind=kind, **told)
        keep()
        return Robot(client, row.client_id, secret, row.id)

    return made


def refused(answer: Any, status: int, error: str) -> dict[str, Any]:
    """What a refusal says, after looking that it is one as RFC 6749 writes it."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/json" and answer.headers["Cache-Control"] == "no-store"
    said: dict[str, Any] = answer.get_json()
    assert said["error"] == error and set(said) <= {"error", "error_description"}
    return said


def families(person: Any) -> list[Any]:
    return session().query(TokenFamily).filter_by(user_id=person.user_id).all()


def me(browser: Any, token: str) -> Any:
    return Program(browser, token).get("/auth/me")


# --- the story ---


def test_a_person_says_yes_and_the_program_acts_for_them(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    page = planner.ask().get_data(as_text=True)
    assert "Family planner" in page and str(SCOPES["appointments:read"]) in page and amina.email in page
    assert str(SCOPES["appointments:write"]) not in page
    back = planner.sent_back()
    assert back["state"] == "xyz & more" and back["iss"] == "http://localhost" and "error" not in back
    answer = planner.exchange(back["code"])
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    said = answer.get_json()
    assert said["token_type"] == "Bearer" and said["expires_in"] == 900 and said["scope"] == SCOPE
    told = me(planner.browser, said["access_token"]).get_json()
    assert told["email"] == amina.email and sorted(told["scopes"]) == sorted(SCOPE.split())
    assert [one.label for one in families(amina)] == ["Family planner"]


def test_a_program_with_a_server_shows_its_secret_either_way(let: Let, amina: Any) -> None:
    site = let("server")
    site.browser.sign_in(amina)
    assert site.exchange(site.code()).status_code == 200
    basic = base64.b64encode(f"{site.client_id}:{site.secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": site.code(), "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert site.send("token", form, headers={"Authorization": f"Basic {basic}"}).status_code == 200


def test_a_stranger_signs_in_first_and_comes_back(let: Let, amina: Any) -> None:
    answer = let().ask()
    assert answer.status_code == 303 and answer.location.startswith("/account/sign-in?next=/oauth/authorize?")


def test_whoever_says_no_is_sent_back_with_that(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    back = planner.sent_back("deny")
    assert back["error"] == "access_denied" and back["state"] == "xyz & more" and back["iss"] == "http://localhost"
    assert families(amina) == []


def test_nothing_is_decided_without_a_decision(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    answer = planner.browser.post("/oauth/authorize", query_string=planner.wish())
    assert answer.status_code == 422 and "Family planner" in answer.get_data(as_text=True)


def test_a_yes_needs_the_pages_own_token(let: Let, amina: Any, with_csrf: None) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    answer = planner.browser.post("/oauth/authorize", query_string=planner.wish(), data={"decision": "allow"})
    assert answer.status_code == 400 and answer.location is None


def test_the_page_may_lead_to_the_programs_address_and_stand_in_no_frame(let: Let, amina: Any) -> None:
    planner = let(redirect_uris=[BACK, "com.example.planner:/back"])
    planner.browser.sign_in(amina)
    policy = planner.ask().headers["Content-Security-Policy"]
    assert "form-action 'self' https://planner.example;" in policy and "frame-ancestors 'none'" in policy
    policy = planner.ask(redirect_uri="com.example.planner:/back").headers["Content-Security-Policy"]
    assert "form-action 'self' com.example.planner:;" in policy
    assert "form-action 'self';" in planner.browser.get("/account/security").headers["Content-Security-Policy"]


# --- what is refused where people are sent to it ---


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "p_unknown"},
        {"client_id": "a\x00b"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://planner.example/back/more"},
        {"redirect_uri": "https://planner.example/back?x=1"},
        {"redirect_uri": "https://planner.example:8443/back"},
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": "http://planner.example/back"},
        {"redirect_uri": "HTTPS://planner.example/back"},
        {"redirect_uri": ["https://planner.example/back", "https://evil.example/"]},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_the_programs(let: Let, amina: Any, changed: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    answer = planner.ask(**changed)
    assert answer.status_code == 400 and answer.location is None and answer.mimetype == "text/html"
    assert "Nothing was allowed" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'é"'}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"scope": "profile:read audit:read"}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": ["profile:read", "appointments:read"]}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "a" * 43 + "\n"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
    ],
)
def test_other_mistakes_are_told_to_the_program(let: Let, amina: Any, changed: Any, error: str) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    answer = planner.ask(**changed)
    assert answer.status_code == 303 and answer.location.startswith(BACK + "?")
    back = parse_qs(urlsplit(answer.location).query)
    assert back["error"] == [error] and back["state"] == ["xyz & more"] and back["iss"] == ["http://localhost"]


def test_a_program_that_works_by_itself_asks_nobody(let: Let, amina: Any, el_djazair: Any) -> None:
    lab = let("service", clinic_id=el_djazair.clinic_id, redirect_uris=[BACK])
    lab.browser.sign_in(amina)
    assert "error=unauthorized_client" in lab.ask().location


def test_without_scopes_it_asks_for_all_it_may(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    assert planner.tokens(scope=None)["scope"].split() == [*SCOPE.split(), "appointments:write"]


def test_a_program_on_ones_own_computer_takes_the_port_it_gets(let: Let, amina: Any) -> None:
    tool = let(redirect_uris=["http://127.0.0.1/back"])
    tool.browser.sign_in(amina)
    there = "http://127.0.0.1:51004/back"
    assert tool.exchange(tool.code(redirect_uri=there), redirect_uri=there).status_code == 200
    assert tool.ask(redirect_uri="http://127.0.0.1:51004/other").status_code == 400
    assert tool.ask(redirect_uri="http://localhost:51004/back").status_code == 400


# --- codes ---


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "another-verifier-of-forty-three-characters-0123456789"}, "invalid_grant"),
        ({"code_verifier": create_s256_code_challenge(VERIFIER)}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "https://planner.example/other"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code": "unknown"}, "invalid_grant"),
    ],
)
def test_a_code_is_worth_nothing_without_what_belongs_to_it(
    let: Let, amina: Any, changed: dict[str, Any], error: str
) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    code = planner.code()
    refused(planner.exchange(**{"code": code, **changed}), 400, error)
    assert families(amina) == []


def test_a_code_that_comes_twice_ends_what_grew_from_it(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    code = planner.code()
    first = planner.exchange(code).get_json()
    refused(planner.exchange(code), 400, "invalid_grant")
    problem(me(planner.browser, first["access_token"]), 401, "invalid_token")
    refused(planner.token("refresh_token", refresh_token=first["refresh_token"]), 400, "invalid_grant")
    assert [one.ended_why for one in families(amina)] == ["code_reused"]
    assert session().query(Event).filter_by(name="code.reused").count() == 1


def test_a_code_lasts_a_minute(let: Let, amina: Any, standing_at: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    code = planner.code()
    with standing_at(clock.now() + timedelta(seconds=61)):
        refused(planner.exchange(code), 400, "invalid_grant")


def test_another_program_cannot_use_a_code_and_does_not_spoil_it(let: Let, amina: Any) -> None:
    planner, other = let(), let(name="Another")
    planner.browser.sign_in(amina)
    code = planner.code()
    refused(other.exchange(code), 400, "invalid_grant")
    assert planner.exchange(code).status_code == 200


def test_a_code_dies_with_the_account_and_with_its_password(let: Let, amina: Any, superadmin: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    code, another = planner.code(), planner.code()
    credentials.change(amina.actor, PASSWORD, "Another long one 1")
    keep()
    refused(planner.exchange(code), 400, "invalid_grant")
    accounts.deactivate(superadmin.actor, amina.user_id)
    keep()
    refused(planner.exchange(another), 400, "invalid_grant")


# --- programs prove themselves ---


def test_a_wrong_secret_is_refused_and_stands_in_the_audit(let: Let, amina: Any) -> None:
    site = let("server")
    answer = site.token("client_credentials", secret="wrong")
    refused(answer, 401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert session().query(Event).filter_by(name="client.refused").one().facts == {"client_id": str(site.key)}


@pytest.mark.parametrize("header", ["Basic !!!", "Basic /////w==", "Basic eDp5", "Basic", "Bearer abc"])
def test_a_strange_proof_is_refused(let: Let, header: str) -> None:
    site = let("server")
    answer = site.send("token", {"grant_type": "client_credentials"}, headers={"Authorization": header})
    refused(answer, 401, "invalid_client")


def test_a_program_with_a_secret_needs_it_and_one_without_has_none(let: Let, amina: Any) -> None:
    site, planner = let("server"), let()
    site.browser.sign_in(amina)
    refused(site.token("authorization_code", secret=None, code=site.code(), redirect_uri=BACK), 401, "invalid_client")
    refused(planner.token("refresh_token", secret="some", refresh_token="x" * 20), 401, "invalid_client")


def test_only_the_ways_that_are_open_lead_to_tokens(let: Let, amina: Any) -> None:
    site = let("server")
    refused(site.token("password", username=amina.email, password=PASSWORD), 400, "unsupported_grant_type")
    refused(site.token('"é'), 400, "unsupported_grant_type")
    refused(site.send("token", {}), 400, "invalid_request")
    refused(site.token("client_credentials"), 400, "unauthorized_client")


@pytest.mark.parametrize(
    ("query", "body", "about"),
    [
        ({"grant_type": "client_credentials"}, {"data": {}}, "never|address"),
        ({}, {"json": {"grant_type": "client_credentials"}}, "urlencoded"),
        ({}, {"data": "a=1&a=2", "content_type": "application/x-www-form-urlencoded"}, "twice"),
        ({}, {"data": {"grant_type": "x" * 20_000}}, ""),
    ],
)
def test_parameters_come_once_and_in_the_body(let: Let, query: Any, body: Any, about: str) -> None:
    answer = let().browser.post("/oauth/token", query_string=query, **body)
    assert answer.status_code in {400, 413} and answer.get_json()["error"] == "invalid_request"
    assert any(word in answer.get_json()["error_description"] for word in about.split("|"))


def test_other_methods_and_addresses_answer_as_programs_expect(client: Any, database: Any) -> None:
    assert client.get("/oauth/token").status_code == 405
    assert client.get("/oauth/token").mimetype == "application/problem+json"
    assert client.get("/oauth/unknown").mimetype == "application/problem+json"


# --- refreshing ---


def test_a_refresh_token_works_once_and_a_spent_one_ends_all(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    first = planner.tokens()
    second = planner.token("refresh_token", refresh_token=first["refresh_token"]).get_json()
    assert second["scope"] == SCOPE and me(planner.browser, second["access_token"]).status_code == 200
    refused(planner.token("refresh_token", refresh_token=first["refresh_token"]), 400, "invalid_grant")
    problem(me(planner.browser, second["access_token"]), 401, "invalid_token")
    assert [one.ended_why for one in families(amina)] == ["reused"]


def test_scopes_only_shrink(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    first = planner.tokens()
    narrow = planner.token("refresh_token", refresh_token=first["refresh_token"], scope="appointments:read").get_json()
    assert narrow["scope"] == "appointments:read"
    reader = Program(planner.browser, narrow["access_token"])
    assert reader.get("/appointments").status_code == 200
    problem(reader.get("/auth/me"), 403, "insufficient_scope")
    wide = planner.token("refresh_token", refresh_token=narrow["refresh_token"], scope=f"{SCOPE} appointments:write")
    refused(wide, 400, "invalid_scope")
    whole = planner.token("refresh_token", refresh_token=narrow["refresh_token"]).get_json()
    assert whole["scope"] == SCOPE


def test_a_refresh_token_belongs_to_its_program(let: Let, amina: Any) -> None:
    planner, other = let(), let("server", name="Another")
    planner.browser.sign_in(amina)
    shown = planner.tokens()["refresh_token"]
    refused(other.token("refresh_token", refresh_token=shown), 400, "invalid_grant")
    problem(Program(planner.browser).post("/auth/refresh", {"refresh_token": shown}), 401, "invalid_token")
    assert planner.token("refresh_token", refresh_token=shown).status_code == 200


def test_a_password_programs_refresh_token_is_no_known_programs(let: Let, api: Program, amina: Any) -> None:
    refused(let().token("refresh_token", refresh_token=api.as_(amina).refresh), 400, "invalid_grant")


# --- programs of their own ---


def test_a_program_acts_as_itself_within_its_scopes_and_its_role(
    let: Let, admin: Any, el_djazair: Any, wish: Any, dr_haddad: Any, amina: Any
) -> None:
    scopes = ["profile:read", "appointments:read"]
    lab = let("service", by=admin, name="Lab", scopes=scopes, clinic_id=el_djazair.clinic_id)
    said = lab.token("client_credentials").get_json()
    assert "refresh_token" not in said and said["scope"].split() == scopes
    acting = Program(lab.browser, said["access_token"])
    told = acting.get("/auth/me").get_json()
    assert told["roles"] == ["staff"] and told["name"] == "Lab API"
    problem(acting.post("/appointments", wish()), 403, "insufficient_scope")
    narrow = lab.token("client_credentials", scope="profile:read").get_json()
    problem(Program(lab.browser, narrow["access_token"]).get("/appointments"), 403, "insufficient_scope")
    refused(lab.token("client_credentials", scope="audit:read"), 400, "invalid_scope")


def test_the_role_a_program_had_is_gone_with_its_next_request(let: Let, admin: Any, el_djazair: Any) -> None:
    lab = let("service", by=admin, clinic_id=el_djazair.clinic_id)
    acting = Program(lab.browser, lab.token("client_credentials").get_json()["access_token"])
    held = session().query(Membership).filter_by(user_id=clients.get(admin.actor, lab.key).service_user_id).one()
    members.end(admin.actor, held.id)
    keep()
    assert acting.get("/auth/me").get_json()["roles"] == []


def test_nobody_signs_in_as_a_programs_account(let: Let, api: Program, admin: Any, el_djazair: Any) -> None:
    lab = let("service", by=admin, clinic_id=el_djazair.clinic_id)
    answer = api.post("/auth/login", {"email": f"{lab.client_id}@programs.invalid", "password": "x"})
    problem(answer, 401, "sign_in_refused")


# --- the end ---


def test_giving_a_token_back_ends_the_family(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    for name in ("refresh_token", "access_token"):
        given = planner.tokens()
        answer = planner.about("revoke", given[name])
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        problem(me(planner.browser, given["access_token"]), 401, "invalid_token")
        refused(planner.token("refresh_token", refresh_token=given["refresh_token"]), 400, "invalid_grant")
        assert planner.about("revoke", given[name]).status_code == 200
    assert planner.about("revoke", "nothing that is known").status_code == 200


def test_nobody_gives_back_another_programs_token(let: Let, amina: Any) -> None:
    planner, other = let(), let(name="Another")
    planner.browser.sign_in(amina)
    given = planner.tokens()
    refused(other.about("revoke", given["refresh_token"]), 400, "invalid_grant")
    refused(other.send("revoke", {"client_id": other.client_id}), 400, "invalid_request")
    refused(other.send("revoke", {"token": given["refresh_token"]}), 401, "invalid_client")
    assert me(planner.browser, given["access_token"]).status_code == 200


def test_a_person_takes_their_yes_back(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    given = planner.tokens()
    page = planner.browser.get("/account/security").get_data(as_text=True)
    assert "Family planner" in page and str(SCOPES["appointments:read"]) in page
    assert planner.browser.post(f"/account/acting/{families(amina)[0].id}/end").status_code == 303
    problem(me(planner.browser, given["access_token"]), 401, "invalid_token")


def test_an_ended_program_is_not_known_any_more(let: Let, amina: Any, superadmin: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    given, code = planner.tokens(), planner.code()
    programs.end(superadmin.actor, planner.key)
    keep()
    problem(me(planner.browser, given["access_token"]), 401, "invalid_token")
    refused(planner.exchange(code), 401, "invalid_client")
    refused(planner.token("refresh_token", refresh_token=given["refresh_token"]), 401, "invalid_client")
    assert planner.ask().status_code == 400


def test_a_deactivated_account_ends_its_programs(let: Let, amina: Any, superadmin: Any) -> None:
    site = let("server")
    site.browser.sign_in(amina)
    given = site.tokens()
    accounts.deactivate(superadmin.actor, amina.user_id)
    keep()
    problem(me(site.browser, given["access_token"]), 401, "invalid_token")
    refused(site.token("refresh_token", refresh_token=given["refresh_token"]), 400, "invalid_grant")
    assert site.looks_at(given["access_token"]) == {"active": False}


# --- looking up ---


def test_a_program_looks_at_its_own_tokens(let: Let, amina: Any) -> None:
    site = let("server")
    site.browser.sign_in(amina)
    given = site.tokens()
    told = site.looks_at(given["access_token"])
    assert told["active"] and told["client_id"] == site.client_id and told["scope"] == SCOPE
    assert told["sub"] == str(amina.user_id) and told["iss"] == "http://localhost" and told["token_type"] == "Bearer"
    assert {"exp", "iat", "jti", "aud"} < set(told)
    assert site.looks_at(given["refresh_token"])["active"]
    site.about("revoke", given["access_token"])
    for token in (*[given[name] for name in ("access_token", "refresh_token")], "abc", "a.b.c"):
        assert site.looks_at(token) == {"active": False}


def test_another_programs_token_tells_nothing_but_within_a_clinic(
    let: Let, api: Program, amina: Any, el_djazair: Any, wahran: Any
) -> None:
    here, beside = (let("server", clinic_id=el_djazair.clinic_id) for _ in range(2))
    there, nowhere, also_nowhere = let("server", clinic_id=wahran.clinic_id), let("server"), let("server")
    here.browser.sign_in(amina)
    given = here.tokens()["access_token"]
    assert beside.looks_at(given)["client_id"] == here.client_id
    assert there.looks_at(given) == nowhere.looks_at(given) == {"active": False}
    assert also_nowhere.looks_at(nowhere.tokens()["access_token"]) == {"active": False}
    assert here.looks_at(str(api.as_(amina).token)) == {"active": False}


def test_a_program_without_a_secret_looks_at_nothing(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    refused(planner.about("introspect", planner.tokens()["access_token"]), 401, "invalid_client")


# --- what others read ---


def test_anybody_can_verify_a_token_with_the_published_key(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    given = planner.tokens()["access_token"]
    published = planner.browser.get("/oauth/jwks.json").get_json()
    assert "d" not in published["keys"][0]
    token = jwt.decode(given, KeySet.import_key_set(published), algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt" and token.header["kid"] == published["keys"][0]["kid"]
    assert {"iss", "aud", "sub", "client_id", "scope", "jti", "exp", "iat"} <= set(token.claims)
    assert token.claims["client_id"] == planner.client_id and token.claims["scope"] == SCOPE


def test_the_metadata_says_where_everything_is(client: Any, database: Any) -> None:
    answer = client.get("/.well-known/oauth-authorization-server")
    said = answer.get_json()
    assert said["issuer"] == "http://localhost" and answer.headers["Access-Control-Allow-Origin"] == "*"
    secure = {
        name: value.replace("http://", "https://") if isinstance(value, str) else value for name, value in said.items()
    }
    AuthorizationServerMetadata(secure).validate()
    assert said["code_challenge_methods_supported"] == ["S256"] and set(said["scopes_supported"]) == set(SCOPES)
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert client.post(urlsplit(said[name]).path).status_code in {400, 401}


def test_no_answer_for_programs_sets_a_cookie(let: Let, amina: Any) -> None:
    planner = let()
    planner.browser.sign_in(amina)
    code = planner.code()
    for answer in (planner.exchange(code), planner.browser.get("/oauth/jwks.json"), planner.send("token", {})):
        assert "Set-Cookie" not in answer.headers


def test_a_token_in_an_address_is_refused_and_says_why(api: Program, amina: Any) -> None:
    token = api.as_(amina).token
    said = problem(api.get(f"/auth/me?access_token={token}"), 400, "token_in_address")
    assert "Authorization" in said["detail"]
    problem(api.get(f"/clinics?access_token={token}"), 400, "token_in_address")


def test_too_many_tries_are_told_when_to_come_back(let: Let, with_limits: None) -> None:
    planner = let()
    answers = [planner.token("refresh_token", refresh_token="unknown") for _ in range(302)]
    assert answers[0].status_code == 400
    refused(answers[-1], 429, "temporarily_unavailable")
    assert int(answers[-1].headers["Retry-After"]) > 0 and "RateLimit" in answers[-1].headers
