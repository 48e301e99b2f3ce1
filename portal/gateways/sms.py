"""SMS: sent through a provider by HTTP, or kept on disk (demo and tests) where /dev/mail shows it.

A task yields the sending (docs/decisions/0026). `key` makes a message recognisable: a provider takes the same key once,
and so does the folder.
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

from portal.core import clock, db, log

TIMEOUTS = (5, 15)  # seconds to connect, to answer
REFUSED = frozenset({400, 404, 410, 422})  # this message will never be taken; anything else may be tried again
TAKEN_BEFORE = 409  # the key is known: it was sent by a try that did not hear the answer

# The alphabet of GSM 03.38 (3GPP TS 23.038, 6.2.1). Its extension takes an escape before the letter: two septets.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")
GSM7 = BASIC | EXTENSION
SEPTETS = (160, 153)  # of one message alone, and of each part of a longer one
UCS2 = (70, 67)  # the same in UTF-16 code units, once a single letter is not of GSM 03.38
_PLAIN = {
    **dict.fromkeys(map(ord, "“”„‟«»″"), '"'),
    **dict.fromkeys(map(ord, "‘’‚‛ʼʻ′`´‹›"), "'"),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys([ord("\t"), 0xA0, 0x202F, *range(0x2000, 0x200B)], " "),
    # marks of direction and of where a word may be broken are worth no character
    **dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff\u200e\u200f\u2066\u2067\u2068\u2069")),
    ord("…"): "...",
    **dict.fromkeys(map(ord, "•·"), "-"),
    **dict.fromkeys(map(ord, "°º"), "o"),  # n° 3
}
_LATIN = str.maketrans(  # letters that are no letter with an accent, and what stands for them
    {"œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
     "ı": "i", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ĳ": "ij", "Ĳ": "IJ", "ẞ": "SS", "ŋ": "ng", "Ŋ": "NG"}
)  # fmt: skip


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
    db.no_transaction()
    if _transport is None:
        raise Refused("no provider")
    _transport.send(to, plain(text), key)


def plain(text: str) -> str:
    """The text in the characters of GSM 03.38 where its script has them, so that it stays one message.

    A text that has other letters anyway, such as an Arabic name, keeps all of its own.
    """
    simple = text.translate(_PLAIN)
    letters = "".join(one if one in GSM7 else _without_accent(one) for one in simple.translate(_LATIN))
    return letters if all(one in GSM7 for one in letters) else simple


def parts(text: str) -> int:
    """How many messages a text becomes; neither an escaped letter nor a surrogate pair is cut in two."""
    is_gsm = all(letter in GSM7 for letter in text)
    sizes = [1 + (letter in EXTENSION if is_gsm else ord(letter) > 0xFFFF) for letter in text]
    alone, each = SEPTETS if is_gsm else UCS2
    if sum(sizes) <= alone:
        return 1
    made, left = 1, each
    for size in sizes:
        if size > left:
            made, left = made + 1, each
        left -= size
    return made


def _without_accent(letter: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))


class Http:
    """A provider: POST of {"to", "from", "text", "key"} as JSON with a bearer token; 2xx is taken."""

    def __init__(self, url: str, token: str, sender: str) -> None:
        self._url, self._token, self._sender = url, token, sender

    def send(self, to: str, text: str, key: str) -> None:
        body = {"to": to, "from": self._sender, "text": text, "key": key}
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
        with requests.post(  # what it says beside the status is not read
            self._url, json=body, headers=headers, timeout=TIMEOUTS, allow_redirects=False, stream=True
        ) as answer:
            self._judge(answer)

    @staticmethod
    def _judge(answer: requests.Response) -> None:
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
