"""Webhooks of the clinics: who is told of what, how each delivery went, and sending again."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.actor import Actor
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.clinics import managing
from portal.domain.webhooks import endpoints, messages
from portal.domain.webhooks.models import WebhookEndpoint
from portal.domain.webhooks.shapes import EditEndpoint, MessageQuery, NewEndpoint, ReplayFromDay
from portal.domain.webhooks.topics import TOPICS
from portal.web import htmx
from portal.web.admin import bp, lists
from portal.web.forms import DateField, ShapeForm
from portal.web.gate import actor

INDEX, NEW, EDIT = "admin/webhooks/index.html", "admin/webhooks/new.html", "admin/webhooks/edit.html"
SHOW = ("admin/webhooks/show.html", "admin/webhooks/_messages.html")
WHY_PAUSED = {
    "asked": _("Somebody paused it."),
    "gone": _("The receiver says that it is gone."),
    "failing": _("For a day nothing reached the receiver."),
}
ERRORS = {
    "not_public": _("The address is not on the public internet"),
    "name": _("The name of the receiver is not known"),
    "timeout": _("No answer in time"),
    "certificate": _("No secure connection"),
    "connection": _("No connection"),
    "redirect": _("A redirect, which is not followed"),
    "status": _("The receiver refused it"),
}


def _events() -> Any:
    return SelectMultipleField(
        _("Events"),
        description=_("Choose none to be told of everything."),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        choices=[
            SelectChoice(topic.name, topic.label, optgroup=topic.noun.title)  # type: ignore[arg-type]
            for topic in TOPICS.values()
        ],
    )


class EditForm(ShapeForm[EditEndpoint]):
    """Where to send and what."""

    shape = EditEndpoint

    url = StringField(_("Address of the receiver"), render_kw={"inputmode": "url", "dir": "ltr", "autocomplete": "off"})
    description = StringField(_("What it is for"))
    events = _events()


class NewForm(ShapeForm[NewEndpoint]):
    """The same, and for which clinic."""

    shape = NewEndpoint

    url = StringField(_("Address of the receiver"), render_kw={"inputmode": "url", "dir": "ltr", "autocomplete": "off"})
    description = StringField(_("What it is for"))
    clinic_id = SelectField(_("Clinic"), validate_choice=False)
    events = _events()

    @classmethod
    def fresh(cls, who: Actor) -> NewForm:
        form = cls()
        every = [SelectChoice("", say("All clinics"))] if who.is_superadmin else []
        form.clinic_id.choices = every + [SelectChoice(str(one.id), one.name) for one in managing.choices(who)]
        return form


class ReplayForm(ShapeForm[ReplayFromDay]):
    """Since when."""

    shape = ReplayFromDay

    since = DateField(_("Since"))


@bp.get("/webhooks")
def webhooks() -> Response:
    """The receivers of the clinics the actor runs."""
    return htmx.page(INDEX, found=endpoints.of(actor()), topics=TOPICS, zone=lists.zone())


@bp.get("/webhooks/new")
def new_webhook() -> Response:
    """A form for another receiver."""
    return htmx.page(NEW, form=NewForm.fresh(actor()))


@bp.post("/webhooks/new")
def create_webhook() -> AnyResponse:
    """Write down a receiver; its signing secret is in this answer and in no other."""
    form = NewForm.fresh(actor())
    if not form.accepted():
        return htmx.page(NEW, status=422, form=form)
    try:
        made, secret = endpoints.make(actor(), **form.clean.values())
    except Refused as no:
        return htmx.refused(no, NEW, form=form)
    return htmx.page(SHOW[0], status=201, secret=secret, **_about(made))


@bp.get("/webhooks/<uuid:key>")
def webhook(key: UUID) -> Response:
    """One receiver and its messages, the latest first."""
    return htmx.page(SHOW[0], fragment=SHOW[1], **_about(endpoints.get(actor(), key)))


@bp.get("/webhooks/<uuid:key>/edit")
def edit_webhook(key: UUID) -> Response:
    """A form to change a receiver."""
    found = endpoints.get(actor(), key)
    return htmx.page(EDIT, form=EditForm(obj=found), hook=found)


@bp.post("/webhooks/<uuid:key>/edit")
def change_webhook(key: UUID) -> AnyResponse:
    """Say anew where to send and what."""
    found = endpoints.get(actor(), key)
    form = EditForm()
    if not form.accepted():
        return htmx.page(EDIT, status=422, form=form, hook=found)
    try:
        endpoints.change(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, EDIT, form=form, hook=found)
    return htmx.done(_page(key), say("Saved."))


@bp.post("/webhooks/<uuid:key>/pause")
def pause_webhook(key: UUID) -> AnyResponse:
    """Send nothing for now."""
    endpoints.pause(actor(), key)
    return htmx.done(_page(key), say("Paused. What happens is kept for a day and sent when you resume."))


@bp.post("/webhooks/<uuid:key>/resume")
def resume_webhook(key: UUID) -> AnyResponse:
    """Send again."""
    endpoints.resume(actor(), key)
    return htmx.done(_page(key), say("Resumed. What waited is sent now."))


@bp.post("/webhooks/<uuid:key>/rotate")
def rotate_webhook(key: UUID) -> AnyResponse:
    """Another signing secret, in this answer and in no other."""
    found, secret = endpoints.rotate(actor(), key)
    return htmx.page(SHOW[0], secret=secret, **_about(found))


@bp.post("/webhooks/<uuid:key>/remove")
def remove_webhook(key: UUID) -> AnyResponse:
    """Tell it nothing any more."""
    endpoints.remove(actor(), key)
    return htmx.done(url_for("admin.webhooks"), say("Removed."))


@bp.post("/webhooks/<uuid:key>/test")
def test_webhook(key: UUID) -> AnyResponse:
    """Send a message that says nothing."""
    try:
        messages.test(actor(), key)
    except Refused as no:
        return htmx.refused(no, SHOW[0], **_about(endpoints.get(actor(), key)))
    return htmx.done(_page(key), say("A test is on its way. Look again in a moment."))


@bp.post("/webhooks/<uuid:key>/messages/<uuid:message_key>/replay")
def replay_message(key: UUID, message_key: UUID) -> AnyResponse:
    """Send one message again."""
    try:
        messages.replay(actor(), key, message_key)
    except Refused as no:
        return htmx.refused(no, SHOW[0], **_about(endpoints.get(actor(), key)))
    return htmx.done(_page(key), say("It is sent again now."))


@bp.post("/webhooks/<uuid:key>/replay")
def replay_failed_messages(key: UUID) -> AnyResponse:
    """Send everything again that failed since a day."""
    found, form = endpoints.get(actor(), key), ReplayForm()
    if not form.accepted():
        return htmx.page(SHOW[0], status=422, **_about(found) | {"replay_form": form})
    try:
        since = datetime.combine(form.clean.since, time(), ZoneInfo(lists.zone()))
        count = messages.replay_failed(actor(), key, since=since)
    except Refused as no:
        return htmx.refused(no, SHOW[0], **_about(found))
    said = ngettext("%(n)s message is sent again now.", "%(n)s messages are sent again now.", count)
    return htmx.done(_page(key), said)


def _page(key: UUID) -> str:
    return url_for("admin.webhook", key=key)


def _about(hook: WebhookEndpoint) -> dict[str, Any]:
    query = MessageQuery.parse({"state": lists.asked("state")})
    found = messages.of(actor(), hook.id, state=query.state, after=lists.asked("after") or None)
    return {
        "hook": hook,
        "found": found,
        "counts": messages.counts(hook),
        "topics": TOPICS,
        "why_paused": WHY_PAUSED,
        "errors": ERRORS,
        "asked": lists.asked,
        "zone": lists.zone(),
        "replay_form": ReplayForm(formdata=None),
        **lists.pages(found),
    }
