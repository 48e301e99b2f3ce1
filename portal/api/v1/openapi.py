"""The OpenAPI 3.1 description, made from the contract and its Shapes, and a page that reads it out."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Response, render_template
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.api import bearer, contract, etags, shaping
from portal.api.contract import KEY_HEADER, Contract, Endpoint
from portal.api.problems import TYPE
from portal.api.v1 import (
    account,
    agenda,
    appointments,
    audit,
    auth,
    calendars,
    changes,
    clinic_invitations,
    clinics,
    closures,
    collection,
    day,
    directory,
    doctors,
    family,
    favourites,
    figures,
    holds,
    invitations,
    notifications,
    openings,
    patient_profiles,
    patients,
    public_holidays,
    record_merges,
    record_requests,
    resources,
    reviews,
    rooms,
    series,
    slots,
    streams,
    tasks,
    users,
    visit_types,
    waitlist,
    webhook_answers,
    webhooks,
)
from portal.api.v1.answers import ListOut, Problem
from portal.config import Settings
from portal.core import idempotency
from portal.core.errors import (
    AddressTooLong,
    HeadTooLarge,
    Invalid,
    Misdirected,
    NotFound,
    Refused,
    TooMany,
    Unavailable,
)
from portal.core.text import speaking
from portal.domain.identity.factors import SetupRequired
from portal.domain.identity.tokens import TokenRefused
from portal.domain.scheduling.availability import SENTENCES
from portal.domain.scheduling.refusals import NotOffered, TimeTaken
from portal.domain.scheduling.timetable import Reason

_HERE = (  # in the order one meets them
    auth, account, directory, favourites, slots, holds, appointments, series, invitations, waitlist, reviews, agenda,
    day, openings, closures, public_holidays, changes, rooms, resources, streams, patients,
    patient_profiles, record_merges, record_requests, family, notifications, calendars, clinics, clinic_invitations,
    visit_types, doctors, figures, users, tasks, audit, webhooks,
)  # fmt: skip
TAGS = tuple(dict.fromkeys(one.TAG for one in _HERE))
REF = "#/components/schemas/{model}"
ABOUT = (
    """Find a doctor, keep a time, book it, move it, cancel it: the same rules as on the pages.

Sign in with POST /auth/login and send the access token as `Authorization: Bearer …`. Times are RFC 3339 with the
clinic's offset, beside the name of its zone; money is minor units and an ISO 4217 currency. A refusal is
`application/problem+json` with a stable `code` and a sentence in the language of `Accept-Language` (en, fr, ar). Send
an `Idempotency-Key` with a POST and repeat it without fear: it is done once. A list goes on at `next`: send it as
`after`, or follow the `Link` header. `fields=id,name` sends less. Whoever sends `Accept: """
    + shaping.ENVELOPE
    + """`
