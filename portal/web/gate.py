"""What stands before every page: who comes, which role the page is for, CSRF, and the security headers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from werkzeug.wrappers import Response as AnyResponse

from portal.config import Settings
from portal.core import log, phones
from portal.core.actor import NOBODY, Actor
from portal.core.errors import Forbidden, Refused, Unauthenticated
from portal.core.text import LANGUAGES, preferred, speak
from portal.core.text import lazy as _
from portal.domain.access import actors
from portal.domain.clinics import countries
from portal.domain.identity import factors
from portal.web import framing, hosts, sizes

csrf = CSRFProtect()
logins = LoginManager()
logins.session_protection = None  # sessions live on the server; a new address on a train is no thief
BACKGROUND = "Portal-Background"  # the header of a request that a page made by itself (static/js/attention.js)
UNGUARDED = ("ops.", "static")  # no session is read for these
SELF = "'self'"
_WANTED = (  # what every answer says unless it says something else
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
)
OF_PROGRAMS = ("oauth.",)  # these are asked by programs, as all of /api/ is
BEFORE_FACTOR = frozenset(  # what whoever still has to set up a second factor can do
    f"account.{name}"
    for name in (
        "second_factor", "begin_factor", "confirm_factor", "sudo", "sign_out", "sign_in", "second_step_of_sign_in",
        "mail_step_of_sign_in", "language", "theme", "provider", "provider_back", "forgot", "reset", "check_mail",
        "resend", "verify",
    )
)  # fmt: skip


class Account(UserMixin):
    """What Flask-Login keeps: the token of the session, never an id of the user."""

    def __init__(self, token: str, actor: Actor) -> None:
        self.token, self.actor = token, actor

    def get_id(self) -> str:
        return self.token


class Cookies(SecureCookieSessionInterface):
    """Flask's sessions, with a serializer that is made once and not twice a request."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        made: URLSafeTimedSerializer | None = app.extensions.get("portal.cookies")
        if made is None:
            made = app.extensions["portal.cookies"] = super().get_signing_serializer(app)
        return made

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session or session.modified or session.accessed:  # else there is nothing to write or to forget
            super().save_session(app, session, response)


class SudoNeeded(Refused):
    """The password has to be shown again before this is changed."""

    code, status = "sudo_needed", 403
    sentence = _("Please enter your password once more before changing this.")


def actor() -> Actor:
    """Who makes this request; nobody when not signed in."""
    return g.get("actor", NOBODY)


def later() -> Callable[[], Actor | None]:
    """A function that says, after this request, whom the browser's session stands for now; None when it has ended.

    Asking is no use of the session: one nobody uses ends, whatever still listens. It raises Unavailable.
    """
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
    token, address = current_user.token, request.remote_addr
    return lambda: app.apart(lambda: actors.by_session(token, address, is_use=False))


def guard(app: Flask, settings: Settings) -> None:
    """Put the gate before every request of the application."""
    hosts.guard(app, settings)
    sizes.guard(app)
    app.session_interface = Cookies()
    csrf.init_app(app)
    logins.init_app(app, add_context_processor=False)  # templates know `actor`; an error page asks no database
    logins.user_loader(_load)
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(lambda _broken: phones.ask_nobody())  # the thread's next request is somebody else's


