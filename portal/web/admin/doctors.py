"""Doctors: the list with the state of each licence, profiles, and the clinics they practise at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Invalid, NotFound, Refused
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.clinics import invitations, managing
from portal.domain.doctors import amendments, practices, profiles
from portal.domain.doctors.amendments import AmendmentOver
from portal.domain.doctors.models import Doctor
from portal.domain.doctors.profiles import OwnLicence
from portal.web import changes, htmx, searching, terms, times
from portal.web.admin import bp, lists
from portal.web.admin.forms import ConnectForm, DoctorForm, PracticeForm, ProfileForm
from portal.web.admin.invitations import page_of
from portal.web.gate import actor

PAGE = ("admin/doctors/index.html", "admin/doctors/_doctors.html")
_VERDICTS: dict[str, tuple[Callable[..., Doctor], Any]] = {
    "confirm": (amendments.confirm, _("Confirmed. The profile says it from now on.")),
    "reject": (amendments.reject, _("Refused. The profile stays as it was verified, and the doctor sees it.")),
    "withdraw": (amendments.withdraw, _("The change was taken back.")),
}
SHOW, NEW, EDIT = "admin/doctors/show.html", "admin/doctors/new.html", "admin/doctors/edit.html"


@bp.get("/doctors")
def doctors() -> Response:
    """The doctors of the clinics the admin runs."""
    found = profiles.mine(
        actor(),
        searching.typed(),
        licence=lists.asked("licence") or None,
        clinic_id=lists.asked_id("clinic"),
        after=lists.asked("after") or None,
    )
    context: dict[str, Any] = {"found": found, "clinics": managing.choices(actor()), "asked": lists.asked}
    context["q"] = searching.typed()
    return htmx.page(PAGE[0], fragment=PAGE[1], **context, **lists.pages(found))


searching.mount(bp, "/doctors/search", "doctors", endpoint="search_doctors", kept=("licence", "clinic"))


@bp.get("/doctors/<slug>")
def doctor(slug: str) -> Response:
    """One doctor's profile, licence and practices."""
    return htmx.page(SHOW, **_about(slug))


@bp.get("/doctors/new")
def new_doctor() -> Response:
    """A form for a new doctor."""
    form = DoctorForm.fresh(profiles.specialties(), managing.choices(actor()), clinic_id=lists.asked("clinic"))
    return htmx.page(NEW, form=form)


@bp.post("/doctors/new")
def create_doctor() -> AnyResponse:
    """Add a doctor to a clinic; whoever reads the e-mail address is asked to take the profile."""
    form = DoctorForm.fresh(profiles.specialties(), managing.choices(actor()))
    if not form.accepted():
        return htmx.page(NEW, status=422, form=form)
    try:
        made = practices.invite(actor(), **form.clean.values())
    except Refused as no:
        return htmx.refused(no, NEW, form=form)
    sentence = say("Added. The profile becomes public when you have verified the licence.")
    return htmx.done(url_for("admin.doctor", slug=made.slug), sentence)


@bp.get("/doctors/<slug>/edit")
def edit_doctor(slug: str) -> Response:
    """A form for a doctor's profile."""
    found = profiles.get(actor(), slug)
    return htmx.page(EDIT, form=ProfileForm.fresh(profiles.specialties(), found), doctor=found)


@bp.post("/doctors/<slug>/edit")
def change_doctor(slug: str) -> AnyResponse:
    """Change a doctor's profile."""
    found = profiles.get(actor(), slug)
    form = ProfileForm.fresh(profiles.specialties(), found)
    if not form.accepted():
        return htmx.page(EDIT, status=422, form=form, doctor=found)
    try:
        profiles.change(actor(), slug, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, EDIT, form=form, doctor=found)
    return htmx.done(url_for("admin.doctor", slug=slug), say("Saved."))


