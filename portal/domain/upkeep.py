"""Tidying by the clock: nothing here decides anything, and all of it may be late."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import text

from portal.core import clock, idempotency, log, seals, tasks
from portal.core.db import after_commit, session
from portal.core.tasks import Steps, task
from portal.domain.clinics import invitations
from portal.domain.identity import grants, sessions, tokens
from portal.gateways import anchors


@task
def seal_events() -> None:
    """Close the audit chain over what happened since the last seal, and tell of it outside the database."""
    sealing = seals.seal()
    if sealing.refused:  # said again each time, until somebody looks
        log.error("events not sealed", count=len(sealing.refused), events=list(map(str, sealing.refused))[:20])
    if sealing.made:
        anchor = sealing.made.anchor
        after_commit(lambda: log.info("events sealed", **anchor))
        for place in anchors.places():
            tasks.later(anchor_seal, place.name, anchor, key=f"anchor:{anchor['number']}:{place.name}")


@task
def anchor_seal(place: str, anchor: dict[str, Any]) -> Steps:
    """Put a seal where the database cannot reach it."""
    yield partial(anchors.put, place, anchor)


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
