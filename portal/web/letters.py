"""Notices become letters here: templates/mail/<notice>.txt (first line is the subject) and .html."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Flask

from portal.core.text import direction, language
from portal.gateways.mail import Letter

_GAPS = re.compile(r"\n{3,}")  # what parts of a template that do not apply leave behind


def renderer(app: Flask) -> Callable[[str, dict[str, Any]], Letter]:
    """A function that renders a notice in the language spoken at the moment, with links to this site."""

    def render(notice: str, about: dict[str, Any]) -> Letter:
        base = app.extensions["portal.settings"].base_url
        with app.test_request_context(base_url=base):
            about = {"locale": language(), "text_direction": direction(), "portal_url": base, **about}
            whole = app.jinja_env.get_template(f"mail/{notice}.txt").render(about)
            subject, _, text = whole.strip().partition("\n")
            html = app.jinja_env.get_template(f"mail/{notice}.html").render(subject=subject, **about)
        return Letter(subject.strip(), _GAPS.sub("\n\n", text).strip() + "\n", html)

    return render
