"""Receivers of webhooks: written down, changed, paused, taken away, by whoever owns them or runs their clinic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.identity import acts_for
from portal.domain.identity.acts_for import Thing
from portal.domain.identity.models import TokenFamily
from portal.domain.webhooks import sending, signing
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage
from portal.domain.webhooks.topics import scopes_of
from portal.gateways import hooks

MOST = 20  # of one owner, or of one clinic


class NotPublic(Invalid):
    """The address leads into a network, or to this very machine."""

    code = "not_public"
    sentence = _("This address is not on the public internet, so nothing is sent there.")


class TooMany(Conflict):
    code = "too_many_webhooks"
    sentence = _("There are as many webhooks as we allow. Please remove one first.")


class Beyond(Forbidden):
    """A program asks to be told of what it may not read."""

    code = "events_beyond_scope"
    sentence = _("This token may not read what these events are about. Please choose others, or ask for the scope.")


class Paused(Conflict):
    code = "webhook_paused"
    sentence = _("This webhook is paused. Please resume it first.")


def of(actor: Actor, clinic_id: UUID | None = None) -> list[WebhookEndpoint]:
    """The receivers the actor looks after, the oldest first; of one clinic when that is given."""
    statement = select(WebhookEndpoint).where(_seen_by(actor)).options(joinedload(WebhookEndpoint.clinic))
    if clinic_id:
        statement = statement.where(WebhookEndpoint.clinic_id == clinic_id)
    return list(session().scalars(statement.order_by(WebhookEndpoint.created_at, WebhookEndpoint.id).limit(500)))


def get(actor: Actor, key: UUID | str, *, lock: bool = False) -> WebhookEndpoint:
    """One of them; raises NotFound for somebody else's."""
    statement = select(WebhookEndpoint).where(WebhookEndpoint.id == as_id(key), _seen_by(actor))
    statement = statement.options(joinedload(WebhookEndpoint.clinic))
    if lock:
        statement = statement.with_for_update(of=WebhookEndpoint).execution_options(populate_existing=True)
    return session().scalars(statement).one_or_none() or refuse(NotFound)


def make(
    actor: Actor, *, url: str, description: str = "", events: Sequence[str] = (), clinic_id: UUID | None = None
) -> tuple[WebhookEndpoint, str]:
    """Write down a receiver and return it with its signing secret.

    Of a clinic it is told everything there, and only the clinic's admins may have one; else of what its owner may see.
    Raises Forbidden, EmailNotVerified, Beyond, NotPublic, TooMany.
    """
    allow(clinic_id is None or actor.administers(clinic_id), Forbidden)
    _may_be_told(actor, events)
    _is_public(url)
    acts_for.admit(actor)
    same = WebhookEndpoint.clinic_id == clinic_id if clinic_id else WebhookEndpoint.user_id == actor.user_id
    allow((session().scalar(select(func.count()).select_from(WebhookEndpoint).where(same)) or 0) < MOST, TooMany)
    endpoint = WebhookEndpoint(
        user_id=actor.user_id,
        client_id=_program_of(actor),
        clinic_id=clinic_id,
        url=url,
        description=description,
        events=list(events),
        secret_version=1,
    )
    session().add(endpoint)
    session().flush()
    record(actor, "webhook.made", endpoint, events=len(events))
    return get(actor, endpoint.id), signing.secret(endpoint)


def change(
    actor: Actor,
    key: UUID | str,
    *,
    url: str | None = None,
    description: str | None = None,
    events: Sequence[str] | None = None,
) -> WebhookEndpoint:
    """Say anew where to send and what; None stays. Raises NotFound, Beyond, NotPublic."""
    if events is not None:
        _may_be_told(actor, events)
    if url is not None and url != get(actor, key).url:
        _is_public(url)  # which may take seconds: before the row is locked
    endpoint = get(actor, key, lock=True)
    if events is not None:
        endpoint.events = list(events)
    if url is not None:
        endpoint.url = url
    if description is not None:
        endpoint.description = description
    record(actor, "webhook.changed", endpoint, events=len(endpoint.events))
    session().flush()
    return endpoint


def pause(actor: Actor, key: UUID | str) -> WebhookEndpoint:
    """Send nothing for now; what happens is kept. Said twice it is done once."""
    endpoint = get(actor, key, lock=True)
    if endpoint.state == "active":
        endpoint.state, endpoint.paused_why = "paused", "asked"
        record(actor, "webhook.paused", endpoint, why="asked")
        session().flush()
    return endpoint


