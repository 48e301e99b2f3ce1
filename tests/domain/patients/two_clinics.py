"""A patient with a part of her record at each of two clinics, and a carer whom one of them has named.

Every free text of the part at Wahran, and of the record itself, holds a word of its own that is found nowhere else, so
that whoever reads an answer sees whether it tells of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.domain.changes import applying, planning
from portal.domain.changes.models import Proposal
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.patients import care, requests
from portal.domain.patients.models import Allergy, Delegation, Patient
from portal.domain.patients.request_models import RecordRequest
from portal.domain.reviews.models import Review
from portal.domain.scheduling import booking, invitations, series, visits
from portal.domain.scheduling.models import Appointment, VisitType
from portal.domain.scheduling.planning import BookingInvitation
from portal.domain.waitlist import joining
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer
from tests.builders import actor_of, at, make_doctor, make_member, make_practice, make_user, make_week, working_day

# of the record itself: no carer of a clinic's part reads them
OF_RECORD = ("CONDITIONWORD", "ALLERGYWORD", "CONTACTWORD", "ADDRESSWORD", "+213550000001", "1987-03-14")


@dataclass
class Part:
    """What one clinic keeps of the patient. `words` are those of its free texts, and the references of its visits."""

    place: Any
    doctor: Any
    tag: str
    visit: Appointment
    done: Appointment
    inside: Appointment
    run: list[Appointment]
    review: Review
    entry: WaitlistEntry
    offer: WaitlistOffer
    invitation: BookingInvitation
    moved: Any = None  # the visit a change asks about
    proposal: Any = None
    words: list[str] = field(default_factory=list)

    @property
    def visits(self) -> list[Appointment]:
        return [one for one in (self.visit, self.done, self.inside, *self.run, self.moved) if one is not None]


@dataclass(frozen=True)
class Two:
    """The patient's two parts, the care that the first has named, and what the second asks the patient."""

    patient_id: UUID
    here: Part
    there: Part
    held: Delegation
    asked: RecordRequest

    @property
    def hidden(self) -> list[str]:
        """What the carer may read nowhere."""
        return [*self.there.words, *OF_RECORD]


def two_clinics(patient: Any, here: tuple[Any, Any], there: tuple[Any, Any], desk: Any, carer: Any) -> Two:
    """The patient with visits, reviews, waits, offers, invitations and a change at both; `desk` names the carer."""
    record = session().get_one(Patient, patient.patient_id)
    record.conditions, record.address, record.birth_date = (
        [OF_RECORD[0]],
        OF_RECORD[3],
        date.fromisoformat(OF_RECORD[5]),
    )
    record.emergency_contact = {"name": OF_RECORD[2], "phone": "", "relation": ""}
    session().add(Allergy(patient_id=record.id, substance=OF_RECORD[1], reaction="rash"))
    first, second = _part(patient, *here, "HERE", "09:00"), _part(patient, *there, "THERE", "11:00")
    _changed(patient, first, second)
    held = named_by(desk, carer, patient.patient_id, first.place.clinic_id, relation="parent")
    return Two(patient.patient_id, first, second, held, _asked(record, second))


def _asked(record: Patient, part: Part) -> RecordRequest:
    """The clinic of this part asks whether somebody else may act for the patient there."""
    desk, clinic = make_user("Warda", "Desk"), session().get_one(Clinic, part.place.clinic_id)
    make_member(desk, clinic)
    address = f"{part.tag}ASKED@example.dz".lower()
    part.words.append(address)
    asked = requests.ask_for_carer(actor_of(desk), record.id, email=address, relation="other", scopes=["view"])
    keep()
    return asked


def named_by(
    desk: Any, carer: Any, patient_id: Any, clinic_id: Any, *scopes: str, relation: str = "other"
) -> Delegation:
    """What comes of a desk's request for a carer once it was allowed and accepted."""
    patient, user = session().get_one(Patient, patient_id), session().get_one(User, carer.user_id)
    about: dict[str, Any] = {"relation": relation, "scopes": scopes or ("view", "book"), "until": None}
    held = care.begin(desk.actor, patient, user, clinic_id=clinic_id, **about)
    keep()
    return held


