"""What happens reaches the receiver: signed, in order for each object, again and again until it is there."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from portal.core import clock
from portal.core.db import keep, session
from portal.core.tasks import Task
from portal.domain.notifications.models import Notification
from portal.domain.scheduling import booking
from portal.domain.webhooks import endpoints, messages, sending, signing
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage, WebhookTry

HOUR = timedelta(hours=1)


def log_of(hook: WebhookEndpoint) -> list[WebhookMessage]:
    session().expire_all()
    mine = select(WebhookMessage).where(WebhookMessage.endpoint_id == hook.id)
    return list(session().scalars(mine.order_by(WebhookMessage.event_seq)))


def afresh(hook: WebhookEndpoint) -> WebhookEndpoint:
    return session().get_one(WebhookEndpoint, hook.id, populate_existing=True)


def go_on(drain: Callable[[], int], standing_at: Any, since: Any, until: Any) -> None:
    """Let the portal live from one moment to another: every task is done when it is due."""
    moment = since
    while moment <= until:
        with standing_at(moment):
            drain()
        waiting = select(Task.due_at).where(Task.state == "waiting", Task.due_at > moment, Task.due_at <= until)
        moment = session().scalar(waiting.order_by(Task.due_at).limit(1)) or until + HOUR


def test_what_happens_is_told_with_ids_states_and_times_only(hook, book, receiver, drain, amina, dr_benali, el_djazair):
    hook()
    visit = book()
    drain()
    (got,) = receiver.got
    assert got.path == "/hooks"
    assert got.headers["content-type"] == "application/json"
    assert set(got.body) == {"type", "timestamp", "data"}
    assert got.body["type"] == "appointment.booked"
    assert got.body["data"] == {
        "id": str(visit.id),
        "clinic_id": str(el_djazair.clinic_id),
        "practice_id": str(dr_benali.practice_id),
        "doctor_id": str(dr_benali.doctor_id),
        "patient_id": str(amina.patient_id),
        "visit_type_id": str(el_djazair.consultation_id),
        "status": "confirmed",
        "version": 1,
        "starts_at": visit.starts_at.astimezone(clock.ZoneInfo("Africa/Algiers")).isoformat(),
        "ends_at": visit.ends_at.astimezone(clock.ZoneInfo("Africa/Algiers")).isoformat(),
        "time_zone": "Africa/Algiers",
    }
    assert b"Amina" not in got.raw and b"Benali" not in got.raw


def test_a_receiver_can_check_that_it_comes_from_us(hook, book, receiver, drain):
    made = hook()
    book()
    drain()
    (got,) = receiver.got
    assert Webhook(signing.secret(made)).verify(got.raw, got.headers) == got.body
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.secret(made)).verify(got.raw.replace(b"confirmed", b"cancelled"), got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 43).verify(got.raw, got.headers)


def test_a_receiver_that_was_down_for_an_hour_gets_everything_in_order(hook, book, receiver, drain, standing_at, amina):
    came_back = clock.now()
    began = came_back - HOUR
    with standing_at(began - timedelta(minutes=5)):
        made = hook()
    receiver.is_down()
    visits = []
    for minute, wall in enumerate(("09:00", "09:30", "10:00")):
        with standing_at(began + timedelta(minutes=minute)):
            visits.append(book(wall))
            drain()
    for minute, visit in enumerate(visits):
        with standing_at(began + timedelta(minutes=20 + minute)):
            booking.cancel(amina.actor, visit.id, code="mistake")
            drain()
    go_on(drain, standing_at, began + timedelta(minutes=25), came_back - timedelta(seconds=1))
    assert {one.state for one in log_of(made)} == {"waiting"}
    receiver.got.clear()
    receiver.is_up()
    go_on(drain, standing_at, came_back, came_back + timedelta(minutes=40))
    assert {one.state for one in log_of(made)} == {"sent"}
    told: dict[str, list[str]] = {}
    for got in receiver.got:
        told.setdefault(got.body["data"]["id"], []).append(got.body["type"])
    assert told == {str(visit.id): ["appointment.booked", "appointment.cancelled"] for visit in visits}
    for got in receiver.got:
        signed = Webhook(signing.secret(made)).sign(
            got.id, clock.datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), clock.UTC), got.raw.decode()
        )
        assert got.headers["webhook-signature"] == signed
    assert len({got.id for got in receiver.got}) == 6


def test_one_object_that_fails_does_not_hold_up_another(hook, book, receiver, drain, amina):
    made = hook()
    stuck = book("09:00")
    refused = str(stuck.id)
    receiver.answer = lambda got: 500 if got.body["data"]["id"] == refused else 200
    drain()
    booking.cancel(amina.actor, stuck.id, code="mistake")
    fine = book("10:00")
    drain()
    assert [(one.object_key, one.state) for one in log_of(made)] == [
        (f"appointment:{stuck.id}", "waiting"),
        (f"appointment:{stuck.id}", "waiting"),
        (f"appointment:{fine.id}", "sent"),
    ]
    assert "appointment.cancelled" not in receiver.types, "it waits for the one before it"


def test_the_same_event_has_the_same_id_at_every_try_and_every_try_is_kept(hook, book, receiver, drain, standing_at):
    made = hook()
    receiver.answer = lambda got: 500 if len(receiver.got) < 3 else 200
    book()
    now = clock.now()
    go_on(drain, standing_at, now, now + timedelta(minutes=2))
    assert len(receiver.got) == 3
    assert len({got.id for got in receiver.got}) == 1
    assert len({got.raw for got in receiver.got}) == 1
    (message,) = log_of(made)
    assert (message.state, message.attempts) == ("sent", 3)
    tries = session().scalars(select(WebhookTry).order_by(WebhookTry.created_at)).all()
    assert [(one.status, one.error) for one in tries] == [(500, "status"), (500, "status"), (200, "")]


def test_the_waits_between_tries_grow_to_hours_and_make_a_day(hook, book, receiver, drain, standing_at):
    made = hook()
    receiver.is_down()
    book()
    now = clock.now()
    go_on(drain, standing_at, now, now + timedelta(hours=40))
    assert 11 <= len(receiver.got) <= 13
    (message,) = log_of(made)
    tries = session().scalars(select(WebhookTry).order_by(WebhookTry.created_at)).all()
    waits = [(b.created_at - a.created_at).total_seconds() for a, b in itertools.pairwise(tries)]
    assert all(0.85 * plan <= wait <= 1.2 * plan + 1 for plan, wait in zip(sending.BACKOFF, waits, strict=False))
    assert message.state == "failed"
    assert timedelta(hours=23) <= tries[-1].created_at - tries[0].created_at <= timedelta(hours=34)


def test_a_receiver_that_asks_for_a_rest_is_left_alone_that_long(hook, book, receiver, drain, standing_at, yacine):
    hook()
    receiver.is_down()
    receiver.says = {"Retry-After": "600"}
    now = clock.now()
    book()
    go_on(drain, standing_at, now, now + timedelta(seconds=30))
    assert len(receiver.got) == 1
    book("10:00", who=yacine)
    go_on(drain, standing_at, now + timedelta(minutes=1), now + timedelta(minutes=9))
    assert len(receiver.got) <= 2, "what is new may be tried; what has been asked to wait is not"
    receiver.is_up()
    receiver.says = {}
    go_on(drain, standing_at, now + timedelta(minutes=9), now + timedelta(minutes=30))
    assert receiver.types.count("appointment.booked") == len(receiver.got)
    assert len({got.id for got in receiver.got}) == 2 and len(receiver.got) >= 3


def test_a_receiver_dead_for_a_day_is_paused_and_its_owner_told(
    hook, book, receiver, drain, standing_at, mailbox, admin
):
    made = hook()
    receiver.is_down()
    book()
    now = clock.now()
    go_on(drain, standing_at, now, now + timedelta(hours=40))
    stands = afresh(made)
    assert (stands.state, stands.paused_why) == ("paused", "failing")
    letter = mailbox.text(admin.email)
    assert "For a day nothing has reached the receiver" in letter
    assert f"/admin/webhooks/{made.id}" in letter
    told = session().scalars(select(Notification).where(Notification.user_id == admin.user_id)).all()
    assert [one.kind for one in told] == ["webhook.paused"]


def test_a_receiver_that_says_it_is_gone_is_paused_at_once(hook, book, receiver, drain, mailbox, admin):
    made = hook()
    receiver.answer = lambda got: 410
    book()
    drain()
    assert (afresh(made).state, afresh(made).paused_why) == ("paused", "gone")
    assert "says that it is gone" in mailbox.text(admin.email)
    assert log_of(made)[0].state == "waiting"


def test_a_redirect_is_a_failure_and_not_followed(hook, book, receiver, drain):
    made = hook()
    receiver.answer = lambda got: 302
    book()
    drain()
    assert [got.path for got in receiver.got] == ["/hooks"]
    (tried,) = session().scalars(select(WebhookTry)).all()
    assert (tried.status, tried.error) == (302, "redirect")
    assert log_of(made)[0].state == "waiting"


def test_an_address_that_leads_inside_by_now_is_not_asked(hook, book, receiver, drain, monkeypatch):
    made = hook()
    monkeypatch.setattr("portal.gateways.hooks._at_home", False)
    book()
    drain()
    assert receiver.got == []
    (tried,) = session().scalars(select(WebhookTry)).all()
    assert (tried.status, tried.error) == (None, "not_public")
    assert log_of(made)[0].state == "waiting"


def test_a_renewed_secret_signs_beside_the_one_before_for_a_day(hook, book, receiver, drain, standing_at, admin):
    made = hook()
    old = signing.secret(made)
    _made, new = endpoints.rotate(admin.actor, made.id)
    assert new != old
    book("09:00")
    drain()
    assert len(receiver.got[-1].headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(receiver.got[-1].raw, receiver.got[-1].headers)
    with standing_at(clock.now() - timedelta(hours=25)):
        endpoints.rotate(admin.actor, made.id)
    book("10:00")
    drain()
    assert len(receiver.got[-1].headers["webhook-signature"].split(" ")) == 1
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(receiver.got[-1].raw, receiver.got[-1].headers)


def test_what_happens_while_it_is_paused_is_sent_when_it_goes_on(hook, book, receiver, drain, amina, admin):
    made = hook()
    endpoints.pause(admin.actor, made.id)
    visit = book()
    booking.cancel(amina.actor, visit.id, code="mistake")
    drain()
    assert receiver.got == []
    endpoints.resume(admin.actor, made.id)
    drain()
    assert receiver.types == ["appointment.booked", "appointment.cancelled"]


def test_what_waited_longer_than_a_day_has_failed_and_all_is_forgotten_after_thirty(
    hook, book, receiver, drain, standing_at, admin
):
    made = hook()
    endpoints.pause(admin.actor, made.id)
    book()
    drain()
    with standing_at(clock.now() + timedelta(hours=25)):
        sending.tidy()
    assert [one.state for one in log_of(made)] == ["failed"]
    with standing_at(clock.now() + timedelta(days=31)):
        sending.tidy()
    assert log_of(made) == []


def test_one_message_is_sent_again_under_its_own_id(hook, book, receiver, drain, admin):
    made = hook()
    book()
    drain()
    (message,) = log_of(made)
    messages.replay(admin.actor, made.id, message.id)
    drain()
    first, second = receiver.got
    assert (first.id, first.raw) == (second.id, second.raw)
    assert log_of(made)[0].state == "sent"


def test_everything_that_failed_since_a_moment_is_sent_again(hook, book, receiver, drain, standing_at, admin):
    made = hook()
    endpoints.pause(admin.actor, made.id)
    began = clock.now()
    with standing_at(began - timedelta(hours=50)):
        afresh(made).created_at = began - timedelta(hours=60)
        book("09:00")
        drain()
    with standing_at(began - timedelta(hours=30)):
        book("10:00")
        drain()
    sending.tidy()
    keep()
    assert [one.state for one in log_of(made)] == ["failed", "failed"]
    endpoints.resume(admin.actor, made.id)
    assert messages.replay_failed(admin.actor, made.id, since=began - timedelta(hours=40)) == 1
    drain()
    assert [one.state for one in log_of(made)] == ["failed", "sent"]
    assert len(receiver.got) == 1


def test_nothing_is_sent_again_while_it_is_paused(hook, book, receiver, drain, admin):
    made = hook()
    book()
    drain()
    endpoints.pause(admin.actor, made.id)
    (message,) = log_of(made)
    for again in (
        lambda: messages.replay(admin.actor, made.id, message.id),
        lambda: messages.replay_failed(admin.actor, made.id, since=clock.now()),
        lambda: messages.test(admin.actor, made.id),
    ):
        with pytest.raises(endpoints.Paused):
            again()


def test_a_test_says_nothing_but_that_it_is_one(hook, receiver, drain, admin):
    made = hook()
    messages.test(admin.actor, made.id)
    drain()
    (got,) = receiver.got
    assert (got.body["type"], got.body["data"]) == ("webhook.test", {"id": str(made.id)})
    Webhook(signing.secret(made)).verify(got.raw, got.headers)


def test_events_whose_tasks_run_in_the_wrong_order_are_told_in_the_right_one(hook, book, receiver, drain, amina):
    made = hook()
    visit = book()
    booking.cancel(amina.actor, visit.id, code="mistake")
    keep()
    fans = select(Task).where(Task.name == "webhooks.fanning.fan_out").order_by(Task.created_at)
    first, second = session().scalars(fans).all()
    first.due_at = clock.now() + HOUR  # held up somewhere
    keep()
    drain()
    assert second.id != first.id
    assert receiver.types == ["appointment.booked", "appointment.cancelled"]
    first.due_at = clock.now()
    drain()
    assert len(receiver.got) == 2
    assert len(log_of(made)) == 2


def test_a_worker_that_died_leaves_nothing_behind_that_is_not_sent(hook, book, receiver, drain, standing_at):
    made = hook()
    receiver.is_down()
    book()
    drain()
    session().query(Task).filter(Task.name == "webhooks.sending.pump").delete()
    keep()
    receiver.is_up()
    with standing_at(clock.now() + timedelta(minutes=2)):
        sending.pump_due()
        drain()
    assert log_of(made)[0].state == "sent"


def test_a_receiver_that_is_down_is_not_asked_once_for_each_message(hook, book, receiver, drain, standing_at, yacine):
    made = hook()
    receiver.is_down()
    walls = ("09:00", "09:30", "10:00", "10:30", "11:00", "11:30")
    for number, wall in enumerate(walls[:4]):
        book(wall, who=yacine if number % 2 else None)
    drain()
    assert len(receiver.got) == 3
    later = clock.now() + timedelta(minutes=10)
    receiver.got.clear()
    with standing_at(later):
        drain()
        asked = len(receiver.got)
        for wall, who in zip(walls[4:], (None, yacine), strict=True):
            book(wall, who=who)
        drain()
        assert len(receiver.got) == asked <= 3, "new ones wait with the others"
    receiver.is_up()
    go_on(drain, standing_at, later, later + HOUR)
    assert {one.state for one in log_of(made)} == {"sent"}


def test_what_is_said_of_a_receiver_that_drips_is_cut_off(hook, book, receiver, drain, monkeypatch):
    made = hook()
    monkeypatch.setattr("portal.gateways.hooks.LASTS", 0.3)
    receiver.waits = 1.0
    book()
    drain()
    (tried,) = session().scalars(select(WebhookTry)).all()
    assert (tried.status, tried.error) == (None, "timeout")
    assert 200 <= tried.took_ms < 900
    assert log_of(made)[0].state == "waiting"
