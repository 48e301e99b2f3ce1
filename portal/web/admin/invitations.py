"""Invitations that wait for an answer: sent again, withdrawn."""

from __future__ import annotations

from uuid import UUID

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.text import gettext as say
from portal.domain.clinics import invitations, managing
from portal.domain.clinics.models import ClinicInvitation
from portal.web import htmx
from portal.web.admin import bp
from portal.web.gate import actor


@bp.post("/invitations/<uuid:key>/send")
def send_invitation(key: UUID) -> AnyResponse:
    """Mail an invitation once more."""
    sent = invitations.send_again(actor(), key)
    return htmx.done(page_of(sent), say("Sent again. The link works for 7 days from now."))


@bp.post("/invitations/<uuid:key>/withdraw")
def withdraw_invitation(key: UUID) -> AnyResponse:
    """Take an invitation back."""
    withdrawn = invitations.withdraw(actor(), key)
    return htmx.done(page_of(withdrawn), say("Withdrawn. The link does not work any more."))


def page_of(invitation: ClinicInvitation) -> str:
    """Where the clinic sees its invitations."""
    clinic = managing.get(actor(), invitation.clinic_id)
    return url_for("admin.clinic", slug=clinic.slug, _anchor="invitations")
