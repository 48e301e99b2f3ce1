"""The authorization server: Authlib reads requests and knows the protocol, portal.domain.identity.grants decides.

`app.extensions["portal.oauth"]` is one of these, so that the consent page, a door for people, can ask it without
knowing this door.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import orjson
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    InvalidClientError,
    OAuth2Error,
    OAuth2Payload,
    OAuth2Request,
    UnsupportedResponseTypeError,
)
from flask import Request, Response

from portal.core import limits
from portal.core.actor import Actor
from portal.core.errors import Refused
from portal.core.text import lazy as _
from portal.domain.identity import clients, grants, signing
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.tokens import ScopeTooWide

PER_CLIENT = "600 per minute"
SECRET_WAYS = frozenset({"client_secret_basic", "client_secret_post"})


class BadWish(Refused):
    """A program sent somebody here in a way that cannot be answered, not even by sending them back."""

    code, status = "invalid_request", 400
    sentence = _(
        "The program that sent you here asked in a way we cannot answer. Nothing was allowed. Please tell its makers."
    )


class UnknownProgram(BadWish):
    code = "invalid_client"
    sentence = _("We do not know the program that sent you here, or it was ended. Nothing was allowed.")


class WrongReturn(BadWish):
    code = "wrong_redirect_uri"
    sentence = _(
        "The program that sent you here asks to send you back to an address that is not its own. Nothing was allowed."
    )


class Program(ClientMixin):  # type: ignore[misc]
    """A program as Authlib asks about it."""

    def __init__(self, row: OAuthClient) -> None:
        self.row = row

    def get_client_id(self) -> str:
        return self.row.client_id

    def get_default_redirect_uri(self) -> None:
        """None: a program always says where to, so that no answer goes astray."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What it asks for; None when that is more than it may."""
        try:
            return " ".join(grants.scopes_for(self.row, (scope or "").split()))
        except ScopeTooWide:
            return None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return clients.may_return_to(self.row, redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is its secret; raises ClientRefused when not, so that the audit hears of it."""
        clients.prove(self.row, client_secret)
        return True

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        if self.row.is_public:
            return method == "none" and endpoint in {"token", "revocation"}
        return method in SECRET_WAYS

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and "authorization_code" in self.row.grants

    def check_grant_type(self, grant_type: str) -> bool:
        """Refreshing comes with having been allowed by a person."""
        return ("authorization_code" if grant_type == "refresh_token" else grant_type) in self.row.grants


class Payload(OAuth2Payload):  # type: ignore[misc]
    """The parameters: of the address where people are sent to it, else of the body alone."""

    def __init__(self, given: Any) -> None:
        self._given = given

    @property
    def data(self) -> Any:
        return self._given

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, self._given.to_dict(flat=False))


class Asked(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it.

    Whether https is needed is settled by BASE_URL (portal.config), not by what a proxy made of this request.
    """

    def __init__(self, request: Request, actor: Actor) -> None:
        super().__init__(request.method, f"https://portal{request.path}", headers=request.headers)
        self._form = request.form
        self.actor = actor
        self.payload = Payload(request.args if request.path.endswith("/authorize") else request.form)

    @property
    def args(self) -> Any:
        return self.payload.data

    @property
    def form(self) -> Any:
        return self._form


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server, answering with Flask's answers."""

    def query_client(self, client_id: str) -> Program | None:
        row = clients.known(client_id)
        return Program(row) if row else None

    def authenticate_client(self, request: Asked, methods: list[str], endpoint: str = "token") -> Program:
        """The program, proved; counted so that one that runs wild does not hold up the others."""
        try:
            program: Program = super().authenticate_client(request, methods, endpoint)
        except UnicodeDecodeError:  # a Basic header that is no text
            raise InvalidClientError from None
        limits.hit(PER_CLIENT, "oauth-client", program.row.client_id)
        return program

    def save_token(self, token: Any, request: Any) -> None:
        """Nothing is left to do: the verb that made the tokens has kept them."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens: what happened is an event of the domain."""

    def create_oauth2_request(self, request: Any) -> Asked:
        return request if isinstance(request, Asked) else Asked(*request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        """The answer; one that sends people back says who we are (RFC 9207) and never repeats their POST (303)."""
        told = dict(headers)
        if "Location" in told:
            told["Location"] = add_params_to_uri(told["Location"], [("iss", signing.issuer())])
            return Response(status=303, headers=told)
        if told.get("WWW-Authenticate"):
            told["WWW-Authenticate"] = 'Basic realm="portal"'
        return Response(orjson.dumps(body) if isinstance(body, dict) else body, status, told)

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Response:
        """The error as RFC 6749 writes it; a program that is not proved is always 401."""
        if error.error == "invalid_client":
            error.status_code = 401
        answer: Response = super().handle_error_response(request, error)
        return answer

    # --- for the consent page ---

    def wish(self, request: Request, actor: Actor) -> Any:
        """What the program asks of `actor`, as a grant with `client.row` and `redirect_uri`.

        An error it may be told is an answer that sends people back; raises BadWish where nobody can be sent.
        """
        asked = Asked(request, actor)
        program = self.query_client(asked.payload.client_id or "")
        if program is None:
            raise UnknownProgram
        if len(asked.payload.datalist["redirect_uri"]) != 1 or len(asked.payload.datalist["client_id"]) != 1:
            raise BadWish
        if not program.check_redirect_uri(asked.payload.redirect_uri):
            raise WrongReturn
        try:
            if asked.payload.response_type != "code":
                raise UnsupportedResponseTypeError("code", state=asked.payload.state)
            return self.get_consent_grant(asked, end_user=actor)
        except OAuth2Error as error:
            error.redirect_uri = asked.payload.redirect_uri
            return self.handle_error_response(asked, error)

    def decide(self, wish: Any, yes: bool) -> Response:
        """Send the person back to the program, with a code if they said yes."""
        actor = wish.request.actor if yes else None
        answer: Response = self.create_authorization_response(wish.request, grant_user=actor, grant=wish)
        return answer
