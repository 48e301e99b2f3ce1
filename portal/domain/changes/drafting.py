"""The proposals of a draft: one for each visit the change would hit, with a time held wherever one is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid
from portal.core.text import lazy as _
from portal.domain.changes import keeping, kinds, proposing, trial
from portal.domain.changes.kinds import Kind
from portal.domain.changes.models import Change, Proposal
from portal.domain.changes.proposing import Found
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import Appointment

ROUNDS = 3  # how often other times are looked for when somebody was faster


class DecisionMissing(Invalid):
    """A visit is left without a decision."""

    code = "decision_missing"
    sentence = _("Please say for each visit what becomes of it.")


def proposals_of(change: Change) -> list[Proposal]:
    """Its proposals, soonest visit first."""
    statement = select(Proposal).where(Proposal.change_id == change.id).order_by(Proposal.was, Proposal.id)
    return list(session().scalars(statement.execution_options(populate_existing=True)))


def decide(change: Change, decisions: Mapping[UUID, str]) -> list[Proposal]:
    """The proposals of a locked change with these decisions in them; raises Invalid for one that cannot be."""
    found, possible = proposals_of(change), kinds.get(change.kind).decisions
    for proposal in found:
        said = decisions.get(proposal.id, proposal.decision)
        if said not in possible or (said == "move" and proposal.hold_id is None):
            raise DecisionMissing
        proposal.decision = said
    return found


def hit(actor: Actor, sort: Kind, wanted: Mapping[str, Any]) -> list[Appointment]:
    """The visits the change would hit now, soonest first."""
    try:
        with trial.undone():
            sort.save(actor, wanted, keep_visits=False)
    except VisitsAffected as no:
        statement = select(Appointment).where(Appointment.id.in_(no.every)).order_by(Appointment.starts_at)
        return list(session().scalars(statement.execution_options(populate_existing=True)))
    return []


def fit(actor: Actor, change: Change) -> None:
    """Make the proposals fit the visits the change hits now, and hold every time until `change.held_until`.

    What was decided stays; a time that went back is held again where it is free.
    """
    sort = kinds.get(change.kind)
    visits = hit(actor, sort, change.wanted)
    proposals = _for_each(change, visits)
    kept = keeping.alive([proposal.hold_id for proposal in proposals.values() if proposal.hold_id])
    keeping.prolong(list(kept), change.held_until)
    again = {}
    for proposal in proposals.values():
        if proposal.starts_at and proposal.hold_id not in kept:
            again[proposal.appointment_id], proposal.hold_id = proposal.starts_at, None
    left = [visit for visit in visits if proposals[visit.id].hold_id is None] if sort.proposes else []
    for _round in range(ROUNDS):
        left = _place(actor, sort, change, proposals, left, again)
        if not left:
            break
    for proposal in proposals.values():
        if proposal.hold_id is None:
            proposal.starts_at = None
        if proposal.decision is None or (proposal.decision == "move" and proposal.hold_id is None):
            proposal.decision = _at_first(sort, proposal)
    session().flush()


def _at_first(sort: Kind, proposal: Proposal) -> str:
    if not sort.proposes:
        return sort.decisions[0]
    return "move" if proposal.hold_id else "choose"


def forget(proposals: Sequence[Proposal]) -> None:
    """Nobody asks about these visits any more."""
    keeping.give_back([proposal.hold_id for proposal in proposals if proposal.hold_id])
    session().execute(delete(Proposal).where(Proposal.id.in_([proposal.id for proposal in proposals])))


def _for_each(change: Change, visits: Sequence[Appointment]) -> dict[UUID, Proposal]:
    """A proposal for each of these visits, old ones kept, by the visit's id; others are forgotten."""
    known = {proposal.appointment_id: proposal for proposal in proposals_of(change)}
    wanted = {visit.id for visit in visits}
    forget([proposal for key, proposal in known.items() if key not in wanted])
    for visit in visits:
        if visit.id not in known:
            known[visit.id] = Proposal(change_id=change.id, appointment_id=visit.id)
            session().add(known[visit.id])
        known[visit.id].was, known[visit.id].version = visit.starts_at, visit.version
    session().flush()
    return {key: proposal for key, proposal in known.items() if key in wanted}


def _place(
    actor: Actor,
    sort: Kind,
    change: Change,
    proposals: Mapping[UUID, Proposal],
    visits: Sequence[Appointment],
    again: dict[UUID, datetime],
) -> list[Appointment]:
    """Find and hold times for these visits; answers those for whose time somebody was faster."""
    found = search(actor, sort, change.wanted, visits, again)
    held = keeping.keep(list(found.values()), change.held_until)
    for visit_id, hold_id in held.items():
        proposals[visit_id].hold_id, proposals[visit_id].starts_at = hold_id, found[visit_id].starts_at
    return [visit for visit in visits if visit.id in found and visit.id not in held]


def search(
    actor: Actor, sort: Kind, wanted: Mapping[str, Any], visits: Sequence[Appointment], again: dict[UUID, datetime]
) -> dict[UUID, Found]:
    """New times by the rules as they would be after the change."""
    if not visits:
        return {}
    with trial.undone():
        sort.save(actor, wanted, keep_visits=True)
        return proposing.search(visits, again)
