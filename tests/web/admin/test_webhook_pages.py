"""Webhooks in the back office: the secret is shown once, deliveries are seen and sent again, all without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.webhooks import endpoints, messages
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage
from portal.domain.webhooks.topics import TOPICS
from tests.builders import HTMX, make_member
from tests.receivers import Receiver, listening

INDEX = "/admin/webhooks"


@pytest.fixture
def receiver(where: Any) -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def hook(admin: Any, el_djazair: Any, receiver: Receiver) -> WebhookEndpoint:
    made, _secret = endpoints.make(
        admin.actor, url=receiver.url, description="Calendar of the clinic", clinic_id=el_djazair.clinic_id
    )
    keep()
    return made


@pytest.fixture
def page(client: Any, admin: Any, hook: WebhookEndpoint) -> str:
    """The page of the webhook, for its admin."""
    client.sign_in(admin)
    return f"{INDEX}/{hook.id}"


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_a_webhook_is_added_and_its_secret_shown_once(client, admin, el_djazair, receiver):
    client.sign_in(admin)
    assert "Add a webhook" in text(client.get(INDEX))
    assert "appointment.booked" in text(client.get(f"{INDEX}/new"))
    wanted = {"url": receiver.url, "clinic_id": str(el_djazair.clinic_id), "events": ["appointment.booked"]}
    answer = client.post(f"{INDEX}/new", data=wanted)
    assert answer.status_code == 201
    assert "whsec_" in text(answer)
    (made,) = session().query(WebhookEndpoint).all()
    assert made.events == ["appointment.booked"]
    assert "whsec_" not in text(client.get(f"{INDEX}/{made.id}"))
    assert receiver.url in text(client.get(INDEX))


def test_the_events_to_choose_stand_in_groups(client, admin):
    client.sign_in(admin)
    groups = text(client.get(f"{INDEX}/new")).split('<fieldset class="choice-group">')[1:]
    titles = [re.search(r"<legend[^>]*>([^<]+)<", group)[1] for group in groups]
    names = [re.findall(r'name="events"[^>]*value="([^"]+)"', group) for group in groups]
    assert titles == ["Visits", "Waitlist", "Reviews"]
    assert [name for group in names for name in group] == list(TOPICS)
    assert {name.split(".")[0] for name in names[1]} == {"waitlist"}


def test_a_wrong_address_is_said_beside_its_field(client, admin, el_djazair):
    client.sign_in(admin)
    wanted = {"url": "http://hooks.example", "clinic_id": str(el_djazair.clinic_id)}
    answer = client.post(f"{INDEX}/new", data=wanted)
    assert answer.status_code == 422
    assert "begins with https://" in text(answer)
    answer = client.post(f"{INDEX}/new", data=wanted | {"url": "https://10.0.0.8/"})
    assert answer.status_code == 422
    assert "not on the public internet" in text(answer)


def test_a_webhook_of_another_clinic_cannot_be_added(client, admin, wahran, receiver):
    client.sign_in(admin)
    answer = client.post(f"{INDEX}/new", data={"url": receiver.url, "clinic_id": str(wahran.clinic_id)})
    assert answer.status_code == 403
    assert session().query(WebhookEndpoint).count() == 0


def test_another_clinic_s_admin_sees_nothing_of_it(client, hook, kamel, wahran):
    make_member(session().get_one(User, kamel.user_id), session().get_one(Clinic, wahran.clinic_id), "admin")
    keep()
    client.sign_in(kamel)
    assert "Calendar of the clinic" not in text(client.get(INDEX))
    path = f"{INDEX}/{hook.id}"
    assert client.get(path).status_code == 404
    assert client.get(f"{path}/edit").status_code == 404
    for verb in ("pause", "resume", "rotate", "test", "remove", "replay", "edit"):
        assert (
            client.post(f"{path}/{verb}", data={"since": "2026-01-01", "url": "https://x.example"}).status_code == 404
        )
    assert session().get_one(WebhookEndpoint, hook.id, populate_existing=True).state == "active"


def test_deliveries_are_seen_with_their_tries_and_sent_again(client, page, admin, hook, receiver, drain):
    receiver.is_down()
    client.post(f"{page}/test")
    drain()
    seen = text(client.get(page))
    assert "webhook.test" in seen
    assert "answer 503" in seen
    assert "The receiver refused it" in seen
    receiver.is_up()
    message = session().query(WebhookMessage).one()
    answer = client.post(f"{page}/messages/{message.id}/replay")
    assert answer.status_code == 303
    drain()
    assert "Delivered" in text(client.get(f"{page}?state=sent"))
    assert "No deliveries here" in text(client.get(f"{page}?state=failed"))


def test_htmx_gets_the_deliveries_alone(client, page):
    fragment = text(client.get(f"{page}?state=waiting", headers=HTMX))
    assert fragment.lstrip().startswith('<div id="found"')
    assert "<html" not in fragment


def test_what_failed_since_a_day_is_sent_again(client, page, admin, hook, receiver, drain):
    messages.test(admin.actor, hook.id)
    session().query(WebhookMessage).update({"state": "failed"})
    keep()
    assert "Send again what failed" in text(client.get(page))
    assert client.post(f"{page}/replay", data={"since": ""}).status_code == 422
    answer = client.post(f"{page}/replay", data={"since": clock.today(clock.home()).isoformat()}, follow_redirects=True)
    assert "1 message is sent again now." in text(answer)
    drain()
    assert receiver.types == ["webhook.test"]


def test_it_is_changed(client, page, hook, receiver):
    assert receiver.url in text(client.get(f"{page}/edit"))
    wanted = {"url": f"{receiver.url}/new", "description": "", "events": ["review.written", "review.hidden"]}
    assert client.post(f"{page}/edit", data=wanted).status_code == 303
    found = session().get_one(WebhookEndpoint, hook.id, populate_existing=True)
    assert (found.url, found.description, found.events) == (wanted["url"], "", wanted["events"])
    assert client.post(f"{page}/edit", data={"url": "nonsense"}).status_code == 422
    assert client.post(f"{page}/edit", data={"url": "https://10.0.0.8/"}).status_code == 422


def test_it_is_paused_and_resumed_and_the_page_says_so(client, page, admin, hook):
    client.post(f"{page}/pause")
    seen = text(client.get(page))
    assert "Somebody paused it." in seen
    assert "Send a test" not in seen
    assert client.post(f"{page}/test").status_code == 409
    assert client.post(f"{page}/replay", data={"since": "2026-01-01"}).status_code == 409
    client.post(f"{page}/resume")
    assert "Send a test" in text(client.get(page))


def test_a_renewed_secret_is_another_and_shown_once(client, page):
    first = text(client.post(f"{page}/rotate"))
    assert "whsec_" in first
    assert "whsec_" not in text(client.get(page))


def test_it_is_removed(client, page, hook):
    assert client.post(f"{page}/remove").status_code == 303
    assert client.get(page).status_code == 404
    assert "No webhooks yet" in text(client.get(INDEX))


def test_a_superadmin_may_have_one_of_all_clinics(client, superadmin, receiver):
    client.sign_in(superadmin)
    assert "All clinics" in text(client.get(f"{INDEX}/new"))
    assert client.post(f"{INDEX}/new", data={"url": receiver.url, "clinic_id": ""}).status_code == 201
    assert session().query(WebhookEndpoint).one().clinic_id is None


def test_a_page_of_deliveries_is_a_fixed_number_of_statements(client, page, admin, hook, drain, statements):
    messages.test(admin.actor, hook.id)
    drain()
    client.get(page)
    with statements() as few:
        client.get(page)
    for _ in range(6):
        messages.test(admin.actor, hook.id)
    drain()
    with statements() as many:
        client.get(page)
    assert many() == few() <= 12
