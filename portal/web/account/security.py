"""How one signs in, and everything that acts for the account: seen in one list, ended one by one or all at once."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, url_for
from werkzeug.wrappers import Response

from portal.core.text import gettext as say
from portal.core.text import listed
from portal.domain.identity import accounts, acts_for, factors
from portal.domain.identity.acts_for import Ended
from portal.domain.identity.scopes import SCOPES
from portal.web import gate, htmx
from portal.web.account import bp
from portal.web.account.devices import describe


@bp.get("/security")
def security() -> Response:
    """The password, the second factor, and what acts for the account."""
    actor = gate.actor()
    return htmx.page(
        "account/security.html",
        user=accounts.get(actor.user_id),
        factor=factors.of(actor.user_id),
        must_have_factor=factors.is_required(actor),
        things=[one for one in acts_for.mine(actor) if one.kind != "second_factor"],
        scope_words=SCOPES,
        describe=describe,
        zone=current_app.extensions["portal.settings"].default_time_zone,
    )


@bp.post("/acting/<uuid:key>/end")
def end_acting(key: UUID) -> Response:
    """End one thing that acts for the account; this browser too, if it is this one."""
    gate.needs_sudo()
    ended = acts_for.end_one(gate.actor(), key)
    if ended.is_current:
        gate.sign_out()
        return htmx.done(url_for("public.home"), say("You are signed out."))
    return htmx.done(url_for("account.security", _anchor="acting"), say("Ended: it acts for you no more."))


@bp.post("/acting/end")
def end_all_acting() -> Response:
    """End everything that acts for the account but this browser."""
    gate.needs_sudo()
    ended = accounts.sign_out_everywhere(gate.actor())
    gate.go_on_as(ended.cookie)
    said = what_ended(say("Nothing else acts for you any more."), ended)
    return htmx.done(url_for("account.security", _anchor="acting"), said)


def what_ended(said: str, ended: Ended) -> str:
    """A sentence, and after it what ended."""
    names = acts_for.told(ended.counts)
    if not names:
        return said
    over = say("Ended: %(what)s.", what=listed(names))
    return f"{said} {over}"
