"""The ways to tokens that are open: a person's yes (code and PKCE), a program's own account, and refreshing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    BaseGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from portal.api.oauth.server import Asked, Server
from portal.domain.identity import grants
from portal.domain.identity.client_models import AuthorizationCode

WITH_SECRET = ["client_secret_basic", "client_secret_post"]
ANY_CLIENT = [*WITH_SECRET, "none"]


@dataclass
class Code:
    """A code as Authlib asks about it."""

    row: AuthorizationCode

    @property
    def code_challenge(self) -> str:
        return self.row.challenge

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return " ".join(self.row.scopes)


class ByCode(AuthorizationCodeGrant):  # type: ignore[misc]
    """A person says yes on the consent page; the program changes the code for tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = ANY_CLIENT

    def generate_authorization_code(self) -> str:
        """Let the domain make it: it keeps only the fingerprint."""
        request: Asked = self.request
        return grants.allow_client(
            request.user,
            request.client.row,
            redirect_uri=request.payload.redirect_uri,
            scopes=(request.scope or "").split(),
            challenge=request.payload.data["code_challenge"],
        )

    def save_authorization_code(self, code: str, request: Asked) -> None:
        """It is kept already."""

    def query_authorization_code(self, code: str, client: Any) -> Code:
        return Code(grants.take_code(client.row, code))

    def create_token_response(self) -> tuple[int, Any, Any]:
        given = grants.redeem(self.request.actor, self.request.client.row, self.request.authorization_code.row)
        return _told(self, given)


class Alone(ClientCredentialsGrant):  # type: ignore[misc]
    """The program acts as its own account."""

    TOKEN_ENDPOINT_AUTH_METHODS = WITH_SECRET

    def create_token_response(self) -> tuple[int, Any, Any]:
        given = grants.act_alone(self.request.actor, self.request.client.row, _scopes(self.request))
        return _told(self, given)


class Refreshing(RefreshTokenGrant):  # type: ignore[misc]
    """New tokens for a refresh token, which works once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ANY_CLIENT

    def validate_token_request(self) -> None:
        """The program is proved; whose token it is and what it is good for, the verb says."""
        self.request.client = self._validate_request_client()
        if not self.request.form.get("refresh_token"):
            raise InvalidRequestError("Missing 'refresh_token' in request.")

    def create_token_response(self) -> tuple[int, Any, Any]:
        shown = self.request.form["refresh_token"]
        given = grants.refresh(self.request.actor, self.request.client.row, shown, _scopes(self.request))
        return _told(self, given)


class Pkce(CodeChallenge):  # type: ignore[misc]
    """PKCE by S256, asked of every program, with a secret or without (RFC 9700, section 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: BaseGrant, redirect_uri: str) -> None:
        said = grant.request.payload.datalist
        if said["code_challenge_method"] != ["S256"]:
            raise InvalidRequestError("Please send code_challenge_method=S256: no other is taken.")
        if len(said["code_challenge"]) != 1 or not grants.CHALLENGE.fullmatch(said["code_challenge"][0]):
            raise InvalidRequestError("Please send one code_challenge: 43 characters of base64url.")


class TakingBack(RevocationEndpoint):  # type: ignore[misc]
    """A program gives a token up (RFC 7009); one without a secret may too."""

    CLIENT_AUTH_METHODS = ANY_CLIENT

    def authenticate_token(self, request: Asked, client: Any) -> str:
        return _shown(request)

    def revoke_token(self, token: str, request: Asked) -> None:
        grants.take_back(request.actor, request.client.row, token)


class LookingUp(IntrospectionEndpoint):  # type: ignore[misc]
    """A program with a secret asks what a token is good for (RFC 7662)."""

    CLIENT_AUTH_METHODS = WITH_SECRET

    def authenticate_token(self, request: Asked, client: Any) -> dict[str, Any] | None:
        return grants.look_at(client.row, _shown(request))

    def create_introspection_payload(self, token: dict[str, Any] | None) -> dict[str, Any]:
        return token or {"active": False}


def build() -> Server:
    """The server with everything that is open."""
    server = Server()
    server.register_grant(ByCode, [Pkce(required=True)])
    server.register_grant(Alone)
    server.register_grant(Refreshing)
    server.register_endpoint(TakingBack)
    server.register_endpoint(LookingUp)
    return server


def _told(grant: BaseGrant, given: grants.Given) -> tuple[int, dict[str, Any], Any]:
    answer = {
        "access_token": given.access_token,
        "token_type": given.token_type,
        "expires_in": given.expires_in,
        "scope": given.scope,
    }
    if given.refresh_token:
        answer["refresh_token"] = given.refresh_token
    return 200, answer, grant.TOKEN_RESPONSE_HEADER


def _scopes(request: Asked) -> list[str] | None:
    return (request.payload.scope or "").split() or None


def _shown(request: Asked) -> str:
    """The token a program shows; a hint of its kind is not needed (RFC 7009, section 2.1)."""
    token = request.form.get("token")
    if not token:
        raise InvalidRequestError("Missing 'token' in request.")
    return str(token)
