"""What admins write down about a program."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from portal.core.shapes import Empty, OneLine, Shape, fault, storable
from portal.core.text import lazy as _
from portal.domain.identity.shapes import Scope

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PRINTED = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|::1")
_PRIVATE = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/\S*")  # a domain turned round (RFC 8252, section 7.1)


def _redirect(written: str) -> str:
    """Where a browser may be sent back to: https, http on this very computer, or an app's own scheme (RFC 8252)."""
    parts = _parts(written)
    web = parts and parts.scheme in {"https", "http"} and bool(_HOST.fullmatch(parts.hostname or ""))
    if web and parts and "@" not in parts.netloc and (parts.scheme == "https" or parts.hostname in LOOPBACK):
        return written
    if parts and parts.scheme not in {"https", "http"} and _PRIVATE.fullmatch(written):
        return written
    sentence = _("Please write whole addresses, such as https://app.example/back, one on each line and without #.")
    raise fault("redirect_uri", sentence)


def _parts(written: str) -> Any:
    """The parts of an address without a fragment; None for what is none."""
    if not _PRINTED.fullmatch(written) or "#" in written or "\\" in written:
        return None
    try:
        parts = urlsplit(written)
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def _website(written: str) -> str:
    parts = _parts(written)
    if written and not (parts and parts.scheme == "https" and _HOST.fullmatch(parts.hostname or "")):
        raise fault("website", _("Please write an address that begins with https://, or leave this empty."))
    return written


def _lines(value: Any) -> Any:
    """A list from what was written one on each line."""
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else value


Redirect = Annotated[str, StringConstraints(max_length=500), AfterValidator(_redirect)]
Redirects = Annotated[list[Redirect], BeforeValidator(_lines), Field(max_length=10)]
Website = Annotated[str, StringConstraints(max_length=300), AfterValidator(storable), AfterValidator(_website)]
ProgramName = Annotated[str, OneLine(80, 2)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=40)]


class ChangeClient(Shape):
    """What may be changed of a program; who has said yes keeps at most the scopes that remain."""

    name: ProgramName
    website: Website = ""
    redirect_uris: Redirects = []
    scopes: Scopes


class NewClient(ChangeClient):
    """A program: an app or page (public, PKCE alone), one with a server (it keeps a secret), or one without people.

    The last acts for a clinic in the role given, by an account of its own.
    """

    kind: Literal["app", "server", "service"]
    clinic_id: Annotated[UUID | None, Empty] = None
    role: Literal["staff", "admin"] = "staff"


class ConsentShape(Shape):
    """What a person decided about a program that asks to act for them."""

    decision: Literal["allow", "deny"]
