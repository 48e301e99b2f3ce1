"""Whenever an account may have changed hands, what acts for it ends: every kind, on every occasion, unless named."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import func, select

from portal import acting
from portal.core import clock, secrets
from portal.core.actor import NOBODY, Actor
from portal.core.db import keep, session
from portal.core.events import Event
from portal.domain.access import actors, factor_help
from portal.domain.identity import (
    accounts,
    acts_for,
    challenges,
    clients,
    credentials,
    factors,
    grants,
    links,
    sessions,
    sso,
    tokens,
)
from portal.domain.identity.client_models import AuthorizationCode
from portal.domain.identity.factor_models import RecoveryCode, SecondFactor
from portal.domain.identity.models import OneTimeToken, SsoLink, TokenFamily, User, UserSession
from portal.domain.patients import inviting, sent_invitations
from portal.domain.scheduling import feeds
from portal.domain.scheduling.planning import CalendarFeed
from portal.domain.webhooks import endpoints
from portal.domain.webhooks.models import WebhookEndpoint
from tests.apps import Phone
from tests.builders import PASSWORD

HERE = Actor(door="web", address="10.0.0.1")
API = Actor(door="api", address="10.0.0.1")
NEW = "seven green boats"
HOOK = "https://93.184.215.14/hook"
CHALLENGE = "x" * 43


@pytest.fixture
def holder(database: Any, amina: Any, admin: Any, superadmin: Any, el_djazair: Any) -> Any:
    """Amina, for whom one thing of every kind acts; she has a factor unless the test takes it."""
    client, _ = clients.make(
        superadmin.actor, kind="app", name="Planner", scopes=["profile:read"], redirect_uris=["https://p.example/back"]
    )
    sessions.sign_in(HERE, amina.email, PASSWORD)
    tokens.sign_in(API, amina.email, PASSWORD)
    feeds.make(amina.actor, "patient")
    endpoints.make(amina.actor, url=HOOK)
    session().add(WebhookEndpoint(user_id=amina.user_id, clinic_id=el_djazair.clinic_id, url=HOOK, events=[]))
    inviting.grant(amina.actor, email="friend@example.dz", scopes=["view"])
    grants.allow_client(
        amina.actor, client, redirect_uri="https://p.example/back", scopes=["profile:read"], challenge=CHALLENGE
    )
    session().add(SsoLink(user_id=amina.user_id, issuer="https://id.example", subject="abc"))
    keep()
    return amina


def living(person: Any) -> set[str]:
    """The kinds of which something acts for this account now."""
    user = session().get_one(User, person.user_id, populate_existing=True)
    rows: dict[str, Any] = {
        "browser": (UserSession, UserSession.ended_at.is_(None)),
        "program": (TokenFamily, TokenFamily.ended_at.is_(None)),
        "code": (AuthorizationCode, AuthorizationCode.used_at.is_(None)),
        "calendar": (CalendarFeed, CalendarFeed.ended_at.is_(None)),
        "webhook": (WebhookEndpoint, WebhookEndpoint.clinic_id.is_(None)),
        "clinic_webhook": (WebhookEndpoint, WebhookEndpoint.clinic_id.is_not(None)),
        "provider": (SsoLink, SsoLink.issuer == "https://id.example"),
        "second_factor": (SecondFactor, SecondFactor.confirmed_at.is_not(None)),
        "link": (OneTimeToken, OneTimeToken.used_at.is_(None)),
    }
    found = {
        name
        for name, (model, which) in rows.items()
        if session().scalar(select(func.count()).select_from(model).where(model.user_id == person.user_id, which))
    }
    found |= {"password"} if user.password_hash else set()
    return found | ({"invitation"} if sent_invitations.open_of(person.user_id) else set())


def signed_in(person: Any) -> Actor:
    """A browser of this person, as it is after signing in."""
    _, token = sessions.start(HERE, accounts.get(person.user_id))
    found = actors.by_session(token, HERE.address)
    assert found
    return found


def verify(person: Any, superadmin: Any) -> None:
    user = accounts.get(person.user_id)
    user.email_verified_at = None
    accounts.verify_email(NOBODY, links.make("verify", user), password=NEW)


def link_provider(person: Any, superadmin: Any) -> None:
    with suppress(challenges.SecondFactorRequired):
        sso.sign_in(HERE, issuer="https://other.example", subject="1", email=person.email, email_verified=True)


def set_up_factor(person: Any, superadmin: Any) -> None:
    Phone(person).set_up()


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    acts_for.VERIFIED: verify,
    acts_for.RESET: lambda person, _: credentials.reset(NOBODY, links.make("reset", accounts.get(person.user_id)), NEW),
    acts_for.CHANGED: lambda person, _: credentials.change(person.actor, PASSWORD, NEW),
    acts_for.LINKED: link_provider,
    acts_for.FACTOR_ON: set_up_factor,
    acts_for.FACTOR_OFF: lambda person, _: factors.remove(person.actor),
    acts_for.FACTOR_TAKEN: lambda person, helper: factor_help.take_away(helper.actor, person.user_id),
    acts_for.TAKEN_OVER: lambda person, _: acts_for.end_mine(person.actor, acts_for.TAKEN_OVER),
    acts_for.SHUT: lambda person, helper: accounts.deactivate(helper.actor, person.user_id),
    acts_for.EVERYWHERE: lambda person, _: accounts.sign_out_everywhere(person.actor),
}


def test_there_is_a_way_to_each_occasion() -> None:
    assert set(WAYS) == set(acts_for.OCCASIONS)


@pytest.mark.parametrize("occasion", acts_for.OCCASIONS)
def test_every_kind_ends_or_is_spared_by_name(holder: Any, superadmin: Any, occasion: str) -> None:
    every = {kind.name for kind in acting.KINDS}
    if occasion != acts_for.FACTOR_ON:
        session().add(SecondFactor(user_id=holder.user_id, secret=b"x", confirmed_at=clock.now()))
        session().add(RecoveryCode(user_id=holder.user_id, fingerprint="x"))
    links.make("verify", accounts.get(holder.user_id))
    keep()
    assert living(holder) == every - ({"second_factor"} if occasion == acts_for.FACTOR_ON else set())
    WAYS[occasion](holder, superadmin)
    keep()
    chosen = {"password"} if occasion == acts_for.VERIFIED else set()  # by whoever opened the link
    assert living(holder) == set(acting.SPARED[occasion]) | chosen
    said = session().scalars(select(Event).where(Event.name == "account.access_ended")).one()
    assert said.facts["why"] == occasion and said.subject_id == holder.user_id
    assert "second_factor" in living(holder) or session().scalar(select(RecoveryCode.id)) is None


def test_the_browser_that_is_spared_goes_on_under_a_new_token(holder: Any) -> None:
    _, copied = sessions.start(HERE, accounts.get(holder.user_id))
    actor = actors.by_session(copied, None)
    assert actor
    for ended in (credentials.change(actor, PASSWORD, NEW), accounts.sign_out_everywhere(actor)):
        assert actors.by_session(copied, None) is None
        copied = ended.cookie
    assert actors.by_session(copied, None)


def test_a_programs_own_sign_in_ends_with_the_rest(holder: Any) -> None:
    grant = tokens.sign_in(API, holder.email, PASSWORD)
    credentials.change(actors.by_bearer(grant.access_token, None), PASSWORD, NEW)
    with pytest.raises(tokens.TokenRefused):
        actors.by_bearer(grant.access_token, None)


def test_half_a_sign_in_dies_with_the_rest(database: Any, amina: Any) -> None:
    Phone(amina).set_up()
    with pytest.raises(challenges.SecondFactorRequired) as asked:
        sessions.sign_in(HERE, amina.email, PASSWORD)
    accounts.sign_out_everywhere(amina.actor)
    with pytest.raises(challenges.ChallengeOver):
        challenges.read("web", asked.value.challenge)


def test_the_first_verification_in_the_makers_own_browser_spares_its_password(database: Any, lina: Any) -> None:
    actor = signed_in(lina)
    elsewhere = signed_in(lina)
    _, _, cookie = accounts.verify_email(actor, links.make("verify", accounts.get(lina.user_id)))
    assert actors.by_session(cookie, None)
    assert [one.id for one in sessions.mine(actor)] == [actor.session_id]
    assert elsewhere.session_id != actor.session_id
    assert sessions.sign_in(HERE, lina.email, PASSWORD)


def test_only_the_browser_that_registered_is_known_by_its_mark(database: Any) -> None:
    about = {"given_name": "Rania", "family_name": "Saadi", "locale": "en", "email": "rania@example.dz"}
    user = accounts.register(NOBODY, **about, password=PASSWORD, mark="the browser")
    assert user and accounts.is_made_here(NOBODY, user, "the browser")
    assert user.registered_mark == secrets.fingerprint("the browser")
    for mark in ("", "another"):
        assert not accounts.is_made_here(NOBODY, user, mark)
        with pytest.raises(accounts.PasswordNeeded):
            accounts.verify_email(NOBODY, links.make("verify", user), mark=mark)
    credentials.reset(NOBODY, links.make("reset", user), NEW)
    assert not accounts.is_made_here(NOBODY, user, "the browser")


def test_somebody_elses_session_does_not_verify_for_the_account(database: Any, lina: Any, amina: Any) -> None:
    token = links.make("verify", accounts.get(lina.user_id))
    with pytest.raises(accounts.PasswordNeeded):
        accounts.verify_email(amina.actor, token)
    _, _, cookie = accounts.verify_email(signed_in(amina), token, password=NEW)
    assert cookie == "" and len(sessions.mine(amina.actor)) == 1


@pytest.fixture
def made(database: Any, superadmin: Any, el_djazair: Any) -> dict[str, Callable[[Actor], Any]]:
    """What an account can make that acts for it."""
    client, _ = clients.make(
        superadmin.actor, kind="app", name="Planner", scopes=["profile:read"], redirect_uris=["https://p.example/back"]
    )
    return {
        "calendar": lambda actor: feeds.make(actor, "patient"),
        "webhook": lambda actor: endpoints.make(actor, url=HOOK),
        "second_factor": factors.begin,
        "code": lambda actor: grants.allow_client(
            actor, client, redirect_uri="https://p.example/back", scopes=["profile:read"], challenge=CHALLENGE
        ),
        "invitation": lambda actor: inviting.grant(actor, email="friend@example.dz", scopes=["view"]),
    }


@pytest.mark.parametrize("kind", ["calendar", "webhook", "second_factor", "code", "invitation"])
def test_an_address_that_is_not_verified_lets_nothing_in(made: Any, lina: Any, amina: Any, kind: str) -> None:
    with pytest.raises(acts_for.EmailNotVerified) as no:
        made[kind](lina.actor)
    assert (no.value.code, no.value.status) == ("email_not_verified", 403)
    made[kind](amina.actor)


def test_an_address_that_is_not_verified_gets_no_tokens(database: Any, lina: Any) -> None:
    with pytest.raises(acts_for.EmailNotVerified):
        tokens.sign_in(API, lina.email, PASSWORD)
    with pytest.raises(sessions.SignInRefused):
        tokens.sign_in(API, lina.email, "wrong")


@pytest.mark.parametrize("kind", ["calendar", "webhook", "second_factor", "code", "invitation"])
def test_whatever_was_ended_meanwhile_lets_nothing_in(made: Any, amina: Any, kind: str) -> None:
    late = signed_in(amina)
    credentials.reset(NOBODY, links.make("reset", accounts.get(amina.user_id)), NEW)
    with pytest.raises(acts_for.ChangedHands):
        made[kind](late)


def test_a_superadmin_made_of_a_strangers_account_is_nobodys_but_the_new_password_s(database: Any, lina: Any) -> None:
    _, planted = sessions.sign_in(HERE, lina.email, PASSWORD)
    accounts.make_superadmin(lina.email, NEW)
    assert actors.by_session(planted, None) is None
    with pytest.raises(sessions.SignInRefused):
        sessions.sign_in(HERE, lina.email, PASSWORD)


def test_one_provider_is_unlinked_by_its_owner_only(holder: Any, yacine: Any) -> None:
    (link,) = [one for one in acts_for.mine(holder.actor) if one.kind == "provider"]
    assert link.label == "id.example"
    with pytest.raises(acts_for.NotFound):
        sso.unlink(yacine.actor, link.id)
    acts_for.end_one(holder.actor, link.id)
    assert "provider" not in living(holder)


@pytest.mark.parametrize("locale", ["en", "fr", "ar"])
def test_the_letter_says_what_ended_and_nothing_else(holder: Any, mailbox: Any, locale: str) -> None:
    accounts.get(holder.user_id).locale = locale
    credentials.change(holder.actor, PASSWORD, NEW)
    text = mailbox.text(holder.email)
    said = {"en": "1 calendar address", "fr": "1 lien d’agenda", "ar": "عنوان تقويم واحد"}[locale]
    assert said in text and "/account/calendars" in text
    assert "93.184" not in text and "friend@example.dz" not in text
