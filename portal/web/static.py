"""Static files: served compressed by WhiteNoise, named with a digest of their content, so they may be kept forever."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from flask import Flask
from whitenoise import WhiteNoise

from portal.config import ROOT, Settings

FOLDER = ROOT / "static"
ICONS = FOLDER / "vendor" / "icons"


class _Files(WhiteNoise):  # type: ignore[misc]
    """What is served. Not the icons, six thousand files to look at: pages hold the lines of those they show."""

    def add_file_to_dictionary(self, url: str, path: str, **known: Any) -> None:
        if not path.startswith(f"{ICONS}/"):
            super().add_file_to_dictionary(url, path, **known)


def serve(app: Flask, settings: Settings) -> None:
    """Answer /static/ before the application is asked."""
    app.add_url_rule("/static/<path:filename>", "static", build_only=True)
    app.wsgi_app = _Files(  # type: ignore[method-assign]
        app.wsgi_app,
        root=FOLDER,
        prefix="static/",
        max_age=365 * 24 * 3600,
        autorefresh=not settings.is_test and settings.portal_mode != "production",
        add_headers_function=_headers,
    )


def static_url(name: str) -> str:
    """The address of a static file; it changes when the file does."""
    return f"/static/{name}?v={_digest(name, _changed(name))}"


def _changed(name: str) -> int:
    try:
        return (FOLDER / name).stat().st_mtime_ns
    except OSError:
        return 0


@cache
def _digest(name: str, changed: int) -> str:
    path = FOLDER / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if changed else "missing"


def _headers(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "DENY"
    headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
    )
