"""Notices of what clinics ask about a record: the patient is asked, the clinic learns the answer, a dispute is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import emails
from portal.core.actor import ADMIN
from portal.core.db import session
from portal.core.tasks import task
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.access import acting
from portal.domain.clinics.models import Membership
from portal.domain.identity.models import User
from portal.domain.notifications import kinds, recipients
from portal.domain.notifications.delivery import WAYS, tell, tell_contact
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.notifications.recipients import Addressee
from portal.domain.patients import requests
from portal.domain.patients.models import Patient
from portal.domain.patients.request_models import JOIN, RecordRequest
from portal.gateways import sms

PURPOSE = "request"  # of the link in the message

request = kinds.rows(
    RecordRequest,
    joinedload(RecordRequest.patient).joinedload(Patient.user),
    joinedload(RecordRequest.entered),
    joinedload(RecordRequest.clinic),
)


@task
def asked(event_id: str, request_id: str) -> None:
    """Ask whoever decides about the record: by their account, else by every contact the record has now.

    To join two records the link goes in any case to where both of them reach somebody, and to nowhere else.
    """
    made = request(UUID(request_id))
    if made is None or not made.is_open:
        return
    deciding = recipients.deciding_for(made.patient)
    for user in deciding:
        if made.kind != JOIN or requests.is_written_down(made, user.email, verified=user.is_verified):
            tell(user, "record_request.sent", made, event_id, patient_id=made.patient_id)
    if not deciding or made.kind == JOIN:
        tell_contact(made.patient, "record_request.sent", made, event_id, WAYS)


@task
def answered(event_id: str, request_id: str) -> None:
    """In the app only: who asked for the clinic learns what the patient said; paper is told to the patient, at the
    contact of before the paper."""
    made = request(UUID(request_id))
    if made is None or made.outcome is None:
        return
    if made.decided_way == "paper":
        deciding = recipients.deciding_for(made.patient)
        for user in deciding:
            tell(user, "record_request.paper", made, event_id, patient_id=made.patient_id)
        if not deciding:
            tell_contact(made.patient, "record_request.paper", made, event_id, WAYS)
        return
    tell(session().get(User, made.asked_by), "record_request.answered", made, event_id, (), outcome=made.outcome)


@task
def disputed(event_id: str, request_id: str) -> None:
    """The admins of the clinic learn that a patient calls a paper wrong."""
    made = request(UUID(request_id))
    if made is None:
        return
    admins = select(Membership.user_id).where(
        Membership.clinic_id == made.clinic_id, Membership.role == ADMIN, Membership.ended_at.is_(None)
    )
    for user in session().scalars(select(User).where(User.id.in_(admins)).order_by(User.id)):
        tell(user, "record_request.disputed", made, event_id)


def link(made: RecordRequest) -> str:
    """The path at which a patient without an account answers."""
    return acting.link(PURPOSE, patient_id=made.patient_id, subject_id=made.id)


def _reached(made: RecordRequest, to: Addressee) -> Addressee:
    """The contact of before the request; for joining only what both records have: either alone may be a stranger's."""
    if made.kind == JOIN and made.entered:
        same = {"phone": made.entered.phone == to.phone, "email": emails.is_same(made.entered.email, to.email)}
        return replace(to, phone=to.phone if same["phone"] else "", email=to.email if same["email"] else "")
    before = made.before
    return replace(to, phone=before.get("phone", to.phone) or "", email=before.get("email", to.email) or "")


def _clinic(made: RecordRequest | None) -> str:
    return made.clinic.name if made else ""


def _about(facts: Facts, made: RecordRequest, locale: str) -> dict[str, Any]:
    return {
        "kind": made.kind,
        "clinic": made.clinic.name,
        "city": made.clinic.city,
        "phone": made.clinic.phone,
        "on_paper": made.on_paper,
        "until": made.ends_on,
        "desk_link": f"/desk/requests/{made.id}",
        "link": f"/patient/requests/{made.id}" if facts.get("has_account") else link(made),
    }


def _answered(facts: Facts, made: RecordRequest | None) -> str:
    if facts.get("outcome") == "accepted":
        return say("A patient has allowed what %(clinic)s asked for.", clinic=_clinic(made))
    return say("A patient does not want what %(clinic)s asked for.", clinic=_clinic(made))


def _sms(facts: Facts, made: RecordRequest) -> str:
    return say(
        "%(clinic)s asks for your consent. Please read and answer: %(link)s",
        clinic=made.clinic.name, link=sms.address(link(made)),
    )  # fmt: skip


def _sms_paper(facts: Facts, made: RecordRequest) -> str:
    return say(
        "%(clinic)s has changed something for you on a signed paper. Please look whether it is right: %(link)s",
        clinic=made.clinic.name, link=sms.address(link(made)),
    )  # fmt: skip


kinds.add(
    Kind(
        name="record_request.sent",
        read=request,
        sentence=lambda facts, made: say("%(clinic)s asks for your consent.", clinic=_clinic(made)),
        letter="record_request",
        about=_about,
        reached=_reached,
        stands=lambda facts, made: made.is_open,
        sms=_sms,
        url=lambda made: f"/patient/requests/{made.id}",
        label=_("Requests of clinics"),
        icon="clipboard-check",
        must_reach=False,
    ),
    Kind(
        name="record_request.paper",
        read=request,
        sentence=lambda facts, made: say(
            "%(clinic)s has done something for you on a signed paper. Please look whether it is right.",
            clinic=_clinic(made),
        ),
        letter="record_request_paper",
        about=_about,
        reached=_reached,
        stands=lambda facts, made: made.disputed_at is None,
        sms=_sms_paper,
        url=lambda made: f"/patient/requests/{made.id}",
        icon="clipboard-check",
        must_reach=False,
    ),
    Kind(
        name="record_request.answered",
        read=request,
        sentence=_answered,
        url=lambda made: f"/desk/requests/{made.id}",
        icon="clipboard-check",
    ),
    Kind(
        name="record_request.disputed",
        read=request,
        sentence=lambda facts, made: say(
            "A patient says that a paper of %(clinic)s is wrong. It was taken back.", clinic=_clinic(made)
        ),
        letter="record_request_disputed",
        about=_about,
        url=lambda made: f"/desk/requests/{made.id}",
        label=_("Papers called wrong"),
        icon="alert-triangle",
    ),
)
