"""Joining the waitlist, changing what was wished, and leaving it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from portal.core import clock
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.doctors import directory
from portal.domain.doctors.models import Practice
from portal.domain.patients import care
from portal.domain.scheduling import availability, caps, invitations, policy, taking
from portal.domain.scheduling.models import UPCOMING, Appointment, VisitType
from portal.domain.scheduling.refusals import EmailNotVerified, NoPatientProfile, NotSelfBookable
from portal.domain.waitlist import ending
from portal.domain.waitlist.models import WaitlistEntry
from portal.domain.waitlist.shapes import JoinWaitlist, Wish
from portal.domain.waitlist.wishes import (
    AlreadyWaiting,
    NothingToMove,
    NotWaiting,
    UrgencyIsTheClinics,
    as_stored,
    may_change,
)

FARTHEST = timedelta(days=730)


def join(actor: Actor, **about: Any) -> WaitlistEntry:
    """Wait for a free time; `about` is a JoinWaitlist's values.

    With `moves_id` an earlier time for that visit: patient, type and doctor are the visit's own, or any doctor of its
    clinic with `any_doctor`. Patients join for those they book for; the clinic's people for whoever they may see, and
    they alone say how urgent it is. Raises NotFound, Forbidden, EmailNotVerified, NotSelfBookable, AlreadyWaiting,
    NothingToMove, UrgencyIsTheClinics, TooManyAhead or Invalid.
    """
    wish = JoinWaitlist.parse(about)
    moves = _moved(actor, wish.moves_id) if wish.moves_id else None
    clinic, practice = _place(actor, wish, moves)
    patient_id = (moves.patient_id if moves else wish.patient_id or actor.patient_id) or refuse(NoPatientProfile)
    kind = _kind(clinic, practice, moves.visit_type_id if moves else wish.visit_type_id)
    invited = practice is not None and invitations.open_for(patient_id, practice.id, kind.id) is not None
    by_clinic = _who_joins(actor, patient_id, clinic, may_book=bool(moves) or kind.bookable_by == "anyone" or invited)
    allow(by_clinic or wish.urgency == "routine", UrgencyIsTheClinics)
    first, last = _dates(wish, clinic, kind, moves)
    if not by_clinic and actor.user_id:
        _few_ahead(actor.user_id)
    taking.one_at_a_time("waitlist-of", patient_id)
    _not_twice(patient_id, clinic.id, practice.id if practice else None, kind.id)
    entry = WaitlistEntry(
        patient_id=patient_id,
        clinic_id=clinic.id,
        practice_id=practice.id if practice else None,
        visit_type_id=kind.id,
        moves_id=moves.id if moves else None,
        urgency=wish.urgency,
        windows=as_stored(wish.windows),
        first=first,
        last=last,
        note=wish.note,
        joined_by=actor.user_id,
    )
    session().add(entry)
    session().flush()
    record(actor, "waitlist.joined", entry, by_desk=by_clinic or None, urgency=wish.urgency, moves_id=entry.moves_id)
    return entry


def change(actor: Actor, entry_id: UUID | str, **about: Any) -> WaitlistEntry:
    """Other days, hours or urgency; `about` is a Wish's values, what is not said stays.

    Raises NotFound, Forbidden, NotWaiting, UrgencyIsTheClinics or Invalid.
    """
    wish = Wish.parse(about)
    entry = _locked(actor, entry_id)
    said = wish.given()
    by_clinic = policy.works_on(actor, entry.clinic_id)
    allow(by_clinic or said.get("urgency", entry.urgency) == entry.urgency, UrgencyIsTheClinics)
    first, last = said.get("first") or entry.first, said.get("last") or entry.last
    clinic = session().get_one(Clinic, entry.clinic_id)
    _in_time(first, last, clock.today(clinic.zone))
    if "windows" in said:
        said["windows"] = as_stored(wish.windows)
    changed = {**said, "first": first, "last": last}
    fields = [name for name, value in changed.items() if value != getattr(entry, name)]
    for name in fields:
        setattr(entry, name, changed[name])
    if fields:
        record(actor, "waitlist.changed", entry, fields=sorted(fields), by_desk=by_clinic or None)
        session().flush()
    return entry


def leave(actor: Actor, entry_id: UUID | str) -> WaitlistEntry:
    """Wait no longer; a time that is being offered goes to the next. Raises NotFound, Forbidden or NotWaiting."""
    entry = _locked(actor, entry_id)
    by_clinic = entry.patient_id not in actor.cares_for("book", at=entry.clinic_id)
    ending.end(actor, entry, "left", "waitlist.left", by_desk=by_clinic or None)
    return entry


def _locked(actor: Actor, entry_id: UUID | str) -> WaitlistEntry:
    entry = authority.find(actor, WaitlistEntry, entry_id, lock=True)
    allow(may_change(actor, entry))
    allow(entry.state == "waiting", NotWaiting)
    return entry


def _moved(actor: Actor, moves_id: UUID) -> Appointment:
    """The visit that would come earlier, if the actor may move it."""
    found = authority.find(actor, Appointment, moves_id)
    allow(policy.is_own(actor, found) or policy.may_manage(actor, found))
    allow(found.status in UPCOMING and found.starts_at > clock.now(), NothingToMove)
    return found


def _place(actor: Actor, wish: JoinWaitlist, moves: Appointment | None) -> tuple[Clinic, Practice | None]:
    """The clinic, and the one practice unless any doctor of it will do; raises NotFound or Invalid."""
    practice_id = moves.practice_id if moves else wish.practice_id
    if practice_id:
        practice = directory.practice(actor, practice_id)
        return practice.clinic, None if wish.any_doctor else practice
    if wish.clinic_id is None:
        raise Invalid(fields={"practice_id": _("Please choose a doctor or a clinic.")})
    clinic = authority.find(actor, Clinic, wish.clinic_id)
    allow(clinic.is_active, NotFound)
    return clinic, None


def _kind(clinic: Clinic, practice: Practice | None, visit_type_id: UUID | None) -> VisitType:
    """The visit type, if it is given there; raises NotFound or Invalid."""
    if visit_type_id is None:
        raise Invalid(fields={"visit_type_id": _("Please choose a type of visit.")})
    if practice:
        given = availability.bookable_types(practice.id, for_desk=True)
        return next((kind for kind in given if kind.id == visit_type_id), None) or refuse(NotFound)
    kind = session().get(VisitType, visit_type_id)
    return kind if kind and kind.clinic_id == clinic.id and kind.is_active else refuse(NotFound)


def _who_joins(actor: Actor, patient_id: UUID, clinic: Clinic, *, may_book: bool) -> bool:
    """Whether the clinic puts the patient on its list (True) or they do it themselves; raises what forbids it."""
    if patient_id in actor.cares_for("book", at=clinic.id) and not actor.works_at(clinic.id):
        allow(actor.email_verified, EmailNotVerified)
        allow(may_book, NotSelfBookable)
        return False
    care.of_clinic(actor, patient_id, clinic.id)
    allow(policy.works_on(actor, clinic.id))
    return True


def _dates(wish: JoinWaitlist, clinic: Clinic, kind: VisitType, moves: Appointment | None) -> tuple[date, date]:
    """The dates that suit: from today, to the visit that would move or as far as this type can be booked."""
    today = clock.today(clinic.zone)
    first = max(wish.first or today, today)
    if moves:
        day = moves.starts_at.astimezone(clinic.zone).date()
        last = min(wish.last or day, day)
    else:
        last = wish.last or max(first, today + timedelta(days=kind.horizon_days))
    _in_time(first, last, today)
    return first, last


def _in_time(first: date, last: date, today: date) -> None:
    if last < today:
        raise Invalid(fields={"last": _("This day is over.")})
    if last < first:
        raise Invalid(fields={"last": _("The last day must not be before the first.")})
    if last > today + FARTHEST:
        raise Invalid(fields={"last": _("Please choose a day within the next two years.")})


def _few_ahead(user_id: UUID) -> None:
    """Who waits may be given a time, so waiting counts with the visits ahead; raises TooManyAhead."""
    taking.one_at_a_time("booker", user_id)
    waiting = select(func.count()).where(WaitlistEntry.joined_by == user_id, WaitlistEntry.state == "waiting")
    booked = select(func.count()).where(
        Appointment.booked_by == user_id, Appointment.status.in_(UPCOMING), Appointment.starts_at > clock.now()
    )
    caps.check_ahead((session().scalar(waiting) or 0) + (session().scalar(booked) or 0))


def _not_twice(patient_id: UUID, clinic_id: UUID, practice_id: UUID | None, visit_type_id: UUID) -> None:
    same = select(WaitlistEntry.id).where(
        WaitlistEntry.patient_id == patient_id,
        WaitlistEntry.clinic_id == clinic_id,
        WaitlistEntry.practice_id == practice_id if practice_id else WaitlistEntry.practice_id.is_(None),
        WaitlistEntry.visit_type_id == visit_type_id,
        WaitlistEntry.state == "waiting",
    )
    if known := session().scalar(same):
        raise AlreadyWaiting(entry_id=known)
