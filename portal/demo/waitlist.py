"""Who waits for an earlier time in the demo network, and whom a doctor has asked to come again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from portal.core import clock
from portal.core.db import session
from portal.demo.history import SHOWN
from portal.demo.network import ZONE, Network, Post
from portal.domain.scheduling import availability, invitations
from portal.domain.scheduling.models import UPCOMING, Appointment
from portal.domain.waitlist import joining

SOONEST = timedelta(days=4)  # visits nearer than that are not worth moving
# When those who wait can come, and how urgent the desk has found it.
WISHES: tuple[tuple[list[dict[str, Any]], str], ...] = (
    ([], "routine"),
    ([{"weekday": day, "starts": "08:00", "until": "12:00"} for day in (6, 0, 1)], "soon"),
    ([{"starts": "13:00"}], "routine"),
    ([{"weekday": 3}], "urgent"),
)


def wait(network: Network) -> None:
    """Patients of the shown doctors wait for earlier times; the first doctor asks the first patient to come again."""
    posts = [post for post in network.posts if post.doctor.email in SHOWN]
    members = {member.patient_id: member.actor for member in network.patients if member.actor}
    for post in posts:
        ahead = [visit for visit in _ahead(post) if visit.patient_id in members]
        for number, (visit, (windows, urgency)) in enumerate(zip(ahead, WISHES, strict=False)):
            actor = members[visit.patient_id]
            joined = max(visit.created_at + timedelta(minutes=20), clock.now() - timedelta(hours=30 - 5 * number))
            with clock.standing_at(min(joined, clock.now())):
                entry = joining.join(actor, moves_id=visit.id, windows=windows)
                if urgency != "routine":
                    joining.change(post.desk, entry.id, urgency=urgency)
    _invite(network, posts)


def _ahead(post: Post) -> list[Appointment]:
    """One visit of each patient with this doctor that could come earlier, the farthest first."""
    statement = select(Appointment).where(
        Appointment.practice_id == post.practice_id,
        Appointment.status.in_(UPCOMING),
        Appointment.starts_at > clock.now() + SOONEST,
    )
    found = session().scalars(statement.order_by(Appointment.starts_at)).all()
    return list(reversed({visit.patient_id: visit for visit in found}.values()))


def _invite(network: Network, posts: list[Post]) -> None:
    """The first doctor would like to see the first patient again, in a few weeks."""
    post, patient = posts[0], network.patients[0]
    kind = availability.bookable_types(post.practice_id)[-1]
    first, last = invitations.proposed("1m", clock.today(ZONE))
    about = {"practice_id": post.practice_id, "patient_id": patient.patient_id, "visit_type_id": kind.id}
    with clock.standing_at(clock.now() - timedelta(hours=20)):
        invitations.invite(post.doctor, **about, first=first, last=last, note="Please bring your latest results.")
