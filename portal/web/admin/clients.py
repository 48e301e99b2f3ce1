"""Programs that were let in: the list, a form for a new one, its secret shown once, its end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField, SelectField, StringField, TextAreaField, URLField

from portal.core.errors import Invalid, Refused
from portal.core.text import beside
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.clinics import managing, programs
from portal.domain.identity import clients, signing
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.client_shapes import ChangeClient, NewClient
from portal.domain.identity.scopes import SCOPES
from portal.web import htmx, terms
from portal.web.admin import bp, lists
from portal.web.admin.forms import CheckList
from portal.web.forms import AnyShape, ShapeForm
from portal.web.gate import actor, needs_sudo

INDEX, NEW, EDIT, SHOW = (f"admin/clients/{name}.html" for name in ("index", "new", "edit", "show"))
KINDS = {
    "app": (_("An app or a page without a server"), _("People sign in with it. It keeps no secret."), "device-mobile"),
    "server": (_("A website with a server"), _("People sign in with it. Its server keeps a secret."), "server"),
    "service": (_("A program that works by itself"), _("It acts for a clinic, without people."), "robot"),
}
ONE_A_LINE = {"rows": 3, "dir": "ltr", "spellcheck": "false", "autocomplete": "off"}


class ClientFields(ShapeForm[AnyShape]):
    """What is asked about every program."""

    name = StringField(_("Name"), render_kw={"autocomplete": "off"})
    website = URLField(_("Website"), render_kw={"autocomplete": "off", "dir": "ltr"})
    redirect_uris = TextAreaField(_("Where people are sent back to"), render_kw=ONE_A_LINE)
    scopes = CheckList(_("What it may ask for"))

    def refuse(self, no: Refused) -> None:
        """As every form; what is wrong with one line or one box stands beside the field it is in."""
        fields = {name.partition(".")[0]: sentence for name, sentence in no.fields.items()}
        super().refuse(Invalid(no.sentence, fields=fields) if fields else no)


class NewClientForm(ClientFields[NewClient]):
    """A program to be let in."""

    shape = NewClient

    kind = RadioField(_("What is it?"))
    clinic_id = SelectField(_("Clinic"))
    role = SelectField(_("What it is at the clinic"))

    @classmethod
    def fresh(cls) -> NewClientForm:
        form = cls(data={"kind": "app", "clinic_id": lists.asked("clinic")})
        form.kind.choices = [(code, f"{name}. {about}") for code, (name, about, _icon) in KINDS.items()]
        clinics = [(str(one.id), beside(one.name, one.city)) for one in managing.choices(actor())]
        form.clinic_id.choices = ([("", say("No clinic in particular"))] if actor().is_superadmin else []) + clinics
        form.role.choices = [(role, str(terms.ROLES[role])) for role in ("staff", "admin")]
        form.scopes.choices = _scopes()
        return form


class ChangeClientForm(ClientFields[ChangeClient]):
    """What may be changed of one."""

    shape = ChangeClient

    @classmethod
    def of(cls, client: OAuthClient) -> ChangeClientForm:
        said = {"name": client.name, "website": client.website, "scopes": client.scopes}
        form = cls(data={**said, "redirect_uris": "\n".join(client.redirect_uris)})
        form.scopes.choices = _scopes()
        return form


@bp.get("/programs")
def programs_list() -> Response:
    """The programs one looks after, of ?clinic= when that is given."""
    clinic = managing.get(actor(), lists.asked("clinic")) if lists.asked("clinic") else None
    found = clients.of(actor(), clinic.id if clinic else None)
    names = {one.id: one.name for one in managing.choices(actor())}
    return htmx.page(INDEX, found=found, clinic=clinic, clinics=names, kinds=KINDS)


@bp.get("/programs/new")
def new_client() -> Response:
    """A form for another program; the password is asked for before anything is filled in."""
    needs_sudo()
    return htmx.page(NEW, form=NewClientForm.fresh())


@bp.post("/programs/new")
def create_client() -> AnyResponse:
    """Let it in, and show its secret: this once and never again."""
    needs_sudo()
    form = NewClientForm.fresh()
    if not form.accepted():
        return htmx.page(NEW, status=422, form=form)
    try:
        client, secret = programs.add(actor(), **form.clean.values())
    except Refused as no:
        return htmx.refused(no, NEW, form=form)
    if secret is None:
        return htmx.done(url_for("admin.client", key=client.id), say("The program was let in."))
    return _shown(client, secret, 201)


@bp.get("/programs/<uuid:key>")
def client(key: UUID) -> Response:
    """One program: what its makers need to know, and what it may do."""
    return _shown(clients.get(actor(), key))


@bp.get("/programs/<uuid:key>/edit")
def edit_client(key: UUID) -> Response:
    """A form for what may be changed of it."""
    found = clients.get(actor(), key)
    needs_sudo()
    return htmx.page(EDIT, form=ChangeClientForm.of(found), client=found)


@bp.post("/programs/<uuid:key>/edit")
def change_client(key: UUID) -> AnyResponse:
    """Change it; what it was given before shrinks with it."""
    found = clients.get(actor(), key)
    needs_sudo()
    form = ChangeClientForm.of(found)
    if not form.accepted():
        return htmx.page(EDIT, status=422, form=form, client=found)
    try:
        clients.change(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, EDIT, form=form, client=found)
    return htmx.done(url_for("admin.client", key=key), say("Saved."))


@bp.post("/programs/<uuid:key>/secret")
def renew_secret(key: UUID) -> AnyResponse:
    """Another secret, shown this once; the one before is worth nothing."""
    found = clients.get(actor(), key)
    needs_sudo()
    try:
        return _shown(*clients.renew_secret(actor(), key))
    except Refused as no:
        return htmx.refused(no, SHOW, **_about(found))


@bp.post("/programs/<uuid:key>/end")
def end_client(key: UUID) -> AnyResponse:
    """Let it in no more: every token it holds is worth nothing at once."""
    found = clients.get(actor(), key)
    needs_sudo()
    try:
        programs.end(actor(), key)
    except Refused as no:
        return htmx.refused(no, SHOW, **_about(found))
    return htmx.done(
        url_for("admin.programs_list"), say("%(name)s was ended: it can do nothing here.", name=found.name)
    )


def _shown(found: OAuthClient, secret: str | None = None, status: int = 200) -> Response:
    return htmx.page(SHOW, status=status, secret=secret, **_about(found))


def _about(found: OAuthClient) -> dict[str, Any]:
    role = programs.role_of(found)
    people, last_used = clients.use_of(found)
    return {
        "client": found,
        "kind": KINDS[found.kind],
        "clinic": managing.get(actor(), found.clinic_id) if found.clinic_id else None,
        "role": terms.ROLES[role] if role else None,
        "scope_words": SCOPES,
        "people": people,
        "last_used": last_used,
        "zone": lists.zone(),
        "issuer": signing.issuer(),
    }


def _scopes() -> list[tuple[str, str]]:
    """Each scope in words, with its name for programs behind."""
    return [(scope, f"{words} ({scope})") for scope, words in SCOPES.items()]
