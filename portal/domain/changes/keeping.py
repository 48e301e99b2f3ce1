"""Keeping many times at once, each for its patient: two statements however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_if_free

from portal.core import clock, secrets
from portal.core.db import new_id, session
from portal.domain.changes.proposing import Found
from portal.domain.scheduling import taking
from portal.domain.scheduling.models import Hold, Occupancy
from portal.domain.scheduling.rulebook import moment


def keep(found: Sequence[Found], until: datetime) -> dict[UUID, UUID]:
    """Hold these times until then; answers the hold of each visit. What somebody was faster for is left out."""
    if not found:
        return {}
    _free_expired(found)
    holds = {one.visit_id: _hold(one, until) for one in found}
    session().execute(insert(Hold), list(holds.values()))
    rows = [row for one in found for row in _occupancies(one, holds[one.visit_id])]
    rows.sort(key=lambda row: (row["kind"] != "doctor", row["resource_id"]))  # as every booking: doctors before rooms
    statement = insert_if_free(Occupancy).values(rows).on_conflict_do_nothing().returning(Occupancy.hold_id)
    granted = Counter(session().scalars(statement))
    won = {one.visit_id for one in found if granted[holds[one.visit_id]["id"]] == 1 + len(one.rooms)}
    give_back([hold["id"] for visit_id, hold in holds.items() if visit_id not in won])
    return {visit_id: holds[visit_id]["id"] for visit_id in won}


def prolong(hold_ids: Sequence[UUID], until: datetime) -> None:
    """Keep these times until then."""
    session().execute(update(Hold).where(Hold.id.in_(hold_ids)).values(expires_at=until))
    session().execute(update(Occupancy).where(Occupancy.hold_id.in_(hold_ids)).values(expires_at=until))


def give_back(hold_ids: Sequence[UUID]) -> None:
    """These times are free again."""
    if hold_ids:
        session().execute(delete(Hold).where(Hold.id.in_(hold_ids)))


def alive(hold_ids: Sequence[UUID]) -> set[UUID]:
    """Those that are still kept, locked for this transaction."""
    wanted = [hold_id for hold_id in hold_ids if hold_id]
    statement = select(Hold.id).where(Hold.id.in_(wanted), Hold.expires_at > clock.now()).order_by(Hold.id)
    return set(session().scalars(statement.with_for_update()))


def _hold(one: Found, until: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "created_at": clock.now(),
        "fingerprint": secrets.fingerprint(secrets.make_token()),
        "patient_id": one.patient_id,
        "practice_id": one.practice_id,
        "visit_type_id": one.visit_type_id,
        "starts_at": moment(one.offer.starts),
        "ends_at": moment(one.offer.ends),
        "expires_at": until,
    }


def _occupancies(one: Found, hold: dict[str, Any]) -> list[dict[str, Any]]:
    taken = [("doctor", one.doctor_id, one.offer.free_lanes[0]), *(("room", *room) for room in one.rooms)]
    return [
        {
            "id": new_id(),
            "created_at": hold["created_at"],
            "resource_id": resource_id,
            "kind": kind,
            "lane": lane,
            "during": taking.during(one.offer),
            "hold_id": hold["id"],
            "expires_at": hold["expires_at"],
        }
        for kind, resource_id, lane in taken
    ]


def _free_expired(found: Sequence[Found]) -> None:
    """Remove expired holds on what these times need, so that they do not stand in the way."""
    resources = {one.doctor_id for one in found} | {room for one in found for room, _lane in one.rooms}
    over = select(Occupancy.hold_id).where(Occupancy.resource_id.in_(resources), Occupancy.expires_at <= clock.now())
    session().execute(delete(Hold).where(Hold.id.in_(over)))
