"""“I am here”: by the sign at the entrance or the link in a message, with an account or with a reference."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField

from portal.core.actor import Actor
from portal.core.errors import Refused
from portal.core.text import lazy as _
from portal.domain.access.acting import Claim
from portal.domain.clinics import queries
from portal.domain.clinics.models import Clinic
from portal.domain.day import arriving
from portal.domain.day.shapes import Arrival
from portal.domain.scheduling import appointments
from portal.web import htmx, links
from portal.web.forms import DateField, ShapeForm
from portal.web.gate import actor
from portal.web.public import bp

PAGE = "public/arrive/index.html"


class ArrivalForm(ShapeForm[Arrival]):
    """What the confirmation says, and who it is."""

    shape = Arrival

    reference = StringField(
        _("Reference"),
        description=_("Nine letters and digits, in your confirmation."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "dir": "ltr"},
    )
    birth_date = DateField(_("Date of birth"), render_kw={"autocomplete": "bday"})


@bp.get("/arrive/<slug>")
def arrive(slug: str) -> Response:
    """Ask who is here; ?sign= is what the clinic's sign carries."""
    return _private(htmx.page(PAGE, **_context(_clinic(slug))))


@bp.post("/arrive/<slug>")
def arrived(slug: str) -> AnyResponse:
    """Check the patient in and show their number."""
    clinic, form = _clinic(slug), ArrivalForm()
    try:
        if key := request.form.get("appointment_id"):
            visit = arriving.arrive(actor(), key)
        elif form.accepted():
            visit = arriving.arrive_by_reference(actor(), clinic, **form.clean.values())
        else:
            return _private(htmx.page(PAGE, status=422, **_context(clinic, form)))
    except Refused as no:
        shown = _context(clinic, form)
        return _private(htmx.refused(no, PAGE, form=shown.pop("form"), **shown))
    return htmx.see_other(_ticket_of(visit))


@bp.get("/arrive/<slug>/<ticket>")
def waiting(slug: str, ticket: str) -> Response:
    """One's number, how many go before, and how long it may take; renews itself."""
    stands = arriving.standing(arriving.by_ticket(ticket))
    return _private(
        htmx.page(
            "public/arrive/waiting.html",
            fragment="public/arrive/_waiting.html",
            stands=stands,
            again=url_for("public.waiting", slug=slug, ticket=ticket),
        )
    )


def show(who: Actor, claim: Claim) -> Response:
    """What the link in a message shows: one's visit, and the button to say that one is here."""
    visit = appointments.find(who, claim.subject_id)
    return htmx.page("public/arrive/link.html", stands=arriving.standing(visit), claim=claim)


def act(who: Actor, claim: Claim) -> AnyResponse:
    """The button was pressed."""
    return htmx.see_other(_ticket_of(arriving.arrive(who, claim.subject_id)))


links.register("check_in", show=show, act=act)


def _clinic(slug: str) -> Clinic:
    """The clinic whose sign was scanned; raises NotFound or Gone."""
    clinic = queries.by_slug(actor(), slug)
    arriving.read_sign(clinic, request.values.get("sign", ""))
    return clinic


def _context(clinic: Clinic, form: ArrivalForm | None = None) -> dict[str, Any]:
    return {
        "clinic": clinic,
        "sign": arriving.sign_of(clinic),
        "own": [arriving.standing(visit) for visit in arriving.today_at(actor(), clinic)],
        "ticket_of": _ticket_of,
        "form": form or ArrivalForm(formdata=None),
    }


def _ticket_of(visit: Any) -> str:
    return url_for("public.waiting", slug=visit.clinic.slug, ticket=arriving.ticket(visit))


def _private(answer: Response) -> Response:
    """No cache keeps it and no search engine finds it."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
