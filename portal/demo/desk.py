"""What the first clinic's desk has arranged: a series, a visit over another, a colleague for “any doctor”."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.db import session
from portal.demo.network import ZONE, Member, Network, Post
from portal.domain.doctors import joining, practices
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.patients.models import Registration
from portal.domain.scheduling import hours, overbooking, series
from portal.domain.scheduling.models import UPCOMING, Appointment
from portal.domain.scheduling.refusals import NotOffered

WEEKS = 6
FEE = 280_000  # minor units: what a visit with the colleague costs


def arrange(network: Network) -> None:
    """Do all of it with the clinic's own desk, through the verbs its pages use."""
    post = next(one for one in network.posts if one.is_busy)
    _colleague(network, post)
    guests = _without_account(network, post)
    if guests:
        _series(post, guests[0])
    if len(guests) > 1:
        _overbook(post, guests[1])


def _colleague(network: Network, post: Post) -> None:
    """A doctor of the same field from another clinic receives here, too, on a day on which they have no other hours."""
    field = set(post.data.specialties)
    others = [one for one in network.posts if one.clinic.id != post.clinic.id and field & set(one.data.specialties)]
    here = {one.data.email for one in network.posts if one.clinic.id == post.clinic.id}
    chosen = next((one for one in others if one.data.email not in here), None)
    if chosen is None:
        return
    doctor = session().scalars(select(Doctor).join(Practice).where(Practice.id == chosen.practice_id)).one()
    asked = practices.start(SYSTEM, doctor.slug, clinic_id=post.clinic.id, fee_minor=FEE)
    if asked.is_waiting:
        joining.accept(chosen.doctor, asked.id)
    practice = (
        session()
        .scalars(select(Practice).where(Practice.doctor_id == doctor.id, Practice.clinic_id == post.clinic.id))
        .one()
    )
    busy = {rule.weekday for one in network.posts if one.data.email == chosen.data.email for rule in one.openings}
    for weekday in [day for day in (6, 0, 1, 2, 3, 5) if day not in busy][:2]:
        hours.add(SYSTEM, practice.id, weekday=weekday, starts=time(9), ends=time(12), capacity=1)


def _without_account(network: Network, post: Post) -> list[Member]:
    """Patients the clinic knows who have no account: the desk books for them."""
    known = set(session().scalars(select(Registration.patient_id).where(Registration.clinic_id == post.clinic.id)))
    return [one for one in network.patients if one.actor is None and one.patient_id in known]


def _series(post: Post, guest: Member) -> None:
    """Six visits, a week apart, as far as there are times near."""
    rule = next((one for one in post.openings if one.weekday is not None and one.capacity == 1 and one.kinds), None)
    if rule is None:
        return
    kind = rule.kinds[-1]
    day = clock.today(ZONE) + timedelta(days=3)
    while not rule.holds(day):
        day += timedelta(days=1)
    wanted: dict[str, Any] = {"practice_id": post.practice_id, "visit_type_id": kind.id, "patient_id": guest.patient_id}
    first = datetime.combine(day, rule.starts, ZONE)
    plan = series.plan(post.desk, **wanted, starts_at=first, every_weeks=1, count=WEEKS)
    times = [date.chosen for date in plan.dates if date.chosen]
    if len(times) > 1:
        series.book(post.desk, **wanted, times=times, every_days=plan.every_days)


def _overbook(post: Post, guest: Member) -> None:
    """Somebody who cannot wait comes at the time of another visit."""
    taken = session().scalars(
        select(Appointment)
        .where(
            Appointment.practice_id == post.practice_id,
            Appointment.status.in_(UPCOMING),
            Appointment.starts_at > clock.now() + timedelta(hours=20),
        )
        .order_by(Appointment.starts_at)
    )
    for visit in list(taken)[:5]:
        about: dict[str, Any] = {
            "practice_id": post.practice_id,
            "visit_type_id": visit.visit_type_id,
            "starts_at": visit.starts_at,
        }
        found = overbooking.collisions(post.desk, **about, patient_id=guest.patient_id)
        if not found or any(one.is_final for one in found):
            continue
        try:
            overbooking.book(
                post.desk,
                **about,
                patient_id=guest.patient_id,
                overbook="Cannot wait until next week",
                seen=[one.key for one in found],
            )
        except NotOffered:
            continue
        return
