"""What the asker may choose about an answer's form: fewer fields, an envelope around it, a link to the next page."""

from __future__ import annotations

from typing import Any, get_args
from urllib.parse import urlencode

import orjson
from flask import Response, current_app, request
from pydantic import BaseModel

from portal.core.errors import Invalid
from portal.core.text import gettext as say
from portal.core.text import lazy as _

FIELDS = "fields"
FIELDS_PATTERN = "^[a-z_]+(,[a-z_]+)*$"
ENVELOPE = "application/vnd.portal.envelope+json"


def chosen(answer: type[BaseModel]) -> Any:
    """What to send, as pydantic's `include`: the fields that ?fields= names, of a list those of its items; None is all.

    Raises Invalid for a name the answer does not have.
    """
    said = request.args.getlist(FIELDS)
    if not said:
        return None
    names = set(said[0].split(","))
    item = item_of(answer)
    unknown = names - set((item or answer).model_fields)
    if unknown or len(said) > 1:
        raise Invalid(fields={FIELDS: _("Please name fields of the answer, with commas between them.")})
    if item is None:
        return names
    return {name: ({"__all__": names} if name == "items" else True) for name in answer.model_fields}


def item_of(answer: type[BaseModel]) -> type[BaseModel] | None:
    """What a list is a list of; None for an answer that is no list."""
    items = answer.model_fields.get("items")
    found = [kind for kind in get_args(items.annotation) if isinstance(kind, type)] if items else []
    return found[0] if found and issubclass(found[0], BaseModel) else None


def link_on(response: Response, model: BaseModel) -> None:
    """Where the list goes on, as a link too (RFC 8288)."""
    if after := getattr(model, "next", None):
        query = urlencode({**request.args.to_dict(), "after": after})
        base = current_app.extensions["portal.settings"].base_url  # not the request's host: a cache may keep this
        response.headers["Link"] = f'<{base}{request.path}?{query}>; rel="next"'


def enveloped(response: Response) -> Response:
    """The answer with {success, data, message} around it for whoever asks for that media type; else as it is."""
    wanted = request.accept_mimetypes.best_match(["application/json", ENVELOPE], "application/json")
    if wanted != ENVELOPE or response.mimetype != "application/json":
        return response
    message = orjson.dumps(say("Done."))
    response.set_data(b'{"success":true,"data":' + response.get_data() + b',"message":' + message + b"}")
    response.headers["Content-Type"] = ENVELOPE
    return response
