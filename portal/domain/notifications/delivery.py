"""Telling people: a notification in the app at once, and one delivery per channel as a task of its own."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock, live, log, tasks
from portal.core.db import new_id, session
from portal.core.tasks import Call, GivenUp, Steps, Task, task
from portal.core.text import gettext as say
from portal.core.text import speaking
from portal.domain.identity.models import User
from portal.domain.notifications import kinds, recipients
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.notifications.models import Delivery, Notification
from portal.domain.notifications.recipients import Addressee
from portal.domain.patients.models import Patient
from portal.domain.scheduling import calls
from portal.gateways import mail, sms

WAYS = ("email", "sms")  # in the order in which they are tried


def tell(
    user: User | None,
    kind: str,
    subject: Any,
    key: str,
    channels: Sequence[str] = ("email",),
    *,
    patient_id: UUID | None = None,
    **facts: Any,
) -> int:
    """Tell one person one thing once: `key` names the thing, so a task that runs again tells nobody twice.

    `facts` are ids, codes and times; `patient_id` says whom it concerns. Someone without an account or whose account
    is shut is not told. Returns how many messages are on their way.
    """
    if user is None or not user.is_active:
        return 0
    values = {
        "id": new_id(),
        "created_at": clock.now(),
        "user_id": user.id,
        "kind": kind,
        "key": f"{key}:{user.id}",
        "subject_type": type(subject).__name__.lower(),
        "subject_id": subject.id,
        "facts": facts,
    }
    made = session().scalar(
        insert(Notification).values(values).on_conflict_do_nothing(index_elements=["key"]).returning(Notification.id)
    )
    if made is not None:
        live.nudge([user.id], "notifications")
    known = made or session().scalar(select(Notification.id).where(Notification.key == values["key"]))
    used = set(session().scalars(select(Delivery.channel).where(Delivery.notification_id == known)))
    fresh = [channel for channel in channels if channel not in used]
    for channel in fresh:
        delivery = _delivery(kind, channel, subject, key, facts, patient_id)
        delivery.notification_id, delivery.user_id = known, user.id
        _send(delivery)
    return len(fresh)


def tell_patient(
    patient_id: UUID,
    kind: str,
    subject: Any,
    key: str,
    channels: Sequence[str] | None = None,
    *,
    clinic_id: UUID,
    **facts: Any,
) -> int:
    """Tell whoever answers for a patient: their own account and those who may book for them at this clinic, to which
    the subject belongs, each naming the patient.

    Without any account the message goes to the patient's e-mail address, else to their phone; when there is neither,
    the desk is asked to call. `channels` are tried as given and nothing is asked of the desk. Returns how many
    messages are on their way.
    """
    patient = session().get_one(Patient, patient_id)
    if patient.deceased_at is not None:
        return 0
    accounts = recipients.accounts_of(patient_id, clinic_id)
    if accounts:
        return sum(_tell_account(user, patient, kind, subject, key, channels, facts) for user in accounts)
    return tell_contact(patient, kind, subject, key, channels, **facts)


def tell_contact(
    patient: Patient, kind: str, subject: Any, key: str, channels: Sequence[str] | None = None, **facts: Any
) -> int:
    """Tell a patient at the contact of their record, whether or not somebody with an account looks after them.

    `channels` are all used; without them the first that reaches, and when none does the desk is asked to call.
    """
    if patient.deceased_at is not None:
        return 0
    patient_id, addressee = patient.id, _reached(kinds.get(kind), subject, recipients.of_patient(patient))
    asked = WAYS if channels is None else channels
    ways = [way for way in asked if addressee.at(way) and can_say(kinds.get(kind), way)]
    if not ways:
        if channels is None and any(can_say(kinds.get(kind), way) for way in WAYS):  # else it is told in the app only
            _ask_to_call(kinds.get(kind), "no_contact", patient_id, subject, key)
        return 0
    sent = 0
    for way in ways if channels else ways[:1]:
        if not _told_before(patient_id, kind, subject, key, way):
            delivery = _delivery(kind, way, subject, key, facts, patient_id)
            delivery.subject_type, delivery.subject_id = type(subject).__name__.lower(), subject.id
            _send(delivery)
            sent += 1
    return sent


def can_say(kind: Kind, channel: str) -> bool:
    """Whether there are words of this kind for the channel, and the channel is there."""
    return kind.letter is not None if channel == "email" else kind.sms is not None and sms.is_on()


@task
def deliver(delivery_id: str) -> Steps:
    """Send one message by its channel; raises when it did not leave, so that it is tried again."""
    delivery = _locked(delivery_id)
    if delivery is None or delivery.state in {"sent", "void"}:
        return
    kind, leaving = kinds.get(delivery.notice), _leaving(delivery)
    if leaving is not None:
        try:
            yield leaving
        except (sms.Refused, smtplib.SMTPRecipientsRefused) as no:
            raise GivenUp from no
        except (OSError, smtplib.SMTPException) as away:
            if _tries(delivery_id) >= kind.tries:
                raise GivenUp from away
            raise
        delivery = _locked(delivery_id)  # it may be another now, or be gone
        if delivery is None:
            return
    delivery.state = "sent" if leaving else "void"
    delivery.sent_at = clock.now() if leaving else None
    if kind.after:
        session().flush()
        kind.after(delivery)


@task
def given_up(delivery_id: str) -> None:
    """A channel failed for good: the next one is tried, and when there is none the desk is asked to call."""
    delivery = _locked(delivery_id)
    if delivery is None or delivery.state != "waiting":
        return
    delivery.state = "failed"
    session().flush()
    kind, (facts, subject_id) = kinds.get(delivery.notice), _told(delivery)
    log.warning("message failed", channel=delivery.channel, notice=delivery.notice, delivery_id=delivery_id)
    if kind.after:
        kind.after(delivery)
        return
    subject = kind.read(subject_id) if subject_id else None
    to = _to(delivery, kind, subject)
    if to is None or subject is None or not kind.stands(facts, subject):
        return
    left = [way for way in WAYS if to.at(way) and can_say(kind, way) and not _tried(delivery, way)]
    if left:
        _send(_by_another_way(delivery, left[0]))
    elif delivery.patient_id and not siblings(delivery, "sent"):
        _ask_to_call(kind, "message_failed", delivery.patient_id, subject, str(delivery.facts.get("key", "")))


tasks.if_given_up(deliver, given_up)


def siblings(delivery: Delivery, *states: str) -> list[UUID]:
    """The other messages that tell the same thing of the same patient, in these states."""
    statement = select(Delivery.id).where(
        Delivery.patient_id == delivery.patient_id,
        Delivery.notice == delivery.notice,
        Delivery.facts["key"].astext == str(delivery.facts.get("key")),
        Delivery.state.in_(states),
        Delivery.id != delivery.id,
    )
    return list(session().scalars(statement))


def _to(delivery: Delivery, kind: Kind, subject: Any) -> Addressee | None:
    """Where a delivery goes, read afresh; None when there is nobody any more, and about somebody who has died."""
    patient = session().get(Patient, delivery.patient_id, populate_existing=True) if delivery.patient_id else None
    if patient is not None and patient.deceased_at is not None:
        return None
    to = recipients.of(delivery)
    return to and _reached(kind, subject, to)


def _reached(kind: Kind, subject: Any, to: Addressee) -> Addressee:
    """Where a patient without an account is told of this subject."""
    return to if kind.reached is None or subject is None or to.has_account else kind.reached(subject, to)


def _tell_account(
    user: User, patient: Patient, kind: str, subject: Any, key: str, channels: Sequence[str] | None, facts: Facts
) -> int:
    to, known = recipients.of_user(user, patient), kinds.get(kind)
    ways = ("email",) if channels is None else channels
    ways = [way for way in ways if to.at(way) and can_say(known, way)]
    for_whom = {"for": str(patient.id)} if to.for_whom else {}
    return tell(user, kind, subject, key, ways, patient_id=patient.id, **facts, **for_whom)


def _delivery(kind: str, channel: str, subject: Any, key: str, facts: Facts, patient_id: UUID | None) -> Delivery:
    return Delivery(channel=channel, notice=kind, patient_id=patient_id, facts={**facts, "key": key})


def _by_another_way(delivery: Delivery, channel: str) -> Delivery:
    same = ("notification_id", "user_id", "patient_id", "subject_type", "subject_id", "notice", "facts")
    return Delivery(channel=channel, **{name: getattr(delivery, name) for name in same})


def _send(delivery: Delivery) -> None:
    session().add(delivery)
    session().flush()
    tasks.later(deliver, delivery.id, key=f"deliver:{delivery.id}")


def _told(delivery: Delivery) -> tuple[Facts, UUID | None]:
    """The facts of a delivery and what it is about: its notification's, or its own."""
    notification = session().get(Notification, delivery.notification_id) if delivery.notification_id else None
    if notification is not None:
        return notification.facts, notification.subject_id
    return (delivery.facts, delivery.subject_id) if delivery.user_id is None else ({}, None)


