"""Access tokens as they travel: JWT signed with a key pair (RFC 7519, 9068): all can verify, none can make them.

ES256 with a key derived from SECRET_KEY. Tokens made with one of SECRET_KEY_PREVIOUS are good until they end; under
another secret every token made before is worthless.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from portal.core import clock, secrets
from portal.core.db import new_id
from portal.core.errors import Unauthenticated
from portal.core.text import lazy as _

AUDIENCE = "portal-api"
ALGORITHM = "ES256"
TYPE = "at+jwt"
FIRST_PARTY = "portal"  # the client of whoever signed in with a password
_PURPOSE = "access-token-es256"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (FIPS 186-5)
_issuer = ""


class TokenRefused(Unauthenticated):
    """The token is not one of ours, is too old, or was taken back."""

    code = "invalid_token"
    sentence = _("This token is not valid (any more). Please sign in again.")


@dataclass(frozen=True, slots=True)
class Read:
    """What an access token says; `scopes` is None when it was not narrowed."""

    family_id: UUID
    scopes: frozenset[str] | None
    claims: dict[str, Any]


def issue_as(base_url: str) -> None:
    """Say at start under which address tokens are issued."""
    global _issuer
    _issuer = base_url


def issuer() -> str:
    """The portal's own name in tokens and in answers to programs (RFC 8414, 9207)."""
    return _issuer


def write(
    *, user_id: UUID | str, family_id: UUID | str, lasts: timedelta, client: str, scopes: Sequence[str] | None = None
) -> str:
    """An access token of this family that lasts so long and is good for these scopes, for all when None."""
    now = clock.now()
    claims: dict[str, Any] = {
        "iss": _issuer,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "client_id": client,
        "fam": str(family_id),
        "jti": str(new_id()),
        "iat": int(now.timestamp()),
        "exp": int((now + lasts).timestamp()),
    }
    if scopes is not None:
        claims["scope"] = " ".join(scopes)
    return jwt.encode({"alg": ALGORITHM, "typ": TYPE, "kid": _key().kid}, claims, _key())


def read(access_token: str) -> Read:
    """What a token of ours says; raises TokenRefused. The caller still asks whether its family lives."""
    try:
        token = _verified(access_token)
        _claims().validate(token.claims)
        if token.header.get("typ") != TYPE:
            raise TokenRefused
        scope = token.claims.get("scope")
        scopes = None if scope is None else frozenset(scope.split())
        return Read(UUID(token.claims["fam"]), scopes, token.claims)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise TokenRefused from None


def key_set() -> dict[str, Any]:
    """The public half of each key that tokens may be signed with, the present one first (RFC 7517)."""
    about = {"use": "sig", "alg": ALGORITHM}
    keys = [_made(seed) for seed in secrets.readable(_PURPOSE)]
    return {"keys": [{**key.as_dict(private=False), "kid": key.kid, **about} for key in keys]}


def _claims() -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=lambda: int(clock.now().timestamp()),
        iss={"essential": True, "value": _issuer},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
        sub={"essential": True},
    )


def _verified(access_token: str) -> jwt.Token:
    """The token, by whichever key it was signed; raises JoseError when by none."""
    *others, last = secrets.readable(_PURPOSE)
    for seed in others:
        with suppress(JoseError):
            return _signed(access_token, seed)
    return _signed(access_token, last)


@lru_cache(maxsize=2048)
def _signed(access_token: str, seed: bytes) -> jwt.Token:
    """The token, once its signature was found to be that of the seed's key; its age is for the caller to look at.

    Programs show the same token many times a minute, and verifying costs more than all else that is asked of it.
    """
    return jwt.decode(access_token, _made(seed), algorithms=[ALGORITHM])


def _key() -> ECKey:
    return _made(secrets.derived(_PURPOSE))


@cache
def _made(seed: bytes) -> ECKey:
    """The key pair of a seed; kept, because making it costs more than verifying."""
    number = int.from_bytes(seed) % (_ORDER - 1) + 1
    key = ECKey.import_key(ec.derive_private_key(number, ec.SECP256R1()))
    return ECKey.import_key({**key.as_dict(private=True), "kid": key.thumbprint()})
