"""A day off in the demo network: one patient has accepted another time, the others are being asked now."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core import clock
from portal.core.db import session
from portal.demo.network import Network, Post
from portal.domain.changes import answering, applying, listing, planning
from portal.domain.scheduling.models import UPCOMING, Appointment

AWAY = "dr.haddad@demo.dz"
ASKED = timedelta(hours=3)  # ago
SOONEST = timedelta(days=5)


def take_a_day_off(network: Network) -> int:
    """Dr Haddad takes a full day off, and the second patient's farthest doctor too; answers how many visits are hit."""
    away = next(post for post in network.posts if post.doctor.email == AWAY)
    named = network.patients[1]
    theirs = [(post, visit) for post in network.posts if (visit := _visit(post, named.patient_id))]
    hit = _take_off(network, away, _visit(away))
    if theirs:
        hit += _take_off(network, *max(theirs, key=lambda one: one[1].starts_at))
    return hit


def _take_off(network: Network, post: Post, visit: Appointment | None) -> int:
    """Take the day of this visit off; the first patient but the named one accepts, or agrees on the phone."""
    if visit is None or post.doctor.doctor_id is None:
        return 0
    day = visit.starts_at.astimezone(ZoneInfo(post.clinic.time_zone)).date()
    with clock.standing_at(clock.now() - ASKED):
        about = {"first": day, "last": day, "note": "Wedding of my sister"}
        change = planning.save_or_plan(post.doctor, "close_doctor", post.doctor.doctor_id, **about)
        if change is None:
            return 0
        applying.apply(post.doctor, change.id, {})
    lines = listing.show(post.doctor, change.id).lines
    named, members = network.patients[1], {one.patient_id: one.actor for one in network.patients if one.actor}
    first = next((line for line in lines if line.place and line.visit.patient_id != named.patient_id), None)
    if first:
        answering.accept(members.get(first.visit.patient_id, post.desk), first.proposal.id)
    return len(lines)


def _visit(post: Post, patient_id: UUID | None = None) -> Appointment | None:
    """A visit at this practice that is some days ahead: this patient's, else one on the fullest day."""
    statement = select(Appointment).where(
        Appointment.practice_id == post.practice_id,
        Appointment.status.in_(UPCOMING),
        Appointment.starts_at > clock.now() + SOONEST,
    )
    if patient_id:
        statement = statement.where(Appointment.patient_id == patient_id)
    found = list(session().scalars(statement.order_by(Appointment.starts_at)))
    full = Counter(visit.starts_at.date() for visit in found)
    return max(found, key=lambda visit: full[visit.starts_at.date()], default=None)
