"""Links that act: what a message lets somebody do for one patient, without signing in.

A link is signed for one purpose, names a patient, a thing and its version, and grows old. GET only shows, POST acts
(mail scanners press GET), and before anything is shown the patient's birth date is asked: whoever finds a message on a
lost phone learns nothing. What a link may do is decided by the verb it leads to; `actor_for` says who acts.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from portal.core import clock, limits, places, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Forbidden, Gone, Invalid, refuse
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.patients.models import Patient

LASTS = timedelta(days=45)  # longer than the earliest reminder; what it leads to may end sooner
# Wrong birth dates; a waiting room that shares one address is not held up by those who know theirs.
PER_LINK = "5 per 15 minute"
PER_PATIENT = "20 per day"
PER_PLACE = "40 per hour"


LASTING = {"request"}  # of an earlier contact, too: there a patient says that a paper was wrong


class NothingToAsk(Forbidden):
    code = "nothing_to_ask"
    sentence = _("We cannot check here who you are. Please sign in, or call the clinic.")


@dataclass(frozen=True)
class Claim:
    """What a link says: what it is for, which patient, which thing and the version of it that was seen."""

    purpose: str
    patient_id: UUID
    subject_id: UUID
    version: int
    token: str

    @property
    def path(self) -> str:
        """The address to which its forms are posted."""
        return f"/go/{self.token}"


def link(purpose: str, *, patient_id: UUID, subject_id: UUID, version: int = 0) -> str:
    """The path of a link for this purpose; it names nothing that can be read without our key's signature beside it."""
    made = int(clock.now().timestamp() * 1000).to_bytes(6)  # milliseconds
    packed = urlsafe_b64encode(patient_id.bytes + subject_id.bytes + made).decode().rstrip("=")
    return f"/go/{purpose}.{secrets.sign(_signed_for(purpose), f'{packed}.{version}')}"


def read(token: str) -> Claim:
    """What the link says; raises Gone when it was altered, is too old or was made for another purpose, and when the
    patient has died or is reached otherwise than when it was made."""
    purpose, _dot, signed = token.partition(".")
    said = str(secrets.unsign(_signed_for(purpose), signed, max_age=int(LASTS.total_seconds())))
    try:
        packed, version = said.split(".")
        facts = urlsafe_b64decode(packed + "==")
        claim = Claim(purpose, UUID(bytes=facts[:16]), UUID(bytes=facts[16:32]), int(version), token)
        _still_theirs(claim, int.from_bytes(facts[32:]))  # earlier links do not say when they were made
    except ValueError:
        raise Gone from None
    return claim


def can_ask(claim: Claim) -> bool:
    """Whether there is a birth date to ask for."""
    return _patient(claim).birth_date is not None


def is_known(actor: Actor, claim: Claim) -> bool:
    """Whether whoever is signed in is this patient or books for them in the whole record, so that nothing is asked."""
    return claim.patient_id in actor.cares_for("book")


def prove(claim: Claim, *, birth_date: date, address: str | None) -> None:
    """Go on if this is the patient's birth date; raises Invalid when not, TooMany after a few tries, NothingToAsk."""
    patient = _patient(claim)
    allow(patient.birth_date is not None, NothingToAsk)
    with limits.failures(
        (PER_PLACE, "go", places.of(address)),
        (PER_PATIENT, "go-patient", str(claim.patient_id)),
        (PER_LINK, "go-link", claim.token),
    ):
        if patient.birth_date != birth_date:
            sentence = _("This is not the birth date we know. Please check it, or call the clinic.")
            raise Invalid(fields={"birth_date": sentence}, code="wrong_birth_date", audit="link.refused")
    limits.forget(PER_LINK, "go-link", claim.token)


def actor_for(claim: Claim, signed_in: Actor, address: str | None) -> Actor:
    """Who acts by this link: the patient; the account of whoever is signed in stands in the audit."""
    patient = _patient(claim)
    return Actor(
        user_id=signed_in.user_id,
        name=patient.name,
        email_verified=True,  # the message reached them
        locale=patient.preferred_language,
        patient_id=patient.id,
        door="link",
        address=address,
    )


def _patient(claim: Claim) -> Patient:
    return session().get(Patient, claim.patient_id) or refuse(Gone)


def _still_theirs(claim: Claim, made: int) -> None:
    """Raises Gone for a link made (milliseconds) before the contact changed or the record was taken over."""
    patient = _patient(claim)
    allow(patient.deceased_at is None, Gone)
    since = patient.links_since if claim.purpose not in LASTING else None
    allow(since is None or made >= int(since.timestamp() * 1000), Gone)


def _signed_for(purpose: str) -> str:
    return f"go:{purpose}"
