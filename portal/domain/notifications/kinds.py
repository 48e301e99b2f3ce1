"""The kinds of notices: each feature adds its own here, so that telling, inbox and letters need to know none of them.

kinds.add(
    Kind(
        name="waitlist.offered",
        read=rows(Offer, joinedload(Offer.clinic)),
        sentence=lambda facts, offer: say("…"),
        letter="waitlist_offered",  # templates/mail/waitlist_offered.html and .txt
        about=lambda facts, offer, locale: {"clinic": offer.clinic.name},
        stands=lambda facts, offer: offer.is_open,
        sms=lambda facts, offer: say("…"),
        url=lambda offer: f"/patient/waitlist/{offer.id}",
    )
)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core.db import session
from portal.core.text import gettext as say
from portal.domain.notifications.recipients import Addressee
from portal.gateways.mail import Attachment

Facts = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One sort of notice. Every function is called in the language of whoever is told; none says why somebody comes.

    `subject` is what `read` gives for the notice's subject: read afresh, with all that the words need. Where it is not
    there any more the notice is void, and the inbox calls `sentence` with None.
    """

    name: str  # such as appointment.booked; the inbox groups by what stands before the dot
    read: Callable[[UUID], Any]  # made by rows(…), one statement serves a whole page of the inbox
    sentence: Callable[[Facts, Any], str]  # what it says in the app
    letter: str | None = None  # templates/mail/<letter>.html and .txt; None is never mailed
    about: Callable[[Facts, Any, str], Facts] = lambda facts, subject, locale: {}  # for the letter
    reached: Callable[[Any, Addressee], Addressee] | None = (
        None  # where, if not at every contact of the record as it is
    )
    stands: Callable[[Facts, Any], bool] = lambda facts, subject: True  # whether it is still so when it is sent
    attachments: Callable[[Any], Sequence[Attachment]] = lambda subject: ()
    sms: Callable[[Facts, Any], str | None] | None = None  # short and neutral; None is not said by SMS
    url: Callable[[Any], str | None] = lambda subject: None  # the page of it, for the reader of the inbox
    after: Callable[[Any], None] | None = None  # called with each Delivery that was sent, failed or is void
    label: Any = ""  # words in the inbox's filter; empty: not in it
    icon: str = "bell"
    tries: int = 6  # how often a channel is tried before the next one
    must_reach: bool = True  # when nothing reaches the patient, the desk is asked to call


class rows:
    """Reads rows of `model` with `options`: one by its id when called, many in one statement."""

    def __init__(self, model: Any, *options: Any) -> None:
        self.model, self.options = model, options

    def __call__(self, key: UUID | None) -> Any:
        return self.many([key], afresh=True).get(key) if key else None

    def many(self, keys: Collection[UUID], *, afresh: bool = False) -> dict[UUID, Any]:
        """The rows by id; `afresh` forgets what was read before, also of rows that other readers share."""
        statement = select(self.model).where(self.model.id.in_(keys)).options(*self.options)
        reading = statement.execution_options(populate_existing=afresh)
        return {row.id: row for row in session().scalars(reading).unique()}


_known: dict[str, Kind] = {}


def add(*kinds: Kind) -> None:
    """Make these kinds known; at import."""
    _known.update({kind.name: kind for kind in kinds})


def get(name: str) -> Kind:
    """The kind with this name; one that is not known any more says only that something changed, and is never sent."""
    return _known.get(name) or Kind(name, lambda key: None, lambda facts, subject: say("Something changed."))


def every() -> list[Kind]:
    """All kinds, in the order in which they were added."""
    return list(_known.values())


def subjects(asked: Collection[tuple[Kind, UUID | None]]) -> dict[tuple[str, UUID], Any]:
    """What these notices are about, by kind and id: one statement for each reader, not for each notice."""
    readers: dict[Callable[[UUID], Any], list[tuple[Kind, UUID]]] = {}
    for kind, key in asked:
        if key is not None:
            readers.setdefault(kind.read, []).append((kind, key))
    found: dict[tuple[str, UUID], Any] = {}
    # readers of their own kind may read shared rows afresh and with less, so those that say what they need come last
    for read, wanted in sorted(readers.items(), key=lambda one: isinstance(one[0], rows)):
        keys = {key for _, key in wanted}
        there = read.many(keys) if isinstance(read, rows) else {key: read(key) for key in keys}
        found |= {(kind.name, key): there.get(key) for kind, key in wanted}
    return found
