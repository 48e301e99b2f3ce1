"""Webhooks with several workers: nothing goes out twice at once, each object in its order, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from portal import worker
from portal.core import clock, tasks
from portal.core.db import keep, session
from portal.domain.scheduling import booking
from portal.domain.webhooks import endpoints
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage
from portal.gateways import hooks
from tests.builders import at
from tests.receivers import Receiver, listening


class Killed(BaseException):
    """What a process that is killed does not get to handle."""


WALLS = ("09:00", "09:30", "10:00")


@pytest.fixture
def receiver(committed: Any) -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def hook(admin: Any, el_djazair: Any, receiver: Receiver) -> WebhookEndpoint:
    made, _secret = endpoints.make(admin.actor, url=receiver.url, clinic_id=el_djazair.clinic_id)
    keep()
    return made


@pytest.fixture
def visits(hook: WebhookEndpoint, amina: Any, dr_benali: Any, el_djazair: Any) -> list[str]:
    """Three visits that were booked and cancelled; their tasks wait for workers."""
    made = []
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    for wall in WALLS:
        visit = booking.book(amina.actor, starts_at=at(wall, 5), **about)
        keep()
        booking.cancel(amina.actor, visit.id, code="mistake")
        keep()
        made.append(str(visit.id))
    return made


def at_once(app: Any, workers: int) -> None:
    """So many workers do everything that is due, each with connections of its own."""
    threads = [threading.Thread(target=worker.drain, args=(app,)) for _ in range(workers)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    session().rollback()


def states() -> list[str]:
    session().rollback()
    return list(session().scalars(select(WebhookMessage.state)))


def in_order(receiver: Receiver) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for got in receiver.got:
        found.setdefault(got.body["data"]["id"], []).append(got.body["type"])
    return found


def test_many_workers_send_each_message_once_and_in_order(committed, visits, receiver):
    receiver.waits = 0.05
    at_once(committed, 4)
    at_once(committed, 1)
    assert states() == ["sent"] * 6
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 6
    assert receiver.most_at_once == 1, "one worker at a time serves a receiver"
    assert in_order(receiver) == {one: ["appointment.booked", "appointment.cancelled"] for one in visits}


def test_what_a_worker_had_sent_when_it_died_is_sent_again_and_nothing_is_lost(
    committed, visits, receiver, monkeypatch, standing_at
):
    real, left = hooks.post, [2]

    def dies(*given: Any) -> Any:
        outcome = real(*given)
        left[0] -= 1
        if not left[0]:
            raise Killed
        return outcome

    monkeypatch.setattr(hooks, "post", dies)
    with pytest.raises(Killed):
        worker.drain(committed)
    monkeypatch.setattr(hooks, "post", real)
    at_once(committed, 1)
    assert len(receiver.got) == 2, "it is the turn of the one that died, until its lease is over"
    with standing_at(clock.now() + tasks.LEASE):
        worker.drain(committed)
    assert states() == ["sent"] * 6
    assert len({got.id for got in receiver.got}) == 6
    last: dict[str, int] = {got.id: number for number, got in enumerate(receiver.got)}
    for one in visits:
        mine = [got for got in receiver.got if got.body["data"]["id"] == one]
        booked = next(got for got in mine if got.body["type"] == "appointment.booked")
        cancelled = next(got for got in mine if got.body["type"] == "appointment.cancelled")
        assert last[booked.id] < last[cancelled.id]


def test_pausing_while_a_worker_sends_holds(committed, visits, receiver, hook, admin):
    receiver.waits = 0.1
    sender = threading.Thread(target=worker.drain, args=(committed,))
    sender.start()
    assert receiver.first.wait(30)
    endpoints.pause(admin.actor, hook.id)
    keep()
    sender.join(60)
    session().rollback()
    assert session().get_one(WebhookEndpoint, hook.id, populate_existing=True).state == "paused"
    sent = len(receiver.got)
    at_once(committed, 2)
    assert len(receiver.got) == sent
    endpoints.resume(admin.actor, hook.id)
    keep()
    at_once(committed, 2)
    assert states() == ["sent"] * 6
