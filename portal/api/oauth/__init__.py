"""OAuth 2 for programs (RFC 6749 with RFC 9700, 7009, 7636, 7662, 8414, 9068, 9207): what they ask by themselves.

The page on which a person says yes is portal.web.account.consent. Errors are those of RFC 6749, not problem+json.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from werkzeug.exceptions import HTTPException

from portal.api import problems
from portal.api.oauth.flows import ANY_CLIENT, WITH_SECRET, build
from portal.api.oauth.server import Server
from portal.config import Settings
from portal.core import limits, log, places
from portal.core.actor import NOBODY
from portal.core.errors import Refused
from portal.core.text import LANGUAGES, speak
from portal.domain.identity import signing
from portal.domain.identity.scopes import SCOPES

PER_PLACE = "300 per minute"
MOST_BYTES = 16 * 1024
SAID = {"token_reused": "invalid_grant", "invalid_token": "invalid_grant", "too_many": "temporarily_unavailable"}
FORM = "application/x-www-form-urlencoded"

bp = Blueprint("oauth", __name__)


def register(app: Flask, settings: Settings) -> None:
    """Add the authorization server to the application."""
    app.extensions["portal.oauth"] = build()
    app.register_blueprint(bp)


@bp.post("/oauth/token")
def token() -> Response:
    """Tokens for a code, for a refresh token, or for a program of its own."""
    return _counted(lambda: _server().create_token_response((request, g.actor)))


@bp.post("/oauth/revoke")
def revoke() -> Response:
    """Give a token up."""
    return _counted(lambda: _server().create_endpoint_response("revocation", (request, g.actor)))


@bp.post("/oauth/introspect")
def introspect() -> Response:
    """What a token is good for."""
    return _counted(lambda: _server().create_endpoint_response("introspection", (request, g.actor)))


@bp.get("/oauth/jwks.json")
def key_set() -> Response:
    """The keys our access tokens can be verified with."""
    return _kept_a_while(signing.key_set())


@bp.get("/.well-known/oauth-authorization-server")
def metadata() -> Response:
    """What is open here and where (RFC 8414)."""
    home = signing.issuer()
    return _kept_a_while(
        {
            "issuer": home,
            "authorization_endpoint": f"{home}/oauth/authorize",
            "token_endpoint": f"{home}/oauth/token",
            "revocation_endpoint": f"{home}/oauth/revoke",
            "introspection_endpoint": f"{home}/oauth/introspect",
            "jwks_uri": f"{home}/oauth/jwks.json",
            "service_documentation": f"{home}/api/v1/docs",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ANY_CLIENT,
            "revocation_endpoint_auth_methods_supported": ANY_CLIENT,
            "introspection_endpoint_auth_methods_supported": WITH_SECRET,
            "authorization_response_iss_parameter_supported": True,
            "ui_locales_supported": list(LANGUAGES),
        }
    )


@bp.before_request
def _begin() -> Response | None:
    """Only a form in the body: what stands in an address ends in logs (RFC 6749, section 3.2)."""
    g.actor = NOBODY.at("api", request.remote_addr)
    speak("en")  # what an error says is for programmers, in ASCII (RFC 6749, section 5.2)
    if request.method != "POST":
        return None
    if request.args:
        return _error(400, "invalid_request", "Send parameters in the body: an address ends in logs.")
    request.max_content_length = MOST_BYTES
    if request.mimetype != FORM:
        return _error(400, "invalid_request", f"Send the parameters as {FORM}.")
    twice = [name for name, values in request.form.lists() if len(values) > 1]
    return _error(400, "invalid_request", "A parameter came twice.") if twice else None


@bp.after_request
def _finish(answer: Response) -> Response:
    """No answer with a token in it, nor a refusal, is kept by anybody."""
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.setdefault("Pragma", "no-cache")
    return answer


@bp.errorhandler(Refused)
def _refused(no: Refused) -> Response:
    """A refusal of the domain as RFC 6749 writes it."""
    code = SAID.get(no.code, no.code)
    answer = _error(400 if code == "invalid_grant" else no.status, code, str(no))
    if no.status == 429:
        answer.headers["Retry-After"] = str(no.facts.get("retry_after", 60))
        problems.tell_limit(answer, no.facts.get("limit"))
    return answer


@bp.errorhandler(HTTPException)
def _http(wrong: HTTPException) -> Any:
    return _error(wrong.code or 500, "invalid_request", "This request cannot be read.")


@bp.errorhandler(Exception)
def _broken(error: Exception) -> Response:
    log.error("request failed", exc_info=error, endpoint=request.endpoint)
    return _error(500, "server_error", "Something went wrong on our side. Nothing was changed.")


def _counted(does: Any) -> Response:
    left = limits.hit(PER_PLACE, "oauth", places.of(request.remote_addr))
    answer: Response = does()
    problems.tell_limit(answer, left)
    return answer


def _error(status: int, code: str, about: str) -> Response:
    answer = jsonify(error=code, error_description=about.encode("ascii", "replace").decode().replace('"', "'"))
    answer.status_code = status
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="portal"'
    return answer


def _kept_a_while(told: dict[str, Any]) -> Response:
    answer = jsonify(told)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.headers["Access-Control-Allow-Origin"] = "*"  # public facts, for pages of any site
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


def _server() -> Server:
    return current_app.extensions["portal.oauth"]  # type: ignore[no-any-return]
