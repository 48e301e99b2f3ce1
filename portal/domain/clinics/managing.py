"""Clinics made and changed by those who run them: the superadmin makes them, their admins keep them right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.sql.elements import ColumnElement

from portal.core.actor import ADMIN, Actor
from portal.core.db import session
from portal.core.errors import Forbidden, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.names import as_listed, fold
from portal.core.paging import Page, page
from portal.core.policy import allow, as_id
from portal.core.slugs import free_slug, is_id
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.clinics.shapes import WEEKDAYS

MEANT_IN = ("time_zone", "address", "city", "postcode")  # when and where people are expected


def administered(actor: Actor) -> ColumnElement[bool]:
    """In SQL: the clinics the actor runs."""
    return true() if actor.is_superadmin else Clinic.id.in_(actor.clinics_as(ADMIN))


def mine(actor: Actor, text: str = "", after: str | None = None, limit: int = 25) -> Page[Clinic]:
    """The clinics the actor runs, by name, those that match `text` when given."""
    statement = select(Clinic).where(administered(actor))
    if folded := fold(text):
        words = [Clinic.search_name.contains(word, autoescape=True) for word in folded.split()]
        statement = statement.where(*words)
    return page(statement, [Clinic.name, Clinic.id], after=after, limit=limit)


def choices(actor: Actor) -> list[Clinic]:
    """Every clinic the actor runs, by name; for choosing one from a list."""
    return list(session().scalars(select(Clinic).where(administered(actor)).order_by(*as_listed(Clinic.name))))


def get(actor: Actor, key: UUID | str, *, lock: bool = False) -> Clinic:
    """A clinic by slug or id, if the actor runs it; raises NotFound otherwise."""
    wanted = Clinic.id == as_id(key) if is_id(key) else Clinic.slug == key
    statement = select(Clinic).where(wanted, administered(actor))
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session().scalars(statement).one_or_none() or refuse(NotFound)


def at_hand(actor: Actor, clinic_id: UUID) -> Clinic:
    """As get, by id, without asking the database for a clinic that this transaction has read already."""
    clinic = session().get(Clinic, clinic_id)
    allow(clinic is not None and actor.administers(clinic_id), NotFound)
    return cast(Clinic, clinic)


def may_create(actor: Actor) -> None:
    """Go on if the actor may add clinics; raises Forbidden."""
    allow(actor.is_superadmin, Forbidden, _("Only a superadmin can add a clinic."))


def create(actor: Actor, **about: Any) -> Clinic:
    """A new clinic, open at once; `about` is a ClinicShape's values. For the superadmin."""
    may_create(actor)
    values = _columns(about)
    clinic = Clinic(slug=free_slug(Clinic, values["name"], otherwise="clinic"), **values)
    session().add(clinic)
    session().flush()
    record(actor, "clinic.created", clinic, clinic_id=clinic.id)
    return clinic


def change(actor: Actor, key: UUID | str, **about: Any) -> Clinic:
    """Correct what is known of a clinic; its address in the portal stays as it is.

    The zone is the superadmin's to change, because every opening is meant in it; raises Invalid for others. Whoever
    calls this has looked at the visits that are booked (withdrawing.change_clinic).
    """
    clinic = get(actor, key, lock=True)
    values = may_write(actor, clinic, about)
    changed = sorted(name for name, value in values.items() if getattr(clinic, name) != value)
    for name in changed:
        setattr(clinic, name, values[name])
    if changed:
        record(actor, "clinic.changed", clinic, clinic_id=clinic.id, fields=changed)
        session().flush()
    return clinic


def may_write(actor: Actor, clinic: Clinic, about: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say so much of a clinic, if the actor may write them there; raises Invalid."""
    values = _columns(about)
    if values["time_zone"] != clinic.time_zone and not actor.is_superadmin:
        raise Invalid(fields={"time_zone": _("Ask the superadmin to change the time zone: all hours are meant in it.")})
    return values


def deactivate(actor: Actor, key: UUID | str) -> Clinic:
    """Take a clinic out of the directory and out of booking. For the superadmin.

    Whoever calls this has looked at the visits that are booked (withdrawing.close_clinic_for_good).
    """
    return _switch(actor, key, False, "clinic.deactivated")


def to_switch(actor: Actor, key: UUID | str) -> Clinic:
    """The clinic, for who may open or close it for good: the superadmin. Raises NotFound or Forbidden."""
    clinic = get(actor, key)
    allow(actor.is_superadmin, Forbidden, _("Only a superadmin can open or close a clinic."))
    return clinic


def reactivate(actor: Actor, key: UUID | str) -> Clinic:
    """Put a clinic back into the directory. For the superadmin."""
    return _switch(actor, key, True, "clinic.reactivated")


def holidays(actor: Actor, clinic_id: UUID) -> list[Holiday]:
    """The dates on which a clinic is closed, in order."""
    get(actor, clinic_id)
    return list(session().scalars(select(Holiday).where(Holiday.clinic_id == clinic_id).order_by(Holiday.day)))


def count(actor: Actor) -> int:
    """How many clinics the actor runs."""
    return session().scalar(select(func.count()).select_from(Clinic).where(administered(actor))) or 0


def _switch(actor: Actor, key: UUID | str, on: bool, event: str) -> Clinic:
    to_switch(actor, key)
    clinic = get(actor, key, lock=True)
    if clinic.is_active != on:
        clinic.is_active = on
        record(actor, event, clinic, clinic_id=clinic.id)
        session().flush()
    return clinic


def _columns(about: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in about.items() if name not in WEEKDAYS}
    if (values.get("latitude") is None) != (values.get("longitude") is None):
        raise Invalid(fields={"longitude": _("Please give both latitude and longitude, or neither.")})
    hours = {day: [list(span) for span in about.get(day) or ()] for day in WEEKDAYS}
    values["email"] = values.get("email") or ""
    values["opening_hours"] = {day: spans for day, spans in hours.items() if spans}
    return values