def _locked(delivery_id: str) -> Delivery | None:
    return session().get(Delivery, UUID(delivery_id), with_for_update=True, populate_existing=True)


def _tries(delivery_id: str) -> int:
    """How often this message was tried, the try that goes on now included."""
    return 1 + (session().scalar(select(Task.attempts).where(Task.key == f"deliver:{delivery_id}")) or 0)


def _leaving(delivery: Delivery) -> Call | None:
    """What hands the message to its gateway; None when nobody is there to read it, or it is not so any more."""
    kind, (facts, subject_id) = kinds.get(delivery.notice), _told(delivery)
    subject = kind.read(subject_id) if subject_id else None
    to = _to(delivery, kind, subject)
    if to is None or subject is None or not kind.stands(facts, subject) or not can_say(kind, delivery.channel):
        return None
    written = {"email": _by_mail, "sms": _by_sms}[delivery.channel]
    with speaking(to.locale):
        return written(f"delivery:{delivery.id}", kind, facts, subject, to)


def _by_mail(key: str, kind: Kind, facts: Facts, subject: Any, to: Addressee) -> Call:
    reader = {"has_account": to.has_account, "for_whom": to.for_whom}
    about = reader | kind.about(facts | reader, subject, to.locale)
    letter = mail.write(to.email, to.name, str(kind.letter), to.locale, key, kind.attachments(subject), **about)
    return partial(mail.send, letter)


