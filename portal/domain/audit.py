"""What happened and what is still to be done, for those who look after the portal: events and background tasks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import StringConstraints, model_validator
from sqlalchemy import ColumnElement, Select, func, select, true

from portal.core import clock, seals, tasks
from portal.core.actor import ADMIN, Actor
from portal.core.csv_out import csv_lines
from portal.core.days import Day, in_order
from portal.core.db import session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import Event, record
from portal.core.paging import Page, page
from portal.core.policy import allow, as_id
from portal.core.shapes import Empty, Shape
from portal.core.task_counts import counts as all_counts
from portal.core.tasks import Task
from portal.core.text import lazy as _
from portal.domain.access import people
from portal.domain.patients import care

MOST_EXPORTED = 50_000
Word = Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9_.]*$")]


class NotFailed(Conflict):
    """The task is done, or still to be done."""

    code = "not_failed"
    sentence = _("Only a failed task can be tried again.")


class EventQuery(Shape):
    """Which events to show: by name or its beginning, by who, about what, on which dates (both included)."""

    name: Annotated[Word | None, Empty] = None
    actor_id: Annotated[UUID | None, Empty] = None
    subject_id: Annotated[UUID | None, Empty] = None
    first: Annotated[Day | None, Empty] = None
    last: Annotated[Day | None, Empty] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        in_order(self.first, self.last)
        return self


class TaskQuery(Shape):
    """Which tasks to show."""

    state: Annotated[Literal["waiting", "done", "failed"] | None, Empty] = None
    name: Annotated[Word | None, Empty] = None


@dataclass(frozen=True)
class Entry:
    """An event with the name of whoever did it; empty for the portal itself and for strangers.

    `for_whom` names the patient when it was done by somebody who looks after them.
    """

    event: Event
    actor_name: str
    for_whom: str = ""


@dataclass(frozen=True)
class Chain:
    """How far the audit chain is closed: the last seal, how many events wait for the next, and how many in vain.

    `refused` events are not as the portal wrote them, so they are never sealed.
    """

    number: int
    sealed_at: datetime | None
    digest: str
    open: int
    refused: int


def events(
    actor: Actor, query: EventQuery, *, zone: str | None = None, after: str | None = None, limit: int = 50
) -> Page[Entry]:
    """Events, latest first: all for a superadmin, those of their clinics for an admin. Dates are meant in `zone`,
    that of the portal when left out."""
    found = page(_matching(actor, query, zone), [Event.seq], after=after, limit=limit, descending=True)
    names = people.names([event.actor_id for event in found.items if event.actor_id])
    whom = care.acted_for(found.items)
    entries = [Entry(event, names.get(event.actor_id, ""), whom.get(event.id, "")) for event in found.items]
    return Page(entries, found.next)


def names_used(actor: Actor) -> list[str]:
    """The names of events there are, for choosing one."""
    return list(session().scalars(_names(_visible(actor))))


def chain(actor: Actor) -> Chain:
    """The state of the chain; for a superadmin."""
    allow(actor.is_superadmin)
    last, refused = seals.latest(), len(seals.refused())
    unsealed = session().scalar(select(func.count()).select_from(Event).where(Event.seal_id.is_(None))) or 0
    waiting = max(0, unsealed - refused)
    number, sealed_at, digest = (last.number, last.created_at, last.digest) if last else (0, None, "")
    return Chain(number, sealed_at, digest, waiting, refused)


def export(actor: Actor, query: EventQuery, *, zone: str | None = None) -> list[str]:
    """The matching events as CSV lines, latest first, at most 50,000; for a superadmin. The export is recorded."""
    allow(actor.is_superadmin)
    statement = _matching(actor, query, zone).order_by(Event.seq.desc()).limit(MOST_EXPORTED)
    lines = list(csv_lines(_HEADINGS, _cells(session().scalars(statement))))
    record(actor, "audit.exported", rows=len(lines) - 1)
    return lines


def background(actor: Actor, query: TaskQuery, *, after: str | None = None, limit: int = 50) -> Page[Task]:
    """Tasks, latest first; for a superadmin."""
    allow(actor.is_superadmin)
    statement = select(Task)
    if query.state:
        statement = statement.where(Task.state == query.state)
    if query.name:
        statement = statement.where(Task.name.contains(query.name, autoescape=True))
    return page(statement, [Task.id], after=after, limit=limit, descending=True)


def task_counts(actor: Actor) -> dict[str, int]:
    """How many tasks stand in each state; for a superadmin."""
    allow(actor.is_superadmin)
    return all_counts()


def one_task(actor: Actor, task_id: UUID) -> Task:
    """One task; for a superadmin."""
    allow(actor.is_superadmin)
    return session().get(Task, task_id) or refuse(NotFound)


def retry(actor: Actor, task_id: UUID | str) -> Task:
    """Give a failed task a fresh start; for a superadmin. Raises Conflict when it has not failed."""
    allow(actor.is_superadmin)
    row = session().get(Task, as_id(task_id)) or refuse(NotFound)
    if row.state != "failed":
        raise NotFailed
    tasks.retry(row.id)
    record(actor, "task.retried", row, task=row.name)
    session().flush()
    return row


_HEADINGS = (
    "seq", "at", "name", "actor_id", "subject_type", "subject_id", "patient_id", "clinic_id", "facts", "door",
    "address", "correlation_id", "seal_id",
)  # fmt: skip


def _names(visible: ColumnElement[bool]) -> Select[tuple[str]]:
    """The names of visible events: from one name to the next by the index, so not every event is read."""
    names = select(func.min(Event.name).label("name")).cte("names", recursive=True)
    following = select(func.min(Event.name)).where(Event.name > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    seen = select(Event.id).where(Event.name == names.c.name, visible).exists()
    return select(names.c.name).where(names.c.name.is_not(None), seen).order_by(names.c.name)


def _cells(found: Iterable[Event]) -> Iterable[list[Any]]:
    for event in found:
        values = {name: getattr(event, name, None) for name in _HEADINGS}
        values |= {"at": event.created_at.astimezone(UTC).isoformat(), "facts": json.dumps(event.facts, sort_keys=True)}
        yield list(values.values())


def _matching(actor: Actor, query: EventQuery, zone: str | None) -> Any:
    there = ZoneInfo(zone) if zone else clock.home()
    statement = select(Event).where(_visible(actor))
    if query.name:
        statement = statement.where(Event.name.startswith(query.name, autoescape=True))
    if query.actor_id:
        statement = statement.where(Event.actor_id == query.actor_id)
    if query.subject_id:
        statement = statement.where(Event.subject_id == query.subject_id)
    if query.first:
        statement = statement.where(Event.created_at >= datetime.combine(query.first, time(), there))
    if query.last:
        until = datetime.combine(query.last + timedelta(days=1), time(), there)
        statement = statement.where(Event.created_at < until)
    return statement


def _visible(actor: Actor) -> ColumnElement[bool]:
    if actor.is_superadmin:
        return true()
    allow(bool(actor.clinics_as(ADMIN)))
    return Event.clinic_id.in_(actor.clinics_as(ADMIN))
