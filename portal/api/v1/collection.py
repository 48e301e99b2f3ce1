"""A collection for Postman, Bruno and Insomnia (Postman's format 2.1), made from the OpenAPI description."""

from __future__ import annotations

import json
import re
from typing import Any

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
VARIABLES = ("email", "password", "accessToken", "refreshToken")  # filled in by whoever uses it, and by signing in
FILLED = {"email": "{{email}}", "password": "{{password}}", "refresh_token": "{{refreshToken}}"}
KEEP_TOKENS = [
    "const told = pm.response.json();",
    "if (told.access_token) {",
    "  pm.collectionVariables.set('accessToken', told.access_token);",
    "  pm.collectionVariables.set('refreshToken', told.refresh_token);",
    "}",
]
SAMPLES = {
    "uuid": "00000000-0000-0000-0000-000000000000",
    "date": "2030-03-31",
    "date-time": "2030-03-31T09:30:00+01:00",
    "time": "09:30",
    "uri": "https://example.org",
}
KINDS: dict[str, Any] = {"string": "", "integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}
DEEPEST = 5


def of(api: dict[str, Any]) -> dict[str, Any]:
    """The collection: a folder for each tag, a request for each operation but WebSockets, which are none."""
    folders: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in api["tags"]}
    for path, methods in api["paths"].items():
        for method, told in methods.items():
            if "101" not in told["responses"]:
                folders[told["tags"][0]].append(_item(method.upper(), path, told, api))
    values = {"baseUrl": api["servers"][0]["url"]} | dict.fromkeys(VARIABLES, "")
    return {
        "info": {"name": api["info"]["title"], "description": api["info"]["description"], "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{accessToken}}", "type": "string"}]},
        "variable": [{"key": name, "value": value, "type": "string"} for name, value in values.items()],
        "item": [{"name": tag, "item": items} for tag, items in folders.items() if items],
    }


def _item(method: str, path: str, told: dict[str, Any], api: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": method,
        "description": told["description"],
        "header": _headers(told),
        "url": _url(path, told),
    }
    if {} in told["security"]:
        request["auth"] = {"type": "noauth"}  # an empty token would be refused where none is needed
    if content := told.get("requestBody", {}).get("content", {}).get("application/json"):
        body = content.get("example") or _sample(content["schema"], api)
        body = body | {name: value for name, value in FILLED.items() if name in body}  # the description keeps its own
        text = json.dumps(body, indent=2, ensure_ascii=False)
        request["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
    item: dict[str, Any] = {"name": told["summary"], "request": request}
    if _gives_tokens(told):
        item["event"] = [{"listen": "test", "script": {"type": "text/javascript", "exec": KEEP_TOKENS}}]
    return item


def _url(path: str, told: dict[str, Any]) -> dict[str, Any]:
    own = re.sub(r"{(\w+)}", r":\1", path)
    query = [
        {"key": one["name"], "value": "", "description": one.get("description", ""), "disabled": not one["required"]}
        for one in told["parameters"]
        if one["in"] == "query"
    ]
    return {
        "raw": "{{baseUrl}}" + own,
        "host": ["{{baseUrl}}"],
        "path": own.strip("/").split("/"),
        "variable": [{"key": name, "value": ""} for name in re.findall(r"{(\w+)}", path)],
        "query": query,
    }


def _headers(told: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "requestBody" in told:
        found.append({"key": "Content-Type", "value": "application/json"})
    for one in told["parameters"]:
        if one["in"] == "header":
            is_key = one["name"] == "Idempotency-Key"
            value = "{{$guid}}" if is_key else ""
            about = one.get("description", "")
            found.append({"key": one["name"], "value": value, "description": about, "disabled": not is_key})
    return found


def _gives_tokens(told: dict[str, Any]) -> bool:
    content = told["responses"].get("200", {}).get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).endswith("/Tokens")


def _sample(schema: dict[str, Any], api: dict[str, Any], depth: int = 0) -> Any:
    """A value of the right form: what is required, and what has an example or a default."""
    if "$ref" in schema:
        schema = api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    ways = [way for way in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) if way.get("type") != "null"]
    if ways:
        return _sample(ways[0], api, depth)
    if "properties" in schema and depth < DEEPEST:
        wanted = schema.get("required", ())
        return {name: _sample(part, api, depth + 1) for name, part in schema["properties"].items() if name in wanted}
    if schema.get("type") == "array" and schema.get("minItems"):
        return [_sample(schema["items"], api, depth + 1)]
    return SAMPLES.get(schema.get("format", ""), KINDS.get(schema.get("type", "string"), ""))
