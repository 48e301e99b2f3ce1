"""A tag changes with everything that its answer shows: a 304 never hides a change."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.core.db import session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, feeds, visits
from portal.domain.scheduling.models import Appointment, VisitType
from tests.api.conftest import Program
from tests.builders import HTMX, at

PLACE = {"name": "Clinique des Pins", "address": "9, rue des Pins", "city": "Blida"}
# What each answer shows of each thing.
SHOWN: dict[str, dict[type, dict[str, str]]] = {
    "visit": {
        Clinic: PLACE | {"phone": "+213550999888"},
        Doctor: {"title": "Pr", "given_name": "Samia", "family_name": "Benaissa"},
        Patient: {"given_name": "Amel", "family_name": "Boudjemaa"},
        VisitType: {"name": "Long consultation"},
        Appointment: {"reason": "Another reason"},
    },
    "calendar": {Clinic: PLACE | {"email": "new@example.dz"}, Doctor: {"family_name": "Benaissa"}},
    "feed": {Clinic: PLACE | {"email": "new@example.dz"}},
    "board": {Doctor: {"title": "Pr", "given_name": "Samia", "family_name": "Benaissa"}},
}


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    return booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00", 5),
        reason="A reason",
    )


@pytest.fixture
def look(
    client: Any, api: Program, amina: Any, nadia: Any, el_djazair: Any, visit: Appointment, standing_at: Any
) -> Any:
    """Ask for what is shown, as its reader does, with the tag of before."""
    session().get_one(Clinic, el_djazair.clinic_id).has_board = True
    program, token = api.as_(amina), feeds.make(amina.actor, "patient")
    with standing_at(at("08:50", 5)):
        visits.check_in(nadia.actor, visit.id)
        visits.call(nadia.actor, visit.id)

    def asked(what: str, **seen: str) -> Any:
        headers = {"If-None-Match": seen["tag"]} if seen else {}
        if what in {"visit", "calendar"}:
            path = f"/appointments/{visit.id}" + ("/calendar" if what == "calendar" else "")
            return program.get(path, headers=headers)
        if what == "feed":
            return client.get(f"/calendar/{token}.ics", headers=headers)
        with standing_at(at("08:55", 5)):
            return client.get(f"/clinics/{el_djazair.slug}/board", headers=HTMX | headers)

    return asked


@pytest.mark.parametrize("what", SHOWN)
def test_each_thing_that_is_shown_changes_the_tag(what: str, look: Callable[..., Any], visit: Appointment) -> None:
    ids = {
        Clinic: visit.clinic_id, Doctor: visit.doctor_id, Patient: visit.patient_id,
        VisitType: visit.visit_type_id, Appointment: visit.id,
    }  # fmt: skip
    first = look(what)
    tag = first.headers["ETag"]
    assert look(what, tag=tag).status_code == 304
    for kind, values in SHOWN[what].items():
        for name, value in values.items():
            assert value not in first.text, "this would show nothing new"
            setattr(session().get_one(kind, ids[kind]), name, value)
            session().flush()
            answer = look(what, tag=tag)
            assert answer.status_code == 200, (what, kind.__name__, name)
            assert answer.headers["ETag"] != tag
            tag = answer.headers["ETag"]


def test_what_only_the_name_of_somebody_changed_is_still_the_version_that_was_seen(
    api: Program, amina: Any, visit: Appointment
) -> None:
    path = f"/appointments/{visit.id}"
    tag = api.as_(amina).get(path).headers["ETag"]
    session().get_one(Clinic, visit.clinic_id).name = "Clinique des Pins"
    session().flush()
    assert api.as_(amina).post(f"{path}/cancel", {"code": "mistake"}, headers={"If-Match": tag}).status_code == 200


def test_chosen_fields_have_the_tag_of_the_whole(api: Program, amina: Any, visit: Appointment) -> None:
    path = f"/appointments/{visit.id}"
    tag = api.as_(amina).get(path, query_string={"fields": "id,status"}).headers["ETag"]
    assert api.as_(amina).get(path).headers["ETag"] == tag


def test_tags_are_made_of_what_is_told_and_in_few_places() -> None:
    """Whoever makes one gives it the content, and never a list of marks."""
    makers = {}
    for path in sorted(Path("portal").rglob("*.py")):
        for line in path.read_text().splitlines():
            if re.search(r"set_etag\(|etags\.tag\(|\"ETag\": (?!etags\.of\()", line):
                makers.setdefault(path.as_posix(), []).append(line.strip())
    assert makers == {
        "portal/api/contract.py": [
            'response = Response(file.content, content_type=endpoint.file, headers={"ETag": file.tag})'
        ],
        "portal/api/etags.py": ["response.set_etag(_digest(response.get_data()))"],
        "portal/api/v1/appointments.py": [
            "return File(content, calendars.file_name(found), etags.tag(found.version, content))",
            'headers = {"ETag": etags.tag(one.version, told)}',
        ],
        "portal/web/public/board.py": ["answer.set_etag(hashlib.sha256(answer.get_data()).hexdigest()[:32])"],
        "portal/web/public/feeds.py": ["answer.set_etag(found.etag)"],
    }
