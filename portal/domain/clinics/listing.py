"""The clinics anybody may look up."""

from __future__ import annotations

from sqlalchemy import func, select

from portal.core import names
from portal.core.actor import Actor
from portal.core.paging import Page, page
from portal.domain.clinics.models import Clinic


def public(
    actor: Actor, *, name: str | None = None, city: str | None = None, after: str | None = None, limit: int = 25
) -> Page[Clinic]:
    """The clinics that are open to the public, by name; each word of `name` is found without accents or case."""
    statement = select(Clinic).where(Clinic.is_active)
    for word in names.fold(name).split() if name else ():
        statement = statement.where(Clinic.search_name.contains(word, autoescape=True))
    if city:
        statement = statement.where(func.lower(Clinic.city) == city.lower())
    return page(statement, [Clinic.name, Clinic.id], after=after, limit=limit)
