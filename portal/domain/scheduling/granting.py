"""What has to be true before a time is given: the rules that hold, who may book, and the draft of the appointment."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import make_transient_to_detached

from portal.core import clock, secrets
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import NotFound, refuse
from portal.core.policy import allow
from portal.domain.patients import care
from portal.domain.scheduling import availability, invitations, policy, rulebook, taking, timetable
from portal.domain.scheduling.models import CONFIRMED, PENDING, Appointment, Hold
from portal.domain.scheduling.planning import BookingInvitation
from portal.domain.scheduling.refusals import (
    EmailNotVerified,
    HoldExpired,
    NotOffered,
    NotSelfBookable,
    TimeTaken,
)
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import Offer, Reason

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is misheard on the phone or misread on paper
NOT_OVERBOOKED = {Reason.PAST, Reason.PATIENT_BUSY}  # nobody goes back in time or to two places at once


def rules(
    practice_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    patient_id: UUID,
    *,
    one_by_one: bool = False,
    booker_id: UUID | None = None,
    **spare: UUID | None,
) -> tuple[Rulebook, TypeRules]:
    """The practice's rules around this time, read after waiting for whoever is closing it; raises NotFound.

    `one_by_one`: after waiting, too, for who books for this patient and for what else `booker_id` books, so that the
    counts of their visits stay true.
    """
    waiting = taking.against_closing(practice_id, booker_id, patient_id if one_by_one else None)
    begins, until = starts_at - availability.MARGIN, starts_at + availability.MARGIN
    about = {"visit_type_id": visit_type_id, "patient_id": patient_id, **spare}
    about["booker_id"] = booker_id if one_by_one else None
    found = rulebook.read_one(practice_id, begins, until, after=waiting, **about)
    book = found or refuse(NotFound)
    return book, book.type(visit_type_id) or refuse(NotFound)


def who_books(actor: Actor, patient_id: UUID, book: Rulebook, kind: TypeRules) -> tuple[bool, BookingInvitation | None]:
    """Whether the clinic books (True) or the patient, and the patient's invitation; raises what forbids it."""
    invited = invitations.open_for(patient_id, book.practice_id, UUID(kind.id)) if book.invited else None
    if patient_id in actor.cares_for("book", at=book.clinic_id) and not actor.works_at(book.clinic_id):
        allow(actor.email_verified, EmailNotVerified)
        allow(kind.bookable_by == "anyone" or (kind.bookable_by == "invited" and invited is not None), NotSelfBookable)
        return False, invited
    care.of_clinic(actor, patient_id, book.clinic_id)
    allow(policy.may_book_for(actor, patient_id, book.clinic_id))
    return True, invited


def may_hold(actor: Actor, kind: TypeRules, book: Rulebook, *, for_desk: bool) -> bool:
    """Whether the actor may keep a time of this type: anyone's, one they are invited to book, or as the clinic."""
    if for_desk or kind.bookable_by == "anyone":
        return True
    patients = actor.cares_for("book", at=book.clinic_id) if kind.bookable_by == "invited" else ()
    return any(invitations.open_for(patient_id, book.practice_id, UUID(kind.id)) for patient_id in patients)


def offer(book: Rulebook, kind: TypeRules, starts_at: datetime, *, for_desk: bool, overbook: str = "") -> Offer:
    """The time as the rules give it, or with `overbook` over them; raises NotOffered or TimeTaken."""
    now, policy_, starts = int(clock.now().timestamp()), kind.policy(for_desk=for_desk), int(starts_at.timestamp())
    found = timetable.offer_at(book.timetable, kind.rule, starts, now, policy_)
    if isinstance(found, Offer):
        return found
    if overbook and found not in NOT_OVERBOOKED:
        return taking.over_the_rules(kind, starts)
    others = availability.alternatives(book, kind, starts_at)
    raise TimeTaken(others) if found is Reason.TAKEN else NotOffered(found, others)


def draft(
    actor: Actor, book: Rulebook, kind: TypeRules, offered: Offer, patient_id: UUID, reason: str
) -> dict[str, Any]:
    """Every column of the new appointment."""
    now = clock.now()
    at_once = kind.confirms == "at_once"
    return dict.fromkeys(_EMPTY) | {
        "id": new_id(),
        "created_at": now,
        "updated_at": now,
        "reference": secrets.pick(LETTERS, 9),
        "practice_id": book.practice_id,
        "clinic_id": book.clinic_id,
        "doctor_id": book.doctor_id,
        "patient_id": patient_id,
        "visit_type_id": UUID(kind.id),
        "starts_at": moment(offered.starts),
        "ends_at": moment(offered.ends),
        "status": CONFIRMED if at_once else PENDING,
        "confirmed_at": now if at_once else None,
        "mode": kind.mode,
        "reason": reason,
        "version": 1,
        "moves": 0,
        "booked_by": actor.user_id,
        "price_minor": policy.price_of(kind, book),
        "currency": book.currency,
        "end_text": "",
        "is_walk_in": False,
        "is_urgent": False,
    }


_EMPTY = (
    "ended_by",
    "end_code",
    "ended_at",
    "hold_fingerprint",
    "series_id",
    "overbooked",
    "promised_at",
    "checked_in_at",
    "called_at",
    "started_at",
    "queue_number",
)


def as_row(appointment: dict[str, Any]) -> Appointment:
    """The appointment that was just written, as a row of this session, without reading it back."""
    made = Appointment()
    made.__dict__.update(appointment)  # as loaded, not as changed: setting forty attributes costs more than a query
    make_transient_to_detached(made)
    session().add(made)
    return made


def hold_by_token(token: str) -> Hold | None:
    """The hold, locked for this transaction, if it is still alive; a second click waits here for the first."""
    statement = select(Hold).where(Hold.fingerprint == secrets.fingerprint(token))
    found = session().scalars(statement).one_or_none()
    return found if found and not found.is_over else None


def hold_kept_for(patient_id: UUID, hold_id: UUID) -> Hold:
    """A time the portal keeps for this patient; raises HoldExpired when it is over or somebody else's."""
    statement = select(Hold).where(Hold.id == hold_id, Hold.patient_id == patient_id)
    found = session().scalars(statement).one_or_none()
    if found is None or found.is_over:
        raise HoldExpired
    return found


def still_held(hold: Hold) -> bool:
    """Whether it is still there, and from now on nobody else's to use or give back.

    Asked once whoever closes the hours and whoever else books has been waited for: the last lock before time is taken.
    """
    statement = select(Hold).where(Hold.id == hold.id, Hold.expires_at > clock.now()).with_for_update()
    return session().scalars(statement).one_or_none() is not None


def already_made(actor: Actor, token: str) -> Appointment | None:
    """What was booked with this hold before, if the actor may see it."""
    wanted = Appointment.hold_fingerprint == secrets.fingerprint(token)
    return session().scalars(select(Appointment).where(wanted, Appointment.visible(actor))).one_or_none()
