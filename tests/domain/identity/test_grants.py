"""Codes and tokens of programs: what a yes gives, and that two who show one code share nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import keep, session
from portal.core.errors import Invalid
from portal.domain.access import actors
from portal.domain.clinics import programs
from portal.domain.identity import clients, grants, signing, tokens
from portal.domain.identity.client_models import AuthorizationCode, OAuthClient
from portal.domain.identity.models import RefreshToken, TokenFamily, User
from portal.domain.identity.tokens import ScopeTooWide, TokenRefused

BACK = "https://planner.example/back"
MAY = ["profile:read", "appointments:read"]
HERE = Actor(door="api", address="127.0.0.1")
CHALLENGE = "a" * 43


@pytest.fixture
def planner(superadmin: Any) -> OAuthClient:
    made, _none = programs.add(superadmin.actor, kind="app", name="Planner", scopes=MAY, redirect_uris=[BACK])
    return made


def yes(person: Any, client: OAuthClient, scopes: list[str] | None = None) -> str:
    told = {"redirect_uri": BACK, "scopes": scopes or MAY, "challenge": CHALLENGE}
    return grants.allow_client(person.actor, client, **told)


def given(person: Any, client: OAuthClient) -> grants.Given:
    return grants.redeem(HERE, client, grants.take_code(client, yes(person, client)))


def test_only_the_fingerprint_of_a_code_is_kept(planner: OAuthClient, amina: Any) -> None:
    code = yes(amina, planner)
    kept = session().query(AuthorizationCode).one()
    assert code not in str(vars(kept)) and kept.expires_at - kept.created_at <= timedelta(seconds=60)


def test_a_yes_is_within_what_the_program_may_ask(planner: OAuthClient, amina: Any) -> None:
    assert grants.scopes_for(planner, None) == MAY and grants.scopes_for(planner, MAY[:1] * 2) == MAY[:1]
    with pytest.raises(ScopeTooWide):
        yes(amina, planner, [*MAY, "audit:read"])
    with pytest.raises(Invalid):
        grants.allow_client(amina.actor, planner, redirect_uri=BACK, scopes=MAY, challenge="short")


def test_a_code_taken_twice_ends_the_family(planner: OAuthClient, amina: Any) -> None:
    code = yes(amina, planner)
    grants.redeem(HERE, planner, grants.take_code(planner, code))
    with pytest.raises(grants.CodeReused) as no:
        grants.take_code(planner, code)
    no.value.afterwards()
    assert session().query(TokenFamily).one().ended_why == "code_reused"


def test_a_yes_given_before_the_program_changed_gives_no_more_than_is_left(
    planner: OAuthClient, amina: Any, superadmin: Any
) -> None:
    code = yes(amina, planner)
    about = {"name": "Planner", "website": "", "redirect_uris": [BACK]}
    clients.change(superadmin.actor, planner.id, scopes=MAY[1:], **about)
    assert grants.redeem(HERE, planner, grants.take_code(planner, code)).scope == MAY[1]


def test_an_access_token_made_for_less_is_good_for_less(planner: OAuthClient, amina: Any) -> None:
    first = given(amina, planner)
    assert actors.by_bearer(first.access_token, None).scopes == set(MAY)
    second = grants.refresh(HERE, planner, first.refresh_token, MAY[1:])
    assert actors.by_bearer(second.access_token, None).scopes == {MAY[1]}
    third = grants.refresh(HERE, planner, second.refresh_token, None)
    assert actors.by_bearer(third.access_token, None).scopes == set(MAY)


def test_a_refusal_to_widen_spends_nothing(planner: OAuthClient, amina: Any) -> None:
    first = given(amina, planner)
    with pytest.raises(ScopeTooWide):
        grants.refresh(HERE, planner, first.refresh_token, [*MAY, "audit:read"])
    assert grants.refresh(HERE, planner, first.refresh_token, None).scope == " ".join(MAY)


def test_a_token_of_a_program_says_whose_it_is(planner: OAuthClient, amina: Any) -> None:
    claims = signing.read(given(amina, planner).access_token).claims
    assert claims["client_id"] == planner.client_id and claims["sub"] == str(amina.user_id)
    own = signing.read(tokens.sign_in(HERE, amina.email, amina.password).access_token)
    assert own.claims["client_id"] == signing.FIRST_PARTY and own.scopes is None


def test_a_program_of_its_own_gets_no_refresh_token_and_ends_with_its_account(admin: Any, el_djazair: Any) -> None:
    lab, _secret = programs.add(admin.actor, kind="service", name="Lab", scopes=MAY, clinic_id=el_djazair.clinic_id)
    said = grants.act_alone(HERE, lab, None)
    assert said.refresh_token == "" and session().query(RefreshToken).count() == 0
    acting = actors.by_bearer(said.access_token, None)
    assert acting.roles == ("staff",) and acting.has_factor
    session().get_one(User, lab.service_user_id).deactivated_at = clock.now()
    session().flush()
    with pytest.raises(grants.InvalidGrant):
        grants.act_alone(HERE, lab, None)
    with pytest.raises(TokenRefused):
        actors.by_bearer(said.access_token, None)


def test_what_is_long_over_is_forgotten(planner: OAuthClient, amina: Any, standing_at: Any) -> None:
    given(amina, planner)
    session().flush()
    with standing_at(clock.now() + timedelta(days=2)):
        grants.prune()
        tokens.prune()
        assert session().query(AuthorizationCode).count() == 0 and session().query(TokenFamily).count() == 1
    with standing_at(clock.now() + timedelta(days=61)):
        tokens.prune()
        assert session().query(TokenFamily).count() == 0 and session().query(RefreshToken).count() == 0
    keep()
