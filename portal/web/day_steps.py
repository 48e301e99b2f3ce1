"""The steps of the day as addresses: the desk's board and the doctor's pages press the same buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from portal.core.actor import Actor
from portal.core.text import lazy as _
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment

# step -> the verb and what is said when it is done
_STEPS: dict[str, tuple[Callable[..., Appointment], Any]] = {
    "confirm": (booking.confirm, _("Confirmed. The patient gets a message.")),
    "check-in": (visits.check_in, _("Checked in.")),
    "call": (visits.call, _("Called.")),
    "start": (visits.start, _("The visit has started.")),
    "complete": (visits.complete, _("The visit is completed.")),
    "no-show": (visits.mark_no_show, _("Marked as “did not come”.")),
    "take-back": (visits.take_back, _("The last step was taken back.")),
    "send-back": (visits.send_back, _("Waiting again.")),
    "to-front": (visits.move_to_front, _("They go first.")),
    "from-front": (visits.move_from_front, _("Back into line.")),
}
NAMES = f"any({', '.join(repr(name) for name in _STEPS)})"  # as a converter of an address


def take(actor: Actor, key: UUID, step: str, form: Mapping[str, str]) -> str:
    """Take the step with the visit and say what was done; raises what its verb refuses."""
    verb, sentence = _STEPS[step]
    if step == "to-front":
        verb(actor, key, code=form.get("code", ""))
    else:
        verb(actor, key)
    return str(sentence)
