"""What is written down about a webhook."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from portal.core.days import Day, Moment
from portal.core.shapes import Empty, OneLine, Shape, fault, storable
from portal.core.text import lazy as _
from portal.domain.webhooks.topics import TOPICS
from portal.gateways import hooks

_PRINTED = re.compile(r"[!-~]+")


def _receiver(written: str) -> str:
    """An https address of a name or number; http only on this very machine, where that is allowed."""
    try:
        parts = urlsplit(written)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = None, "", None
    secure = parts is not None and (parts.scheme == "https" or (parts.scheme == "http" and hooks.is_at_home(host)))
    plain = bool(_PRINTED.fullmatch(written)) and not set("\\#") & set(written)
    if parts is None or not (host and secure and plain) or "@" in parts.netloc or port == 0:
        raise fault("url", _("Please write a whole address that begins with https://, without a name or a password."))
    return written


def _event(name: str) -> str:
    if name not in TOPICS:
        raise fault("event", _("There is no event of this name."))
    return name


def _none_twice(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500),
    AfterValidator(storable),
    AfterValidator(_receiver),
    Field(description="https:// and public: an address inside a network is refused, now and at each delivery"),
]
EventName = Annotated[str, AfterValidator(_event), Field(json_schema_extra={"enum": list(TOPICS)})]
Events = Annotated[
    list[EventName],
    AfterValidator(_none_twice),
    Field(max_length=60, description="What to be told of; empty is everything"),
]
Words = Annotated[str, OneLine(200, 0)]


class NewEndpoint(Shape):
    """A receiver: of the events of a clinic (its admins only), or of what its owner may see."""

    url: Url
    description: Words = ""
    events: Events = []
    clinic_id: Annotated[UUID | None, Empty] = None


class ChangeEndpoint(Shape):
    """What may be said anew about a receiver; what is not sent stays."""

    url: Url | None = None
    description: Words | None = None
    events: Events | None = None


class EditEndpoint(Shape):
    """The same as a form sends it: all of it."""

    url: Url
    description: Words = ""
    events: Events = []


class ReplaySince(Shape):
    """From which moment on failed messages go out again."""

    since: Moment


class ReplayFromDay(Shape):
    """The same as a form sends it: from the beginning of a day."""

    since: Day


State = Literal["waiting", "sent", "failed"]


class MessageQuery(Shape):
    """Which messages to list."""

    state: Annotated[State | None, Empty] = None
