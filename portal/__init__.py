"""Portal: clinics, doctors and patients meet here. `create_app` is the one place that knows every part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from portal.app import PortalFlask
from portal.config import ROOT, Settings, load
from portal.core.errors import Refused


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """The portal as a WSGI application; raises ConfigError naming every setting that is missing or wrong."""
    settings = settings or load(**overrides)
    app = PortalFlask(
        "portal", root_path=str(ROOT / "portal"), static_folder=None, template_folder=str(ROOT / "templates")
    )
    app.config.from_mapping(_flask_settings(settings))
    app.extensions["portal.settings"] = settings
    if settings.is_demo:
        app.extensions["portal.demo_accounts"] = _demo_accounts
    _core(app, settings)
    _doors(app, settings)
    return app


def _flask_settings(settings: Settings) -> dict[str, Any]:
    secure = settings.secure_cookies
    return {
        "SECRET_KEY": settings.secret_key,
        "SECRET_KEY_FALLBACKS": settings.previous_keys,
        "TESTING": settings.is_test,
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": settings.database_pool_size,
            "max_overflow": 10,
            "pool_timeout": 10,
            "pool_pre_ping": False,  # a lost connection is noticed in use, and the request starts anew (portal.app)
            "pool_use_lifo": True,
            "hide_parameters": True,  # an error names the statement, not what was to be written
            "connect_args": {"connect_timeout": 5, "application_name": "portal"},
        },
        "SESSION_COOKIE_NAME": "__Host-portal" if secure else "portal",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": settings.session_absolute_hours * 3600,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "WTF_CSRF_SSL_STRICT": secure,
        "WTF_CSRF_CHECK_DEFAULT": False,  # the gate checks it, so that a refusal looks like every other
        "MAX_CONTENT_LENGTH": 11 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 512 * 1024,
        "SERVER_NAME": None,
    }


def _core(app: Flask, settings: Settings) -> None:
    from flask_migrate import Migrate

    from portal import acting, models, schedule, subscriptions, worker  # noqa: F401 - their tables and tasks must be known
    from portal.core import clock, events, limits, live, log, open_streams, phones, prepared, recent, secrets, tasks
    from portal.core.db import db, set_sessions
    from portal.domain.identity import acts_for, factors, passwords, sessions, signing, tokens
    from portal.domain.scheduling import caps, holds, video
    from portal.gateways import anchors, hooks, mail, sms
    from portal.web import letters

    log.configure(settings.log_level)
    clock.live_in(settings.default_time_zone)
    db.init_app(app)
    prepared.expect_pooling(settings.database_pooling == "transaction")
    with app.app_context():
        set_sessions(db.engine)
    Migrate(app, db, directory=str(ROOT / "migrations"), compare_type=True, render_as_batch=False)
    secrets.use_key(settings.secret_key, settings.previous_keys, settings.retired_keys)
    phones.use(settings.default_country)
    live.connect(settings.redis_url)
    open_streams.limit_by(settings.streams_per_account)
    limits.connect(settings.redis_url, on=settings.rate_limits)
    passwords.require_length(settings.password_min_length)
    sessions.limit_by(settings.session_idle_minutes, settings.session_absolute_hours, settings.sudo_minutes)
    factors.require_of_staff(settings.staff_need_second_factor)
    recent.remember(not settings.is_test)
    tokens.live_for(settings.access_token_minutes, settings.refresh_token_days)
    signing.issue_as(settings.base_url)
    holds.last_for(settings.hold_minutes)
    caps.allow_at_most(
        settings.holds_without_account, settings.holds_without_account_share, settings.visits_ahead_per_account
    )
    video.meet_at(settings.video_address)
    events.subscribe(subscriptions.SUBSCRIPTIONS)
    acts_for.use(acting.KINDS, acting.SPARED)
    tasks.hand_over_by(worker.hand_over(settings.redis_url))
    transport = mail.transport_for(settings.mail_url, settings.portal_data / "mail")
    app.extensions["portal.mail"] = transport
    mail.connect(transport, letters.renderer(app), settings.mail_from)
    app.extensions["portal.sms"] = sms.transport_for(
        settings.sms_address, settings.sms_token, settings.sms_from, settings.portal_data / "sms"
    )
    sms.connect(app.extensions["portal.sms"], settings.base_url)
    hooks.connect(at_home=settings.lets_webhooks_home)
    anchors.connect(settings.seal_places)


def _doors(app: Flask, settings: Settings) -> None:
    from portal import api, cli, compression, web
    from portal.api import problems
    from portal.web import oops

    cli.register(app)
    web.register(app, settings)
    api.register(app, settings)
    compression.register(app)
    for kind, for_program, for_person in (
        (Refused, problems.answer, oops.refused),
        (HTTPException, problems.http, oops.http),
        (Exception, problems.broken, oops.broken),
    ):
        app.register_error_handler(kind, _either(for_program, for_person))


def _either(for_program: Callable[[Any], Any], for_person: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same "no" in the words of the door it is said at."""
    return lambda error: (for_program if _is_for_programs(request.path) else for_person)(error)


def _is_for_programs(path: str) -> bool:
    return path.startswith(("/api/", "/oauth/", "/.well-known/oauth")) and path != "/oauth/authorize"


def _demo_accounts() -> dict[str, Any]:
    """Who can be signed in as in the demo, for its sign-in page."""
    from portal import demo

    return {"people": demo.SIGN_INS, "password": demo.PASSWORD}
