"""Streams: notifications and changes of appointments as they happen, over server-sent events and WebSockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import orjson
from flask import Response, current_app, request
from pydantic import Field

from portal.api import bearer
from portal.api.contract import Malformed
from portal.api.stream import SCOPE, Listener
from portal.api.stream_socket import Conversation, NoSockets, UpgradeRequired, check
from portal.api.v1 import endpoint
from portal.api.v1.answers import Out
from portal.core.actor import Actor
from portal.core.errors import Refused
from portal.core.open_streams import TooManyStreams
from portal.core.shapes import Empty, Shape
from portal.domain.access import actors
from portal.domain.notifications.stream import CannotResume, Happening

TAG = "Streams"
OPENINGS = "60 per minute"
RECONNECT_AFTER = 3000  # milliseconds, as a server-sent stream says it
FIRST_MESSAGE_WITHIN = 10.0  # seconds
CLOSED = 4000  # a WebSocket that is refused is closed with this and the status: 4401 is no valid token
LAST_ID = "Last-Event-ID"
RESUME = {LAST_ID: "The id of the last event that came; what happened since then comes first"}


class EventOut(Out):
    """Something happened. What the thing is now is read by its own address; types not known are to be passed over."""

    id: Annotated[str, Field(description="Send the last one as Last-Event-ID to go on after it", examples=["18213"])]
    type: Annotated[str, Field(examples=["appointment.moved", "notification.added"])]
    subject_type: Annotated[str, Field(examples=["appointment", "notification"])]
    subject_id: UUID
    version: Annotated[int | None, Field(description="Of an appointment, as it is now")]
    status: Annotated[str | None, Field(description="Of an appointment as it is now; of a notification read or unread")]
    occurred_at: Annotated[datetime, Field(description="In UTC")]
    notice: Annotated[str | None, Field(description="What a notification says", examples=["appointment.confirmed"])]
    about_type: Annotated[str | None, Field(description="What a notification is about")]
    about_id: UUID | None

    @classmethod
    def of(cls, one: Happening) -> EventOut:
        plain = {name: getattr(one, name) for name in cls.model_fields if name not in {"id", "occurred_at"}}
        return cls(id=str(one.seq), occurred_at=one.occurred_at.astimezone(UTC), **plain)


class Hello(Shape):
    """The first message on a WebSocket, and any later one that brings a newer token."""

    token: Annotated[str | None, Field(max_length=4000), Empty] = None
    after: Annotated[str | None, Field(max_length=40), Empty] = None


@endpoint(
    "GET",
    "/stream",
    tag=TAG,
    streams=EventOut,
    refuses=(CannotResume, TooManyStreams),
    scope=SCOPE,
    headers=RESUME,
    rate=OPENINGS,
)
def stream(actor: Actor) -> Response:
    """What happens, as server-sent events

    Notifications and, with `appointments:read`, changes of the appointments you may see. Each block has an `id`, its
    `event` is the type and its `data` an EventOut as JSON. Every 15 seconds without one a comment and an id say that
    all is well. `event: bye` with a `code` comes before the end when the token is over: go on with a new token and the
    last id. Nothing is lost in between, for seven days.
    """
    listener = Listener(actor, bearer.token() or "", request.headers.get(LAST_ID))
    answer = Response(_written(listener), mimetype="text/event-stream")
    answer.headers |= {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    answer.call_on_close(listener.close)
    return answer


@endpoint(
    "GET",
    "/ws",
    tag=TAG,
    status=101,
    refuses=(UpgradeRequired, NoSockets, CannotResume, TooManyStreams),
    scope=SCOPE,
    public=True,
    headers=RESUME,
    rate=OPENINGS,
)
def websocket(actor: Actor) -> Response:
    """The same over a WebSocket

    Without a token in the header the first message is `{"token": "…", "after": "<last id>"}`, within ten seconds.
    Each event is a message, an EventOut as JSON; `{"type": "heartbeat", "id": "…"}` says that all is well. Send
    `{"token": "…"}` before the token ends to go on with a newer one. Before it is closed comes `{"type": "bye",
    "code": "…"}`; the close code is 4000 and the status, so 4401 is a token that is not valid (any more).
    """
    check()
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
    address, token, last_id = actor.address, bearer.token(), request.headers.get(LAST_ID)
    known = Listener(actor, token, last_id) if token else None
    return Conversation(lambda ear: _talk(ear, known, lambda said: app.apart(lambda: _introduced(said, address))))


def _written(listener: Listener) -> Iterator[str]:
    yield f"retry: {RECONNECT_AFTER}\nid: {listener.position}\n\n"
    try:
        for batch in listener.follow():
            for one in batch.items:
                yield f"id: {one.seq}\nevent: {one.type}\ndata: {EventOut.of(one).model_dump_json()}\n\n"
            if not batch.items:
                yield f": still here\nid: {batch.position}\n\n"
    except Refused as no:
        yield f"event: bye\ndata: {_bye(no)}\n\n"


def _talk(ear: Any, listener: Listener | None, introduce: Any) -> None:
    try:
        listener = listener or introduce(_said(ear, FIRST_MESSAGE_WITHIN))
        for batch in listener.follow(partial(_hear, ear, listener)):
            for one in batch.items:
                ear.send(EventOut.of(one).model_dump_json())
            if not batch.items:
                ear.send(orjson.dumps({"type": "heartbeat", "id": str(batch.position)}).decode())
    except Refused as no:
        ear.send(_bye(no))
        ear.close(CLOSED + no.status, no.code)
    finally:
        if listener:
            listener.close()


def _hear(ear: Any, listener: Listener) -> None:
    """Take the newer token that the other side may have sent; raises TokenRefused for another account's."""
    if (said := _said(ear, 0)).token:
        listener.renew(said.token)


def _said(ear: Any, within: float) -> Hello:
    """The next message; an empty one when none came. Raises Malformed or Invalid."""
    raw = ear.receive(timeout=within)
    if raw is None:
        return Hello()
    said = Hello.parse_json(raw.encode() if isinstance(raw, str) else bytes(raw))
    if said is None:
        raise Malformed
    return said


def _introduced(said: Hello, address: str | None) -> Listener:
    """Whose token came in the first message; raises NoToken, TokenRefused or InsufficientScope."""
    if not said.token:
        raise bearer.NoToken
    actor = actors.by_bearer(said.token, address)
    bearer.need(actor, SCOPE)
    return Listener(actor, said.token, said.after)


def _bye(no: Refused) -> str:
    return orjson.dumps({"type": "bye", "code": no.code, "status": no.status, "detail": str(no)}).decode()
