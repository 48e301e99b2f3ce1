"""Notices of families: care that begins, changes or ends is told to the other side, and before a child is of age."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core.db import session
from portal.core.events import Event
from portal.core.tasks import task
from portal.core.text import format_date
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.identity.models import User
from portal.domain.notifications import kinds
from portal.domain.notifications.delivery import tell
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.patients import care
from portal.domain.patients.models import Delegation

WARNED = (timedelta(days=60), timedelta(days=7))  # before care ends

delegation = kinds.rows(
    Delegation, joinedload(Delegation.patient), joinedload(Delegation.user), joinedload(Delegation.clinic)
)


@task
def care_begun(event_id: str, delegation_id: str) -> None:
    """The patient, whoever allowed it, and the carer know that it counts now."""
    _tell_others(event_id, delegation_id, "family.begun")


@task
def care_changed(event_id: str, delegation_id: str) -> None:
    """The other side knows what may be done from now on."""
    _tell_others(event_id, delegation_id, "family.changed")


@task
def care_ended(event_id: str, delegation_id: str) -> None:
    """The other side knows that it is over."""
    _tell_others(event_id, delegation_id, "family.ended")


@task
def warn_of_endings() -> None:
    """By the clock: tell carers 60 days and 7 days before their care ends. It is never renewed silently."""
    here, a_day = care.today(), timedelta(days=1)
    for ahead in WARNED:
        for held in care.ending_between(here - a_day, here + ahead + a_day):
            today = care.today(held.clinic)
            key = f"family.ending:{held.id}:{held.ends_on}:{ahead.days}"
            is_near = held.ends_on and ahead - timedelta(days=7) < held.ends_on - today <= ahead
            if held.ends_on and is_near and held.starts_on < today:
                tell(held.user, "family.ending", held, key, ends_on=held.ends_on.isoformat())


def _tell_others(event_id: str, delegation_id: str, kind: str) -> None:
    """The patient's own account, the carer and whoever let the carer in, but not the one who did it."""
    event, held = session().get(Event, UUID(event_id)), delegation(UUID(delegation_id))
    if event is None or held is None or held.patient.deceased_at is not None:
        return
    sides = {held.user_id, held.granted_by, held.patient.user_id} - {event.actor_id, None}
    for user in session().scalars(select(User).where(User.id.in_(sides)).order_by(User.id)):
        tell(user, kind, held, event_id, mine=user.id == held.user_id)


def _about(what: str) -> Any:
    def about(facts: Facts, held: Delegation, locale: str) -> Facts:
        return {
            "what": what,
            "is_carer": bool(facts.get("mine", True)),
            "carer": held.user.name,
            "patient": held.patient.name,
            "clinic": held.clinic.name if held.clinic else "",
            "until": held.ends_on,
        }

    return about


def _begun(facts: Facts, held: Delegation | None) -> str:
    carer, patient = _names(held)
    if held and held.clinic:
        clinic = held.clinic.name
        if facts.get("mine"):
            return say("You can act for %(patient)s at %(clinic)s now.", patient=patient, clinic=clinic)
        return say("%(carer)s can act for %(patient)s at %(clinic)s now.", carer=carer, patient=patient, clinic=clinic)
    if facts.get("mine"):
        return say("You can act for %(patient)s now.", patient=patient)
    return say("%(carer)s can act for %(patient)s now.", carer=carer, patient=patient)


def _changed(facts: Facts, held: Delegation | None) -> str:
    carer, patient = _names(held)
    if facts.get("mine"):
        return say("What you may do for %(patient)s has changed.", patient=patient)
    return say("What %(carer)s may do for %(patient)s has changed.", carer=carer, patient=patient)


def _ended(facts: Facts, held: Delegation | None) -> str:
    carer, patient = _names(held)
    if facts.get("mine"):
        return say("You do not act for %(patient)s any more.", patient=patient)
    return say("%(carer)s does not act for %(patient)s any more.", carer=carer, patient=patient)


def _ending(facts: Facts, held: Delegation | None) -> str:
    day = format_date(date.fromisoformat(facts["ends_on"])) if "ends_on" in facts else ""
    return say("You can act for %(patient)s until %(day)s.", patient=_names(held)[1], day=day)


def _names(held: Delegation | None) -> tuple[str, str]:
    return (held.user.name, held.patient.name) if held else ("", "")


def _of_care(name: str, icon: str, label: Any, sentence: Any, stands: Any) -> Kind:
    return Kind(
        f"family.{name}",
        delegation,
        letter="family_notice",
        about=_about(name),
        sentence=sentence,
        stands=stands,
        url=lambda held: "/patient/family",
        icon=icon,
        label=label,
        must_reach=False,
    )


def _stands(facts: Facts, held: Delegation) -> bool:
    return held.ended_at is None


kinds.add(
    _of_care("begun", "users", _("Family"), _begun, _stands),
    _of_care("changed", "users", _("Family: changes"), _changed, _stands),
    _of_care("ended", "user-off", _("Family: ended"), _ended, lambda facts, held: held.ended_at is not None),
    _of_care(
        "ending",
        "hourglass",
        _("Family: ends soon"),
        _ending,
        lambda facts, held: _stands(facts, held) and str(held.ends_on) == facts.get("ends_on"),
    ),
)
