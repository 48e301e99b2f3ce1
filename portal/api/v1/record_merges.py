"""Two records of one person on a clinic's list: looked at, joined by its desk, and parted again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import Out
from portal.api.v1.patients_answers import AtDeskOut, Sex
from portal.api.v1.record_requests_answers import RequestOut
from portal.core.actor import Actor
from portal.core.errors import NotFound, TooMany
from portal.core.shapes import Shape
from portal.domain.patients import desk, merging
from portal.domain.patients.care import Deceased
from portal.domain.patients.joining import BothBusy, Joined
from portal.domain.patients.merging import DifferentContacts, Preview, Side, TwoAccounts
from portal.domain.patients.parting import Parted, Undone
from portal.domain.patients.request_models import RecordJoin
from portal.domain.patients.requests import NobodyToAsk

TAG = "Patients of a clinic"
WRITE = "patients:write"
SOMEBODY = "019aa000-0000-7000-8000-000000000004"


class MergeWith(Shape):
    """The other record, which becomes part of the one in the address; the one with an account is kept in any case."""

    other_id: UUID


class SideOut(AtDeskOut):
    """One of two records; visits are counted at the clinics you work in."""

    visits: int
    carers: Annotated[list[str], Field(description="Who looks after them, by name, as far as you may know")]

    @classmethod
    def side(cls, one: Side) -> Self:
        return cls(**cls.told(one.patient), visits=one.visits, carers=one.carers)


class AfterOut(Out):
    """What the record would say afterwards; names, language and account are those of the one that is kept."""

    birth_date: date | None
    sex: Sex
    phone: str
    email: str


class PreviewOut(Out):
    """Two records side by side, and what joining them would do."""

    kept: SideOut
    gone: SideOut
    how: Annotated[
        Literal["at_once", "ask", "different_contacts", "two_accounts", "deceased"],
        Field(description="At once, after asking the patient, or why not at all"),
    ]
    after: AfterOut

    @classmethod
    def of(cls, seen: Preview) -> Self:
        after = {name: seen.after[name] for name in AfterOut.model_fields}
        return cls(kept=SideOut.side(seen.kept), gone=SideOut.side(seen.gone), how=seen.how, after=AfterOut(**after))


class MergeOut(Out):
    """A record that became part of another one (FHIR Patient.link: `gone_id` is replaced by `kept_id`)."""

    id: UUID
    kept_id: UUID
    gone_id: UUID
    created_at: datetime
    undone_at: datetime | None

    @classmethod
    def told(cls, made: RecordJoin) -> dict[str, Any]:
        return {name: getattr(made, name) for name in MergeOut.model_fields}

    @classmethod
    def of(cls, made: RecordJoin) -> Self:
        return cls(**cls.told(made))


class MergedOut(Out):
    """Either of the two: what was joined, or the request to the patient that was sent instead."""

    merge: MergeOut | None
    request: RequestOut | None


class Merges(Out):
    """Those that can be undone, the latest first."""

    items: list[MergeOut]


class PartedOut(MergeOut):
    """`visits_since` visits were booked after the two were joined; they stay with the record that was kept."""

    visits_since: int

    @classmethod
    def parted(cls, done: Parted) -> Self:
        return cls(**cls.told(done.join), visits_since=done.visits_since)


@endpoint(
    "GET",
    "/patients/{patient_id}/merges/{other_id}",
    tag=TAG,
    answer=PreviewOut,
    refuses=(NotFound,),
    scope="patients:read",
)
def preview_merge(actor: Actor, patient_id: UUID, other_id: UUID) -> PreviewOut:
    """Two records on your clinic's list side by side, and what joining them would do; changes nothing"""
    return PreviewOut.of(merging.preview(actor, patient_id, other_id))


@endpoint("GET", "/patients/{patient_id}/merges", tag=TAG, answer=Merges, refuses=(NotFound,), scope="patients:read")
def list_merges(actor: Actor, patient_id: UUID) -> Merges:
    """What your clinic has joined into this record and can undo"""
    patient = desk.get(actor, patient_id)
    return Merges(items=[MergeOut.of(made) for made, _gone in merging.of_patient(actor, patient.id)])


@endpoint(
    "POST",
    "/patients/{patient_id}/merges",
    tag=TAG,
    body=MergeWith,
    answer=MergedOut,
    status=201,
    refuses=(NotFound, DifferentContacts, TwoAccounts, Deceased, BothBusy, Joined, NobodyToAsk, TooMany),
    scope=WRITE,
    keyed=True,
    example={"other_id": SOMEBODY},
)
def merge_patients(actor: Actor, patient_id: UUID, body: MergeWith) -> Answer:
    """Join two records of one person on your clinic's list, as its desk or admin

    It is done at once where both are your clinic's alone, nobody has an account or looks after them, and their contacts
    are the same. Else the patient is asked, and `request` says so.
    """
    done = merging.merge(actor, patient_id, body.other_id)
    request = RequestOut.of(done.request, for_clinic=True) if done.request else None
    return Answer(MergedOut(merge=MergeOut.of(done.join) if done.join else None, request=request))


@endpoint(
    "POST",
    "/patient-merges/{merge_id}/undo",
    tag=TAG,
    answer=PartedOut,
    refuses=(NotFound, Undone),
    scope=WRITE,
    keyed=True,
)
def undo_merge(actor: Actor, merge_id: UUID) -> PartedOut:
    """Part two records again that your clinic has joined: what was moved goes back, what came after stays"""
    return PartedOut.parted(merging.undo(actor, merge_id))
