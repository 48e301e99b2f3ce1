"""A patient has died: written down at the desk, and undone when it was a mistake."""

from __future__ import annotations

from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.policy import allow
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.patients import deaths
from portal.domain.patients import desk as patients
from portal.domain.patients.desk_shapes import Death
from portal.web import htmx
from portal.web.desk import bp
from portal.web.forms import DateField, ShapeForm
from portal.web.gate import actor

PAGE = "desk/patients/death.html"


class DeathForm(ShapeForm[Death]):
    """The day, where it is known."""

    shape = Death

    died_on = DateField(_("Day of death"), render_kw={"autocomplete": "off"})


@bp.get("/patients/<uuid:key>/death")
def death(key: UUID) -> Response:
    """What happens once it is written down; changes nothing."""
    return _page(key, DeathForm(formdata=None))


@bp.post("/patients/<uuid:key>/death")
def note_death(key: UUID) -> AnyResponse:
    """Write it down."""
    form = DeathForm()
    if not form.accepted():
        return _page(key, form, status=422)
    try:
        deaths.note(actor(), key, died_on=form.clean.died_on)
    except Refused as no:
        form.refuse(no)
        return _page(key, form, status=no.status)
    said = say("Written down. Nothing is sent any more; visits to come are on the list of calls, for you to decide.")
    return htmx.done(url_for("desk.patient", key=key), said)


@bp.post("/patients/<uuid:key>/death/undo")
def undo_death(key: UUID) -> AnyResponse:
    """It was a mistake."""
    deaths.undo(actor(), key)
    said = say("Undone. Messages are sent again, and the account is open.")
    return htmx.done(url_for("desk.patient", key=key), said)


def _page(key: UUID, form: DeathForm, status: int = 200) -> Response:
    patient = patients.get(actor(), key)
    allow(deaths.may_note(actor(), patient))
    return htmx.page(PAGE, status=status, patient=patient, form=form)
