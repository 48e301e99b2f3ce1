"""Tokens, their fingerprints, signed purpose-bound links, and secrets that must be read again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from portal.core.errors import Gone

_NONCE = 12
_key: bytes = b""


def use_key(key: str) -> None:
    """Say at start which secret everything is signed with."""
    global _key
    _key = key.encode()


def derived(purpose: str) -> bytes:
    """A key of its own for each purpose, so that what is signed for one is worthless for another."""
    return hmac.new(_key, purpose.encode(), hashlib.sha256).digest()


def make_token(size: int = 32) -> str:
    """A token that cannot be guessed: `size` random bytes, safe in an address."""
    return secrets.token_urlsafe(size)


def pick(letters: str, length: int) -> str:
    """A word of `length` of these letters that cannot be guessed."""
    drawn = secrets.randbelow(len(letters) ** length)  # once: each draw asks the system
    return "".join(letters[drawn // len(letters) ** place % len(letters)] for place in range(length))


def fingerprint(token: str) -> str:
    """What is stored of a token: enough to recognise it, useless to whoever reads the table."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def sign(purpose: str, facts: Any) -> str:
    return _serializer(purpose).dumps(facts)  # type: ignore[no-any-return]


def unsign(purpose: str, signed: str, max_age: int | None = None) -> Any:
    """The facts that were signed for this purpose; raises Gone when altered, too old (seconds) or for another."""
    try:
        return _serializer(purpose).loads(signed, max_age=max_age)
    except (BadSignature, SignatureExpired):
        raise Gone from None


def lock(purpose: str, plain: bytes, owner: bytes) -> bytes:
    """`plain` encrypted (AES-256-GCM) so that only `unlock` with the same purpose and owner reads it again."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(derived(purpose)).encrypt(nonce, plain, owner)


def unlock(purpose: str, locked: bytes, owner: bytes) -> bytes:
    """What was locked; raises Gone when it was altered, moved to another owner, or the secret key is another now."""
    try:
        return AESGCM(derived(purpose)).decrypt(locked[:_NONCE], locked[_NONCE:], owner)
    except InvalidTag:
        raise Gone from None


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(derived(purpose), salt=purpose, signer_kwargs={"digest_method": hashlib.sha256})