gets `{success, data, message}` around every answer; refusals stay as they are.
"""
)
KEY = {"type": "string", "minLength": 1, "maxLength": idempotency.LONGEST_KEY, "pattern": "^[!-~]+$"}
FIELDS = {"type": "string", "pattern": shaping.FIELDS_PATTERN}
FEWER = "Send only these fields of the answer (of a list: of its items), with commas between them"
TOLD_IN_HEADERS = {
    "RateLimit": "What is left of the quota and for how many seconds",
    "RateLimit-Policy": "The quota and its window in seconds",
}


def serve(bp: Blueprint, described: Contract, settings: Settings) -> None:
    """Answer the description at /openapi.json, to be read at /docs and tried at /explorer, for everybody."""

    @cache
    def made() -> dict[str, Any]:
        return describe(described, settings.portal_name, settings.base_url)

    @bp.get("/openapi.json")
    def openapi() -> Response:
        return _kept_a_while(Response(orjson.dumps(made()), mimetype="application/json"))

    @bp.get("/collection.json")
    def collected() -> Response:
        return _kept_a_while(Response(orjson.dumps(collection.of(made())), mimetype="application/json"))

    @bp.get("/docs")
    def docs() -> Response:
        with speaking("en"):  # the page is for programmers and written in English only
            page = render_template("api/docs.html", api=made(), operations=_operations(made()))
        return _kept_a_while(Response(page, mimetype="text/html"))

    @bp.get("/explorer")
    def explorer() -> Response:
        with speaking("en"):
            page = render_template("api/explorer.html", name=settings.portal_name)
        return Response(page, mimetype="text/html")


def describe(described: Contract, name: str, base_url: str) -> dict[str, Any]:
    """The whole description as plain values."""
    with speaking("en"):
        schemas = _schemas(described.endpoints)
        paths: dict[str, Any] = {}
        for one in described.endpoints:
            paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
        _link_on(described.endpoints, paths)
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From POST /auth/login"}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{name} API", "version": described.version, "description": ABOUT},
        "servers": [{"url": base_url + described.prefix}],
        "tags": [{"name": tag} for tag in TAGS],
        "paths": paths,
        "webhooks": webhook_answers.described(),
        "components": {"schemas": schemas["definitions"], "securitySchemes": {"bearer": scheme}},
    }


def _link_on(endpoints: list[Endpoint], paths: dict[str, Any]) -> None:
    """What can be done next with a thing that was made: every operation below its address, by its id."""
    for made in endpoints:
        if made.status != 201 or not made.answer or "id" not in made.answer.model_fields:
            continue
        below = re.compile(re.escape(made.path) + r"/{(\w+)}(/[\w-]+)?")
        links = {
            one.name: {"operationId": one.name, "parameters": {match[1]: "$response.body#/id"}}
            for one in endpoints
            if (match := below.fullmatch(one.path))
        }
        if links:
            paths[made.path][made.method.lower()]["responses"]["201"]["links"] = links


def refusals(one: Endpoint) -> dict[int, dict[str, str]]:
    """Every refusal an endpoint may answer: status -> code -> sentence."""
    found: dict[int, dict[str, str]] = {}
    for kind in (*one.refuses, *_implied(one)):
        if issubclass(kind, NotOffered):
            reasons = [Reason.TAKEN] if kind is TimeTaken else [one for one in Reason if one is not Reason.OFFERED]
            found.setdefault(kind.status, {}).update({reason.value: str(SENTENCES[reason]) for reason in reasons})
        else:
            found.setdefault(kind.status, {})[kind.code] = str(kind.sentence)
    return dict(sorted(found.items()))


def _implied(one: Endpoint) -> list[type[Refused]]:
    """What the dispatch itself may refuse, whatever the verb does."""
    kinds: list[type[Refused]] = [Invalid, bearer.TokenInAddress, TokenRefused, SetupRequired, Unavailable]
    kinds += [AddressTooLong, Misdirected, HeadTooLarge]
    if not one.public:
        kinds.append(bearer.NoToken)
    if one.scope:
        kinds.append(bearer.InsufficientScope)
    if one.body:
        kinds += [contract.Malformed, contract.TooLarge, contract.NotJson]
    if one.path_names:
        kinds.append(NotFound)
    if one.rate:
        kinds.append(TooMany)
    if one.keyed:
        kinds += [idempotency.BadKey, idempotency.Mismatch, idempotency.StillRunning, idempotency.Unreadable]
    if one.guarded:
        kinds.append(etags.PreconditionFailed)
    return kinds


def _schemas(endpoints: list[Endpoint]) -> dict[str, Any]:
    wanted: dict[tuple[type[BaseModel], Any], None] = {(Problem, "serialization"): None}
    for one in endpoints:
        if one.body:
            wanted[one.body, "validation"] = None
        wanted[one.query, "validation"] = None
        for sent in filter(None, (one.answer, one.streams)):
            wanted[sent, "serialization"] = None
    refs, made = models_json_schema(list(wanted), ref_template=REF)
    queries = {one.query for one in endpoints}
    definitions = made["$defs"]
    taken_out = {
        model: definitions.pop(refs[model, mode]["$ref"].rsplit("/", 1)[1]) for model, mode in refs if model in queries
    }
    return {"refs": refs, "definitions": definitions, "queries": taken_out}


def _operation(one: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.summary,
        "description": _description(one),
        "parameters": _parameters(one, schemas),
        "responses": _responses(one, schemas),
        "security": [{"bearer": []}, {}] if one.public else [{"bearer": []}],
    }
    if one.body:
        content: dict[str, Any] = {"schema": schemas["refs"][one.body, "validation"]}
        if one.example:
            content["example"] = one.example
        told["requestBody"] = {"required": one.needs_body, "content": {"application/json": content}}
    return told


def _description(one: Endpoint) -> str:
    lines = one.details.splitlines()[1:]
    said = "\n".join(lines).strip()
    return "\n\n".join(part for part in (said, f"Scope: `{one.scope}`" if one.scope else "") if part)


def _parameters(one: Endpoint, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in one.path_names
    ]
    query = schemas["queries"][one.query]
    for name, schema in query.get("properties", {}).items():
        about = {"description": schema["description"]} if "description" in schema else {}
        needed = name in query.get("required", ())
        found.append({"name": name, "in": "query", "required": needed, "schema": _in_a_query(schema), **about})
    if one.may_choose_fields:
        found.append({"name": shaping.FIELDS, "in": "query", "required": False, "schema": FIELDS, "description": FEWER})
    headers = dict(one.headers)
    if one.keyed:
        headers[KEY_HEADER] = "A random key; the same request sent again with it is not done twice, for a day"
    if one.guarded:
        headers["If-Match"] = "The ETag that was seen; 412 when the thing has changed since"
    found += [
        {
            "name": name,
            "in": "header",
            "schema": KEY if name == KEY_HEADER else {"type": "string"},
            "description": about,
        }
        for name, about in headers.items()
    ]
    return found


def _in_a_query(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: what may be null is simply left out."""
    kept = {name: value for name, value in schema.items() if name not in {"title", "description", "default", "anyOf"}}
    ways = [way for way in schema.get("anyOf", ()) if way != {"type": "null"}]
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    return kept | (ways[0] if len(ways) == 1 else {"anyOf": ways} if ways else {})


