"""What a change of SECRET_KEY leaves working: everything made with a secret that is still read with, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from portal import checkup
from portal.core import secrets
from portal.core.db import keep, new_id, session
from portal.core.errors import Gone
from portal.core.events import Event
from portal.domain.identity import factors, recovery, rotation, signing
from portal.domain.identity.factor_models import SecondFactor
from portal.domain.webhooks import signing as webhook_signing
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage
from tests.engines import SECRET

NEXT = "the secret that comes after the one the tests know"


@pytest.fixture
def rotate() -> Iterator[Any]:
    secrets.use_key(SECRET)
    yield secrets.use_key
    secrets.use_key(SECRET)


def _factor(user_id: Any) -> SecondFactor:
    locked = secrets.lock(factors.PURPOSE, b"JBSWY3DPEHPK3PXP", user_id.bytes)
    factor = SecondFactor(user_id=user_id, secret=locked, last_step=0)
    session().add(factor)
    session().flush()
    return factor


@pytest.mark.drill("SECRET_KEY")
def test_what_was_signed_or_locked_before_is_read_and_the_present_secret_makes_what_is_new(rotate: Any) -> None:
    owner = new_id().bytes
    signed, locked = secrets.sign("link", {"visit": 7}), secrets.lock("box", b"words", owner)
    rotate(NEXT, [SECRET])
    assert secrets.unsign("link", signed) == {"visit": 7}
    assert secrets.unlock("box", locked, owner) == b"words" and not secrets.is_current("box", locked, owner)
    new = secrets.sign("link", 1), secrets.lock("box", b"new", owner)
    rotate(NEXT)
    assert (secrets.unsign("link", new[0]), secrets.unlock("box", new[1], owner)) == (1, b"new")


@pytest.mark.parametrize("retired", [[], [SECRET]])
def test_nothing_of_a_secret_that_others_may_know_is_read(rotate: Any, retired: list[str]) -> None:
    owner = new_id().bytes
    signed, locked = secrets.sign("link", 7), secrets.lock("box", b"words", owner)
    rotate(NEXT, [], retired)
    with pytest.raises(Gone):
        secrets.unsign("link", signed)
    with pytest.raises(Gone):
        secrets.unlock("box", locked, owner)
    assert len(secrets.known("events")) == 1 + len(retired)  # what happened can still be checked


def test_tokens_and_recovery_codes_are_good_until_they_end(database: Any, rotate: Any, amina: Any) -> None:
    token = signing.write(user_id=amina.user_id, family_id=new_id(), lasts=timedelta(minutes=5), client="portal")
    (code, *_), kid = recovery.make(amina.user_id), signing.key_set()["keys"][0]["kid"]
    rotate(NEXT, [SECRET])
    assert signing.read(token).claims["sub"] == str(amina.user_id)
    assert [key["kid"] for key in signing.key_set()["keys"]][1:] == [kid]
    assert recovery.use(amina.user_id, code.replace("-", ""))
    assert not recovery.use(amina.user_id, code.replace("-", ""))
    rotate(NEXT)
    with pytest.raises(signing.TokenRefused):
        signing.read(token)


def test_a_receiver_checks_with_the_secret_it_was_given(database: Any, rotate: Any) -> None:
    endpoint = WebhookEndpoint(id=new_id(), secret_version=1)
    message = WebhookMessage(event_id=new_id(), body={"type": "x", "timestamp": "t", "data": {}})
    given = webhook_signing.secret(endpoint)
    body = webhook_signing.body_of(message)
    rotate(NEXT, [SECRET])
    Webhook(given).verify(body, webhook_signing.headers(endpoint, message, body))
    Webhook(webhook_signing.secret(endpoint)).verify(body, webhook_signing.headers(endpoint, message, body))
    rotate(NEXT)
    with pytest.raises(WebhookVerificationError):
        Webhook(given).verify(body, webhook_signing.headers(endpoint, message, body))


@pytest.mark.drill("SECRET_KEY")
def test_second_factors_are_moved_to_the_present_secret_once_and_the_doctor_says_when(
    database: Any, rotate: Any, amina: Any, yacine: Any
) -> None:
    one, lost = _factor(amina.user_id), _factor(yacine.user_id)
    lost.secret = b"x" * 60
    session().flush()
    rotate(NEXT, [SECRET])
    assert rotation.kept() == rotation.Kept(present=0, former=1, unreadable=1)
    (found,) = checkup._former_secrets()
    assert not found.ok and "SECRET_KEY_PREVIOUS" in found.do
    assert rotation.reencrypt().former == 1
    keep()
    assert session().scalars(select(Event.facts).where(Event.name == "secrets.reencrypted")).one() == {"count": 1}
    rotate(NEXT)
    assert rotation.reencrypt() == rotation.Kept(present=1, former=0, unreadable=1)
    assert secrets.unlock(factors.PURPOSE, one.secret, amina.user_id.bytes) == b"JBSWY3DPEHPK3PXP"
