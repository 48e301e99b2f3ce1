"""Asking every route as somebody, each time as if nothing had been asked before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from portal.core.db import db, keep
from tests.api.conftest import Program
from tests.rules import asking
from tests.rules.asking_own import OWN
from tests.rules.world import World

ENDLESS = {"stream.events", "api_v1.stream"}  # only its head is asked for
Key = tuple[str, str]  # method, endpoint


def routes(app: Flask) -> dict[Key, Rule]:
    """Every method of every address."""
    return {
        (method, rule.endpoint): rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@dataclass
class Visitor:
    """Somebody with the cookie and the token they came with; None is a stranger."""

    person: Any
    token: str | None = None
    cookies: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def come(cls, client: Any, person: Any) -> Visitor:
        client.sign_out()
        if person is None:
            return cls(None)
        client.sign_in(person)
        return cls(person, Program(client).as_(person).token, dict(client._cookies))


class Walk:
    """Asks about the things of a world; whatever a request does is undone before the next."""

    def __init__(self, app: Flask, client: Any, world: World) -> None:
        self.app, self.client, self.world = app, client, world
        self.connection: Any = db._app_engines[app][None]
        self.adapter = app.url_map.bind("localhost")
        self.examples = _examples(client)

    def ask(self, visitor: Visitor, key: Key, rule: Rule, instead: Mapping[str, Any] | None = None) -> Any:
        """The answer to a request that is acceptable from whoever may; `instead` replaces parts of the address."""
        with self._undone():
            make = OWN.get(" ".join(key)) or OWN.get(rule.endpoint)
            own = make(self.world, visitor.person) if make else {}
            keep()
            parts = asking.arguments(self.world, rule) | _after("@", own)
            address = {name: value for name, value in (parts | dict(instead or {})).items() if name in rule._converters}
            url = self.adapter.build(rule.endpoint, address, method=key[0])
            return self._send(visitor, key, url, own)

    def _send(self, visitor: Visitor, key: Key, url: str, own: Mapping[str, Any]) -> Any:
        method, endpoint = key
        headers, more = _after("#", own), {"query_string": _after("?", own)}
        body = {name: value for name, value in own.items() if name[0] not in "@?#&"}
        self.client._cookies.clear()
        if url.startswith("/api/"):
            headers |= {"Authorization": f"Bearer {visitor.token}"} if visitor.token else {}
            if method != "GET" and endpoint in self.examples:
                more["json"] = asking.spoken(self.world, self.examples[endpoint]) | body
        else:
            self.client._cookies.update(visitor.cookies)
            if carried := _after("&", own):
                with self.client.session_transaction() as cookie:
                    cookie.update(carried)
            if method == "POST":
                more["data"] = asking.typed(self.world) | body
        return self.client.open(url, method="HEAD" if endpoint in ENDLESS else method, headers=headers, **more)

    @contextmanager
    def _undone(self) -> Iterator[None]:
        db.session.remove()
        inner = self.connection.begin_nested()
        try:
            yield
        finally:
            db.session.remove()
            inner.rollback()


def _examples(client: Any) -> dict[str, Any]:
    """The body the description gives as an example, by endpoint."""
    described = client.get("/api/v1/openapi.json").get_json()["paths"]
    told = [one for methods in described.values() for one in methods.values() if "requestBody" in one]
    bodies = {one["operationId"]: one["requestBody"]["content"]["application/json"] for one in told}
    return {f"api_v1.{name}": body.get("example") or {} for name, body in bodies.items()}


def _after(mark: str, own: Mapping[str, Any]) -> dict[str, str]:
    return {name[1:]: str(value) for name, value in own.items() if name[0] == mark}
