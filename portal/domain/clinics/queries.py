"""Clinics as everybody may see them."""

from __future__ import annotations

from sqlalchemy import select

from portal.core import names
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.paging import Page, page
from portal.domain.clinics.models import Clinic


def public(
    actor: Actor, *, name: str | None = None, city: str | None = None, after: str | None = None, limit: int = 25
) -> Page[Clinic]:
    """The clinics that are open to the public, by name; `name` is compared without accents or case."""
    statement = select(Clinic).where(Clinic.is_active)
    if name:
        statement = statement.where(Clinic.search_name.contains(names.fold(name), autoescape=True))
    if city:
        statement = statement.where(Clinic.city == city)
    return page(statement, [Clinic.name, Clinic.id], after=after, limit=limit)


def by_slug(actor: Actor, slug: str) -> Clinic:
    """One clinic's page; raises NotFound for one that is closed, except to those who work in it."""
    statement = select(Clinic).where(Clinic.slug == slug, Clinic.visible(actor))
    return session().scalars(statement).one_or_none() or refuse(NotFound)
