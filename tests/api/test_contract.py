"""The description is valid and complete: it tells every route, and no other."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from portal.api.v1 import v1
from portal.domain.identity.scopes import SCOPES
from tests.api.conftest import Program, problem

OWN_PAGES = {"collected", "openapi", "docs", "explorer"}


@pytest.fixture
def described(api: Program, database: Any) -> dict[str, Any]:
    answer = api.get("/openapi.json")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    said: dict[str, Any] = answer.get_json()
    return said


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    assert [str(error) for error in OpenAPIV31SpecValidator(described).iter_errors()] == []


def test_the_routes_are_the_description(app: Flask, described: dict[str, Any]) -> None:
    told = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    routes = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.endpoint.removeprefix("api_v1.") not in OWN_PAGES:
            path = re.sub(r"<uuid:(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
            routes |= {(method, path) for method in rule.methods or () if method not in {"HEAD", "OPTIONS"}}
    assert told == routes


def test_every_operation_says_what_it_is(described: dict[str, Any]) -> None:
    told = [one for methods in described["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in told}) == len(told)
    assert all(one["summary"] and one["tags"] and one["responses"] for one in told)


def test_every_scope_can_be_asked_for() -> None:
    assert {one.scope for one in v1.endpoints if one.scope} == set(SCOPES)


def test_what_needs_no_token_says_so_and_only_that(described: dict[str, Any], api: Program) -> None:
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            answer = api.send(method.upper(), re.sub(r"{\w+}", "019aa000-0000-7000-8000-000000000000", path))
            if {} not in told["security"]:
                problem(answer, 401, "no_token")
            elif answer.status_code == 401:
                raise AssertionError(f"{method} {path} says that it needs no token")


def test_the_reading_page_tells_every_operation_and_asks_nobody_else(api: Program, described: dict[str, Any]) -> None:
    answer = api.get("/docs")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and answer.mimetype == "text/html"
    for methods in described["paths"].values():
        assert all(f'id="{told["operationId"]}"' in page for told in methods.values())
    loaded = re.findall(r'<(?:link|script|img)\b[^>]*?(?:href|src)="([^"]+)"', page)
    assert loaded and all(one.startswith("/static/") for one in loaded)
    assert "<script" not in page and "style=" not in page


def test_what_is_made_leads_to_what_can_be_done_with_it(described: dict[str, Any]) -> None:
    links = described["paths"]["/appointments"]["post"]["responses"]["201"]["links"]
    assert links["cancel"] == {"operationId": "cancel", "parameters": {"appointment_id": "$response.body#/id"}}
    assert {"get_appointment", "reschedule", "confirm"} <= set(links)