@bp.post("/doctors/<slug>/verify")
def verify_doctor(slug: str) -> AnyResponse:
    """The licence was seen: the profile becomes public, if it still says what was shown."""
    try:
        profiles.verify_licence(actor(), slug, seen=request.form.get("seen"))
    except Refused as no:
        return htmx.refused(no, SHOW, **_about(slug))
    return htmx.done(url_for("admin.doctor", slug=slug), say("Verified. The profile is public now."))


@bp.post("/doctors/<slug>/withdraw")
def withdraw_doctor(slug: str) -> AnyResponse:
    """The licence does not hold: the profile is hidden. Where visits are booked, each of them is decided first."""
    said = say("Withdrawn. The profile is hidden and cannot be booked.")
    url = url_for("admin.doctor", slug=slug)
    return changes.save_or_plan("licence_ended", profiles.to_administer(actor(), slug).id, {}, url=url, said=said)


@bp.post("/doctors/<slug>/practices")
def start_practice(slug: str) -> AnyResponse:
    """The doctor practises at one more clinic."""
    form = PracticeForm.fresh(managing.choices(actor()))
    if not form.accepted():
        return htmx.page(SHOW, status=422, **{**_about(slug), "practice_form": form})
    try:
        asked = practices.start(actor(), slug, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return htmx.refused(no, SHOW, **{**_about(slug), "practice_form": form})
    said = say("Asked. The doctor practises there once they accept.")
    if asked.state == "accepted":
        said = say("Added to the clinic. The doctor can open hours there.")
    return htmx.done(page_of(asked), said)


@bp.post("/doctors/<slug>/account")
def connect_doctor(slug: str) -> AnyResponse:
    """Ask whoever reads an address to take a profile that has no account."""
    form = ConnectForm.fresh(managing.choices(actor()))
    if not form.accepted():
        return htmx.page(SHOW, status=422, **{**_about(slug), "connect_form": form})
    try:
        practices.connect(actor(), slug, **form.clean.values())
    except Refused as no:
        if isinstance(no, NotFound):
            raise
        form.refuse(no)
        return htmx.refused(no, SHOW, **{**_about(slug), "connect_form": form})
    said = say("Invited. The profile becomes theirs once they accept.")
    return htmx.done(url_for("admin.doctor", slug=slug), said)


@bp.post("/amendments/<uuid:key>/<any(confirm, reject, withdraw):verdict>")
def decide_amendment(key: UUID, verdict: str) -> AnyResponse:
    """Decide about a change of what was verified."""
    verb, said = _VERDICTS[verdict]
    try:
        doctor = verb(actor(), key)
    except (OwnLicence, AmendmentOver, Invalid) as no:
        return htmx.refused(no, SHOW, **_about(amendments.slug_of(actor(), key)))
    return htmx.done(url_for("admin.doctor", slug=doctor.slug), str(said))


@bp.post("/practices/<uuid:key>/end")
def end_practice(key: UUID) -> AnyResponse:
    """The doctor stops at a clinic; where visits are booked, each of them is decided first."""
    said = say("Ended. Nobody can book there any more.")
    return changes.save_or_plan("practice_ended", key, {}, url=url_for("admin.doctors"), said=said)


def _about(slug: str) -> dict[str, Any]:
    found = profiles.get(actor(), slug)
    here = {practice.clinic_id for practice in found.practices if practice.is_active}
    clinics, waiting = managing.choices(actor()), invitations.of_doctor(actor(), found.id)
    others = [clinic for clinic in clinics if clinic.id not in here]
    own = [one for one in clinics if one.id in here and practices.may_connect(actor(), found, one.id)]
    is_asked = any(one.email for one in waiting)
    return {
        "doctor": found,
        "waiting": waiting,
        "by_code": {one.code: one for one in profiles.specialties()},
        "seen": profiles.mark_of(found),
        "may_administer": profiles.may_administer(actor(), found),
        "practice_form": PracticeForm.fresh(others) if others else None,
        "connect_form": ConnectForm.fresh(own) if own and not found.user and not is_asked else None,
        "terms": terms,
        "times": times,
        "zone": lists.zone(),
    }
