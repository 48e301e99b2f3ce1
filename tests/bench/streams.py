"""A thousand streams of one `live` process: how long one nudge to all of them takes."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from portal.core import live
from portal.core.db import session, transaction
from portal.domain.patients.models import Patient
from tests import processes
from tests.bench.ground import PLACE, settings_of
from tests.crowd import cookie_of, crowd
from tests.engines import Ground

ACCOUNTS, EACH = 100, 10


def nudge_all(app: Flask, ground: Ground, rounds: int) -> list[float]:
    """The seconds until the last of 1,000 streams was told, for each round; the portal as `live` is shipped."""
    with app.app_context(), transaction():
        people = list(session().scalars(select(Patient.user_id).where(Patient.user_id.is_not(None)).limit(ACCOUNTS)))
        cookies = [cookie_of(app, one) for one in people]
    with (
        processes.running(settings_of(ground), PLACE / "log", "web") as portal,  # gunicorn with gevent
        crowd(portal.base_url) as listeners,
    ):
        for _ in range(EACH):
            listeners.join(cookies)
        times = []
        for number in range(rounds):
            live._send([(f"user:{one}", f"round-{number}") for one in people])
            times.append(listeners.hear(f"round-{number}"))
        return times
