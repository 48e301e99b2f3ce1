"""What an endpoint promises: declared once, obeyed by the dispatch and told by the OpenAPI description.

An endpoint is a function that takes what it needs by name (`actor`, `body`, `query`, parts of the path), calls one verb
and returns the answer's model, or `Answer` when there is a header to send with it. Everything around it happens here:
who asks, which scope, how often, what may come in, and a reply kept for whoever sends the same key again.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request
from pydantic import BaseModel

from portal.api import bearer, etags, problems, shaping
from portal.core import idempotency, limits
from portal.core.actor import Actor
from portal.core.errors import Invalid, Refused
from portal.core.shapes import Shape
from portal.core.text import lazy as _

MOST_BYTES = 64 * 1024
KEY_HEADER = "Idempotency-Key"


class Malformed(Refused):
    """The body is not JSON at all."""

    code, status = "malformed", 400
    sentence = _("The body of this request is not JSON we can read.")


class NotJson(Refused):
    """The body is something else than JSON."""

    code, status = "unsupported_media_type", 415
    sentence = _("Please send JSON, with the header Content-Type: application/json.")


class TooLarge(Refused):
    """The body is larger than anything the API takes."""

    code, status = "too_large", 413
    sentence = _("This is too large to be sent.")


class Nothing(Shape):
    """Nothing may come in."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with its status and headers, where the declared ones do not say it all."""

    model: BaseModel | None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A reply that is a file, in the declared media type; `tag` is its ETag."""

    content: bytes
    name: str
    tag: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method on one path, and all that is promised about it."""

    does: Callable[..., Any]
    method: str
    path: str  # as in OpenAPI: /doctors/{doctor_id}
    tag: str
    summary: str
    body: type[Shape] | None = None
    query: type[Shape] = Nothing
    answer: type[BaseModel] | None = None
    file: str | None = None  # the media type of an answer that is a file
    streams: type[BaseModel] | None = None  # what each event of an endless answer carries
    status: int = 200
    refuses: tuple[type[Refused], ...] = ()
    scope: str | None = None
    public: bool = False
    keyed: bool = False  # takes an Idempotency-Key
    tagged: bool = False  # the answer carries an ETag
    guarded: bool = False  # honours If-Match
    headers: Mapping[str, str] = field(default_factory=dict)  # request headers, name -> what it is for
    rate: str | None = None
    example: Any = None

    @property
    def name(self) -> str:
        return self.does.__name__

    @property
    def may_choose_fields(self) -> bool:
        """Whether `fields` may name which of the answer's fields to send."""
        return self.method == "GET" and self.answer is not None

    @property
    def details(self) -> str:
        return inspect.cleandoc(self.does.__doc__ or "")

    @property
    def rule(self) -> str:
        """The path as Flask writes it; every part is the id of something."""
        return re.sub(r"{(\w+)}", r"<uuid:\1>", self.path)

    @property
    def path_names(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def needs_body(self) -> bool:
        return self.body is not None and any(one.is_required() for one in self.body.model_fields.values())


class Contract:
    """The endpoints of one version of the API."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.prefix = f"/api/{version}"
        self.endpoints: list[Endpoint] = []

    def endpoint(self, method: str, path: str, *, tag: str, **promised: Any) -> Callable[[Any], Any]:
        """Declare the function below as an endpoint; its docstring's first line is the summary."""

        def declare(does: Callable[..., Any]) -> Callable[..., Any]:
            summary = (inspect.getdoc(does) or does.__name__).splitlines()[0]
            self.endpoints.append(Endpoint(does, method, path, tag, summary, **promised))
            return does

        return declare

    def blueprint(self) -> Blueprint:
        """All endpoints as Flask routes."""
        bp = Blueprint(f"api_{self.version}", __name__, url_prefix=self.prefix)
        for one in self.endpoints:
            view = _view(one)
            bp.add_url_rule(one.rule, one.name, view, methods=[one.method])
            if one.status == 101:
                bp.add_url_rule(one.rule, one.name, view, methods=[one.method], websocket=True)
        return bp


def _view(endpoint: Endpoint) -> Callable[..., Response]:
    takes = frozenset(inspect.signature(endpoint.does).parameters)

    def view(**path: UUID) -> Response:
        actor = g.actor = _who(endpoint)
        left = _count(endpoint, actor)
        came: dict[str, Any] = {"actor": actor, "body": _body(endpoint), "query": _query(endpoint), **path}
        wanted = {name: value for name, value in came.items() if name in takes}
        response = shaping.enveloped(_once(endpoint, actor, came["body"], wanted))
        problems.tell_limit(response, left)
        return response

    return view


def _count(endpoint: Endpoint, actor: Actor) -> limits.Left | None:
    """One use by this account, or by this address where nobody is signed in; raises TooMany."""
    if endpoint.rate is None:
        return None
    return limits.hit(endpoint.rate, "api", endpoint.name, str(actor.user_id or actor.place))


def _who(endpoint: Endpoint) -> Actor:
    actor = bearer.caller(required=not endpoint.public)
    if endpoint.scope and actor.is_signed_in:
        bearer.need(actor, endpoint.scope)
    return actor


def _query(endpoint: Endpoint) -> Shape:
    """The query, one value a name; unknown names, doubles and empty values are refused."""
    given = request.args.to_dict(flat=False)
    if endpoint.method == "GET" and endpoint.answer:
        shaping.chosen(endpoint.answer)  # refused before anything is done
        given.pop(shaping.FIELDS, None)
    wrong = {name: _("Please give this only once.") for name, values in given.items() if len(values) > 1}
    wrong |= {name: _("Please fill this in, or leave it out.") for name in given if not given[name][0].strip()}
    if wrong:
        raise Invalid(fields=wrong)
    return endpoint.query.parse({name: values[0] for name, values in given.items()})


def _body(endpoint: Endpoint) -> Shape | None:
    """The body, read strictly: its type, its size, its form and every key in it."""
    if endpoint.body is None:
        return None
    request.max_content_length = MOST_BYTES + 1  # a stream of unknown length is cut there without a word
    if (request.content_length or 0) > MOST_BYTES or len(raw := request.get_data(cache=True)) > MOST_BYTES:
        raise TooLarge
    if not raw and not endpoint.needs_body:
        return endpoint.body.parse({})
    if request.mimetype != "application/json":
        raise NotJson
    return endpoint.body.parse_json(raw) or _malformed()


def _malformed() -> Shape:
    raise Malformed


def _once(endpoint: Endpoint, actor: Actor, body: Shape | None, wanted: Mapping[str, Any]) -> Response:
    """Do it; when an Idempotency-Key came, do it only the first time and reply the same ever after."""
    key = request.headers.get(KEY_HEADER) if endpoint.keyed else None
    if key is not None:
        idempotency.check(key)
    if key is None or actor.user_id is None:  # a kept reply belongs to an account
        return _reply(endpoint, _done(endpoint, wanted))
    kept = idempotency.begin(actor, key, _digest(endpoint, body))
    if kept.status is not None:
        response = Response(idempotency.reply(kept), kept.status, kept.headers)
        response.headers["Idempotency-Replayed"] = "true"
        return response
    response = _reply(endpoint, _done(endpoint, wanted))
    if response.status_code < 400:
        idempotency.keep(kept, response.status_code, dict(response.headers), response.get_data(as_text=True))
    return response


def _done(endpoint: Endpoint, wanted: Mapping[str, Any]) -> Any:
    """What the verb returned; a stale version that came as If-Match is a failed precondition."""
    try:
        return endpoint.does(**wanted)
    except Refused as no:
        if endpoint.guarded and etags.came() and no.code == etags.PreconditionFailed.code:
            raise etags.PreconditionFailed from None
        raise


def _digest(endpoint: Endpoint, body: Shape | None) -> str:
    """What makes two requests the same: method, address, the headers that count and every value of the body."""
    said = body.model_dump_json() if body else ""
    headers = [request.headers.get(name, "") for name in ("If-Match", *endpoint.headers)]
    asked = "\n".join((request.method, request.full_path, *headers, said))
    return hashlib.sha256(asked.encode()).hexdigest()


def _reply(endpoint: Endpoint, result: Any) -> Response:
    if isinstance(result, Response):
        return result  # a stream
    if isinstance(result, File):
        return _file(endpoint, result)
    answer = result if isinstance(result, Answer) else Answer(result)
    status = answer.status or endpoint.status
    if answer.model is None:
        return Response(status=204 if status == 200 else status, headers=dict(answer.headers))
    if endpoint.method != "GET":
        return Response(answer.model.model_dump_json(), status, dict(answer.headers), mimetype="application/json")
    chosen = shaping.chosen(endpoint.answer or type(answer.model))
    body = answer.model.model_dump_json(include=chosen)
    response = Response(body, status, dict(answer.headers), mimetype="application/json")
    shaping.link_on(response, answer.model)
    return etags.not_modified(etags.tagged(response))


def _file(endpoint: Endpoint, file: File) -> Response:
    response = Response(file.content, content_type=endpoint.file, headers={"ETag": file.tag})
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return etags.not_modified(response)
