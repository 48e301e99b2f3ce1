"""Doctors a patient keeps: the heart beside a doctor's name, one tap, and a real form without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import current_app, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from portal.core.actor import Actor
from portal.core.text import gettext as say
from portal.domain.doctors import favourites
from portal.web import gate, htmx
from portal.web.gate import actor
from portal.web.patient import bp

HEART = "patient/favourites/_heart.html"
# Cards are written once for everybody: where the heart belongs they say of whom, and it is put in for each reader.
_PLACE = re.compile(r"<!--heart:([0-9a-f-]{36}):([\w-]+):(.*?)-->")


@bp.post("/favourites/<uuid:key>")
def keep_doctor(key: UUID) -> AnyResponse:
    """Keep this doctor."""
    doctor = favourites.keep(actor(), key)
    said = say("Kept. You find %(doctor)s on your home page.", doctor=doctor.name)
    return _answer(key, doctor.slug, doctor.name, said, is_kept=True)


@bp.post("/favourites/<uuid:key>/let-go")
def let_doctor_go(key: UUID) -> AnyResponse:
    """Do not keep this doctor any more."""
    favourites.let_go(actor(), key)
    name, slug = request.form.get("name", "")[:200], request.form.get("slug", "")[:200]
    return _answer(key, slug, name, say("Not kept any more."), is_kept=False)


def hearts_for(reader: Actor) -> Callable[[Markup], Markup]:
    """What puts this reader's heart on each card of a page: to press, to sign in for, or none for who is no patient."""
    kept = favourites.kept(reader)
    back = request.full_path.rstrip("?")

    def drawn(found: re.Match[str]) -> str:
        if reader.is_signed_in and reader.patient_id is None:
            return ""
        is_kept = UUID(found[1]) in kept if reader.is_signed_in else None
        return heart(UUID(found[1]), found[2], Markup(found[3]).unescape(), is_kept=is_kept, back=back)  # noqa: S704

    return lambda page: Markup(_PLACE.sub(drawn, page))  # noqa: S704 - our own templates, escaped


def heart(doctor_id: UUID, slug: str, name: str, *, is_kept: bool | None, back: str) -> Markup:
    """One heart; `is_kept` None is one to sign in for. It knows only what it is given: lists have many."""
    template = current_app.jinja_env.get_template(HEART)
    page = template.render(doctor_id=doctor_id, slug=slug, name=name, is_kept=is_kept, back=back)
    return Markup(page)  # noqa: S704 - our own template, escaped


def _answer(key: UUID, slug: str, name: str, said: str, *, is_kept: bool) -> AnyResponse:
    back = gate.safe_next(request.form.get("back"), url_for("patient.home"))
    context: dict[str, Any] = {"doctor_id": key, "slug": slug, "name": name, "is_kept": is_kept, "back": back}
    return htmx.done(back, said, fragment=HEART, **context)
