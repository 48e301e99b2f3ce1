"""Answers for people: the same template as a page or as a fragment of it. The only file that knows an HX- header.

A file whose name begins with `_` is a fragment: one root element with an id, included by its page. HTMX gets the
fragment alone; a browser without JavaScript gets the page around it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import Response, flash, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused

TOAST = "layouts/_toast.html"


def wants_fragment() -> bool:
    """Whether HTMX asked, and for less than a whole page."""
    hx = request.htmx  # type: ignore[attr-defined]
    return bool(hx) and not hx.boosted and not hx.history_restore_request


def page(template: str, *, fragment: str | None = None, status: int = 200, **context: Any) -> Response:
    """Render `template`, or only `fragment` of it when HTMX asked."""
    wanted = fragment if fragment and wants_fragment() else template
    answer = make_response(render_template(wanted, **context), status)
    answer.headers.add("Vary", "HX-Request")
    return answer


class Undo(NamedTuple):
    """The button that takes back what was just done: where it is sent, with which fields (ids only), and the fragment
    its answer replaces."""

    url: str
    fields: Mapping[str, str] = {}
    target: str = ""


def done(
    url: str,
    message: Any = None,
    *,
    fragment: str | None = None,
    oob: tuple[str, ...] = (),
    undo: Undo | None = None,
    **context: Any,
) -> AnyResponse:
    """Answer a change that was made: go to `url` (303), or swap `fragment` and the out-of-band fragments `oob`.

    `message` is shown and spoken either way, with a button for `undo`: over the page after a swap, else on top of it.
    """
    if wants_fragment() and fragment:
        html = render_template(fragment, **context) + "".join(render_template(one, oob=True, **context) for one in oob)
        if message:
            html += render_template(TOAST, said=message, undo=undo)
        answer = make_response(html)
        if message:
            answer.headers["HX-Trigger"] = json.dumps({"portal:said": str(message)})
        return answer
    if message:
        flash(_flashed(message, undo), "success")
    if wants_fragment():
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = url
        return answer
    return redirect(url, 303)


def _flashed(message: Any, undo: Undo | None) -> Any:
    if undo is None:
        return str(message)
    return {"text": str(message), "url": undo.url, "fields": dict(undo.fields)}


def refused(no: Refused, template: str, *, fragment: str | None = None, form: Any = None, **context: Any) -> Response:
    """Answer a refusal with the form as it was filled in, the sentence on it and the right status.

    A status of 400 and above makes the request's transaction be undone (portal.app).
    """
    if form is not None and hasattr(form, "refuse"):
        form.refuse(no)
    g.refusal = no
    answer = page(template, fragment=fragment, status=no.status, form=form, refusal=no, **context)
    if no.status == 429:
        answer.headers["Retry-After"] = str(no.facts.get("retry_after", 60))
    return answer


def see_other(url: str) -> AnyResponse:
    """Send the browser to another page, whoever asked."""
    if wants_fragment():
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = url
        return answer
    return redirect(url, 303)
