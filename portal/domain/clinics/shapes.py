"""What comes in about clinics, their holidays and the people who work in them."""

from __future__ import annotations

import re
from datetime import time
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel import Locale
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from portal.core.days import Day
from portal.core.phones import Phone
from portal.core.shapes import Empty, Label, Line, Name, OneLine, Shape, WallTime, fault, storable
from portal.core.text import lazy as _
from portal.domain.identity.shapes import Email

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# codes of the territory list that are no country of ISO 3166-1
_NO_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_SPAN = re.compile(r"(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})")


@cache
def zones() -> frozenset[str]:
    """The IANA time zones that stand for a place."""
    places = (zone for zone in available_timezones() if "/" in zone)
    return frozenset({"UTC", *(zone for zone in places if not zone.startswith(("Etc/", "posix/", "right/")))})


@cache
def countries() -> frozenset[str]:
    """The ISO 3166-1 codes of the world's countries."""
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code)) - _NO_COUNTRIES


def _country(value: str) -> str:
    if value not in countries():
        raise fault("country", _("Please choose a country from the list."))
    return value


def _zone(value: str) -> str:
    if value not in zones():
        raise fault("time_zone", _("This is not a time zone we know. Choose one such as Africa/Algiers."))
    return value


def _spans(value: Any) -> Any:
    """["08:00", "12:00"] pairs from "08:00-12:00, 13:00-17:00"; nothing is a day on which the clinic is closed.

    Programs send the pairs themselves; they are read in the same way.
    """
    if isinstance(value, str):
        found = [_span(part.strip()) for part in value.split(",") if part.strip()]
    elif isinstance(value, list) and all(_is_pair(one) for one in value):
        found = [_span("-".join(one)) for one in value]
    else:
        return value
    if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
        raise fault("hours", _("Please write these hours in order and without overlaps."))
    return found


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(one, str) for one in value)


def _span(part: str) -> tuple[str, str]:
    match = _SPAN.fullmatch(part)
    starts, ends = (_wall(side) for side in match.groups()) if match else (None, None)
    if starts is None or ends is None or ends <= starts:
        raise fault("hours", _("Please write hours such as 08:00-12:00, 13:00-17:00."))
    return f"{starts:%H:%M}", f"{ends:%H:%M}"


def _wall(written: str) -> time | None:
    hour, minute = map(int, written.split(":"))
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _lines(value: Any) -> Any:
    """One site a line, as a form sends them; programs send a list."""
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else value


def _origin(written: str) -> str:
    """scheme, host and port of a site (RFC 6454), https only, as a content security policy takes it."""
    try:
        parts = urlsplit(written.rstrip("/").lower())
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:  # UnicodeError is one
        parts, host, port = urlsplit(""), "", None
    whole = parts.scheme == "https" and parts.netloc and not (parts.path or parts.query or parts.fragment)
    if not whole or "@" in parts.netloc or not _HOST.fullmatch(host):
        raise fault("origin", _("Please write a site such as https://www.clinic.example, without anything after it."))
    return f"https://{host}" + (f":{port}" if port else "")


def _none_twice(origins: list[str]) -> list[str]:
    return list(dict.fromkeys(origins))


Title = Annotated[str, OneLine(120)]
_WALL = {"type": "string", "examples": ["08:00"]}
_PAIRS = {"type": "array", "maxItems": 6, "items": {"type": "array", "items": _WALL, "minItems": 2, "maxItems": 2}}
Spans = Annotated[
    list[tuple[str, str]],
    BeforeValidator(_spans),
    Field(max_length=6),
    WithJsonSchema({"anyOf": [_PAIRS, {"type": "string", "examples": ["08:00-12:00, 13:00-17:00"]}]}),
]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
Origins = Annotated[
    list[Annotated[str, StringConstraints(max_length=255), AfterValidator(storable), AfterValidator(_origin)]],
    BeforeValidator(_lines),
    AfterValidator(_none_twice),
    Field(max_length=10, description="Sites (https origins) that may show its public booking pages in a frame"),
]
MaybeEmail = Annotated[Email | None, Empty]


class ClinicShape(Shape):
    """A clinic as its admins write it down; the days hold opening hours such as 08:00-12:00, 13:00-17:00.

    No message that can wait is sent from `quiet_from` to `quiet_until`; equal ones mean at any hour.
    """

    name: Title
    address: Line
    city: Label
    region: Annotated[str, OneLine(80, 0)] = ""
    postcode: Annotated[str, OneLine(16, 0)] = ""
    latitude: Annotated[float | None, Field(ge=-90, le=90), Empty] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180), Empty] = None
    time_zone: Zone = "Africa/Algiers"
    country: Country = "DZ"
    phone: Phone = ""
    email: MaybeEmail = None
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = "DZD"
    quiet_from: WallTime = time(21)
    quiet_until: WallTime = time(8)
    late_minutes: Annotated[int, Field(ge=0, le=240)] = 10
    no_show_minutes: Annotated[int | None, Field(ge=5, le=1440), Empty] = None
    offer_minutes: Annotated[int, Field(ge=5, le=1440)] = 30
    has_board: bool = False
    embed_origins: Origins = []
    mon: Spans = []
    tue: Spans = []
    wed: Spans = []
    thu: Spans = []
    fri: Spans = []
    sat: Spans = []
    sun: Spans = []


class HolidayShape(Shape):
    """A date on which the whole clinic is closed."""

    day: Day
    name: Title
    keep_visits: bool = False


class GroupShape(Shape):
    """A sort of room or device of a clinic: a visit that needs it takes any one of them."""

    kind: Literal["room", "device"]
    name: Label


class ResourceShape(Shape):
    """One room or one device; so many visits can use it at the same time."""

    name: Label
    places: Annotated[int, Field(ge=1, le=50)] = 1


class MemberShape(Shape):
    """Someone asked to work in a clinic, as the clinic calls them; they say yes and choose their own password."""

    email: Email
    given_name: Name
    family_name: Name
    locale: Literal["en", "fr", "ar"] = "en"
    role: Literal["staff", "pharmacist", "admin"]
