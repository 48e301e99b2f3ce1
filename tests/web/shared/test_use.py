"""What keeps a session alive: what a person asks, never what an open page asks by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.identity import sessions
from portal.domain.identity.models import UserSession
from tests.builders import HTMX

QUIET = HTMX | {"Portal-Background": "1"}


@pytest.fixture
def seen(client: Any, nadia: Any) -> Any:
    """When Nadia's session was last used, after it was left alone for an hour."""
    client.sign_in(nadia)
    session().execute(
        update(UserSession).where(UserSession.user_id == nadia.user_id).values(last_seen_at=_an_hour_ago())
    )
    keep()

    def last() -> datetime:
        session().expire_all()
        found = session().scalars(select(UserSession.last_seen_at).where(UserSession.user_id == nadia.user_id))
        return max(found)

    return last


def _an_hour_ago() -> datetime:
    return clock.now() - timedelta(hours=1)


def test_what_somebody_opens_is_a_use_of_the_session(client: Any, seen: Any) -> None:
    client.get("/desk/")
    assert seen() > _an_hour_ago() + timedelta(minutes=50)


@pytest.mark.parametrize("path", ["/desk/", "/notifications/badge"])
def test_what_a_page_asks_by_itself_is_none(client: Any, seen: Any, path: str) -> None:
    assert client.get(path, headers=QUIET).status_code == 200
    assert seen() < _an_hour_ago() + timedelta(minutes=10)


def test_connecting_to_the_stream_is_none(client: Any, seen: Any) -> None:
    client.head("/live")
    assert seen() < _an_hour_ago() + timedelta(minutes=10)


def test_a_desk_page_left_open_reaches_the_idle_limit(client: Any, nadia: Any, standing_at: Any) -> None:
    """It renews itself each minute; what comes after the limit is the sentence to sign in and nothing of the day."""
    client.sign_in(nadia)
    begun, answers = clock.now(), []
    for part in (0.5, 0.9, 1.1):
        with standing_at(begun + sessions.idle_limit() * part):
            answers.append(client.get("/desk/", headers=QUIET))
    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert 'id="day"' not in answers[-1].text
