"""Notices of the waitlist and of invitations to book; each is a task that reads everything afresh."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import clock, tasks
from portal.core.db import session
from portal.core.events import Event
from portal.core.tasks import task
from portal.core.text import format_date, format_time, format_when
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.access import acting
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity.models import User
from portal.domain.notifications import kinds
from portal.domain.notifications.delivery import tell, tell_patient
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.scheduling import invitations
from portal.domain.scheduling.planning import BookingInvitation
from portal.domain.waitlist.entries import WHOLE
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer
from portal.gateways import sms

PURPOSE = "waitlist"  # of the link in the message
MORNING = time(9)  # when dates that have come near are told


@task
def offered(event_id: str, offer_id: str) -> None:
    """Whoever answers for the patient can take the time, signed in or by the link in the message."""
    offer = read_offer(UUID(offer_id))
    if offer and _is_open(offer):
        about = {"clinic_id": offer.entry.clinic_id, "starts_at": offer.starts_at.isoformat()}
        tell_patient(offer.entry.patient_id, "waitlist.offered", offer, event_id, **about)


@task
def expired(event_id: str, offer_id: str) -> None:
    """In the app only: nobody is woken for a time that has gone."""
    offer = read_offer(UUID(offer_id))
    if offer:
        about = {"clinic_id": offer.entry.clinic_id, "starts_at": offer.starts_at.isoformat()}
        tell_patient(offer.entry.patient_id, "waitlist.expired", offer, event_id, channels=(), **about)


@task
def over(event_id: str, entry_id: str) -> None:
    """In the app only: the wait has ended by itself."""
    entry = read_entry(UUID(entry_id))
    if entry:
        tell_patient(entry.patient_id, "waitlist.over", entry, event_id, channels=(), clinic_id=entry.clinic_id)


@task
def left(event_id: str, entry_id: str) -> None:
    """In the app only, and only when the clinic ended it."""
    entry, event = read_entry(UUID(entry_id)), session().get(Event, UUID(event_id))
    if entry and event and event.facts.get("by_desk"):
        tell_patient(entry.patient_id, "waitlist.over", entry, event_id, channels=(), clinic_id=entry.clinic_id)


@task
def invited(event_id: str, invitation_id: str) -> None:
    """The patient is asked to book; once more when dates that lie far ahead can be booked."""
    invitation = read_invitation(UUID(invitation_id))
    if invitation is None or not invitation.is_open:
        return
    here = invitation.clinic_id
    tell_patient(invitation.patient_id, "invitation.sent", invitation, event_id, clinic_id=here)
    opens = invitations.opens_on(invitation)
    zone = invitation.clinic.zone
    if opens > clock.today(zone):
        at = datetime.combine(opens, MORNING, zone)
        tasks.later(now_open, str(invitation.id), key=f"invitation.opens:{invitation.id}", due_at=at)


@task
def now_open(invitation_id: str) -> None:
    """The dates of an invitation have come near enough to be booked."""
    invitation = read_invitation(UUID(invitation_id))
    if invitation and invitation.is_open:
        key, here = f"opens:{invitation.id}", invitation.clinic_id
        tell_patient(invitation.patient_id, "invitation.sent", invitation, key, clinic_id=here)


@task
def withdrawn(event_id: str, invitation_id: str) -> None:
    """In the app only: there is nothing to book any more."""
    invitation = read_invitation(UUID(invitation_id))
    if invitation:
        here = invitation.clinic_id
        tell_patient(invitation.patient_id, "invitation.withdrawn", invitation, event_id, (), clinic_id=here)


@task
def declined(event_id: str, invitation_id: str) -> None:
    """The doctor learns that the patient does not want the visit."""
    invitation = read_invitation(UUID(invitation_id))
    if invitation:
        statement = select(User).join(Doctor, Doctor.user_id == User.id)
        doctor = session().scalars(statement.where(Doctor.id == invitation.practice.doctor_id)).one_or_none()
        tell(doctor, "invitation.declined", invitation, event_id, (), patient_id=invitation.patient_id)


def link(offer: WaitlistOffer) -> str:
    """The path at which the patient answers without signing in."""
    return acting.link(PURPOSE, patient_id=offer.entry.patient_id, subject_id=offer.id)


read_entry = kinds.rows(WaitlistEntry, *WHOLE)
read_offer = kinds.rows(
    WaitlistOffer,
    joinedload(WaitlistOffer.entry).options(*WHOLE),
    joinedload(WaitlistOffer.practice).joinedload(Practice.doctor),
)
read_invitation = kinds.rows(BookingInvitation, *invitations.WHOLE)


def _is_open(offer: WaitlistOffer) -> bool:
    return offer.state == "open" and offer.expires_at > clock.now()


def _when(offer: WaitlistOffer | None, facts: Facts) -> str:
    zone = offer.entry.clinic.time_zone if offer else None
    return format_when(datetime.fromisoformat(facts["starts_at"]), zone)


def _offered(facts: Facts, offer: WaitlistOffer | None) -> str:
    who = offer.practice.doctor.name if offer else ""
    when = _when(offer, facts)
    if offer and _is_open(offer):
        until = format_time(offer.expires_at, offer.entry.clinic.time_zone)
        return say("A time is free: %(doctor)s, %(time)s. Kept for you until %(until)s.",
                   doctor=who, time=when, until=until)  # fmt: skip
    return say("A time was free: %(doctor)s, %(time)s.", doctor=who, time=when)


def _about_offer(facts: Facts, offer: WaitlistOffer, locale: str) -> dict[str, Any]:
    entry = offer.entry
    return {
        "doctor": offer.practice.doctor.name,
        "clinic": entry.clinic.name,
        "address": entry.clinic.address,
        "city": entry.clinic.city,
        "phone": entry.clinic.phone,
        "zone": entry.clinic.time_zone,
        "starts_at": offer.starts_at,
        "expires_at": offer.expires_at,
        "visit_type": entry.visit_type.name_in(locale),
        "mode": entry.visit_type.mode,
        "moved_from": entry.moves.starts_at if entry.moves else None,
        "link": link(offer),
    }


def _offered_by_sms(facts: Facts, offer: WaitlistOffer) -> str:
    clinic, until = offer.entry.clinic, format_time(offer.expires_at, offer.entry.clinic.time_zone)
    return say("A time is free: %(time)s, %(clinic)s. Kept for you until %(until)s: %(link)s",
               time=_when(offer, facts), clinic=clinic.name, until=until, link=sms.address(link(offer)))  # fmt: skip


def _over(facts: Facts, entry: WaitlistEntry | None) -> str:
    if entry is None:
        return say("Your place on the waitlist has ended.")
    return say("Your place on the waitlist of %(place)s has ended.", place=place_of(entry))


def place_of(entry: WaitlistEntry) -> str:
    """The doctor somebody waits for, or the clinic."""
    return entry.practice.doctor.name if entry.practice else entry.clinic.name


def _invited(facts: Facts, invitation: BookingInvitation | None) -> str:
    if invitation is None:
        return say("A doctor asks you to book a visit.")
    return say("%(doctor)s asks you to book a visit between %(first)s and %(last)s.",
               doctor=invitation.practice.doctor.name, first=format_date(invitation.first),
               last=format_date(invitation.last))  # fmt: skip


def _about_invitation(facts: Facts, invitation: BookingInvitation, locale: str) -> dict[str, Any]:
    opens = invitations.opens_on(invitation)
    return {
        "doctor": invitation.practice.doctor.name,
        "clinic": invitation.clinic.name,
        "city": invitation.clinic.city,
        "phone": invitation.clinic.phone,
        "visit_type": invitation.visit_type.name_in(locale),
        "first": invitation.first,
        "last": invitation.last,
        "opens": opens if opens > clock.today(invitation.clinic.zone) else None,
        "practice_id": invitation.practice_id,
        "visit_type_id": invitation.visit_type_id,
    }


def _invited_by_sms(facts: Facts, invitation: BookingInvitation) -> str:
    return say("%(doctor)s asks you to book a visit between %(first)s and %(last)s. Sign in or call %(phone)s.",
               doctor=invitation.practice.doctor.name, first=format_date(invitation.first),
               last=format_date(invitation.last), phone=invitation.clinic.phone)  # fmt: skip


def _name(invitation: BookingInvitation | None) -> str:
    return invitation.patient.name if invitation else ""


def _doctor(invitation: BookingInvitation | None) -> str:
    return invitation.practice.doctor.name if invitation else ""


kinds.add(
    Kind(
        name="waitlist.offered",
        read=read_offer,
        sentence=_offered,
        letter="waitlist_offered",
        about=_about_offer,
        stands=lambda facts, offer: _is_open(offer),
        sms=_offered_by_sms,
        url=lambda offer: f"/patient/waitlist/offers/{offer.id}",
        label=_("Waitlist"),
        icon="bell-ringing",
        tries=2,  # it is over soon
        must_reach=False,
    ),
    Kind(
        name="waitlist.expired",
        read=read_offer,
        sentence=lambda facts, offer: say(
            "The time on %(time)s went to the next person. You stay on the waitlist.", time=_when(offer, facts)
        ),
        url=lambda offer: "/patient/waitlist",
        icon="clock-x",
    ),
    Kind(name="waitlist.over", read=read_entry, sentence=_over, url=lambda entry: "/patient/waitlist", icon="clock-x"),
    Kind(
        name="invitation.sent",
        read=read_invitation,
        sentence=_invited,
        letter="invitation_to_book",
        about=_about_invitation,
        stands=lambda facts, invitation: invitation.is_open,
        sms=_invited_by_sms,
        url=lambda invitation: f"/patient/invitations/{invitation.id}",
        label=_("Invitations to book"),
        icon="calendar-heart",
    ),
    Kind(
        name="invitation.withdrawn",
        read=read_invitation,
        sentence=lambda facts, invitation: say(
            "%(doctor)s has taken the invitation to book back.", doctor=_doctor(invitation)
        ),
        icon="calendar-off",
    ),
    Kind(
        name="invitation.declined",
        read=read_invitation,
        sentence=lambda facts, invitation: say(
            "%(patient)s does not want to book the visit you asked for.", patient=_name(invitation)
        ),
        icon="calendar-off",
    ),
)
