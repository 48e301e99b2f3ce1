"""The description is valid, complete, and what a stranger's generator finds to be true."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, get_args

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from portal.api.v1 import v1
from portal.domain.identity.shapes import Scope
from tests.api.conftest import Program, problem

OWN_PAGES = {"openapi", "docs"}


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
    assert {one.scope for one in v1.endpoints if one.scope} == set(get_args(Scope))


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


# --- a stranger's generator ---

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]


@pytest.fixture
def schema(app: Flask, described: dict[str, Any], dr_benali: Any, wish: Any) -> Any:
    """The description with real ids as examples, so that the generator gets past "not found"."""
    known = {"doctor_id": str(dr_benali.doctor_id), "practice_id": str(dr_benali.practice_id)}
    for methods in described["paths"].values():
        for told in methods.values():
            for part in told["parameters"]:
                if part["name"] in known:
                    part["schema"] |= {"enum": [known[part["name"]], "019aa000-0000-7000-8000-000000000000"]}
    described["components"]["schemas"]["BookAppointment"]["examples"] = [wish()]
    described["servers"] = [{"url": "/api/v1"}]

    def isolated(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"] == "/described":
            start("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(described).encode()]
        with app.app_context():  # a context of its own, as in real life
            return list(app(environ, start))

    return schemathesis.openapi.from_wsgi("/described", isolated)


@pytest.mark.slow
@pytest.mark.parametrize("role", ["nobody", "amina", "dr_benali"])
def test_a_generator_finds_no_failure_and_nothing_undocumented(
    api: Program, schema: Any, role: str, request: pytest.FixtureRequest
) -> None:
    token = None if role == "nobody" else api.as_(request.getfixturevalue(role)).token
    headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == "/auth/logout":
            continue  # would end the token everything else is tried with
        for mode in GenerationMode:
            _try(operation, mode, headers)


def _try(operation: Any, mode: Any, headers: dict[str, str]) -> None:
    """A few requests as the description allows them, or as it does not, the same ones each time."""

    @seed(4)
    @settings(
        max_examples=5,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # nothing wrong can be made where nothing comes in
        run()
