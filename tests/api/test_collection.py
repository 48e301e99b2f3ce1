"""The collection for Postman and its kin tells what the description tells, and its requests work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Program
from tests.builders import PASSWORD


@pytest.fixture
def collection(api: Program, database: Any) -> dict[str, Any]:
    answer = api.get("/collection.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    told: dict[str, Any] = answer.get_json()
    return told


def requests(collection: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for folder in collection["item"]:
        for item in folder["item"]:
            yield item["name"], item["request"]


def test_the_description_is_the_same_before_and_after(api: Program, database: Any) -> None:
    before = api.get("/openapi.json").get_json()
    api.get("/collection.json")
    assert api.get("/openapi.json").get_json() == before
    assert "{{" not in json.dumps(before)


def test_it_holds_every_operation_once(collection: dict[str, Any], api: Program) -> None:
    described = api.get("/openapi.json").get_json()
    told = {
        (method.upper(), path)
        for path, methods in described["paths"].items()
        for method, one in methods.items()
        if "101" not in one["responses"]
    }
    held = [
        (request["method"], re.sub(r":(\w+)", r"{\1}", request["url"]["raw"].removeprefix("{{baseUrl}}")))
        for _name, request in requests(collection)
    ]
    assert set(held) == told
    assert len(held) == len(told)


def test_every_variable_is_declared_and_none_holds_a_secret(collection: dict[str, Any]) -> None:
    declared = {one["key"]: one["value"] for one in collection["variable"]}
    used = set(re.findall(r"{{(\w+)}}", json.dumps(collection)))
    assert used <= set(declared)
    assert {name for name, value in declared.items() if value} == {"baseUrl"}


def test_every_body_is_json_and_what_can_be_repeated_has_a_key(collection: dict[str, Any]) -> None:
    for _name, request in requests(collection):
        if "body" in request:
            assert isinstance(json.loads(request["body"]["raw"]), dict)
            assert {"key": "Content-Type", "value": "application/json"} in request["header"]
    booking = next(request for name, request in requests(collection) if name == "Book a time")
    assert {one["key"]: one["value"] for one in booking["header"]}["Idempotency-Key"] == "{{$guid}}"


def test_signing_in_as_it_says_gives_the_tokens_it_keeps(collection: dict[str, Any], api: Program, amina: Any) -> None:
    item = next(
        one for folder in collection["item"] for one in folder["item"] if one["request"]["url"]["path"][-1] == "login"
    )
    body = item["request"]["body"]["raw"].replace("{{email}}", amina.email).replace("{{password}}", PASSWORD)
    answer = api.post("/auth/login", json.loads(body))
    assert answer.status_code == 200
    kept = re.findall(r"told\.(\w+)\)", "\n".join(item["event"][0]["script"]["exec"]))
    assert set(kept) <= set(answer.get_json())
    assert {"access_token", "refresh_token"} <= set(kept)
    assert item["request"]["auth"] == {"type": "noauth"}
