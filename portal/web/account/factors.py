"""The second factor: asked for at sign-in, set up with an authenticator app, taken away again."""

from __future__ import annotations

from typing import Any

import segno
from flask import current_app, request, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.core.errors import Gone, Refused
from portal.core.text import gettext as say
from portal.domain.access import factor_help as lost_phone
from portal.domain.identity import factors, second_step, sessions
from portal.domain.identity.challenges import ChallengeOver
from portal.web import gate, htmx, navigation
from portal.web.account import bp
from portal.web.account.arriving import HALF_IN, let_in, onward, user_agent
from portal.web.account.entering import PAGE as SIGN_IN
from portal.web.account.entering import around as around_sign_in
from portal.web.account.forms import CodeForm, SignInForm

STEP, SET_UP, CODES = "account/factor/step.html", "account/factor/set_up.html", "account/factor/codes.html"


@bp.route("/sign-in/code", methods=["GET", "POST"])
def second_step_of_sign_in() -> Response:
    """Whoever showed the right password enters the code of their app, or a recovery code."""
    challenge = session.get(HALF_IN)
    if not challenge:
        return htmx.see_other(url_for("account.sign_in", next=onward() or None))
    form = CodeForm()
    around: dict[str, Any] = {"next": onward(), "by_recovery": request.values.get("way") == "recovery"}
    if not form.accepted():
        return htmx.page(STEP, status=422 if form.is_submitted() else 200, form=form, **around)
    try:
        _, token = second_step.open_session(gate.actor(), challenge, form.clean.code, user_agent())
    except ChallengeOver as no:
        session.pop(HALF_IN)
        return htmx.refused(no, SIGN_IN, form=SignInForm(formdata=None), **around_sign_in())
    except Refused as no:
        return htmx.refused(no, STEP, form=form, **around)
    return let_in(token)


@bp.get("/second-factor")
def second_factor() -> Response:
    """What a second factor is and a button to begin; once begun, the code to scan."""
    if gate.actor().has_factor:
        return htmx.see_other(onward() or url_for("account.security", _anchor="second-factor"))
    around = _around()
    if around["setup"]:
        gate.needs_sudo()
    return htmx.page(SET_UP, form=CodeForm(), **around)


@bp.post("/second-factor/begin")
def begin_factor() -> Response:
    """Make a secret for the app."""
    gate.needs_sudo()
    try:
        factors.begin(gate.actor())
    except Refused as no:
        return htmx.done(url_for("account.security", _anchor="second-factor"), no)
    return htmx.see_other(url_for("account.second_factor", next=onward() or None))


@bp.post("/second-factor/confirm")
def confirm_factor() -> Response:
    """The first code shows that the app knows the secret; the recovery codes are shown, this once."""
    gate.needs_sudo()
    if gate.actor().has_factor:  # the page with the codes was loaded again
        return htmx.see_other(url_for("account.security", _anchor="second-factor"))
    form = CodeForm()
    if not form.accepted():
        return htmx.page(SET_UP, status=422, form=form, **_around())
    try:
        codes = factors.confirm(gate.actor(), form.clean.code)
    except Refused as no:
        return htmx.refused(no, SET_UP, form=form, **_around())
    return _show(codes, is_new=True)


@bp.post("/second-factor/codes")
def renew_codes() -> Response:
    """New recovery codes, shown this once."""
    gate.needs_sudo()
    return _show(factors.renew_codes(gate.actor()), is_new=False)


@bp.post("/second-factor/remove")
def remove_factor() -> Response:
    """Go on with the password alone; whoever must have a second factor sets up another one at once."""
    gate.needs_sudo()
    factors.remove(gate.actor())
    gate.go_on_as(sessions.renew(gate.actor()))
    said = say("Your second factor is removed.")
    return htmx.done(url_for("account.security", _anchor="second-factor"), said)


@bp.route("/second-factor-help/<token>", methods=["GET", "POST"])
def factor_help(token: str) -> Response:
    """Somebody whose phone is lost agrees that the second factor goes, as an admin of their clinic asked."""
    try:
        asked = lost_phone.look(token)
        if request.method != "POST":
            return htmx.page("account/factor/help.html", asked=asked, token=token)
        lost_phone.agree(gate.actor(), token)
    except Gone as no:
        return htmx.refused(no, "account/factor/help_over.html")
    if gate.actor().user_id == asked.user.id:
        gate.sign_out()
    said = say("Your second factor is removed. Please sign in with your password.")
    return htmx.done(url_for("account.sign_in"), said)


def _show(codes: list[str], *, is_new: bool) -> Response:
    """The codes on a page, in a session whose cookie is another from here on."""
    actor = gate.go_on_as(sessions.renew(gate.actor()))
    onward_ = onward() or (url_for("account.security") if not is_new else navigation.home_for(actor))
    text = "\r\n".join([_heading(), "", *codes, ""])
    return htmx.page(CODES, status=201, codes=codes, text=text, is_new=is_new, onward=onward_)


def _heading() -> str:
    name = current_app.extensions["portal.settings"].portal_name
    return say("Recovery codes for %(name)s (%(email)s). Each works once.", name=name, email=gate.actor().email)


def _around() -> dict[str, Any]:
    actor = gate.actor()
    setup = factors.pending(actor, current_app.extensions["portal.settings"].portal_name)
    return {
        "setup": setup,
        "drawn": _drawn(setup.address) if setup else None,
        "must": factors.is_missing(actor),
        "next": onward(),
    }


def _drawn(address: str) -> Markup:
    """The address as a QR code (ISO/IEC 18004), an SVG without any style of its own."""
    code = segno.make(address, error="m", micro=False)
    return Markup(code.svg_inline(scale=1, omitsize=True, border=2, svgclass="sign-code", lineclass=None))  # noqa: S704
