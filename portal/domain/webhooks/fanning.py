"""From what happened to messages: one for each receiver that asked for it and whose owner may see what it is about."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import ADMIN, STAFF
from portal.core.db import new_id, session
from portal.core.events import Event
from portal.core.tasks import Task, name_of, task
from portal.domain.access import actors
from portal.domain.clinics.models import Membership
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.models import TokenFamily, User
from portal.domain.patients.models import Delegation, Patient
from portal.domain.webhooks import sending, signing
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage
from portal.domain.webhooks.topics import TOPICS, Topic


@task
def fan_out(event_id: str, subject_id: str) -> None:
    """Write the messages of one event, and before them those of earlier events of the same thing not written yet.

    Workers may take tasks in any order; like this no message is there before an earlier one of its object.
    """
    event = session().get(Event, UUID(event_id))
    if event is None:
        return
    asked = _asked_for(event)
    if not asked and not session().scalar(select(WebhookEndpoint.id).limit(1)):
        return
    for one in _up_to(event):
        _write(one, asked if one.id == event.id else _asked_for(one))


def _up_to(event: Event) -> list[Event]:
    """This event after the earlier ones of its subject whose own task has not been done."""
    key = func.concat(cast(Event.id, String), f":{name_of(fan_out)}")
    undone = select(Task.id).where(Task.key == key, Task.state == "waiting").exists()
    same = (Event.subject_type == event.subject_type, Event.subject_id == event.subject_id)
    statement = select(Event).where(*same, Event.seq <= event.seq, or_(Event.id == event.id, undone))
    return [one for one in session().scalars(statement.order_by(Event.seq)) if one.name in TOPICS]


def _asked_for(event: Event) -> list[WebhookEndpoint]:
    """The receivers that want this event: the clinic's, and of people whom it may concern."""
    statement = select(WebhookEndpoint).where(
        or_(func.cardinality(WebhookEndpoint.events) == 0, WebhookEndpoint.events.contains([event.name])),
        WebhookEndpoint.created_at <= event.created_at,
        or_(
            WebhookEndpoint.clinic_id == event.clinic_id,
            WebhookEndpoint.clinic_id.is_(None) & _concerned(event),
        ),
    )
    return list(session().scalars(statement))


def _concerned(event: Event) -> ColumnElement[bool]:
    """In SQL: owners worth asking whether they may see it, so that not everybody's rights are read."""
    own = select(Patient.user_id).where(Patient.id == event.patient_id)
    carers = select(Delegation.user_id).where(Delegation.patient_id == event.patient_id, Delegation.ended_at.is_(None))
    works = select(Membership.user_id).where(
        Membership.clinic_id == event.clinic_id, Membership.role.in_((STAFF, ADMIN)), Membership.ended_at.is_(None)
    )
    doctors = select(Doctor.user_id).join(Practice).where(Practice.clinic_id == event.clinic_id, Practice.is_active)
    above = select(User.id).where(User.is_superadmin)
    return or_(*(WebhookEndpoint.user_id.in_(some) for some in (own, carers, works, doctors, above)))


def _write(event: Event, asked: list[WebhookEndpoint]) -> None:
    topic = TOPICS[event.name]
    subject = topic.noun.read(event.subject_id) if asked and event.subject_id else None
    told = [one for one in asked if subject is not None and _may_be_told(one, topic, subject, event)]
    if not told:
        return
    body = signing.envelope(event.name, event.created_at, topic.noun.told(subject).model_dump(mode="json"))
    now = clock.now()
    rows = [_row(one, event, body) | {"due_at": now + sending.hold_off(one, now)} for one in told]
    writing = insert(WebhookMessage).values(rows).on_conflict_do_nothing(index_elements=["endpoint_id", "event_id"])
    made = set(session().scalars(writing.returning(WebhookMessage.endpoint_id)))
    for one in told:
        if one.id in made and one.state == "active":
            sending.soon(one.id, sending.hold_off(one, now))


def _row(endpoint: WebhookEndpoint, event: Event, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(),
        "created_at": clock.now(),
        "endpoint_id": endpoint.id,
        "event_id": event.id,
        "event_seq": event.seq,
        "event": event.name,
        "object_key": f"{event.subject_type}:{event.subject_id}",
        "body": body,
        "state": "waiting",
        "attempts": 0,
    }


def _may_be_told(endpoint: WebhookEndpoint, topic: Topic, subject: Any, event: Event) -> bool:
    """Whether the owner, as of now, may see what it is about, and the program was given leave to read it."""
    owner = actors.by_user(endpoint.user_id)
    if owner is None or not _program_may(endpoint, topic.noun.scope):
        return False
    if endpoint.clinic_id is not None:
        return event.clinic_id == endpoint.clinic_id and owner.administers(endpoint.clinic_id)
    model = topic.noun.model
    return session().scalar(select(model.id).where(model.id == subject.id, model.visible(owner))) is not None


def _program_may(endpoint: WebhookEndpoint, scope: str) -> bool:
    """Whether the program that made the receiver is still let in for this by its owner; nobody's program may."""
    if endpoint.client_id is None:
        return True
    client = session().get(OAuthClient, endpoint.client_id)
    if client is None or client.ended_at is not None:
        return False
    if client.service_user_id == endpoint.user_id:
        return scope in client.scopes
    alive = select(TokenFamily).where(
        TokenFamily.user_id == endpoint.user_id,
        TokenFamily.client_id == client.id,
        TokenFamily.ended_at.is_(None),
        TokenFamily.expires_at > clock.now(),
    )
    return any(family.scopes is None or scope in family.scopes for family in session().scalars(alive))
