"""Searches for people: what was typed travels in the body of a form and comes back in the address under a seal.

An address stands in the browser's history, in a Referer and in logs; a name, a telephone number or a birth date must
not. So a search is a POST, which leads to the page with `?search=`: the words, encrypted and bound to who searched.
Going back, reloading and the next page work as with any address, and nothing is kept on the server. Somebody else's
seal, and one from before the secret key changed, is an empty search.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import secrets
from portal.core.errors import Gone
from portal.web.gate import actor

FIELD, PARAMETER = "q", "search"
MOST = 120  # letters
BLOCK = 64  # bytes; a seal's length tells the length of the words no closer than this
_PURPOSE = "search"


def typed() -> str:
    """What is searched for; empty when nothing is."""
    if "search" not in g:
        g.search = _opened(request.values.get(PARAMETER, ""))
    return str(g.search)


def kept() -> str | None:
    """The seal of this search, for addresses that go on with it; None when nothing is searched for."""
    return request.values[PARAMETER] if typed() else None


def seal(words: str) -> str | None:
    """These words for an address of whoever asks now; None when there are none."""
    clean = " ".join(words.replace("\x00", " ").split())[:MOST]
    if not clean:
        return None
    plain = clean.encode("utf-8", "replace")
    padded = plain.ljust(-(-len(plain) // BLOCK) * BLOCK)
    return urlsafe_b64encode(secrets.lock(_PURPOSE, padded, _owner())).rstrip(b"=").decode()


def mount(bp: Blueprint, rule: str, to: str, *, endpoint: str, kept: tuple[str, ...] = ()) -> None:
    """Give a blueprint the address searches are sent to: it leads to `to`, with the fields named `kept`."""

    def search() -> AnyResponse:
        also: dict[str, Any] = {name: value for name in kept if (value := request.form.get(name, "").strip())}
        also[PARAMETER] = seal(request.form.get(FIELD, ""))
        return redirect(url_for(f"{bp.name}.{to}", **also), 303)  # HTMX follows it

    search.__doc__ = "Search, and show what was found."
    bp.add_url_rule(rule, endpoint, search, methods=["POST"])


def _opened(sealed: str) -> str:
    try:
        locked = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        return secrets.unlock(_PURPOSE, locked, _owner()).decode().rstrip()
    except (Gone, ValueError):
        return ""


def _owner() -> bytes:
    return str(actor().user_id or "").encode()
