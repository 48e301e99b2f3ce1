"""What every template knows: languages, dates, icons, addresses of static files, who is here."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any

from flask import Flask, request
from jinja2 import pass_eval_context
from jinja2.filters import do_xmlattr
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from portal.config import Settings
from portal.core import clock, secrets, text
from portal.domain.scheduling import video
from portal.web import gate, navigation, terms
from portal.web.static import ICONS, static_url


def teach(app: Flask, settings: Settings) -> None:
    """Teach the template environment the portal's words."""
    env = app.jinja_env
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_callables(text.gettext, text.ngettext, newstyle=False, pgettext=text.pgettext)  # type: ignore[attr-defined]
    env.globals.update(_=text.gettext, gettext=text.gettext, ngettext=text.ngettext)
    env.trim_blocks = env.lstrip_blocks = True
    env.globals.update(
        icon=icon,
        static_url=static_url,
        portal_name=settings.portal_name,
        is_demo=settings.is_demo,
        video_rooms=video.is_on,
        languages=list(text.LANGUAGES.items()),
        format_date=text.format_date,
        format_day=text.format_day,
        format_time=text.format_time,
        format_datetime=text.format_datetime,
        format_when=text.format_when,
        format_minutes=text.format_minutes,
        format_money=text.format_money,
        format_number=text.format_number,
        format_zone=text.format_zone,
        format_span=lambda length: text.format_span(
            length if isinstance(length, timedelta) else timedelta(minutes=length)
        ),
        now=clock.now,
        ltr=ltr,
        labelled=text.labelled,
        born=terms.born,
        fields_of=terms.fields_of,
        hours_of=hours_of,
        stream_name=stream_name,
    )
    env.globals["beside"] = text.beside
    env.filters.update(listed=text.listed, in_order=text.in_order, attributes=attributes)
    app.context_processor(_here)


def _here() -> dict[str, Any]:
    who = gate.actor()
    return {
        "actor": who,
        "locale": text.language(),
        "text_direction": text.direction(),
        "csp_nonce": gate.nonce(),
        "navigation": navigation.for_actor(who),
        "theme": request.cookies.get("theme", "auto") if request.cookies.get("theme") in {"light", "dark"} else "auto",
    }


def stream_name() -> str:
    """What the pages of one session in one browser have in common: they share one stream (static/js/stream.js)."""
    session = str(gate.actor().session_id).encode()
    return hmac.new(secrets.derived("stream"), session, "sha256").hexdigest()[:16]


@pass_eval_context
def attributes(eval_ctx: EvalContext, given: Mapping[str, Any]) -> str:
    """Attributes of an element. None and False are left out and True stands bare: in HTML a boolean attribute with any
    value, "False" too, is set."""
    said = {name: "" if value is True else value for name, value in given.items() if value is not False}
    return do_xmlattr(eval_ctx, said)


def ltr(value: Any) -> Markup:
    """A phone number: written from left to right in a line of every direction; nothing for nothing."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(value) if value else Markup()


def hours_of(spans: Iterable[tuple[str, str]]) -> str:
    """The hours of a day, each from left to right in a line of every direction; nothing for none."""
    return text.listed(Markup('<span dir="ltr">{} – {}</span>').format(starts, ends) for starts, ends in spans)


@cache
def _svg(name: str, style: str) -> str:
    path = ICONS / style / f"{name}.svg"
    try:
        source = path.read_text()
    except OSError:
        return ""
    body = source[source.index(">", source.index("<svg")) + 1 : source.rindex("</svg>")]
    return "".join(line.strip() for line in body.splitlines())


def icon(name: str, css: str = "", label: Any = None, *, filled: bool = False) -> Markup:
    """The named Tabler icon as inline SVG; decorative unless it has a label."""
    return _drawn(name, css, str(label) if label else None, filled)


@lru_cache(maxsize=2048)
def _drawn(name: str, css: str, label: str | None, filled: bool) -> Markup:
    paint = (
        'fill="currentColor"'
        if filled
        else 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    )
    about = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    body = _svg(name, "filled" if filled else "outline")
    shape = '<svg class="icon {}" width="24" height="24" viewBox="0 0 24 24" {} {} focusable="false">{}</svg>'
    return Markup(shape).format(escape(css), Markup(paint), about, Markup(body))  # noqa: S704 - our own vendored files
