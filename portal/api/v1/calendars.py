"""Private calendar addresses: a calendar program reads one's visits there, in neutral words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from flask import current_app, url_for
from pydantic import Field

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import Out
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.shapes import Shape
from portal.domain.identity.acts_for import EmailNotVerified
from portal.domain.scheduling import feeds
from portal.domain.scheduling.feeds import NothingToShow, TooManyFeeds
from portal.domain.scheduling.planning import CalendarFeed

TAG = "Calendar addresses"
Whose = Literal["patient", "doctor"]


class MakeCalendar(Shape):
    """Whose visits: your own and of those you look after ("patient"), or the visits to you ("doctor")."""

    whose: Whose


class CalendarOut(Out):
    """A calendar address that is alive; the address itself was told once."""

    id: UUID
    whose: Whose
    read_at: Annotated[datetime | None, Field(description="When a program read it last, to ten minutes")]
    created_at: datetime

    @classmethod
    def told(cls, feed: CalendarFeed) -> dict[str, Any]:
        read_at = feed.read_at.astimezone(UTC) if feed.read_at else None
        return {"id": feed.id, "whose": feed.whose, "read_at": read_at, "created_at": feed.created_at.astimezone(UTC)}

    @classmethod
    def of(cls, feed: CalendarFeed) -> Self:
        return cls(**cls.told(feed))


class CalendarMade(CalendarOut):
    """With its address, which is told here and never again. Whoever has it reads the calendar."""

    address: Annotated[str, Field(description="For a calendar program; iCalendar (RFC 5545)")]


class Calendars(Out):
    """The newest first."""

    items: list[CalendarOut]


@endpoint("GET", "/calendars", tag=TAG, answer=Calendars, scope="appointments:read")
def list_calendars(actor: Actor) -> Calendars:
    """Your calendar addresses that are alive"""
    return Calendars(items=[CalendarOut.of(feed) for feed in feeds.mine(actor)])


@endpoint(
    "POST",
    "/calendars",
    tag=TAG,
    body=MakeCalendar,
    answer=CalendarMade,
    status=201,
    refuses=(NothingToShow, EmailNotVerified, TooManyFeeds),
    scope="appointments:write",
    keyed=True,
    example={"whose": "patient"},
)
def make_calendar(actor: Actor, body: MakeCalendar) -> Answer:
    """Make a calendar address"""
    token = feeds.make(actor, body.whose)
    address = current_app.extensions["portal.settings"].base_url + url_for("public.calendar_feed", token=token)
    made = CalendarMade(**CalendarMade.told(feeds.mine(actor)[0]), address=address)
    return Answer(made, {"Location": "/api/v1/calendars"})


@endpoint("DELETE", "/calendars/{calendar_id}", tag=TAG, status=204, refuses=(NotFound,), scope="appointments:write")
def end_calendar(actor: Actor, calendar_id: UUID) -> None:
    """Make a calendar address dead, at once"""
    feeds.end(actor, calendar_id)
