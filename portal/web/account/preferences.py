"""Language and appearance, for everybody: kept in a cookie, and in the account of whoever has one."""

from __future__ import annotations

from typing import Literal

from flask import current_app, request, url_for
from werkzeug.wrappers import Response

from portal.core.shapes import Shape
from portal.domain.identity import accounts
from portal.domain.identity.shapes import LanguageChoice
from portal.web import gate, htmx
from portal.web.account import bp
from portal.web.account.arriving import onward

A_YEAR = 365 * 24 * 3600


class ThemeChoice(Shape):
    """Light, dark, or as the device says."""

    theme: Literal["auto", "light", "dark"]


@bp.post("/language")
def language() -> Response:
    """Read everything in another language from now on."""
    chosen = LanguageChoice.parse({"locale": request.form.get("locale", "")}).locale
    accounts.choose_language(gate.actor(), chosen)
    return keep(_back(), "language", chosen)


@bp.post("/theme")
def theme() -> Response:
    """Light, dark, or as the device says."""
    return keep(_back(), "theme", ThemeChoice.parse({"theme": request.form.get("theme", "")}).theme)


def keep(answer: Response, name: str, value: str) -> Response:
    """Keep a choice in this browser for a year."""
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    answer.set_cookie(name, value, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
    return answer


def _back() -> Response:
    return htmx.see_other(onward() or url_for("public.home"))
