"""Accounts: found, invited, shut and opened again, and the roles they hold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import NotFound, Refused
from portal.core.text import gettext as say
from portal.domain.access import factor_help, people
from portal.domain.clinics import managing, members
from portal.domain.identity import factors
from portal.domain.scheduling import withdrawing
from portal.web import changes, htmx, searching, terms
from portal.web.admin import bp, lists
from portal.web.admin.forms import MemberForm
from portal.web.admin.invitations import page_of
from portal.web.gate import actor, needs_sudo

PAGE = ("admin/users/index.html", "admin/users/_users.html")


@bp.get("/users")
def users() -> Response:
    """Accounts by name, role, clinic and state."""
    clinics = managing.choices(actor())
    found = people.search(
        actor(),
        searching.typed(),
        role=lists.asked("role") or None,
        clinic_id=lists.asked_id("clinic"),
        state=lists.asked("state") or None,
        after=lists.asked("after") or None,
    )
    context: dict[str, Any] = {
        "found": found,
        "clinics": clinics,
        "asked": lists.asked,
        "q": searching.typed(),
        "terms": terms,
        "zone": lists.zone(),
    }
    return htmx.page(PAGE[0], fragment=PAGE[1], **context, **lists.pages(found))


searching.mount(bp, "/users/search", "users", endpoint="search_users", kept=("role", "clinic", "state"))


@bp.get("/users/<uuid:key>")
def user(key: UUID) -> Response:
    """One account and its roles."""
    return htmx.page("admin/users/show.html", **_about(key))


@bp.get("/users/invite")
def new_user() -> Response:
    """A form to ask someone to work in a clinic."""
    form = MemberForm.fresh(managing.choices(actor()), clinic=lists.asked("clinic"), role=lists.asked("role"))
    return htmx.page("admin/users/invite.html", form=form)


@bp.post("/users/invite")
def invite_user() -> AnyResponse:
    """Ask them by letter; the role begins once they accept. The answer is the same for every address."""
    form = MemberForm.fresh(managing.choices(actor()))
    if not form.accepted():
        return htmx.page("admin/users/invite.html", status=422, form=form)
    try:
        clinic = managing.get(actor(), str(form.clinic.data or ""))
        made = members.invite(actor(), clinic.id, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, "admin/users/invite.html", form=form)
    said = say("Invited. They get an e-mail with a link; the role begins once they accept.")
    return htmx.done(page_of(made), said)


@bp.post("/users/<uuid:key>/deactivate")
def deactivate_user(key: UUID) -> AnyResponse:
    """Shut an account: its sessions end at once. A doctor's visits that are booked are decided first."""
    people.get(actor(), key)
    url, said = url_for("admin.user", key=key), say("Deactivated. They are signed out everywhere.")
    try:
        return changes.save_or_plan("account_shut", key, {}, url=url, said=said)
    except Refused as no:
        return htmx.refused(no, "admin/users/show.html", **_about(key))


@bp.post("/users/<uuid:key>/reactivate")
def reactivate_user(key: UUID) -> AnyResponse:
    """Open an account again."""
    people.get(actor(), key)
    withdrawing.open_account(actor(), key)
    return htmx.done(url_for("admin.user", key=key), say("Reactivated. They can sign in again."))


@bp.post("/users/<uuid:key>/second-factor/remove")
def remove_factor(key: UUID) -> AnyResponse:
    """Take away the second factor of somebody whose phone is lost: at once, or once they have agreed by a link."""
    needs_sudo()
    try:
        is_gone = factor_help.take_away(actor(), key)
    except Refused as no:
        if isinstance(no, NotFound):
            raise
        return htmx.refused(no, "admin/users/show.html", **_about(key))
    said = say("Removed. They are signed out everywhere and sign in with their password.")
    if not is_gone:
        said = say("Asked. They get an e-mail with a link; it is removed once they agree.")
    return htmx.done(url_for("admin.user", key=key), said)


@bp.post("/memberships/<uuid:key>/end")
def end_membership(key: UUID) -> AnyResponse:
    """Take a role in a clinic from someone."""
    ended = members.end(actor(), key)
    to_clinic = lists.asked("back") == "clinic"
    url = url_for("admin.clinic", slug=ended.clinic.slug) if to_clinic else url_for("admin.users")
    return htmx.done(url, say("The role has ended; it is gone with their next click."))


def _about(key: UUID) -> dict[str, Any]:
    person = people.get(actor(), key)
    factor = factors.of(person.user.id)
    may_take = factor is not None and factor_help.may_take_away(actor(), person.user.id)
    return {"person": person, "factor": factor, "may_take_factor": may_take, "terms": terms, "zone": lists.zone()}
