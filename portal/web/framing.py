"""Who may show a page inside one of theirs: nobody, unless it is a page a clinic may show on its own sites.

Such a page is marked, says whose clinic it is about, and is shown to nobody in particular: the portal's cookies are
SameSite=Lax, so a browser sends none into another site's frame, and an answer to somebody who is signed in lets nobody
frame it whatever the page. `frame-ancestors` (CSP 3) and X-Frame-Options are both made here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, g, request

from portal.core.actor import NOBODY
from portal.domain.clinics.models import Clinic

View = TypeVar("View", bound=Callable[..., Any])
NOBODY_MAY = "'none'"
_MARK = "portal_framed_by_clinics"


def by_clinics(view: View) -> View:
    """Mark a public page that a clinic may show on its own sites; the view says which clinic with `about`."""
    setattr(view, _MARK, True)
    return view


def about(clinic: Clinic) -> Clinic:
    """This answer is about this clinic, whose sites may show it."""
    g.framed_by = tuple(clinic.embed_origins)
    return clinic


def ancestors() -> tuple[str, ...]:
    """The origins that may show this answer in a frame; none for whatever is not a clinic's page read by a stranger."""
    if request.method not in {"GET", "HEAD"} or g.get("actor", NOBODY).is_signed_in:
        return ()
    view = current_app.view_functions.get(request.endpoint or "")
    return g.get("framed_by", ()) if getattr(view, _MARK, False) else ()


def policy() -> str:
    """The directive of the content security policy."""
    return f"frame-ancestors {' '.join(ancestors()) or NOBODY_MAY}"
