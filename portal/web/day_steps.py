"""The steps of the day as addresses: the desk's board and the doctor's pages press the same buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from portal.core.actor import Actor
from portal.core.text import lazy as _
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from portal.web import htmx

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
_UNDONE_BY = {
    "check-in": "take-back", "start": "take-back", "complete": "take-back", "no-show": "take-back", "call": "send-back",
    "to-front": "from-front",
}  # fmt: skip
NAMES = f"any({', '.join(repr(name) for name in _STEPS)})"  # as a converter of an address


def take(actor: Actor, key: UUID, step: str, form: Mapping[str, str]) -> tuple[str, Appointment]:
    """Take the step with the visit; what was done in a sentence, and the visit. Raises what its verb refuses."""
    verb, sentence = _STEPS[step]
    visit = verb(actor, key, code=form.get("code", "")) if step == "to-front" else verb(actor, key)
    return str(sentence), visit


def undo(
    visit: Appointment, step: str, url: Callable[[str], str], target: str, fields: Mapping[str, Any] | None = None
) -> htmx.Undo | None:
    """The way back from the step that was just taken; None where there is none.

    `url` says where a step is sent, `fields` what goes with it, `target` what its answer replaces.
    """
    if step not in _UNDONE_BY or not visits.can_be_taken_back(visit):
        return None
    kept = {name: str(value) for name, value in (fields or {}).items() if value}
    return htmx.Undo(url(_UNDONE_BY[step]), kept, target)
