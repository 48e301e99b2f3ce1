"""SMS: sent through a provider by HTTP, or kept on disk (demo and tests) where /dev/mail shows it.

Called from tasks only. `key` makes a message recognisable: a provider takes the same key once, and so does the folder.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import requests

from portal.core import clock, log

TIMEOUTS = (5, 15)  # seconds to connect, to answer
REFUSED = frozenset({400, 404, 410, 422})  # this message will never be taken; anything else may be tried again
TAKEN_BEFORE = 409  # the key is known: it was sent by a try that did not hear the answer

# The basic character set of GSM 03.38: 160 of these fit into one message, but only 70 of any others.
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
_PLAIN = {
    **dict.fromkeys(map(ord, "“”„«»"), '"'),
    **dict.fromkeys(map(ord, "‘’‚"), "'"),
    **dict.fromkeys(map(ord, "–—"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u202f\u2009"), " "),
    **dict.fromkeys(map(ord, "\u200e\u200f\u2066\u2067\u2068\u2069")),  # marks of direction are worth no character
    ord("…"): "...",
}


class Refused(Exception):
    """The provider will not take this message: a number that is none, or a text it does not carry."""


class Transport(Protocol):
    def send(self, to: str, text: str, key: str) -> None: ...


_transport: Transport | None = None
_base = ""


def connect(transport: Transport | None, base_url: str) -> None:
    """Say at start how messages leave (None: not at all, nobody is told by SMS) and where their links lead."""
    global _transport, _base
    _transport, _base = transport, base_url


def address(path: str) -> str:
    """The whole address of a page, for a link in a message."""
    return f"{_base}{path}"


def is_on() -> bool:
    """Whether there is a way for SMS to leave."""
    return _transport is not None


def send(to: str, text: str, key: str) -> None:
    """Send `text` to a number in E.164; raises Refused when it never will leave, OSError when it did not now."""
    if _transport is None:
        raise Refused("no provider")
    _transport.send(to, plain(text), key)


def plain(text: str) -> str:
    """The text in the characters of GSM 03.38 where its script has them, so that it stays one message."""
    simple = text.translate(_PLAIN)
    letters = "".join(one if one in GSM7 else _without_accent(one) for one in simple)
    return letters if all(one in GSM7 for one in letters) else simple


def parts(text: str) -> int:
    """How many messages a text becomes."""
    one, many = (160, 153) if all(letter in GSM7 for letter in text) else (70, 67)
    return 1 if len(text) <= one else -(-len(text) // many)


def _without_accent(letter: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))


class Http:
    """A provider: POST of {"to", "from", "text", "key"} as JSON with a bearer token; 2xx is taken."""

    def __init__(self, url: str, token: str, sender: str) -> None:
        self._url, self._token, self._sender = url, token, sender

    def send(self, to: str, text: str, key: str) -> None:
        body = {"to": to, "from": self._sender, "text": text, "key": key}
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
        answer = requests.post(self._url, json=body, headers=headers, timeout=TIMEOUTS, allow_redirects=False)
        if (answer.ok and answer.status_code < 300) or answer.status_code == TAKEN_BEFORE:
            return
        if answer.status_code in REFUSED:
            raise Refused(f"the provider answered {answer.status_code}")
        raise requests.HTTPError(f"the provider answered {answer.status_code}")  # an OSError: tried again

    def check(self) -> None:
        """Ask whether the provider answers; raises OSError when it does not, or does not know the token."""
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.options(self._url, headers=headers, timeout=TIMEOUTS, allow_redirects=False)
        if answer.status_code in {401, 403} or answer.status_code >= 500:
            raise requests.HTTPError(f"the provider answered {answer.status_code}")


@dataclass(frozen=True)
class Kept:
    """A message that was kept instead of sent."""

    to: str
    text: str
    at: datetime

    @property
    def parts(self) -> int:
        return parts(self.text)


class Folder:
    """Messages on disk: each key once, readable back."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def send(self, to: str, text: str, key: str) -> None:
        place = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
        try:
            with place.open("x", encoding="utf-8") as kept:
                json.dump({"to": to, "text": text, "at": clock.now().isoformat()}, kept)
        except FileExistsError:
            return
        log.info("sms kept", parts=parts(text))

    def read(self, limit: int = 100) -> list[Kept]:
        """Messages, newest first."""
        found: list[dict[str, Any]] = [json.loads(one.read_text(encoding="utf-8")) for one in self._paths()[:limit]]
        return [Kept(one["to"], one["text"], datetime.fromisoformat(one["at"])) for one in found]

    def clear(self) -> None:
        for one in self._paths():
            one.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"), key=lambda one: one.stat().st_mtime_ns, reverse=True)


def transport_for(url: str, token: str, sender: str, keep_in: Path) -> Transport | None:
    """The transport that SMS_URL asks for: a provider, keep: a folder; nothing, none."""
    if url.startswith("keep:"):
        return Folder(keep_in)
    return Http(url, token, sender) if url else None
