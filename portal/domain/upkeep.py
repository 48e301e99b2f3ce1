"""Tidying by the clock: nothing here decides anything, and all of it may be late."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from portal.core import clock, events, idempotency, log, secrets, tasks
from portal.core.db import session
from portal.core.tasks import task
from portal.domain.clinics import invitations
from portal.domain.identity import grants, sessions, tokens


@task
def seal_events() -> None:
    """Close the audit chain over what happened since the last seal."""
    sealed = events.seal(secrets.derived("event-seal"))
    if sealed:
        log.info("events sealed", count=sealed)


@task
def prune_occupancy() -> None:
    """Forget expired holds and time that lies in the past; a week is kept for a look back."""
    now = clock.now()
    session().execute(text("DELETE FROM holds WHERE expires_at < :now"), {"now": now})
    session().execute(
        text("DELETE FROM occupancies WHERE upper(during) < :before"), {"before": now - timedelta(days=7)}
    )


@task
def forget_old_tasks() -> None:
    tasks.prune()


@task
def forget_old_sessions() -> None:
    sessions.prune()
    invitations.prune()
    grants.prune()
    tokens.prune()


@task
def forget_old_replies() -> None:
    """Replies kept under an Idempotency-Key live for a day."""
    idempotency.prune()
