"""What a list says about a doctor, and what there is to choose from, each in one statement and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.recent import Recent


@dataclass(frozen=True, slots=True)
class SpecialtyName:
    """A specialty with its names, without its row."""

    code: str
    name_en: str
    name_fr: str
    name_ar: str

    def name_in(self, language: str) -> str:
        return str(getattr(self, f"name_{language}", self.name_en))


@dataclass(frozen=True, slots=True)
class PracticeCard:
    """Where a doctor receives, and for how much."""

    id: UUID
    clinic_name: str
    clinic_slug: str
    city: str
    time_zone: str
    fee_minor: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class DoctorCard:
    """What a list says about a doctor."""

    id: UUID
    slug: str
    name: str
    gender: str
    languages: tuple[str, ...]
    specialties: tuple[SpecialtyName, ...]
    practices: tuple[PracticeCard, ...]
    metres: int | None = None
    rating_sum: int = 0
    rating_count: int = 0

    @property
    def rating(self) -> float | None:
        """The average of the reviews that are shown, 1 to 5; None without any."""
        return self.rating_sum / self.rating_count if self.rating_count else None

    @property
    def cities(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(practice.city for practice in self.practices))


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to choose from: only what some public doctor has."""

    specialties: tuple[SpecialtyName, ...]
    cities: tuple[str, ...]
    clinics: tuple[tuple[str, str], ...]  # slug, name
    languages: tuple[str, ...]


def cards(doctor_ids: Sequence[UUID]) -> dict[UUID, DoctorCard]:
    """The cards of these doctors, practices at open clinics only."""
    if not doctor_ids:
        return {}
    rows = session().execute(_CARDS, {"ids": [str(one) for one in doctor_ids]})
    return {row.id: _card(row) for row in rows}


_facets: Recent[str, Facets] = Recent(seconds=30)


def facets(actor: Actor) -> Facets:
    """The specialties, cities, clinics and languages in which there is a public doctor; up to half a minute old."""
    return _facets.one("all", _read_facets)


def _card(row: Any) -> DoctorCard:
    return DoctorCard(
        id=row.id,
        slug=row.slug,
        name=" ".join(part for part in (row.title, row.given_name, row.family_name) if part),
        gender=row.gender,
        languages=tuple(row.languages),
        specialties=tuple(SpecialtyName(*one) for one in row.specialties or ()),
        practices=tuple(PracticeCard(UUID(one[0]), *one[1:]) for one in row.practices or ()),
        rating_sum=row.rating_sum,
        rating_count=row.rating_count,
    )


def _read_facets() -> Facets:
    row = session().execute(_FACETS).one()
    return Facets(
        specialties=tuple(SpecialtyName(*one) for one in row.specialties or ()),
        cities=tuple(row.cities or ()),
        clinics=tuple((slug, name) for slug, name in row.clinics or ()),
        languages=tuple(row.languages or ()),
    )


_CARDS = text(
    """
SELECT d.id, d.slug, d.title, d.given_name, d.family_name, d.gender, d.languages, d.rating_sum, d.rating_count,
  (SELECT json_agg(json_build_array(s.code, s.name_en, s.name_fr, s.name_ar) ORDER BY s.code)
     FROM doctor_specialties x JOIN specialties s ON s.id = x.specialty_id WHERE x.doctor_id = d.id) AS specialties,
  (SELECT json_agg(json_build_array(p.id, c.name, c.slug, c.city, c.time_zone, p.fee_minor, c.currency) ORDER BY p.id)
     FROM practices p JOIN clinics c ON c.id = p.clinic_id AND c.is_active
    WHERE p.doctor_id = d.id AND p.is_active) AS practices
  FROM doctors d WHERE d.id = ANY(CAST(:ids AS uuid[]))
"""
)
_FACETS = text(
    """
WITH here AS (
  SELECT DISTINCT d.id, d.languages, c.id AS clinic_id, c.slug, c.name, c.city
    FROM doctors d
    JOIN practices p ON p.doctor_id = d.id AND p.is_active
    JOIN clinics c ON c.id = p.clinic_id AND c.is_active
   WHERE d.is_active AND d.licence_verified_at IS NOT NULL)
SELECT
  (SELECT json_agg(json_build_array(code, name_en, name_fr, name_ar) ORDER BY name_en) FROM specialties
    WHERE id IN (SELECT x.specialty_id FROM doctor_specialties x JOIN here ON here.id = x.doctor_id)) AS specialties,
  (SELECT array_agg(DISTINCT city ORDER BY city) FROM here) AS cities,
  (SELECT json_agg(json_build_array(slug, name) ORDER BY name)
     FROM (SELECT DISTINCT slug, name FROM here) places) AS clinics,
  (SELECT array_agg(DISTINCT spoken ORDER BY spoken) FROM here, unnest(languages) spoken) AS languages
"""
)