def _by_sms(key: str, kind: Kind, facts: Facts, subject: Any, to: Addressee) -> Call:
    text = (kind.sms and kind.sms(facts, subject)) or ""
    text = say("For %(name)s: %(text)s", name=to.for_whom, text=text) if to.for_whom else text
    if not to.phone or not text:
        raise GivenUp  # nothing to say, or nowhere
    return partial(sms.send, to.phone, text, key)


def _tried(delivery: Delivery, way: str) -> bool:
    """Whether this person was, or is being, told the same by this channel."""
    if way == delivery.channel:
        return True
    mine = [Delivery.user_id == delivery.user_id] if delivery.user_id else [Delivery.user_id.is_(None)]
    same = Delivery.id.in_(siblings(delivery, "waiting", "sent", "failed", "void"))
    return bool(session().scalar(select(func.count()).where(same, Delivery.channel == way, *mine)))


def _told_before(patient_id: UUID, kind: str, subject: Any, key: str, way: str) -> bool:
    same = select(Delivery.id).where(
        Delivery.patient_id == patient_id,
        Delivery.user_id.is_(None),
        Delivery.notice == kind,
        Delivery.subject_id == subject.id,
        Delivery.channel == way,
        Delivery.facts["key"].astext == key,
    )
    return session().scalar(same.limit(1)) is not None


def _ask_to_call(kind: Kind, code: str, patient_id: UUID, subject: Any, key: str) -> None:
    clinic_id = getattr(subject, "clinic_id", None)
    if kind.must_reach and clinic_id:
        is_visit = type(subject).__name__ == "Appointment"
        appointment_id = subject.id if is_visit else getattr(subject, "appointment_id", None)
        name = f"{code}:{kind.name}:{key}:{patient_id}"[:160]
        calls.ask(clinic_id=clinic_id, patient_id=patient_id, code=code, key=name, appointment_id=appointment_id)
