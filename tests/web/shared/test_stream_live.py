"""A thousand streams of one real process, as it is shipped: all are told, and nothing else waits for them."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis
import requests

from portal.core import live
from portal.core.db import keep
from tests.builders import at, grant_for, make_user
from tests.crowd import cookie_of, crowd

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journeys")]  # on the real portal that journeys have started
ACCOUNTS, EACH = 100, 10


def test_a_thousand_listen_and_are_told_while_bookings_go_on(
    request: Any, live_server: str, live_mailbox: Any, committed: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    portal = request.getfixturevalue("_live")  # its processes
    people = [make_user("Listener", f"Number{number}").id for number in range(ACCOUNTS)]
    cookies = [cookie_of(committed, one) for one in people]
    token = grant_of(amina, live_server)
    keep()
    with crowd(live_server) as listeners:
        for _ in range(EACH):
            listeners.join(cookies)
        assert len(listeners) == ACCOUNTS * EACH
        live._send([(f"user:{one}", "schedule") for one in people])
        listeners.hear("schedule")

        booked = requests.post(
            f"{live_server}/api/v1/appointments",
            json={"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id),
                  "starts_at": at("09:00", 3).isoformat()},
            headers={"Authorization": f"Bearer {token}"}, timeout=60,
        )  # fmt: skip
        assert booked.status_code == 201, booked.text
        _until(lambda: live_mailbox.to(amina.email))
        assert "dropped" not in portal.said("web")

        with redis.from_url(portal.environment["REDIS_URL"]) as here:
            number = str(here.connection_pool.connection_kwargs["db"])
            names = [one["name"] for one in here.client_list() if one["db"] == number]
        assert names.count("portal-hears") == 1
        assert len(names) < 40  # of web, worker and clock together


def grant_of(person: Any, live_server: str) -> str:
    from portal.domain.identity import signing

    own = signing.issuer()
    signing.issue_as(live_server)  # the portal's secret is the tests' own, so tokens in its name count there
    try:
        return grant_for(person.user_id).access_token
    finally:
        signing.issue_as(own)


def _until(true: Any, within: float = 60) -> None:
    give_up = time.monotonic() + within
    while not true():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.1)
