"""Webhooks by the API: told once what signs them, changed, paused, tried, looked at and sent again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.models import TokenFamily
from portal.domain.webhooks import endpoints
from portal.domain.webhooks.models import WebhookMessage
from tests.api.conftest import Program, problem
from tests.receivers import Receiver, listening

NOWHERE = "019aa000-0000-7000-8000-000000000000"


@pytest.fixture
def receiver(where: Any) -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def made(api: Program, admin: Any, el_djazair: Any, receiver: Receiver) -> dict[str, Any]:
    """A webhook of El Djazair, as the answer told it."""
    answer = api.as_(admin).post("/webhooks", {"url": receiver.url, "clinic_id": str(el_djazair.clinic_id)})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.get_json()


def test_the_secret_is_told_once_and_signs_what_is_sent(api, admin, amina, wish, made, receiver, drain):
    assert made["secret"].startswith("whsec_")
    found = api.as_(admin).get(f"/webhooks/{made['id']}").get_json()
    assert "secret" not in found
    assert (found["state"], found["events"], found["failing_since"]) == ("active", [], None)
    api.as_(amina).post("/appointments", wish())
    drain()
    (got,) = receiver.got
    assert Webhook(made["secret"]).verify(got.raw, got.headers)["type"] == "appointment.booked"


def test_what_is_made_says_where_it_is(api, admin, receiver):
    answer = api.as_(admin).post(
        "/webhooks", {"url": receiver.url, "description": "Mine", "events": ["review.written"]}
    )
    assert answer.headers["Location"] == f"/api/v1/webhooks/{answer.get_json()['id']}"
    assert answer.get_json()["clinic_id"] is None
    assert answer.get_json()["events"] == ["review.written"]


def test_a_message_can_be_looked_at_and_sent_again(api, admin, amina, wish, made, receiver, drain):
    api.as_(amina).post("/appointments", wish())
    drain()
    program = api.as_(admin)
    listed = program.get(f"/webhooks/{made['id']}/messages?state=sent").get_json()
    (one,) = listed["items"]
    assert one["event"] == "appointment.booked"
    assert one["body"] == receiver.got[0].body
    assert one["webhook_id"] == receiver.got[0].id
    assert [tried["status"] for tried in one["tries"]] == [204]
    path = f"/webhooks/{made['id']}/messages/{one['id']}"
    assert program.get(path).get_json() == one
    again = program.post(f"{path}/replay")
    assert (again.status_code, again.get_json()["state"]) == (200, "waiting")
    drain()
    assert [got.id for got in receiver.got] == [one["webhook_id"]] * 2
    assert program.get(f"/webhooks/{made['id']}/messages?state=failed").get_json()["items"] == []


def test_pages_of_messages_follow_one_another(api, admin, made, receiver, drain):
    program = api.as_(admin)
    for _ in range(3):
        assert program.post(f"/webhooks/{made['id']}/test").status_code == 201
    drain()
    first = program.get(f"/webhooks/{made['id']}/messages?limit=2").get_json()
    rest = program.get(f"/webhooks/{made['id']}/messages?limit=2&after={first['next']}").get_json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert len({one["id"] for one in first["items"] + rest["items"]}) == 3


def test_a_test_arrives(api, admin, made, receiver, drain):
    answer = api.as_(admin).post(f"/webhooks/{made['id']}/test")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/webhooks/{made['id']}/messages/{answer.get_json()['id']}"
    drain()
    assert receiver.types == ["webhook.test"]


def test_it_is_changed_paused_resumed_renewed_and_removed(api, admin, made, receiver, drain):
    program, path = api.as_(admin), f"/webhooks/{made['id']}"
    changed = program.send("PATCH", path, {"description": "Calendar", "events": ["appointment.moved"]}).get_json()
    assert (changed["url"], changed["description"], changed["events"]) == (
        receiver.url, "Calendar", ["appointment.moved"],
    )  # fmt: skip
    assert program.post(f"{path}/pause").get_json()["state"] == "paused"
    assert program.get(path).get_json()["paused_why"] == "asked"
    for refused in (
        program.post(f"{path}/test"),
        program.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
    ):
        problem(refused, 409, "webhook_paused")
    assert program.post(f"{path}/resume").get_json()["paused_why"] == ""
    renewed = program.post(f"{path}/rotate").get_json()
    assert renewed["secret"] != made["secret"]
    assert program.delete(path).status_code == 204
    problem(program.get(path), 404, "not_found")


def test_what_failed_since_a_moment_is_sent_again(api, admin, made, receiver, drain):
    program = api.as_(admin)
    program.post(f"/webhooks/{made['id']}/test")
    keep()
    session().query(WebhookMessage).update({"state": "failed"})
    since = (clock.now() - timedelta(hours=1)).isoformat()
    answer = program.post(f"/webhooks/{made['id']}/replay", {"since": since})
    assert answer.get_json() == {"messages": 1}
    drain()
    assert receiver.types == ["webhook.test"]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x", "https://me:secret@hooks.example/x", "https://hooks.example/x#part", "ftp://x.example",
        "https://", "https:///x", "/x", "https://hooks.example:99999/", "https://hooks.example/a b",
    ],
)  # fmt: skip
def test_only_whole_https_addresses_are_taken(api, admin, url):
    said = problem(api.as_(admin).post("/webhooks", {"url": url}), 422, "invalid")
    assert [one["field"] for one in said["errors"]] == ["url"]


@pytest.mark.parametrize("host", ["10.0.0.8", "169.254.169.254", "[fd00::1]", "100.64.0.1", "[::ffff:192.168.1.1]"])
def test_addresses_inside_are_refused(api, admin, host):
    said = problem(api.as_(admin).post("/webhooks", {"url": f"https://{host}/x"}), 422, "not_public")
    assert [one["field"] for one in said["errors"]] == ["url"]


def test_a_name_that_leads_to_this_machine_is_refused(api, admin, made, monkeypatch):
    def inside(host: str, port: int, **_: Any) -> Any:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("portal.gateways.hooks._at_home", False)
    monkeypatch.setattr("socket.getaddrinfo", inside)
    program = api.as_(admin)
    problem(program.post("/webhooks", {"url": "https://hooks.example/x"}), 422, "not_public")
    problem(program.send("PATCH", f"/webhooks/{made['id']}", {"url": "https://hooks.example/x"}), 422, "not_public")


def test_an_unknown_event_is_refused(api, admin):
    answer = api.as_(admin).post("/webhooks", {"url": "https://93.184.215.14/x", "events": ["patient.sneezed"]})
    problem(answer, 422, "invalid")


def test_only_its_admins_have_webhooks_of_a_clinic(api, amina, nadia, kamel, dr_benali, el_djazair):
    wanted = {"url": "https://93.184.215.14/x", "clinic_id": str(el_djazair.clinic_id)}
    for person in (amina, nadia, kamel, dr_benali):
        problem(api.as_(person).post("/webhooks", wanted), 403, "forbidden")


def test_somebody_else_sees_nothing_of_it(api, made, amina, nadia, kamel, drain, admin):
    message = api.as_(admin).post(f"/webhooks/{made['id']}/test").get_json()
    for person in (amina, nadia, kamel):
        program, path = api.as_(person), f"/webhooks/{made['id']}"
        assert program.get("/webhooks").get_json()["items"] == []
        for answer in (
            program.get(path),
            program.get(f"{path}/messages"),
            program.get(f"{path}/messages/{message['id']}"),
            program.send("PATCH", path, {"description": "Mine"}),
            program.delete(path),
            *(program.post(f"{path}/{verb}") for verb in ("pause", "resume", "rotate", "test")),
            program.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
            program.post(f"{path}/messages/{message['id']}/replay"),
        ):
            problem(answer, 404, "not_found")


def test_a_message_of_another_webhook_is_not_found_below_this_one(api, admin, made, receiver):
    program = api.as_(admin)
    other = program.post("/webhooks", {"url": receiver.url}).get_json()
    message = program.post(f"/webhooks/{other['id']}/test").get_json()
    problem(program.get(f"/webhooks/{made['id']}/messages/{message['id']}"), 404, "not_found")
    problem(program.get(f"/webhooks/{made['id']}/messages/{NOWHERE}"), 404, "not_found")


def test_a_token_needs_the_scopes(api, admin, made, receiver):
    reads = api.as_(admin, ["webhooks:read"])
    assert reads.get("/webhooks").status_code == 200
    problem(reads.post(f"/webhooks/{made['id']}/pause"), 403, "insufficient_scope")
    writes = api.as_(admin, ["webhooks:write"])
    problem(writes.get("/webhooks"), 403, "insufficient_scope")
    problem(writes.post("/webhooks", {"url": receiver.url}), 403, "events_beyond_scope")
    both = api.as_(admin, ["webhooks:write", "appointments:read"])
    assert both.post("/webhooks", {"url": receiver.url}).status_code == 201


def test_a_program_sees_only_the_webhooks_it_made(api, amina, receiver):
    own = api.as_(amina).post("/webhooks", {"url": receiver.url}).get_json()
    client = OAuthClient(client_id="p_other", name="Other", redirect_uris=[], grants=["authorization_code"], scopes=[])
    session().add(client)
    session().flush()
    program = api.as_(amina)
    latest = session().query(TokenFamily).order_by(TokenFamily.created_at.desc()).first()
    latest.client_id = client.id
    keep()
    assert program.get("/webhooks").get_json()["items"] == []
    problem(program.get(f"/webhooks/{own['id']}"), 404, "not_found")
    theirs = program.post("/webhooks", {"url": receiver.url}).get_json()
    assert [one["id"] for one in program.get("/webhooks").get_json()["items"]] == [theirs["id"]]
    assert len(api.as_(amina).get("/webhooks").get_json()["items"]) == 2


def test_there_is_an_end_to_how_many(api, amina, receiver, monkeypatch):
    monkeypatch.setattr(endpoints, "MOST", 1)
    program = api.as_(amina)
    assert program.post("/webhooks", {"url": receiver.url}).status_code == 201
    problem(program.post("/webhooks", {"url": receiver.url}), 409, "too_many_webhooks")


def test_the_events_are_listed_for_everybody_and_described_each_with_its_body(api):
    names = [one["name"] for one in api.get("/webhooks/events").get_json()["items"]]
    assert "appointment.booked" in names
    described = api.get("/openapi.json").get_json()["webhooks"]
    assert set(described) == {*names, "webhook.test"}
    booked = described["appointment.booked"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"id", "status", "version", "starts_at"} <= set(booked["properties"]["data"]["properties"])


def test_the_list_can_be_asked_for_one_clinic(api, superadmin, el_djazair, wahran, receiver):
    program = api.as_(superadmin)
    for place in (el_djazair, wahran):
        program.post("/webhooks", {"url": receiver.url, "clinic_id": str(place.clinic_id)})
    found = program.get(f"/webhooks?clinic_id={wahran.clinic_id}").get_json()["items"]
    assert [one["clinic_id"] for one in found] == [str(wahran.clinic_id)]
