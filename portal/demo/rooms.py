"""What the doctors of the demo's first clinic share, the check-up that needs it, and the clinic's closed days."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.demo.clinics import CLINICS
from portal.demo.network import ZONE, Network, Post
from portal.domain.clinics import resources
from portal.domain.scheduling import hours, public_holidays, visit_types

BOUGHT = timedelta(days=30)  # ago
BOOKED = timedelta(days=90)  # ahead, nobody has booked later than that
TUESDAY = 1
GROUPS = (("room", "Treatment room", ("Room 1", "Room 2")), ("device", "ECG", ("ECG 1",)))
CHECK_UP = {
    "name": "Check-up with ECG", "name_fr": "Bilan avec ECG", "name_ar": "فحص مع تخطيط القلب",
    "duration": 45, "buffer_after": 5, "price_minor": 450_000, "most_upcoming": 1, "most_per_day": 12,
}  # fmt: skip


def equip(network: Network) -> None:
    """The first clinic gets rooms, a device, a visit type that needs both, and the next public holidays."""
    first = next(post for post in network.posts if post.clinic.name == CLINICS[0].name)
    with clock.standing_at(clock.now() - BOUGHT):
        _furnish(first)
    _close(first.clinic.id)


def _furnish(post: Post) -> None:
    groups = []
    for kind, name, each in GROUPS:
        group = resources.add_group(SYSTEM, post.clinic.id, kind=kind, name=name)
        for one in each:
            resources.add(SYSTEM, group.id, name=one)
        groups.append(group.id)
    check_up = visit_types.add(SYSTEM, post.clinic.id, **CHECK_UP, needs=groups)
    hours.add(SYSTEM, post.practice_id, weekday=TUESDAY, starts=time(14), ends=time(16), visit_type_ids=[check_up.id])


def _close(clinic_id: UUID) -> None:
    """The public holidays to come after the time for which visits are booked already."""
    today = clock.today(ZONE)
    for year in (today.year, today.year + 1):
        offered = public_holidays.of_year(SYSTEM, clinic_id, year, "fr")
        days = [one.day for one in offered if one.is_open and one.day > today + BOOKED]
        if days:
            public_holidays.take_over(SYSTEM, clinic_id, year=year, language="fr", days=days)
