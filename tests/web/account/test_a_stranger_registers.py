"""A stranger registers somebody else's address and plants what acts for it; then its owner comes, by each way in.

Whatever the stranger planted before a verified address was asked for is planted here as rows: it must not live on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import keep, session
from portal.core.errors import NotFound
from portal.domain.identity import accounts, acts_for, factors, recovery, sessions, tokens
from portal.domain.identity.factor_models import SecondFactor
from portal.domain.scheduling import feeds
from portal.domain.webhooks.models import WebhookEndpoint
from tests.api.conftest import Program, problem
from tests.apps import Phone
from tests.builders import PASSWORD, grant_for
from tests.web.account.test_provider import provider, walk  # noqa: F401 - a fixture and how one goes through it

VICTIM = "amina.victim@example.dz"
ABOUT = {"given_name": "Amina", "family_name": "Boudiaf", "email": VICTIM, "password": PASSWORD}
NEW = "seven green boats"


class Stranger:
    """Whoever registered the victim's address, and what they hold."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        browser.post("/account/register", data=ABOUT)
        browser.post("/account/sign-in", data={"email": VICTIM, "password": PASSWORD})
        user = accounts.by_email(VICTIM)
        assert user
        self.user_id = user.id
        self.grant = grant_for(user.id)
        user.email_verified_at = clock.now()
        keep()
        self.feed = feeds.make(self.actor, "patient")
        session().add(WebhookEndpoint(user_id=user.id, url="https://93.184.215.14/hook", events=[]))
        self.user().email_verified_at = None
        keep()

    def user(self) -> Any:
        return accounts.get(self.user_id)

    @property
    def actor(self) -> Actor:
        from tests.builders import actor_of

        return actor_of(self.user_id)

    def plant_a_factor(self) -> None:
        session().add(SecondFactor(user_id=self.user_id, secret=b"x", confirmed_at=clock.now()))
        recovery.make(self.user_id)
        keep()

    def holds_nothing(self) -> None:
        """Neither browser nor token nor password nor feed nor receiver nor factor is worth anything."""
        assert self.browser.get("/account/profile").status_code == 303
        with pytest.raises(tokens.TokenRefused):
            tokens.refresh(Actor(door="api"), self.grant.refresh_token)
        with pytest.raises(sessions.SignInRefused):
            sessions.identify(Actor(door="web", address="10.9.9.9"), VICTIM, PASSWORD, "web")
        with pytest.raises(NotFound):
            feeds.read(self.feed)
        assert factors.of(self.user_id) is None
        assert {one.kind for one in acts_for.mine(self.actor)} <= {"browser", "provider"}
        assert self.user().is_verified


@pytest.fixture
def stranger(new_client: Any, mailbox: Any) -> Stranger:
    planted = Stranger(new_client())
    planted.plant_a_factor()
    return planted


def path(link: str) -> str:
    return link.removeprefix("http://localhost")


def by_the_link(client: Any, mailbox: Any) -> None:
    link = path(mailbox.link(VICTIM, "verify"))
    assert client.post(link).status_code == 422
    assert client.post(link, data={"password": NEW}).status_code == 303
    assert client.get("/account/profile").status_code == 200, "the owner is in"


def by_registering_again(client: Any, mailbox: Any) -> None:
    client.post("/account/register", data=ABOUT | {"password": "four other words"})
    assert client.post(path(mailbox.link(VICTIM, "reset")), data={"password": NEW}).status_code == 303


def by_a_forgotten_password(client: Any, mailbox: Any) -> None:
    client.post("/account/forgot", data={"email": VICTIM})
    assert client.post(path(mailbox.link(VICTIM, "reset")), data={"password": NEW}).status_code == 303


def by_the_api(client: Any, mailbox: Any) -> None:
    api = Program(client)
    token = mailbox.link(VICTIM, "verify").rpartition("/")[2]
    problem(api.post("/auth/verify", {"token": token}), 422, "invalid")
    assert api.post("/auth/verify", {"token": token, "password": NEW}).status_code == 204


def by_the_apis_reset(client: Any, mailbox: Any) -> None:
    api = Program(client)
    api.post("/auth/forgot", {"email": VICTIM})
    token = mailbox.link(VICTIM, "reset").rpartition("/")[2]
    assert api.post("/auth/reset", {"token": token, "password": NEW}).status_code == 204