def _responses(one: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    headers: dict[str, str] = {}
    if one.may_choose_fields:
        headers["ETag"] = "For If-None-Match"
    if one.tagged:
        headers["ETag"] = "The version, for If-Match and If-None-Match"
    if one.answer and issubclass(one.answer, ListOut):
        headers["Link"] = 'The next page, rel="next", while there is one'
    if one.status == 201:
        headers["Location"] = "Where it is now"
    if one.keyed:
        headers["Idempotency-Replayed"] = "true when this is the kept reply of the first request"
    if one.rate:
        headers |= TOLD_IN_HEADERS
    good: dict[str, Any] = {"description": "Done" if one.method != "GET" else "Found"}
    if headers:
        good["headers"] = {name: _header(about) for name, about in headers.items()}
    if one.answer:
        plain = schemas["refs"][one.answer, "serialization"]
        good["content"] = {"application/json": {"schema": plain}, shaping.ENVELOPE: {"schema": _envelope(plain)}}
    if one.file:
        good["content"] = {one.file: {"schema": {"type": "string"}}}
    if one.streams:
        event = schemas["refs"][one.streams, "serialization"]
        good["content"] = {"text/event-stream": {"schema": {"type": "string"}, "x-itemSchema": event}}
    found: dict[str, Any] = {str(one.status): good}
    if one.may_choose_fields or one.file:
        found["304"] = {"description": "Not changed since the ETag in If-None-Match"}
    for status, codes in refusals(one).items():
        found[str(status)] = _problem(status, codes)
    return found


def _envelope(plain: dict[str, Any]) -> dict[str, Any]:
    """The schema of an answer for whoever asked for the envelope."""
    parts = {"success": {"const": True}, "data": plain, "message": {"type": "string"}}
    return {"type": "object", "properties": parts, "required": list(parts)}


def _problem(status: int, codes: dict[str, str]) -> dict[str, Any]:
    told = "\n".join(f"- `{code}`: {sentence}" for code, sentence in codes.items())
    body = {TYPE: {"schema": {"$ref": REF.format(model="Problem")}}}
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = _header("Bearer, with the error")
    if status in {429, 503}:
        headers["Retry-After"] = _header("Seconds to wait")
    return {"description": told, "content": body} | ({"headers": headers} if headers else {})


def _header(about: str) -> dict[str, Any]:
    return {"description": about, "schema": {"type": "string"}}


def _operations(api: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The operations under their tag, with method and path, as the reading page lists them."""
    found: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in api["tags"]}
    for path, methods in api["paths"].items():
        for method, told in methods.items():
            found[told["tags"][0]].append({"method": method.upper(), "path": path, **told})
    return found


def _kept_a_while(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
