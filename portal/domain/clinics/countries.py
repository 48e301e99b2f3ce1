"""In which country those who work at clinics mean what they write."""

from __future__ import annotations

from sqlalchemy import select

from portal.core.actor import ADMIN, DOCTOR, STAFF, Actor
from portal.core.db import session
from portal.domain.clinics.models import Clinic


def of(actor: Actor) -> str:
    """The country of the actor's clinics (ISO 3166-1); empty when they work in none or in several."""
    own = actor.clinics_as(STAFF, ADMIN, DOCTOR)
    found = session().scalars(select(Clinic.country).where(Clinic.id.in_(own)).distinct()).all() if own else ()
    return found[0] if len(found) == 1 else ""
