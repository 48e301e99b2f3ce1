"""Programs of the demo: a planner that people can let act for them, and the laboratory of the first clinic.

They have identifiers and a secret that the guide names (docs/API.md); everywhere else those are made by chance.
"""

from __future__ import annotations

from portal.core import clock, secrets
from portal.core.actor import SYSTEM
from portal.core.db import session
from portal.demo.clinics import CLINICS
from portal.demo.network import Network
from portal.demo.rooms import BOUGHT
from portal.domain.clinics import programs

PLANNER, LABORATORY = "demo-planner", "demo-laboratory"
LABORATORY_SECRET = "only-for-the-demo-0123456789"
PLANNER_MAY = (
    "profile:read", "appointments:read", "appointments:write", "family:read", "notifications:read",
)  # fmt: skip
LABORATORY_MAY = (
    "profile:read", "appointments:read", "appointments:write", "patients:read", "webhooks:read", "webhooks:write",
)  # fmt: skip


def let_in(network: Network) -> None:
    """The superadmin has let in an app, the first clinic a program that works by itself at its desk."""
    first = next(post.clinic for post in network.posts if post.clinic.name == CLINICS[0].name)
    with clock.standing_at(clock.now() - BOUGHT):
        planner, _none = programs.add(
            SYSTEM, kind="app", name="Family planner", scopes=PLANNER_MAY, redirect_uris=["http://127.0.0.1/back"]
        )
        laboratory, _secret = programs.add(
            SYSTEM, kind="service", name="Laboratory", scopes=LABORATORY_MAY, clinic_id=first.id
        )
    planner.client_id, laboratory.client_id = PLANNER, LABORATORY
    laboratory.secret_fingerprint = secrets.fingerprint(LABORATORY_SECRET)
    session().flush()
