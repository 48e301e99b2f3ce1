"""Whoever a clinic's desk has named for a patient reads nothing of the patient's but what belongs to that clinic.

Every address that a patient or carer may read, by the pages and by the API, is asked for with the ids of what the
patient has at both clinics. The patient herself finds every word on the same walk, so it passes where they stand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter, Rule, UUIDConverter

from tests.api.conftest import Program
from tests.domain.patients.two_clinics import OF_RECORD, Part, Two, two_clinics
from tests.rules.source import dotted, modules

# the doors a patient has; those of doctors, desks and admins let no carer in (test_authorization.py)
DOORS = {"account", "family", "notifications", "patient", "public", "api_v1"}
LEFT_OUT = {"api_v1.stream", "api_v1.websocket", "api_v1.openapi", "api_v1.docs", "api_v1.explorer", "api_v1.collected"}
# names in addresses that belong to nothing of a patient's; a name that is neither here nor in `ids_of` fails
OF_NO_PATIENT = {
    "group_id", "merge_id", "message_id",
    "opening_id", "resource_id", "task_id", "user_id", "visit_type_id", "webhook_id",
}  # fmt: skip
# what `key` stands for in a page's address; a page that is not here fails
KEYS = {
    "patient.appointment": "visit_id", "patient.arriving": "visit_id", "patient.calendar": "visit_id",
    "patient.cancel": "visit_id", "patient.move": "visit_id", "patient.review": "visit_id",
    "patient.reason": "visit_id",
    "public.booked": "visit_id", "patient.change": "change_id", "patient.care_of": "care_id",
    "patient.dependant": "patient_id", "patient.dependant_profile": "patient_id", "patient.hand_over": "patient_id",
    "patient.invitation": "invitation_id", "patient.waitlist_entry": "entry_id", "patient.waitlist_offer": "offer_id",
    "patient.request_of_clinic": "request_id",
}  # fmt: skip
# addresses with a query, which routes do not name; {…} are of the part that is asked for
QUERIES = (
    "/patient/appointments?when=past",
    "/patient/appointments?patient={patient}",
    "/patient/appointments?patient={patient}&when=past",
    "/patient/family/invite?for={patient}",
    "/patient/waitlist/join?visit={visit}",
    "/patient/waitlist/join?practice={practice}&type={type}",
    "/patient/changes/{change}?visit={proposal}",
    "/notifications?kind=change.asked",
    "/api/v1/appointments?when=past",
    "/api/v1/appointments?patient_id={patient}",
    "/api/v1/appointments?patient_id={patient}&when=past",
    "/api/v1/notifications?limit=100",
    "/api/v1/patients/{patient}/invitations?practice_id={practice}",
)


# who means the whole record: everybody else says at which clinic (`at=`), or asks reach.reaches
OF_WHOLE_RECORDS = {
    "portal/core/actor.py",
    "portal/domain/access/acting.py",  # whoever reads the whole record need not show a birth date
    "portal/domain/notifications/stream.py",  # the channel of everything that is the patient's
    "portal/domain/patients/care.py",
    "portal/domain/patients/models.py",
    "portal/domain/patients/own.py",
    "portal/domain/patients/profiles.py",
    "portal/domain/patients/reach.py",
    "portal/domain/patients/request_models.py",  # who decides about a record
    "portal/domain/scheduling/glance.py",  # beside the parts
}


@pytest.fixture
def two(amina: Any, yacine: Any, nadia: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any) -> Two:
    """Amina at El Djazair and at Wahran; Nadia of El Djazair has named Yacine."""
    return two_clinics(amina, (el_djazair, dr_benali), (wahran, dr_haddad), nadia, yacine)


def test_a_carer_of_one_clinics_part_reads_nothing_of_the_other(
    app: Flask, two: Two, client: Any, new_client: Any, yacine: Any, drain: Any
) -> None:
    drain()
    read = dict(walk(app, two, client.sign_in(yacine), new_client(), yacine))
    assert [(word, address) for address, text in read.items() for word in two.hidden if word in text] == []
    own = " ".join(read.values())
    assert [word for word in two.here.words if word not in own] == []


def test_the_patient_finds_every_word_on_the_same_walk(
    app: Flask, two: Two, client: Any, new_client: Any, amina: Any, drain: Any
) -> None:
    drain()
    left = {*two.there.words, *two.here.words, *OF_RECORD}
    for _address, text in walk(app, two, client.sign_in(amina), new_client(), amina):
        left -= {word for word in left if word in text}
        if not left:
            break
    assert left == set()


def test_whoever_asks_for_whom_somebody_cares_says_where() -> None:
    without = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func).endswith("cares_for") and not node.keywords
    }
    assert without - OF_WHOLE_RECORDS == set()


def walk(app: Flask, two: Two, browser: Any, other: Any, person: Any) -> Iterator[tuple[str, str]]:
    """What this person reads at each address: pages signed in, the API with a token."""
    program = Program(other).as_(person)
    bearer = {"Authorization": f"Bearer {program.token}"}
    for address in dict.fromkeys(addresses(app, two)):
        is_api = address.startswith("/api/")
        answer = program.client.get(address, headers=bearer) if is_api else browser.get(address)
        assert answer.status_code < 500, address
        yield address, answer.get_data(as_text=True)


def addresses(app: Flask, two: Two) -> Iterator[str]:
    """Everything that can be read, of both parts: each query, and each route with each id."""
    for part, query in product((two.there, two.here), QUERIES):
        yield query.format(**asked(two, part))
    urls = app.url_map.bind("localhost")
    known = ids_of(two)
    for rule in routes(app):
        names = sorted(rule.arguments)
        kinds = [KEYS[rule.endpoint] if name == "key" else name for name in names]
        for values in product(*([] if kind in OF_NO_PATIENT else known[kind] for kind in kinds)):
            yield urls.build(rule.endpoint, dict(zip(names, values, strict=True)))


def routes(app: Flask) -> Iterator[Rule]:
    """The routes that are read by ids. Secret addresses (feeds, links) have tests of their own."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in LEFT_OUT or rule.websocket:
            continue
        by_ids = all(isinstance(rule._converters[name], UUIDConverter | IntegerConverter) for name in rule.arguments)
        if by_ids and rule.endpoint.partition(".")[0] in DOORS:
            yield rule


def ids_of(two: Two) -> dict[str, list[Any]]:
    """What each name in an address may stand for, at both clinics."""
    parts = (two.there, two.here)
    return {
        "appointment_id": [one.id for part in parts for one in part.visits],
        "care_id": [two.held.id],
        "other_id": [two.patient_id],
        "change_id": [two.there.proposal.change_id],
        "clinic_id": [part.place.clinic_id for part in parts],
        "doctor_id": [part.doctor.doctor_id for part in parts],
        "entry_id": [part.entry.id for part in parts],
        "invitation_id": [part.invitation.id for part in parts],
        "offer_id": [part.offer.id for part in parts],
        "patient_id": [two.patient_id],
        "practice_id": [part.doctor.practice_id for part in parts],
        "proposal_id": [part.proposal.id for part in parts],
        "request_id": [two.asked.id],
        "visit_id": [one.id for part in parts for one in (part.visit, part.done, part.inside, part.moved)],
    }


def asked(two: Two, part: Part) -> dict[str, Any]:
    place = {"practice": part.doctor.practice_id, "type": part.place.follow_up_id}
    change = {"change": part.proposal.change_id, "proposal": part.proposal.id}
    return {"patient": two.patient_id, "visit": part.visit.id, **place, **change}
