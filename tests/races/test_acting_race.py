"""At the same moment: whoever ends what acts for an account, and whoever makes or renews something that does."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.actor import NOBODY, Actor
from portal.core.db import keep, session
from portal.domain.access import actors
from portal.domain.identity import accounts, acts_for, credentials, links, sessions, tokens
from portal.domain.identity.models import TokenFamily, UserSession
from portal.domain.scheduling import feeds
from portal.domain.scheduling.planning import CalendarFeed
from tests.builders import PASSWORD

HERE = Actor(door="web", address="10.0.0.1")
NEW = "seven green boats"


def living(model: Any, user_id: Any) -> int:
    session().rollback()
    return session().query(model).filter(model.user_id == user_id, model.ended_at.is_(None)).count()


@pytest.fixture
def reset(committed: Any, amina: Any) -> Any:
    token = links.make("reset", accounts.get(amina.user_id))
    keep()
    return lambda: credentials.reset(NOBODY, token, NEW)


@pytest.mark.race
def test_no_token_that_is_renewed_outlives_a_reset(race: Any, amina: Any, reset: Any) -> None:
    grants = [tokens.sign_in(HERE, amina.email, PASSWORD) for _ in range(6)]
    keep()
    results = race([reset, *(lambda one=one: tokens.refresh(HERE, one.refresh_token) for one in grants)])
    assert not isinstance(results[0], Exception), results[0]
    assert living(TokenFamily, amina.user_id) == 0
    for one in results[1:]:
        if not isinstance(one, tokens.TokenRefused):
            with pytest.raises(tokens.TokenRefused):
                actors.by_bearer(one.access_token, None)


@pytest.mark.race
def test_nobody_who_knew_the_earlier_password_is_in_after_a_reset(race: Any, amina: Any, reset: Any) -> None:
    enter = [lambda: sessions.sign_in(HERE, amina.email, PASSWORD), lambda: tokens.sign_in(HERE, amina.email, PASSWORD)]
    results = race([reset, *(enter * 4)])
    assert not isinstance(results[0], Exception), results[0]
    refused = (sessions.SignInRefused, acts_for.ChangedHands)
    assert all(isinstance(one, refused) for one in results[1:] if isinstance(one, Exception)), results
    assert (living(UserSession, amina.user_id), living(TokenFamily, amina.user_id)) == (0, 0)


@pytest.mark.race
def test_no_address_that_is_made_meanwhile_outlives_a_reset(race: Any, amina: Any, reset: Any) -> None:
    _, cookie = sessions.sign_in(HERE, amina.email, PASSWORD)
    actor = actors.by_session(cookie, None)
    assert actor
    results = race([reset, *([lambda: feeds.make(actor, "patient")] * 4)])
    assert not isinstance(results[0], Exception), results[0]
    failed = [one for one in results[1:] if isinstance(one, Exception)]
    assert all(isinstance(one, acts_for.ChangedHands) for one in failed), results
    assert living(CalendarFeed, amina.user_id) == 0


@pytest.mark.race
def test_of_a_reset_and_a_thiefs_new_password_the_reset_stands(race: Any, amina: Any, reset: Any) -> None:
    thief = amina.actor
    results = race([reset, lambda: credentials.change(thief, PASSWORD, "the thief's own words")])
    if isinstance(results[0], Exception):  # the thief's came first and ended the link; the owner asks for another
        credentials.reset(NOBODY, links.make("reset", accounts.get(amina.user_id)), NEW)
        keep()
    session().rollback()
    assert sessions.identify(HERE, amina.email, NEW, "web")
