"""The forms with which a patient changes an appointment. The version that was seen travels with each."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from portal.core.text import lazy as _
from portal.domain.scheduling.desk_shapes import CancelVisits
from portal.domain.scheduling.shapes import ChangeReason, Reschedule
from portal.web.forms import ShapeForm

WHYS = [
    SelectChoice("no_time", _("I cannot come at this time")),
    SelectChoice("better", _("I feel better")),
    SelectChoice("elsewhere", _("I found another appointment")),
    SelectChoice("mistake", _("I booked by mistake")),
    SelectChoice("other", _("Another reason")),
]


class MoveForm(ShapeForm[Reschedule]):
    """A new time."""

    shape = Reschedule

    starts_at = StringField(_("Time"))
    version = HiddenField()


class ReasonForm(ShapeForm[ChangeReason]):
    """Why one comes."""

    shape = ChangeReason

    reason = TextAreaField(_("Why are you coming?"))


class CancelForm(ShapeForm[CancelVisits]):
    """Why a visit is called off, and whether those of its series that follow are, too."""

    shape = CancelVisits

    code = RadioField(_("Why do you cancel?"), choices=WHYS, default="no_time")
    text = TextAreaField(_("Anything the clinic should know?"))
    following = BooleanField(_("Also the visits of the series that follow"))
    version = HiddenField()
