"""Signing in with an OpenID Connect provider: authorization code with state, nonce and PKCE (S256).

Only there when OIDC_METADATA_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are set. The exchange of the code is the one
call to the outside that a request waits for: the person cannot go on without its answer.
"""

from __future__ import annotations

from typing import Any, cast

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app, session, url_for
from flask.blueprints import BlueprintSetupState
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from portal.config import Settings
from portal.core import log
from portal.core.errors import NotFound, Refused, Unauthenticated, Unavailable, refuse
from portal.core.text import lazy as _
from portal.domain.identity import sso
from portal.domain.identity.challenges import SecondFactorRequired
from portal.web import gate, htmx
from portal.web.account import bp
from portal.web.account.arriving import PROVIDER, ask_for_code, let_in, onward, user_agent
from portal.web.account.entering import PAGE, around
from portal.web.account.forms import SignInForm

SIGNED_WITH = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
SECONDS = 10


class ProviderRefused(Unauthenticated):
    """The provider, or what came back from it, did not show who this is."""

    code = "sso_refused"
    sentence = _("Your provider did not confirm who you are. Please try again, or sign in with your password.")


class ProviderAway(Unavailable):
    """The provider cannot be reached."""

    code = "sso_away"
    sentence = _("Your provider cannot be reached right now. Please try again, or sign in with your password.")


@bp.get("/provider")
def provider() -> Response:
    """Send the person to the provider. A link, not a form: the content security policy keeps forms on this site."""
    client = _client()
    session["sso_next"] = onward()
    try:
        again = {"prompt": "login"} if gate.actor().is_signed_in else {}
        return cast(Response, client.authorize_redirect(url_for("account.provider_back", _external=True), **again))
    except (requests.RequestException, AuthlibBaseError, ValueError, KeyError, RuntimeError) as away:
        return _refused(_away(away))


@bp.get("/provider/back")
def provider_back() -> Response:
    """What came back from the provider: who it is, or why not."""
    target = session.pop("sso_next", "")
    try:
        claims = _claims()
        _, token = sso.sign_in(
            gate.actor(),
            issuer=str(claims["iss"]),
            subject=str(claims["sub"]),
            email=str(claims.get("email") or ""),
            email_verified=claims.get("email_verified") is True,
            user_agent=user_agent(),
        )
    except SecondFactorRequired as needed:
        return ask_for_code(needed, target)
    except Refused as no:
        return _refused(no)
    return let_in(token, target)


def _claims() -> Any:
    client = _client()
    try:
        metadata = client.load_server_metadata()
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [one for one in offered if one in SIGNED_WITH]
        token = client.authorize_access_token()
    except requests.RequestException as away:
        raise _away(away) from None
    except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, RuntimeError) as wrong:
        log.warning("sso refused", kind=type(wrong).__name__)
        raise ProviderRefused from None
    return token.get("userinfo") or refuse(ProviderRefused)


def _refused(no: Refused) -> Response:
    """Back to the sign-in page, which says what happened; what the request did is undone by its status."""
    return htmx.refused(no, PAGE, form=SignInForm(formdata=None), **around())


def _away(wrong: Exception) -> ProviderAway:
    log.warning("sso provider away", kind=type(wrong).__name__)
    return ProviderAway()


def _client() -> Any:
    return current_app.extensions.get(PROVIDER) or refuse(NotFound)


def client_of(app: Flask, settings: Settings) -> Any:
    """The provider's client; None when the settings name no provider."""
    if not (settings.oidc_metadata_url and settings.oidc_client_id and settings.oidc_client_secret):
        return None
    return OAuth(app).register(
        "provider",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=settings.oidc_metadata_url,
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "default_timeout": SECONDS},
    )


@bp.record
def _attach(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    client = client_of(app, app.extensions["portal.settings"])
    if client is not None:
        app.extensions[PROVIDER] = client
