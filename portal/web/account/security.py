"""Where one is signed in, and ending that."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, url_for
from werkzeug.wrappers import Response

from portal.core.text import gettext as say
from portal.domain.identity import accounts, factors, sessions, tokens
from portal.domain.identity.scopes import SCOPES
from portal.web import gate, htmx
from portal.web.account import bp
from portal.web.account.devices import describe


@bp.get("/security")
def security() -> Response:
    """The password, the second factor, the browsers and the programs that are signed in."""
    actor = gate.actor()
    return htmx.page(
        "account/security.html",
        user=accounts.get(actor.user_id),
        factor=factors.of(actor.user_id),
        must_have_factor=factors.is_required(actor),
        sessions=sessions.mine(actor),
        programs=tokens.mine(actor),
        scope_words=SCOPES,
        describe=describe,
        zone=current_app.extensions["portal.settings"].default_time_zone,
    )


@bp.post("/sessions/<uuid:key>/end")
def end_session(key: UUID) -> Response:
    """Sign one browser out; this one too, if it is this one."""
    gate.needs_sudo()
    sessions.end(gate.actor(), key)
    if key == gate.actor().session_id:
        gate.sign_out()
        return htmx.done(url_for("public.home"), say("You are signed out."))
    return htmx.done(url_for("account.security"), say("That browser is signed out."))


@bp.post("/sessions/end-others")
def end_other_sessions() -> Response:
    """Sign every other browser and every program out."""
    gate.needs_sudo()
    sessions.end_others(gate.actor())
    return htmx.done(url_for("account.security"), say("Every other browser and program is signed out."))


@bp.post("/programs/<uuid:key>/end")
def end_program(key: UUID) -> Response:
    """Sign one program out."""
    gate.needs_sudo()
    tokens.end_mine(gate.actor(), key)
    return htmx.done(url_for("account.security"), say("That program is signed out."))
