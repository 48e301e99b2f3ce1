"""Showing the password once more before something that matters is changed."""

from __future__ import annotations

from flask import request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import Refused
from portal.domain.identity import sessions
from portal.web import gate, htmx
from portal.web.account import bp
from portal.web.account.arriving import onward, provider_name
from portal.web.account.forms import ProveForm
from portal.web.gate import SudoNeeded


@bp.app_errorhandler(SudoNeeded)
def ask(no: SudoNeeded) -> Response | tuple[Response, int]:
    """Whoever needs to show the password is sent to do so, and back to the page they came from."""
    back = request.full_path.rstrip("?") if request.method == "GET" else _page_before()
    return htmx.see_other(url_for("account.sudo", next=back or None))


@bp.route("/sudo", methods=["GET", "POST"])
def sudo() -> Response:
    """Ask for the password once more; good for some minutes."""
    form = ProveForm()
    around = {"next": onward(), "provider": provider_name()}
    if form.accepted():
        try:
            sessions.prove(gate.actor(), form.clean.password)
        except Refused as no:
            return htmx.refused(no, "account/sudo.html", form=form, **around)
        return htmx.see_other(onward() or url_for("account.security"))
    return htmx.page("account/sudo.html", status=422 if form.is_submitted() else 200, form=form, **around)


def _page_before() -> str:
    referrer = request.referrer or ""
    return gate.safe_next(referrer.removeprefix(request.host_url.rstrip("/")), "")
