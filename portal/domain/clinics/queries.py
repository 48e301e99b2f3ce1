"""A clinic as everybody may see it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.policy import find
from portal.domain.clinics.models import Clinic


def by_slug(actor: Actor, slug: str) -> Clinic:
    """One clinic's page; raises NotFound for one that is closed, except to those who work in it."""
    statement = select(Clinic).where(Clinic.slug == slug, Clinic.visible(actor))
    return session().scalars(statement).one_or_none() or refuse(NotFound)


def by_id(actor: Actor, clinic_id: UUID) -> Clinic:
    """The same by its id; raises NotFound as by_slug does."""
    return find(actor, Clinic, clinic_id)
