"""Every table, imported in one place so that migrations and mappers see them all."""

from portal.core import events, idempotency, tasks
from portal.domain.changes import models as changes
from portal.domain.clinics import models as clinics
from portal.domain.doctors import models as doctors
from portal.domain.identity import client_models as clients
from portal.domain.identity import factor_models as factors
from portal.domain.identity import models as identity
from portal.domain.notifications import models as notifications
from portal.domain.patients import models as patients
from portal.domain.patients import request_models as requests
from portal.domain.reminders import models as reminders
from portal.domain.reviews import models as reviews
from portal.domain.scheduling import models as scheduling
from portal.domain.scheduling import planning
from portal.domain.waitlist import models as waitlist
from portal.domain.webhooks import models as webhooks

__all__ = [
    "changes",
    "clients",
    "clinics",
    "doctors",
    "events",
    "factors",
    "idempotency",
    "identity",
    "notifications",
    "patients",
    "planning",
    "reminders",
    "requests",
    "reviews",
    "scheduling",
    "tasks",
    "waitlist",
    "webhooks",
]
