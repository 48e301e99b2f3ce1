"""Versions of things as entity tags (RFC 9110): If-Match for safe changes, If-None-Match for cheap looks.

A tag is made of what is told, so that it changes with everything that is shown: the doctor's name and the clinic's
address, too. That of a thing with versions begins with its version ("3-9f2c…"), which is what If-Match compares.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from flask import Response, request
from pydantic import BaseModel

from portal.core.errors import Refused
from portal.core.text import lazy as _

_TAG = re.compile(r"([0-9]{1,9})-[a-z0-9_-]+", re.ASCII)
_ENCODED = re.compile(r":\w+$")  # a compressed answer carries how in its tag


class PreconditionFailed(Refused):
    """If-Match names a version that is not the present one."""

    code, status = "stale_version", 412
    sentence = _("This was changed in the meantime. Please load it again before you change it.")


def tag(version: int, told: BaseModel | bytes) -> str:
    """The ETag of a thing with versions: its version, and all that is told of it as GET tells it."""
    return f'"{version}-{_digest(told if isinstance(told, bytes) else told.model_dump_json().encode())}"'


def expected(said: int | None = None) -> int | None:
    """The version a change is meant for: If-Match if it came, else what the body `said`; None when neither.

    Raises PreconditionFailed for a tag we never gave, and when header and body disagree.
    """
    if not came() or request.if_match.star_tag:
        return said
    seen = _told(request.if_match.as_set())
    found = [match for one in seen if (match := _TAG.fullmatch(one))]
    versions = {int(match[1]) for match in found}
    if len(versions) != 1 or (said is not None and said not in versions):
        raise PreconditionFailed
    return versions.pop()


def came() -> bool:
    """Whether the version came as If-Match, so that a stale one is answered with 412."""
    return bool(request.headers.get("If-Match"))


def of(answer: BaseModel) -> str:
    """The ETag of things without a version: what is told of them, as GET tells it."""
    return f'"{_digest(answer.model_dump_json().encode())}"'


def unless_changed(now: BaseModel) -> None:
    """Go on if If-Match, where it came, names what would be answered now; raises PreconditionFailed.

    Whoever calls this has locked the thing, so that nobody changes it in between.
    """
    seen = _told(request.if_match.as_set())
    if came() and not request.if_match.star_tag and of(now).strip('"') not in seen:
        raise PreconditionFailed


def tagged(response: Response) -> Response:
    """With a tag of its content where it has none of a version."""
    if "ETag" not in response.headers:
        response.set_etag(_digest(response.get_data()))
    return response


def not_modified(response: Response) -> Response:
    """304 without a body when the reader has this version already."""
    now, _weak = response.get_etag()
    seen = _told(request.if_none_match.as_set(include_weak=True))
    if now in seen or request.if_none_match.star_tag:
        response.status_code = 304
        response.set_data(b"")
        response.headers.pop("Content-Type", None)
    return response


def _told(tags: Iterable[str | None]) -> set[str]:
    """Tags as we gave them, whatever the answer was compressed with; what is none at all becomes the empty one."""
    return {_ENCODED.sub("", one or "") for one in tags}


def _digest(told: bytes) -> str:
    return hashlib.sha256(told).hexdigest()[:32]
