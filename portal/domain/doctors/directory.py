"""The public directory: which doctors match, in which order, and what a card says about them. Free times come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, func, literal, null, select, text, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased, contains_eager, joinedload, selectinload

from portal.core import names
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid, NotFound, refuse
from portal.core.paging import Page, decode, encode
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.cards import DoctorCard, cards
from portal.domain.doctors.models import Doctor, Practice, Specialty, doctor_specialties
from portal.domain.doctors.shapes import DirectoryQuery

AROUND = 150_000  # metres: what "near a city" still shows
EARTH = 6_371_000  # metres, mean radius
ALIKE = 0.4  # pg_trgm word similarity from which a name counts as mistyped
PRIOR, PRIOR_COUNT = 3.5, 10  # every doctor starts as if ten people had given 3.5


@dataclass(frozen=True, slots=True)
class Match:
    """A doctor who matches, at which practices and in which zones, and how far away the nearest of them is."""

    doctor_id: UUID
    family_name: str
    given_name: str
    practice_ids: tuple[UUID, ...]
    zones: tuple[str, ...]
    metres: int | None
    points: int = 0
    rank: Any = None  # where the `Rank` that was asked for puts the doctor

    def place(self, order: str) -> list[Any]:
        """Where this doctor stands in a list by distance, by rating or by name: the values of a cursor."""
        first = {"distance": [self.metres or 0], "rating": [-self.points]}.get(order, [])
        return [*first, self.family_name, self.given_name, str(self.doctor_id)]


@dataclass(frozen=True, slots=True)
class Rank:
    """An order that another table gives: outer joined `on` to the practices; `by` is an aggregate over them."""

    table: Any
    on: ColumnElement[bool]
    by: ColumnElement[Any]
    skip: int = 0


def search(actor: Actor, query: DirectoryQuery) -> Page[DoctorCard]:
    """One page of doctors by name or by distance, without their free times.

    Whoever wants the soonest first, a mode or the free times asks scheduling.finding.search.
    """
    found = matches(query, most=query.limit + 1, after=query.after)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return Page(cards_of(shown), encode(shown[-1].place(query.order)) if more else None)


def matches(
    query: DirectoryQuery, *also: ColumnElement[bool], most: int, after: str | None = None, rank: Rank | None = None
) -> list[Match]:
    """At most `most` doctors with the practices that match, in the query's order after a cursor, or by `rank`.

    `also` are further conditions on Doctor, Practice and Clinic. A name is first looked for as it was typed; only if
    nobody has it, names that are written alike count.
    """
    typed = names.fold(query.name).split()
    if query.name and not typed:
        return []
    exact = [Doctor.search_name.contains(token, autoescape=True) for token in typed]
    found = _matches(query, [*also, *exact], most, after, rank)
    if found or not typed:
        return found
    session().execute(text(f"SET LOCAL pg_trgm.word_similarity_threshold = {ALIKE}"))
    alike = [literal(token).op("<%")(Doctor.search_name) for token in typed]
    return _matches(query, [*also, *alike], most, after, rank)


def cards_of(found: Sequence[Match]) -> list[DoctorCard]:
    """The cards of these matches in their order; the practices that match come first."""
    known = cards([match.doctor_id for match in found])
    return [
        replace(
            known[match.doctor_id],
            practices=tuple(sorted(known[match.doctor_id].practices, key=lambda one: one.id not in match.practice_ids)),
            metres=match.metres,
        )
        for match in found
        if match.doctor_id in known
    ]


def profile(actor: Actor, key: UUID | str) -> Doctor:
    """A doctor by id or slug with specialties and open practices; raises NotFound for one who is not public.

    Doctors and their clinics see a profile before it is public.
    """
    statement = (
        select(Doctor)
        .where(Doctor.id == key if isinstance(key, UUID) else Doctor.slug == key, Doctor.visible(actor))
        .options(
            selectinload(Doctor.specialties),
            selectinload(Doctor.practices.and_(Practice.is_active)).options(
                joinedload(Practice.clinic), joinedload(Practice.doctor)
            ),
        )
    )
    doctor: Doctor | None = session().scalars(statement).unique().one_or_none()
    return doctor or refuse(NotFound)


def practice(actor: Actor, practice_id: UUID) -> Practice:
    """A practice that takes bookings, with doctor and clinic; raises NotFound otherwise."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .join(Practice.clinic)
        .where(Practice.id == practice_id, Practice.is_active, Clinic.is_active, Doctor.public())
        .options(contains_eager(Practice.clinic), contains_eager(Practice.doctor).selectinload(Doctor.specialties))
    )
    return session().scalars(statement).unique().one_or_none() or refuse(NotFound)


