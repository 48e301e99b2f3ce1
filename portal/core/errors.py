"""Every "no" the portal says: a code for programs, a sentence for people, a status for HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NoReturn

from portal.core.text import format_span
from portal.core.text import gettext as say
from portal.core.text import lazy as _


class Refused(Exception):
    """A request that cannot be done, said so that the person knows what happened and what to do.

    `code` is stable and for programs; `sentence` is shown as it is, in the reader's language; `fields` maps a field's
    name to its own sentence; `facts` are further members of the answer (ids and times, never health data);
    `audit` names an event to record although everything else is undone.
    """

    code = "refused"
    status = 400
    sentence: Any = _("This cannot be done.")

    def __init__(
        self,
        sentence: Any = None,
        *,
        code: str | None = None,
        fields: Mapping[str, Any] | None = None,
        audit: str | None = None,
        **facts: Any,
    ) -> None:
        self.sentence = sentence or type(self).sentence
        self.code = code or type(self).code
        self.fields = dict(fields or {})
        self.audit = audit
        self.facts = facts
        super().__init__(self.code)

    def __str__(self) -> str:
        return str(self.sentence)


class Invalid(Refused):
    """What was entered does not make sense as it is."""

    code, status = "invalid", 422
    sentence = _("Some answers need another look.")


class Unauthenticated(Refused):
    """Nobody is signed in, or not any more."""

    code, status = "unauthenticated", 401
    sentence = _("Please sign in first.")


class Forbidden(Refused):
    """Known, but not allowed."""

    code, status = "forbidden", 403
    sentence = _("You are not allowed to do this.")


class NotFound(Refused):
    """It does not exist, or not for this person: both answer alike."""

    code, status = "not_found", 404
    sentence = _("We could not find what you asked for.")


class Conflict(Refused):
    """It made sense when it was sent, but something else has happened meanwhile."""

    code, status = "conflict", 409
    sentence = _("Something changed in the meantime. Please look again.")


class Gone(Refused):
    """It was there once: an expired link, a used token."""

    code, status = "gone", 410
    sentence = _("This link has expired or was used already.")


class AddressTooLong(Refused):
    """Path and query are longer than anything the portal makes."""

    code, status = "address_too_long", 414
    sentence = _("This address is too long.")


class Misdirected(Refused):
    """The request is meant for another host (RFC 9110, 15.5.20); `address` is where the portal answers."""

    code, status = "misdirected_request", 421
    sentence = _("The portal does not answer under this address.")

    def __str__(self) -> str:
        return say(
            "The portal does not answer under this address. Please open %(address)s.", address=self.facts["address"]
        )


class HeadTooLarge(Refused):
    """The header fields together are larger than anything a browser or a program needs."""

    code, status = "headers_too_large", 431
    sentence = _("The head of this request is too large.")


class TooMany(Refused):
    """Too often; `retry_after` says in how many seconds it may be tried again."""

    code, status = "too_many", 429
    sentence = _("That was too often. Please wait a little and try again.")

    def __str__(self) -> str:
        if self.sentence is not TooMany.sentence or "retry_after" not in self.facts:
            return str(self.sentence)
        wait = format_span(timedelta(seconds=self.retry_after))
        return say("That was too often. Please wait %(time)s and try again.", time=wait)

    @property
    def retry_after(self) -> int:
        return int(self.facts.get("retry_after", 60))


class Unavailable(Refused):
    """A part of the portal cannot be reached right now."""

    code, status = "unavailable", 503
    again_after = 5  # seconds; on every answer with this status (portal.app)
    sentence = _("The portal is busy for a moment. Nothing was changed. Please try again.")


def refuse(kind: type[Refused], *args: Any, **facts: Any) -> NoReturn:
    """Raise `kind`; an expression, so that it fits after `or`."""
    raise kind(*args, **facts)


def http_sentence(status: int) -> Any:
    """What an error of the HTTP layer means to a person."""
    return _HTTP.get(status, Refused.sentence)


_HTTP = {
    400: _("We could not understand this request."),
    403: Forbidden.sentence,
    404: NotFound.sentence,
    405: _("This address does not do that."),
    406: _("We cannot answer in the form you asked for."),
    408: _("This took too long. Please try again."),
    413: _("This is too large to be sent."),
    414: AddressTooLong.sentence,
    415: _("We cannot read what was sent in this form."),
    429: TooMany.sentence,
    431: HeadTooLarge.sentence,
    500: _("Something went wrong on our side. Nothing was changed. Please try again."),
}
