"""Whoever is told to come later is told when: every answer that says 503 has Retry-After, at each door."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.exceptions import ServiceUnavailable

from portal.core.errors import Unavailable
from tests.rules.walking import routes

SAMPLE = {"UUIDConverter": UUID(int=1), "IntegerConverter": 1}


@pytest.mark.parametrize("wrong", [Unavailable, ServiceUnavailable])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "fragment"])
def test_every_route_that_cannot_answer_now_says_when_it_may_be_asked_again(
    app: Flask, client: Any, monkeypatch: pytest.MonkeyPatch, wrong: type[Exception], headers: dict[str, str]
) -> None:
    def away() -> None:
        raise wrong

    monkeypatch.setattr(app, "preprocess_request", away)
    addresses, said = app.url_map.bind("localhost"), {}
    for (method, endpoint), rule in routes(app).items():
        if rule.build_only or rule.websocket:
            continue
        parts = {name: _sample(kind) for name, kind in rule._converters.items()}
        answer = client.open(addresses.build(endpoint, parts, method=method), method=method, headers=headers)
        said[method, endpoint] = answer.status_code, answer.headers.get("Retry-After")
    assert {key: told for key, told in said.items() if told != (503, "5")} == {}
    assert len(said) > 400


def _sample(kind: Any) -> Any:
    """Something that this part of an address takes."""
    return next(iter(getattr(kind, "items", [])), None) or SAMPLE.get(type(kind).__name__, "x")
