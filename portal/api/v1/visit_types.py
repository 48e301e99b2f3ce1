"""What can be booked at a clinic and the policy of booking it, for the clinic's admins."""

from __future__ import annotations

from uuid import UUID

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.clinics_answers import VisitTypesWhole, VisitTypeWhole
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.domain.clinics import managing
from portal.domain.scheduling import visit_types
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.shapes import KeepVisits, VisitTypeShape

TAG = "Visit types"
READ, WRITE = "schedule:read", "clinics:write"
EXAMPLE = {
    "name": "Consultation",
    "name_fr": "Consultation",
    "duration": 30,
    "price_minor": 250000,
    "confirms": "at_once",
    "cutoff_minutes": 1440,
}


@endpoint("GET", "/clinics/{clinic_id}/visit-types", tag=TAG, answer=VisitTypesWhole, scope=READ)
def list_clinic_visit_types(actor: Actor, clinic_id: UUID) -> VisitTypesWhole:
    """All visit types of a clinic with their policy, those too that cannot be booked any more"""
    currency = managing.get(actor, clinic_id).currency
    found = visit_types.whole_of_clinic(actor, clinic_id)
    return VisitTypesWhole(items=[VisitTypeWhole.of(kind, currency) for kind in found])


@endpoint("GET", "/visit-types/{visit_type_id}", tag=TAG, answer=VisitTypeWhole, scope=READ, tagged=True)
def get_visit_type(actor: Actor, visit_type_id: UUID) -> VisitTypeWhole:
    """One visit type with its whole policy"""
    return _whole(actor, visit_type_id)


@endpoint(
    "POST",
    "/clinics/{clinic_id}/visit-types",
    tag=TAG,
    body=VisitTypeShape,
    answer=VisitTypeWhole,
    status=201,
    refuses=(NotFound,),
    scope=WRITE,
    keyed=True,
    tagged=True,
    example=EXAMPLE,
)
def add_visit_type(actor: Actor, clinic_id: UUID, body: VisitTypeShape) -> Answer:
    """Add a visit type with its policy"""
    made = visit_types.add(actor, clinic_id, **body.values())
    told = _whole(actor, made.id)
    return Answer(told, {"ETag": etags.of(told), "Location": f"/api/v1/visit-types/{made.id}"})


@endpoint(
    "PUT",
    "/visit-types/{visit_type_id}",
    tag=TAG,
    body=VisitTypeShape,
    query=KeepVisits,
    answer=VisitTypeWhole,
    refuses=(VisitsAffected,),
    scope=WRITE,
    tagged=True,
    guarded=True,
    example=EXAMPLE | {"is_active": False},
)
def change_visit_type(actor: Actor, visit_type_id: UUID, body: VisitTypeShape, query: KeepVisits) -> Answer:
    """Write a visit type down anew; booked visits keep their length, price and rooms

    What is left out goes back to its default. With `is_active: false` it cannot be booked any more: 409
    `visits_affected` while visits of it are booked. Plan it with POST /changes then, or send keep_visits=true.
    """
    visit_types.take(actor, visit_type_id)
    etags.unless_changed(_whole(actor, visit_type_id))
    visit_types.change(actor, visit_type_id, keep_visits=query.keep_visits, **body.values())
    told = _whole(actor, visit_type_id)
    return Answer(told, {"ETag": etags.of(told)})


def _whole(actor: Actor, visit_type_id: UUID) -> VisitTypeWhole:
    kind = visit_types.get(actor, visit_type_id)
    return VisitTypeWhole.of(kind, kind.clinic.currency)
