"""Under which names the portal answers, from which place a request came, and what whole addresses are made of.

A request says itself which host it is meant for. An answer that repeats that name can be kept by a cache and sends
whoever reads it there, so only the host of BASE_URL is answered and every whole address begins with BASE_URL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.config import Settings
from portal.core.errors import Misdirected

BEFORE_PROXIES = "werkzeug.proxy_fix.orig"
ANY_HOST = "ops."  # asked by monitors inside the network, by number; these build no address


class PlainPlace:
    """WSGI: the client's address is an IP address or, when a proxy passed on something else, the proxy's own."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        told = [environ[BEFORE_PROXIES]["REMOTE_ADDR"]] if BEFORE_PROXIES in environ else []
        if "REMOTE_ADDR" in environ:
            environ["REMOTE_ADDR"] = next(filter(None, map(_ip, [environ["REMOTE_ADDR"], *told])), "")
        return self.app(environ, start_response)  # type: ignore[no-any-return]


def guard(app: Flask, settings: Settings) -> None:
    """Believe as many proxies as the settings say about host, scheme and client, and no more."""
    app.wsgi_app = PlainPlace(app.wsgi_app)  # type: ignore[method-assign]
    if count := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]


def check() -> None:
    """Go on if the request is meant for this portal; raises Misdirected."""
    if not answers(request, _settings()) and not (request.endpoint or "").startswith(ANY_HOST):
        raise Misdirected(address=_settings().base_url)


def answers(asked: Request, settings: Settings) -> bool:
    """Whether the host that was asked for is one of the portal's; its port is the proxy's affair."""
    return asked.host == settings.base_host or _name(asked.host) in settings.hosts


def _settings() -> Settings:
    return current_app.extensions["portal.settings"]  # type: ignore[no-any-return]


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _ip(said: str | None) -> str:
    """The IP address that was said, without a port (as some proxies add) or a zone; empty when it is none."""
    for form in (said or "", _name(said or "")):
        try:
            return str(ip_address(form.partition("%")[0]))
        except ValueError:
            continue
    return ""