def sign_in(opened_token: str, actor_: Actor) -> None:
    """Give this browser a session; its cookie starts afresh, so nothing planted before it survives."""
    kept = {key: session[key] for key in ("hold", "theme") if key in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    login_user(Account(opened_token, actor_))
    g.actor = actor_


def go_on_as(token: str) -> Actor:
    """Keep this browser signed in under the new token of its session; a copy of the earlier cookie is worth nothing."""
    found = actors.by_session(token, request.remote_addr)
    if found is None:
        raise Unauthenticated
    sign_in(token, found)
    return found


def sign_out() -> None:
    """Take the session from this browser."""
    logout_user()
    session.clear()
    g.actor = NOBODY.at("web", request.remote_addr)
    g.clear_site_data = True


def role_only(bp: Blueprint, *roles: str) -> None:
    """Let only these roles through this blueprint; others get 403, strangers are sent to sign in."""

    @bp.before_request
    def _check() -> AnyResponse | None:
        if not actor().is_signed_in:
            return ask_to_sign_in()
        if not actor().has_role(*roles):
            raise Forbidden
        return None

    bp.portal_roles = roles  # type: ignore[attr-defined]


def signed_in_only(bp: Blueprint) -> None:
    """Let only people with a session through this blueprint."""

    @bp.before_request
    def _check() -> AnyResponse | None:
        return None if actor().is_signed_in else ask_to_sign_in()

    bp.portal_roles = ("anyone signed in",)  # type: ignore[attr-defined]


def ask_to_sign_in() -> AnyResponse:
    """Send a stranger to the sign-in page and back here afterwards; programs and fragments get 401."""
    if request.method != "GET" or (request.htmx and not request.htmx.boosted):  # type: ignore[attr-defined]
        raise Unauthenticated
    return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")), 303)


def needs_sudo() -> None:
    """Go on if the password was shown in the last minutes; raises SudoNeeded."""
    if not actor().sudo:
        raise SudoNeeded


def safe_next(target: str | None, otherwise: str) -> str:
    """`target` if it is a path of this site, else `otherwise`: //evil, /\\evil and schemes are somebody else's."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or any(ord(c) < 33 for c in target):
        return otherwise
    parts = urlsplit(target)
    return otherwise if parts.scheme or parts.netloc else target


def nonce() -> str:
    """This answer's nonce for the content security policy."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _begin() -> AnyResponse | None:
    g.correlation_id = log.bind(request.headers.get("X-Request-ID"))
    try:
        hosts.check()
        sizes.check()
    except Refused:
        speak(preferred(request.accept_languages.values()) or "en")
        raise
    if request.path.startswith("/api/") or (request.endpoint or "").startswith(OF_PROGRAMS):
        return None
    g.actor = NOBODY.at("web", request.remote_addr)
    if "_user_id" in session and not (request.endpoint or "").startswith(UNGUARDED):
        if current_user.is_authenticated:
            g.actor = current_user.actor
        else:
            session.pop("_user_id", None)  # ended elsewhere: forget it
    speak(_language())
    phones.ask(lambda: countries.of(actor()))
    if _changes_something() and _csrf_is_on():
        try:
            csrf.protect()
        except CSRFError as wrong:
            log.warning("csrf", reason=wrong.description)
            sentence = _("This page was open for too long. Please load it again and repeat what you did.")
            raise Refused(sentence, code="csrf") from None
    return _ask_for_factor() if factors.is_missing(actor()) and request.endpoint not in BEFORE_FACTOR else None


def _ask_for_factor() -> AnyResponse:
    """Lead an employee without a second factor to setting it up, and back here afterwards; changes get 403."""
    if request.method != "GET" or (request.htmx and not request.htmx.boosted):  # type: ignore[attr-defined]
        raise factors.SetupRequired
    return redirect(url_for("account.second_factor", next=request.full_path.rstrip("?")), 303)


def _changes_something() -> bool:
    return request.method not in {"GET", "HEAD", "OPTIONS"} and not (request.endpoint or "").startswith(UNGUARDED)


def _csrf_is_on() -> bool:
    """Always, but for tests of something else, which say so with WTF_CSRF_ENABLED."""
    return bool(not current_app.testing or current_app.config.get("WTF_CSRF_ENABLED", True))


def _load(token: str) -> Account | None:
    found = actors.by_session(token, request.remote_addr, is_use=_by_somebody())
    return Account(token, found) if found else None


def _by_somebody() -> bool:
    """Whether a person asked; what an open page asks by itself keeps no session alive."""
    return BACKGROUND not in request.headers and request.endpoint != "stream.events"


def _language() -> str:
    """What was chosen in this browser, else the account's language, else what the browser asks for."""
    chosen = request.cookies.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    who = actor()
    return who.locale if who.is_signed_in else preferred(request.accept_languages.values()) or "en"


def _finish(answer: Response) -> Response:
    headers = answer.headers
    said = {name.lower() for name, _value in headers}  # looked for once: werkzeug goes through all of them each time
    headers.extend(one for one in _WANTED if one[0].lower() not in said)
    headers.add("X-Request-ID", str(g.get("correlation_id", "")))
    if request.is_secure and "strict-transport-security" not in said:
        headers.add("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
    if "x-frame-options" not in said and not framing.ancestors():
        headers.add("X-Frame-Options", "DENY")  # for browsers that do not know frame-ancestors
    if "content-security-policy" not in said:
        headers.add("Content-Security-Policy", _content_policy())
    if not request.path.startswith("/api/") and actor().is_signed_in:
        if "cache-control" not in said:
            headers.add("Cache-Control", "no-store")
        headers.add("Vary", "Cookie")
    if g.pop("clear_site_data", False):
        headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _content_policy() -> str:
    """What this page may load; nothing that stands in the page itself but the script with its nonce."""
    script = f"'nonce-{g.nonce}'" if "nonce" in g else "'none'"
    return (
        f"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; form-action {g.get('form_action', SELF)}; manifest-src 'self'; base-uri 'none'; "
        "object-src 'none'; "
        f"frame-src '{'self' if g.get('may_frame') else 'none'}'; {framing.policy()}"
    )
