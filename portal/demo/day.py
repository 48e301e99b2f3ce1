"""Today at the demo's clinics: boards, people who came without an appointment, one who was just called."""

from __future__ import annotations

import random
from datetime import timedelta

from portal.core import clock
from portal.core.errors import Refused
from portal.demo.network import Network, Post
from portal.domain.day import walk_ins
from portal.domain.scheduling import visits

SHOWN = ("dr.benali@demo.dz", "dr.haddad@demo.dz")
GIVEN_UP = 30  # minutes after the start
CAME = ((44, False), (31, False), (17, True), (6, False))  # minutes ago, goes first


def liven(network: Network, dice: random.Random) -> int:
    """Give every clinic its board, and the doctors that are shown a few walk-ins; returns how many came."""
    for post in network.posts:
        post.clinic.has_board, post.clinic.no_show_minutes = True, GIVEN_UP
    return sum(_walk_ins(post, network, dice) for post in network.posts if post.data.email in SHOWN)


def _walk_ins(post: Post, network: Network, dice: random.Random) -> int:
    """Whoever is somewhere else at that time does not come."""
    kinds = {kind.id: kind for rule in post.openings for kind in rule.kinds if kind.mode == "in_person"}
    plain = next((kind for kind in kinds.values() if kind.name == "Consultation"), None)
    near = [one for one in network.patients[2:] if one.city == post.clinic.city and _grown(one.data.born.year)]
    came = []
    for (ago, urgent), who in zip(CAME, dice.sample(near, len(CAME)), strict=True):
        with clock.standing_at(clock.now() - timedelta(minutes=ago)):
            try:
                came.append(
                    walk_ins.add(
                        post.desk,
                        practice_id=post.practice_id,
                        visit_type_id=plain.id if plain else next(iter(kinds)),
                        patient_id=who.patient_id,
                        urgent=urgent,
                    ).id
                )
            except Refused:
                continue
    if len(came) > 1:
        with clock.standing_at(clock.now() - timedelta(minutes=2)):
            visits.call(post.desk, came[0])
    return len(came)


def _grown(year: int) -> bool:
    return clock.now().year - year > 17
