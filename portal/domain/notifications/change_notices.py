"""Patients whose visits have to change are asked in one message for each clinic, however many visits are hit there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import tasks
from portal.core.db import session
from portal.core.tasks import task
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.access import acting
from portal.domain.changes import answering, listing
from portal.domain.changes.listing import Line
from portal.domain.changes.models import Proposal
from portal.domain.notifications import delivery, kinds
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.scheduling.models import Appointment
from portal.gateways import sms

ASKED = "change.asked"
PURPOSE = "change"  # of the link in the message


@task
def change_applied(event_id: str, change_id: str) -> None:
    """Ask every patient whose visit the change hits, for each clinic; each in a task of its own, so that none waits for
    another."""
    statement = (
        select(Appointment.patient_id, Appointment.clinic_id)
        .join(Proposal, Proposal.appointment_id == Appointment.id)
        .where(Proposal.change_id == UUID(change_id), answering.is_open())
        .distinct()
    )
    for patient_id, clinic_id in session().execute(statement):
        tasks.later(ask, change_id, patient_id, clinic_id, key=f"change:{change_id}:{patient_id}:{clinic_id}")


@task
def ask(change_id: str, patient_id: str, clinic_id: str) -> None:
    """Ask one patient about all of their visits at a clinic that the change hits, in one message with the choices."""
    here = UUID(clinic_id)
    lines = listing.of_one_patient(UUID(change_id), UUID(patient_id), here)
    if lines:
        first, key = lines[0].proposal, f"change:{change_id}:{clinic_id}"
        delivery.tell_patient(UUID(patient_id), ASKED, first, key, clinic_id=here, visits=len(lines))


def link(proposal: Proposal) -> str:
    """The path at which the patient answers without signing in, about the visits at the clinic of this one."""
    return acting.link(PURPOSE, patient_id=proposal.appointment.patient_id, subject_id=proposal.id)


def _lines(proposal: Proposal) -> list[Line]:
    visit = proposal.appointment
    return listing.of_one_patient(proposal.change_id, visit.patient_id, visit.clinic_id)


def _sentence(facts: Facts, proposal: Proposal | None) -> str:
    clinic = proposal.appointment.clinic.name if proposal else ""
    return ngettext(
        "%(clinic)s has to change %(n)s visit. Please say what suits you.",
        "%(clinic)s has to change %(n)s visits. Please say what suits you.",
        int(facts.get("visits", 1)),
        clinic=clinic,
    )


def _about(facts: Facts, proposal: Proposal, locale: str) -> dict[str, Any]:
    lines = _lines(proposal)
    return {
        "clinic": proposal.appointment.clinic.name,
        "phone": proposal.appointment.clinic.phone,
        "visits": [_visit(line, locale) for line in lines],
        "until": min(line.proposal.answer_until or line.visit.starts_at for line in lines),
        "zone": proposal.appointment.clinic.time_zone,
        "link": link(proposal),
    }


def _visit(line: Line, locale: str) -> dict[str, Any]:
    return {
        "was": line.visit.starts_at,
        "zone": line.visit.clinic.time_zone,
        "doctor": line.visit.doctor.name,
        "visit_type": line.visit.visit_type.name_in(locale),
        "proposed": line.proposal.starts_at if line.place else None,
        "other_doctor": line.doctor.name if line.is_other_doctor else None,
    }


def _sms(facts: Facts, proposal: Proposal) -> str:
    clinic = proposal.appointment.clinic.name
    address = sms.address(link(proposal))
    return say("%(clinic)s has to change your appointment. Please answer here: %(link)s", clinic=clinic, link=address)


_visit_of = joinedload(Proposal.appointment)
kinds.add(
    Kind(
        name=ASKED,
        read=kinds.rows(Proposal, _visit_of.joinedload(Appointment.clinic)),
        sentence=_sentence,
        letter="change_asked",
        about=_about,
        stands=lambda facts, proposal: bool(_lines(proposal)),
        sms=_sms,
        url=lambda proposal: f"/patient/changes/{proposal.change_id}",
        label=_("Changed by the clinic"),
        icon="calendar-exclamation",
    )
)