def _part(patient: Any, place: Any, doctor: Any, tag: str, wall: str) -> Part:
    about: dict[str, Any] = {"practice_id": doctor.practice_id, "visit_type_id": place.consultation_id}
    about |= {"patient_id": patient.patient_id, "reason": f"{tag}REASON"}
    visit = booking.book(SYSTEM, starts_at=at(wall, 3), **about)
    done = _completed(doctor, booking.book(SYSTEM, starts_at=at(wall, 6), **about))
    times = [at(wall, 13), at(wall, 13) + timedelta(days=7)]
    _series, run = series.book(SYSTEM, times=times, every_days=7, **about)
    follow_up = {**about, "visit_type_id": place.follow_up_id}
    del follow_up["reason"]
    entry = joining.join(SYSTEM, **follow_up, note=f"{tag}NOTE")
    days = {"first": working_day(2), "last": working_day(30)}
    made = Part(
        place=place,
        doctor=doctor,
        tag=tag,
        visit=visit,
        done=done,
        inside=_inside(booking.book(SYSTEM, starts_at=at(wall, 9), **about), number=1 if tag == "HERE" else 71),
        run=run,
        review=_hidden_review(done, tag),
        entry=entry,
        offer=_offer(entry, doctor, wall),
        invitation=invitations.invite(SYSTEM, **follow_up, **days, note=f"{tag}INVITED"),
    )
    made.words = [f"{tag}{word}" for word in ("REASON", "NOTE", "REVIEW", "WHY", "INVITED")]
    made.words += [one.reference for one in made.visits]
    keep()
    return made


def _completed(doctor: Any, visit: Appointment) -> Appointment:
    with standing_at(visit.starts_at):
        for step in (visits.check_in, visits.start, visits.complete):
            step(doctor.actor, visit.id)
    return visit


def _inside(visit: Appointment, number: int) -> Appointment:
    """Somebody who waits at the clinic at this moment."""
    visit.starts_at, visit.ends_at = clock.now() - timedelta(minutes=5), clock.now() + timedelta(minutes=25)
    visit.status, visit.checked_in_at, visit.queue_number = "checked_in", clock.now(), number
    return visit


def _hidden_review(done: Appointment, tag: str) -> Review:
    """A review that is not public: what is can be read by everybody."""
    review = Review(
        appointment_id=done.id,
        doctor_id=done.doctor_id,
        clinic_id=done.clinic_id,
        patient_id=done.patient_id,
        rating=4,
        text=f"{tag}REVIEW",
        hidden_at=clock.now(),
        hidden_reason=f"{tag}WHY",
    )
    session().add(review)
    return review


def _offer(entry: WaitlistEntry, doctor: Any, wall: str) -> WaitlistOffer:
    starts = at(wall, 24)
    offer = WaitlistOffer(
        entry_id=entry.id,
        practice_id=doctor.practice_id,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=15),
        expires_at=clock.now() + timedelta(hours=1),
    )
    session().add(offer)
    session().flush()
    return offer


def _changed(patient: Any, *parts: Part) -> None:
    """A doctor who works at both clinics is away on a day on which the patient would have come to both."""
    doctor = make_doctor(make_user("Selma", "Both"))
    walls = dict(zip((part.tag for part in parts), ("13:00", "15:00"), strict=True))
    for part in parts:
        practice = make_practice(doctor, session().get_one(Clinic, part.place.clinic_id))
        make_week(practice, [session().get_one(VisitType, part.place.consultation_id)])
        part.moved = booking.book(
            SYSTEM,
            practice_id=practice.id,
            visit_type_id=part.place.consultation_id,
            starts_at=at(walls[part.tag], 16),
            patient_id=patient.patient_id,
            reason=f"{part.tag}REASON",
        )
        part.words.append(part.moved.reference)
    keep()
    actor, day = actor_of(doctor.user_id or SYSTEM.user_id), working_day(16)  # type: ignore[arg-type]
    change = planning.plan(actor, "close_doctor", doctor.id, first=day, last=day)
    applying.apply(actor, change.id, {})
    keep()
    found = {one.appointment_id: one for one in session().query(Proposal)}
    for part in parts:
        part.proposal = found[part.moved.id] if part.moved else None