@pytest.mark.parametrize(
    "comes", [by_the_link, by_registering_again, by_a_forgotten_password, by_the_api, by_the_apis_reset]
)
def test_the_owner_comes_and_nothing_of_the_strangers_lives(
    client: Any, mailbox: Any, stranger: Stranger, comes: Callable[[Any, Any], None]
) -> None:
    comes(client, mailbox)
    stranger.holds_nothing()
    assert sessions.sign_in(Actor(door="web", address="10.0.0.7"), VICTIM, NEW)


def test_the_owner_comes_with_a_provider(client: Any, mailbox: Any, stranger: Stranger, provider: Any) -> None:  # noqa: F811
    provider.claims = {"sub": "person-1", "email": VICTIM, "email_verified": True}
    assert walk(client, provider).status_code == 303
    assert client.get("/account/profile").status_code == 200
    stranger.holds_nothing()
    assert "1 calendar address" in mailbox.text(VICTIM)


def test_before_that_the_stranger_is_let_in_by_neither_door(new_client: Any, mailbox: Any) -> None:
    browser = new_client()
    browser.post("/account/register", data=ABOUT)
    browser.post("/account/sign-in", data={"email": VICTIM, "password": PASSWORD})
    assert browser.get("/account/profile").status_code == 200
    for address, form in (("/account/calendars", {"whose": "patient"}), ("/account/second-factor/begin", {})):
        answer = browser.post(address, data=form)
        said = browser.get(answer.location).text if answer.status_code == 303 else answer.text
        assert "Please confirm your e-mail address first" in said
    user = accounts.by_email(VICTIM)
    assert user
    problem(Program(browser).post("/auth/login", {"email": VICTIM, "password": PASSWORD}), 403, "email_not_verified")
    old = Program(browser, grant_for(user.id).access_token)
    problem(old.post("/calendars", {"whose": "patient"}), 403, "email_not_verified")
    problem(old.post("/webhooks", {"url": "https://93.184.215.14/hook"}), 403, "email_not_verified")


# --- a copied cookie ---


def cookie_of(client: Any) -> str:
    with client.session_transaction() as kept:
        return str(kept["_user_id"])


def with_cookie(browser: Any, token: str) -> Any:
    with browser.session_transaction() as kept:
        kept.update(_user_id=token, _fresh=True, _permanent=True)
    return browser


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/account/password", {"current_password": PASSWORD, "password": NEW}),
        ("/account/acting/end", {}),
    ],
)
def test_a_copied_cookie_is_worth_nothing_afterwards(
    client: Any, new_client: Any, amina: Any, address: str, form: dict[str, str]
) -> None:
    client.sign_in(amina)
    copy = cookie_of(client)
    thief = with_cookie(new_client(), copy)
    assert thief.get("/account/profile").status_code == 200
    assert client.post(address, data=form).status_code == 303
    assert client.get("/account/profile").status_code == 200
    assert cookie_of(client) != copy
    assert thief.get("/account/profile").status_code == 303


def test_a_copied_cookie_dies_with_the_second_factor(client: Any, new_client: Any, amina: Any) -> None:
    client.sign_in(amina)
    client.post("/account/second-factor/begin")
    thief = with_cookie(new_client(), cookie_of(client))
    assert client.post("/account/second-factor/confirm", data={"code": Phone(amina).code()}).status_code == 201
    assert thief.get("/account/profile").status_code == 303
    thief = with_cookie(new_client(), cookie_of(client))
    assert thief.get("/account/profile").status_code == 200
    client.post("/account/second-factor/remove")
    assert client.get("/account/profile").status_code == 200
    assert thief.get("/account/profile").status_code == 303


def test_a_changed_password_says_what_ended(client: Any, amina: Any, mailbox: Any) -> None:
    client.sign_in(amina)
    feed = feeds.make(amina.actor, "patient")
    assert "My visits and those of my family" in client.get("/account/security").text
    answer = client.post("/account/password", data={"current_password": PASSWORD, "password": NEW})
    page = client.get(answer.location).text
    assert "1 calendar address" in page and "My visits and those of my family" not in page
    assert "/account/calendars" in mailbox.text(amina.email)
    with pytest.raises(NotFound):
        feeds.read(feed)