def resume(actor: Actor, key: UUID | str) -> WebhookEndpoint:
    """Send again, and first what waited meanwhile, in its order. Said twice it is done once."""
    endpoint = get(actor, key, lock=True)
    if endpoint.state == "paused":
        endpoint.state, endpoint.paused_why, endpoint.failing_since = "active", "", None
        waiting = update(WebhookMessage).where(
            WebhookMessage.endpoint_id == endpoint.id, WebhookMessage.state == "waiting"
        )
        session().execute(waiting.values(due_at=clock.now()))
        record(actor, "webhook.resumed", endpoint)
        session().flush()
        sending.soon(endpoint.id)
    return endpoint


def rotate(actor: Actor, key: UUID | str) -> tuple[WebhookEndpoint, str]:
    """Another signing secret. The one before signs beside it for a day, so that the receiver can change over."""
    endpoint = get(actor, key, lock=True)
    endpoint.secret_version += 1
    endpoint.rotated_at = clock.now()
    record(actor, "webhook.rotated", endpoint, version=endpoint.secret_version)
    session().flush()
    return endpoint, signing.secret(endpoint)


def remove(actor: Actor, key: UUID | str) -> None:
    """Tell it nothing any more; what was sent is forgotten with it."""
    endpoint = get(actor, key, lock=True)
    record(actor, "webhook.removed", endpoint)
    session().delete(endpoint)
    session().flush()


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    """In SQL: those the actor may see; a program that people let in sees only those it made itself."""
    program = _program_of(actor)
    visible = WebhookEndpoint.visible(actor)
    return visible if program is None else visible & (WebhookEndpoint.client_id == program)


def _program_of(actor: Actor) -> UUID | None:
    """The program whose token the actor came with; None for people and for tokens of their own."""
    if actor.door != "api" or actor.session_id is None:
        return None
    return session().scalar(select(TokenFamily.client_id).where(TokenFamily.id == actor.session_id))


def _may_be_told(actor: Actor, events: Sequence[str]) -> None:
    allow(all(actor.may_use(scope) for scope in scopes_of(list(events))), Beyond)


def _is_public(url: str) -> None:
    """Go on unless the address leads inside; one that leads nowhere yet may do so later. Raises NotPublic."""
    try:
        hooks.vet(url)
    except hooks.NotPublic:
        facts: dict[str, Any] = {"fields": {"url": NotPublic.sentence}}
        raise NotPublic(**facts) from None
    except OSError:
        return


def _own(user_id: UUID, of_clinics: bool) -> Select[WebhookEndpoint]:
    of_clinic = WebhookEndpoint.clinic_id.is_not(None) if of_clinics else WebhookEndpoint.clinic_id.is_(None)
    return select(WebhookEndpoint).where(WebhookEndpoint.user_id == user_id, of_clinic)


def _things(kind: str, of_clinics: bool) -> Callable[[Actor, UUID], list[Thing]]:
    def find(actor: Actor, user_id: UUID) -> list[Thing]:
        seen = _own(user_id, of_clinics).where(_seen_by(actor)).order_by(WebhookEndpoint.created_at.desc())
        return [
            Thing(kind, one.id, one.description or urlsplit(one.url).hostname or "", one.created_at, one.succeeded_at)
            for one in session().scalars(seen)
        ]

    return find


def _end(of_clinics: bool) -> Callable[[Actor, UUID, UUID | None], int]:
    def end(actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
        ended = session().scalars(_own(user_id, of_clinics).with_for_update(of=WebhookEndpoint)).all()
        for endpoint in ended:
            record(actor, "webhook.removed", endpoint)
            session().delete(endpoint)
        session().flush()
        return len(ended)

    return end


_TABLES = frozenset({WebhookEndpoint.__tablename__})
ACTS = acts_for.Kind(
    "webhook",
    _TABLES,
    _end(of_clinics=False),
    find=_things("webhook", of_clinics=False),
    end_one=remove,
    counted=lambda n: ngettext("%(n)s webhook", "%(n)s webhooks", n),
)
ACTS_OF_CLINICS = acts_for.Kind(
    "clinic_webhook",
    _TABLES,
    _end(of_clinics=True),
    find=_things("clinic_webhook", of_clinics=True),
    end_one=remove,
    counted=lambda n: ngettext("%(n)s webhook of a clinic", "%(n)s webhooks of clinics", n),
)
