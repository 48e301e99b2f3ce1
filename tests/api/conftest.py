"""Programs: `api` knows nobody until `api.as_(amina)` hands it a token of hers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.core.actor import Actor
from portal.core.db import keep, transaction
from portal.domain.identity import tokens
from tests.builders import PASSWORD, at, grant_for

ROOT = "/api/v1"


class Program:
    """A JSON client: paths are below /api/v1, bodies are plain values."""

    def __init__(self, client: Any, token: str | None = None, refresh: str | None = None) -> None:
        self.client, self.token, self.refresh = client, token, refresh

    def as_(self, person: Any, scopes: list[str] | None = None) -> Program:
        """The same client with tokens of this person."""
        keep()
        with self.client.application.app_context(), transaction():
            if person.actor.email_verified:
                grant = tokens.sign_in(Actor(door="api", address="127.0.0.1"), person.email, PASSWORD, scopes=scopes)
            else:  # such an account is given no tokens; these are as from before that rule
                grant = grant_for(person.user_id)
        return Program(self.client, grant.access_token, grant.refresh_token)

    def send(self, method: str, path: str, body: Any = None, *, headers: Any = None, **more: Any) -> Any:
        told = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        told |= headers or {}
        if body is not None:
            more["json"] = body
        return self.client.open(f"{ROOT}{path}", method=method, headers=told, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.send("POST", path, body, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.send("DELETE", path, **more)


@pytest.fixture
def api(client: Any) -> Program:
    """A program nobody has signed in with."""
    return Program(client)


@pytest.fixture
def wish(dr_benali: Any, el_djazair: Any) -> Callable[..., dict[str, Any]]:
    """The body that books a consultation with Dr Benali, at 09:00 two working days ahead unless said otherwise."""

    def body(wall: str = "09:00", ahead: int = 3, **more: Any) -> dict[str, Any]:
        told = {
            "practice_id": str(dr_benali.practice_id),
            "visit_type_id": str(el_djazair.consultation_id),
            "starts_at": at(wall, ahead).isoformat(),
        }
        return told | more

    return body


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """What the problem says, after looking that it is one."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    said: dict[str, Any] = answer.get_json(force=True)
    assert said["code"] == said["error_code"] == code
    assert said["status"] == status
    assert said["type"] == f"urn:portal:problem:{code}"
    assert said["detail"] and said["title"]
    assert said["correlation_id"] == answer.headers["X-Request-ID"]
    return said
