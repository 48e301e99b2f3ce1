"""What the calendar draws: visits, kept times, open hours and time off as plain rows in the wall time of one zone.

The widget knows UTC offsets only, so every time leaves here as wall time without an offset and comes back as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core import text
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.scheduling.days import Hours, Kept
from portal.domain.scheduling.models import UPCOMING, Appointment, Closure
from portal.web import terms

# state -> word, icon, tone; the same as on every badge
STATES: dict[str, tuple[Any, str, str]] = {
    "pending": (_("Waiting for confirmation"), "hourglass", "tone-warn"),
    "confirmed": (_("Confirmed"), "circle-check", "tone-accent"),
    "checked_in": (_("Checked in"), "user-check", "tone-info"),
    "in_progress": (_("In progress"), "stethoscope", "tone-info is-strong"),
    "completed": (_("Completed"), "checks", "tone-ok"),
    "no_show": (_("Did not come"), "user-off", "tone-bad"),
}
KEPT = (_("Kept for a patient"), "lock", "tone-neutral")
OVERBOOKED = (_("Overbooked"), "stack-2")
WALK_IN = (_("Walk-in"), "walk")
URGENT = (_("Urgent"), "urgent")
ICONS = (*(look[1] for look in STATES.values()), KEPT[1], "beach", OVERBOOKED[1], WALK_IN[1], URGENT[1])
EARLIEST, LATEST = 8, 18  # the grid covers at least these hours
Link = Callable[[Appointment], str | None]


def visit(of: Appointment, zone: ZoneInfo, *, url: Link, move: Link, notes: Iterable[str] = ()) -> dict[str, Any]:
    """A visit; it can be dragged while its state allows a move and there is an address to move it."""
    word, icon, tone = STATES[of.status]
    signs = marks(of)
    note = " · ".join([of.visit_type.name_in(text.language()), *notes])
    hours = f"{text.format_time(of.starts_at, zone)} – {text.format_time(of.ends_at, zone)}"
    moves = move(of) if of.status in UPCOMING else None
    return {
        "id": str(of.id),
        "resourceIds": [str(of.practice_id)],
        "start": wall(of.starts_at, zone),
        "end": wall(of.ends_at, zone),
        "startEditable": moves is not None,
        "classNames": ["cal-visit", *tone.split()],
        "extendedProps": {
            "kind": "visit",
            "icon": icon,
            "word": str(word),
            "time": text.format_time(of.starts_at, zone),  # the block's height says how long
            "title": of.patient.name,
            "note": note,
            "marks": [{"word": word, "icon": icon} for word, icon in signs],
            "url": url(of),
            "move": moves,
            "version": of.version,
            "label": text.beside(hours, of.patient.name, note, word, *(word for word, _icon in signs)),
        },
    }


def marks(of: Appointment) -> list[tuple[str, str]]:
    """What is unusual about a visit, each a word and an icon."""
    found = []
    if of.overbooked is not None:
        found.append(OVERBOOKED)
    if of.is_walk_in:
        found.append(WALK_IN)
    if of.is_urgent:
        found.append(URGENT)
    return [(str(word), icon) for word, icon in found]


def kept(of: Kept, zone: ZoneInfo) -> dict[str, Any]:
    """A time that somebody holds, so that nobody wonders why it is not free."""
    word, icon, tone = KEPT
    until = say("Kept until %(time)s", time=text.format_time(of.expires_at, zone))
    hours = f"{text.format_time(of.starts_at, zone)} – {text.format_time(of.ends_at, zone)}"
    return {
        "id": f"kept-{of.practice_id}-{int(of.starts_at.timestamp())}",
        "resourceIds": [str(of.practice_id)],
        "start": wall(of.starts_at, zone),
        "end": wall(of.ends_at, zone),
        "startEditable": False,
        "classNames": ["cal-kept", tone],
        "extendedProps": {
            "kind": "kept",
            "icon": icon,
            "word": str(word),
            "time": text.format_time(of.starts_at, zone),
            "title": of.patient or str(word),
            "note": until,
            "label": text.beside(hours, of.patient or word, until),
        },
    }


def open_hours(of: Hours, zone: ZoneInfo) -> dict[str, Any]:
    """Hours in which the practice receives, behind everything else."""
    return {
        "resourceIds": [str(of.practice.id)],
        "start": wall(of.starts_at, zone),
        "end": wall(of.ends_at, zone),
        "display": "background",
        "classNames": ["cal-open"],
        "extendedProps": {"kind": "open"},
    }


def closed(of: Closure, zone: ZoneInfo, practice_ids: Sequence[UUID], note: str = "") -> dict[str, Any]:
    """Time off, hatched behind what is kept in spite of it."""
    word = str(terms.CLOSURE_KINDS.get(of.kind, of.kind))
    return {
        "resourceIds": [str(practice_id) for practice_id in practice_ids],
        "start": wall(of.starts_at, zone),
        "end": wall(of.ends_at, zone),
        "display": "background",
        "classNames": ["cal-off"],
        "extendedProps": {"kind": "off", "icon": "beach", "word": word, "note": note},
    }


def holiday(day: date, name: str, practice_ids: Sequence[UUID]) -> dict[str, Any]:
    """A date on which the clinic is closed."""
    starts = datetime.combine(day, time())
    return {
        "resourceIds": [str(practice_id) for practice_id in practice_ids],
        "start": starts.isoformat(),
        "end": (starts + timedelta(days=1)).isoformat(),
        "display": "background",
        "classNames": ["cal-off"],
        "extendedProps": {"kind": "off", "icon": "beach", "word": say("Closed: %(name)s", name=name), "note": ""},
    }


def wall(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as its wall time in a zone, without the offset."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat()


def limits(zone: ZoneInfo, spans: Iterable[tuple[datetime, datetime]]) -> tuple[str, str]:
    """From which to which full hour the grid goes, so that these spans are on it."""
    first, last = EARLIEST, LATEST
    for starts_at, ends_at in spans:
        starts, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
        first = min(first, starts.hour)
        last = 24 if ends.date() > starts.date() else max(last, ends.hour + (ends.minute > 0))
    return f"{first:02d}:00", f"{last:02d}:00"


def offset(zone: ZoneInfo, at: datetime) -> str:
    """The zone's offset at a moment, such as +01:00."""
    minutes = int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
