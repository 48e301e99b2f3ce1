"""The mailbox of the demo: what would have been mailed or sent by SMS, read in the browser. Not there in production.

A letter's HTML is shown in a sandboxed frame by a route with a policy of its own: it runs, loads and
reaches nothing. The links of its text stand beside it as real links.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, cast

from flask import Blueprint, Response, current_app, g
from markupsafe import Markup, escape
from werkzeug.exceptions import NotFound

from portal.core import clock
from portal.gateways.mail import Mailbox
from portal.gateways.sms import Folder, Kept
from portal.web import htmx, searching

bp = Blueprint("dev", __name__, url_prefix="/dev")
bp.portal_roles = ("everybody, outside production",)  # type: ignore[attr-defined]
SHOWN = 100
_LINK = re.compile(r"https?://[^\s<>\"]+")
_FRAMED = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


@dataclass(frozen=True)
class Mail:
    """One kept message as the pages show it."""

    key: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def to(self) -> str:
        return str(self.message["To"])

    @property
    def at(self) -> Any:
        said = self.message["Date"]
        return (said and said.datetime) or clock.now()

    @property
    def text(self) -> str:
        return _content(self.message, "plain")

    @property
    def html(self) -> str:
        return _content(self.message, "html")

    @property
    def linked_text(self) -> Markup:
        """The text with its addresses as links; everything else is escaped."""
        return linked(self.text)

    @property
    def attachments(self) -> list[str]:
        return [part.get_filename() or f"part-{n}" for n, part in enumerate(self.message.iter_attachments())]


def linked(text: str) -> Markup:
    """A text with its addresses as links; everything else is escaped."""
    parts, last = [], 0
    for found in _LINK.finditer(text):
        parts += [escape(text[last : found.start()]), Markup('<a href="{0}">{0}</a>').format(found[0])]
        last = found.end()
    return Markup("").join([*parts, escape(text[last:])])


@bp.get("/mail")
def mail() -> Response:
    """What was mailed, newest first; a search narrows it to one address."""
    wanted = searching.typed().casefold()
    letters = [Mail(key, message) for key, message in _box().read(SHOWN)]
    found = [one for one in letters if wanted in one.to.casefold()]
    texts = [one for one in _texts() if wanted in one.to]
    return htmx.page("dev/mail/index.html", letters=found, texts=texts, wanted=wanted, linked=linked)


searching.mount(bp, "/mail/search", "mail", endpoint="search_mail")


@bp.get("/mail/<key>")
def letter(key: str) -> Response:
    """One message: its text, its HTML in a frame, its attachments."""
    g.may_frame = True
    return htmx.page("dev/mail/show.html", letter=_find(key))


@bp.get("/mail/<key>/html")
def letter_html(key: str) -> Response:
    """The HTML of a message, for the frame."""
    answer = Response(_find(key).html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _FRAMED
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


@bp.get("/mail/<key>/attachments/<int:number>")
def attachment(key: str, number: int) -> Response:
    """An attachment, to be saved."""
    parts = list(_find(key).message.iter_attachments())
    if number >= len(parts):
        raise NotFound
    part = parts[number]
    answer = Response(part.get_payload(decode=True), mimetype=part.get_content_type())
    answer.headers.set("Content-Disposition", "attachment", filename=part.get_filename() or f"part-{number}")
    return answer


def _find(key: str) -> Mail:
    for kept, message in _box().read(10_000):
        if kept == key:
            return Mail(kept, message)
    raise NotFound


def _box() -> Mailbox:
    return cast(Mailbox, current_app.extensions["portal.mail"])


def _texts() -> list[Kept]:
    """The SMS that were kept, newest first; none where a provider sends them."""
    box = current_app.extensions["portal.sms"]
    return box.read(SHOWN) if isinstance(box, Folder) else []


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