def points() -> ColumnElement[Any]:
    """A doctor's average in thousandths, as if PRIOR_COUNT more people had given PRIOR (a Bayesian average).

    One single 5 does not go before two hundred reviews of 4.8, and a doctor nobody has reviewed stands in the middle.
    """
    total = Doctor.rating_sum + PRIOR * PRIOR_COUNT
    return cast(func.round(1000 * total / (Doctor.rating_count + PRIOR_COUNT)), Integer)


def _matches(
    query: DirectoryQuery, named: list[ColumnElement[bool]], most: int, after: str | None, rank: Rank | None
) -> list[Match]:
    metres = _nearest(query)
    statement: Select[Any] = (
        select(
            Doctor.id,
            Doctor.family_name,
            Doctor.given_name,
            func.array_agg(aggregate_order_by(Practice.id, Practice.id)),
            func.array_agg(aggregate_order_by(Clinic.time_zone, Practice.id)),
            metres.label("metres"),
            points().label("points"),
            (rank.by if rank else null()).label("rank"),
        )
        .join(Practice, and_(Practice.doctor_id == Doctor.id, Practice.is_active))
        .join(Clinic, and_(Clinic.id == Practice.clinic_id, Clinic.is_active))
        .where(Doctor.public(), *_conditions(query), *named)
        .group_by(Doctor.id)
        .limit(most)
    )
    keys: list[ColumnElement[Any]] = [Doctor.family_name, Doctor.given_name, Doctor.id]  # type: ignore[list-item]
    if query.order == "distance":
        keys = [metres, *keys]
        statement = statement.having(metres <= AROUND if query.latitude is None else metres.is_not(None))
    if query.order == "rating":
        keys = [-points(), *keys]
    if after:
        statement = statement.having(tuple_(*keys) > tuple_(*_after(after, len(keys))))
    if query.within_km is not None:
        statement = statement.having(metres <= query.within_km * 1000)
    if rank:
        statement = statement.outerjoin(rank.table, rank.on).offset(rank.skip)
        keys = [rank.by.nulls_last(), Doctor.id]  # type: ignore[list-item]
    rows = session().execute(statement.order_by(*keys)).all()
    return [Match(row[0], row[1], row[2], tuple(row[3]), tuple(row[4]), *row[5:]) for row in rows]


def _conditions(query: DirectoryQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if query.specialty:
        ids = select(doctor_specialties.c.doctor_id).join(Specialty).where(Specialty.code == query.specialty)
        wanted.append(Doctor.id.in_(ids))
    if query.city and not query.is_around:
        wanted.append(func.lower(Clinic.city) == query.city.lower())
    if query.clinic:
        wanted.append(Clinic.slug == query.clinic)
    if query.language:
        wanted.append(Doctor.languages.contains([query.language]))
    if query.gender:
        wanted.append(Doctor.gender == query.gender)
    if query.rating:
        wanted.append(and_(Doctor.rating_count > 0, Doctor.rating_sum >= query.rating * Doctor.rating_count))
    return wanted


def _nearest(query: DirectoryQuery) -> ColumnElement[Any]:
    """Metres from the place asked about to the doctor's nearest matching practice (haversine); null without a place."""
    if query.latitude is not None:
        latitude: Any = literal(query.latitude)
        longitude: Any = literal(query.longitude)
    elif query.city and query.is_around:
        town = aliased(Clinic)
        here = (func.lower(town.city) == query.city.lower()) & town.is_active
        latitude = select(func.avg(town.latitude)).where(here).scalar_subquery()
        longitude = select(func.avg(town.longitude)).where(here).scalar_subquery()
    else:
        return null().cast(Integer)
    half_north = func.sin(func.radians(Clinic.latitude - latitude) / 2)
    half_east = func.sin(func.radians(Clinic.longitude - longitude) / 2)
    slant = half_north * half_north + half_east * half_east * (
        func.cos(func.radians(latitude)) * func.cos(func.radians(Clinic.latitude))
    )
    return cast(func.round(func.min(2 * EARTH * func.asin(func.sqrt(func.least(slant, 1.0))))), Integer)


def _after(cursor_: str, count: int) -> list[Any]:
    values = decode(cursor_, count)
    try:
        distance = [int(values[0])] if count == 4 else []
        return [*distance, str(values[-3]), str(values[-2]), UUID(str(values[-1]))]
    except (TypeError, ValueError):
        raise Invalid(_("This list has moved on. Please start from its first page."), code="bad_cursor") from None
