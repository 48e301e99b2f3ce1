"""Tokens, their fingerprints, signed purpose-bound links, and secrets that must be read again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from portal.core.errors import Gone

_NONCE = 12
_key: bytes = b""
_previous: tuple[bytes, ...] = ()
_retired: tuple[bytes, ...] = ()


def use_key(key: str, previous: Sequence[str] = (), retired: Sequence[str] = ()) -> None:
    """Say at start which secret everything is made with, which were before and are still read with, the latest first,
    and which others may know by now: with these only what happened is checked (`known`)."""
    global _key, _previous, _retired
    _key = key.encode()
    _previous, _retired = (tuple(one.encode() for one in keys) for keys in (previous, retired))


def derived(purpose: str) -> bytes:
    """A key of its own for each purpose, so that what is signed for one is worthless for another."""
    return _derive(_key, purpose)


def key_id() -> str:
    """The name of the present secret, stored beside what is made with it; it tells nothing of the secret."""
    return _derive(_key, "key-id").hex()[:16]


def known(purpose: str) -> dict[str, bytes]:
    """The derived key of each secret there ever was, by its `key_id`: for checking what was written with it."""
    return {_derive(one, "key-id").hex()[:16]: _derive(one, purpose) for one in (_key, *_previous, *_retired)}


def readable(purpose: str) -> list[bytes]:
    """The derived key of each secret that is still read with: the present one first, then the previous ones."""
    return [_derive(one, purpose) for one in (_key, *_previous)]


@lru_cache(maxsize=256)  # each event asks for the same
def _derive(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, purpose.encode(), "sha256")


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


def pseudonym(purpose: str, *facts: object) -> str:
    """A name for these facts that nobody without the key can make or guess: 32 hexadecimal digits (128 bits)."""
    said = "\n".join(map(str, facts)).encode()
    return hmac.new(derived(purpose), said, hashlib.sha256).hexdigest()[:32]


def lock(purpose: str, plain: bytes, owner: bytes) -> bytes:
    """`plain` encrypted (AES-256-GCM) so that only `unlock` with the same purpose and owner reads it again."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(derived(purpose)).encrypt(nonce, plain, owner)


def unlock(purpose: str, locked: bytes, owner: bytes) -> bytes:
    """What was locked; raises Gone when it was altered, moved to another owner, or made with a secret unknown here."""
    for key in readable(purpose):
        try:
            return AESGCM(key).decrypt(locked[:_NONCE], locked[_NONCE:], owner)
        except InvalidTag:
            continue
    raise Gone


def is_current(purpose: str, locked: bytes, owner: bytes) -> bool:
    """Whether it was locked with the present secret."""
    try:
        AESGCM(derived(purpose)).decrypt(locked[:_NONCE], locked[_NONCE:], owner)
    except InvalidTag:
        return False
    return True


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    keys = readable(purpose)[::-1]  # the last one signs, any may have signed
    return URLSafeTimedSerializer(keys, salt=purpose, signer_kwargs={"digest_method": hashlib.sha256})
