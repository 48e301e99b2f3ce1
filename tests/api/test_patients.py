"""Patients for programs: a desk finds and enters them; they and their carers keep their own record."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from tests.api.conftest import Program, problem
from tests.builders import register_at
from tests.domain.patients.test_family import booked
from tests.domain.scheduling.test_health import says

MERIEM = {"given_name": "Meriem", "family_name": "Cherif", "birth_date": "1990-05-17", "phone": "0550 12 34 56"}
ABOUT = {
    "birth_date": "1988-04-12",
    "sex": "female",
    "blood_group": "O+",
    "conditions": ["Asthma"],
    "contact_name": "K",
}


@pytest.fixture
def known(amina: Any, el_djazair: Any) -> Any:
    """Amina, known to El Djazair."""
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return amina


def test_the_desk_enters_finds_and_corrects_somebody(api: Program, nadia: Any, el_djazair: Any) -> None:
    program = api.as_(nadia)
    made = program.post("/patients", MERIEM | {"clinic_id": str(el_djazair.clinic_id)})
    assert made.status_code == 201
    told = made.get_json()
    assert (told["phone"], told["has_account"], told["may_exist_elsewhere"]) == ("+213550123456", False, False)
    path = f"/patients/{told['id']}"
    assert made.headers["Location"] == f"/api/v1{path}"
    seen = program.get(path)
    assert seen.headers["ETag"] == made.headers["ETag"]
    (found,) = program.post("/patients/search", {"q": "meriem"}).get_json()["items"]
    assert found == seen.get_json() | {"next_visit": None}
    mark = {"If-Match": seen.headers["ETag"]}
    changed = program.send("PUT", path, MERIEM | {"family_name": "Chérif", "language": "ar"}, headers=mark)
    told = changed.get_json()
    assert (told["family_name"], told["language"], told["request"]) == ("Chérif", "ar", None)
    problem(program.send("PUT", path, MERIEM, headers=mark), 412, "stale_version")


def test_who_is_likely_the_same_is_named_before_somebody_is_entered_twice(
    api: Program, nadia: Any, el_djazair: Any
) -> None:
    program, wanted = api.as_(nadia), MERIEM | {"clinic_id": str(el_djazair.clinic_id)}
    first = program.post("/patients", wanted).get_json()["id"]
    assert problem(program.post("/patients", wanted), 409, "likely_known")["patients"] == [first]
    assert program.post("/patients", wanted | {"as_new": True}).get_json()["id"] != first


def test_the_same_request_sent_again_enters_nobody_twice(api: Program, nadia: Any, el_djazair: Any) -> None:
    program, wanted = api.as_(nadia), MERIEM | {"clinic_id": str(el_djazair.clinic_id)}
    first, again = (program.post("/patients", wanted, headers={"Idempotency-Key": "a-key-of-ours-1"}) for _ in "12")
    assert first.get_json() == again.get_json() and again.headers["Idempotency-Replayed"] == "true"


def test_a_card_has_the_visits_at_ones_clinics(
    api: Program, amina: Any, nadia: Any, kamel: Any, dr_benali: Any, wish: Any
) -> None:
    visit = api.as_(amina).post("/appointments", wish()).get_json()
    told = api.as_(nadia).get(f"/patients/{amina.patient_id}/card").get_json()
    assert ([one["id"] for one in told["upcoming"]], told["past"]) == ([visit["id"]], [])
    assert told["has_account"] is True
    (found,) = api.as_(dr_benali).post("/patients/search", {"q": visit["reference"]}).get_json()["items"]
    assert found["next_visit"]["id"] == visit["id"]
    problem(api.as_(kamel).get(f"/patients/{amina.patient_id}/card"), 404, "not_found")
    assert api.as_(kamel).post("/patients/search", {"q": visit["reference"]}).get_json()["items"] == []


@pytest.mark.parametrize("who", ["yacine", "kamel", "dr_haddad", "lina"])
def test_nobody_reads_or_changes_anything_of_a_patient_they_do_not_know(
    api: Program, known: Any, who: str, request: pytest.FixtureRequest
) -> None:
    stranger, path = api.as_(request.getfixturevalue(who)), f"/patients/{known.patient_id}"
    allergy = api.as_(known).post(f"{path}/allergies", {"substance": "Latex"}).get_json()["id"]
    name = {"given_name": "X", "family_name": "Y"}
    tried = [
        ("GET", path, None), ("GET", f"{path}/card", None), ("PUT", path, MERIEM), ("GET", f"{path}/profile", None),
        ("PUT", f"{path}/profile", ABOUT), ("PUT", f"{path}/name", name), ("GET", f"{path}/carers", None),
        ("POST", f"{path}/allergies", {"substance": "Milk"}), ("DELETE", f"/allergies/{allergy}", None),
        ("POST", f"{path}/carer-invitations", {"email": "x@example.dz"}),
        ("POST", f"{path}/hand-over", {"email": "x@example.dz"}),
        ("POST", f"{path}/carer-requests", {"email": "yacine@example.dz"}), ("POST", f"{path}/join-requests", {}),
        ("POST", f"{path}/hand-over-requests", {"email": "x@example.dz"}),
    ]  # fmt: skip
    assert {f"{method} {to}": stranger.send(method, to, body).status_code for method, to, body in tried} == {
        f"{method} {to}": 404 for method, to, body in tried
    }
    assert stranger.post("/patients/search", {"q": "amina"}).get_json()["items"] == []
    told = api.as_(known).get(f"{path}/profile").get_json()
    assert [one["substance"] for one in told["allergies"]] == ["Latex"]


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "admin", "superadmin"])
def test_what_patients_write_down_is_not_in_the_desks_answers(
    api: Program, known: Any, who: str, dr_benali: Any, request: pytest.FixtureRequest
) -> None:
    path = f"/patients/{known.patient_id}"
    api.as_(known).send("PUT", f"{path}/profile", ABOUT)
    program = api.as_(request.getfixturevalue(who))
    assert "Asthma" not in program.get(path).get_data(as_text=True) + program.get(f"{path}/card").get_data(as_text=True)
    problem(program.get(f"{path}/profile"), 404, "not_found")
    problem(program.send("PUT", f"{path}/profile", ABOUT), 404, "not_found")
    problem(program.post(f"{path}/allergies", {"substance": "Milk"}), 404, "not_found")


def test_patients_keep_their_own_record(api: Program, amina: Any) -> None:
    program, path = api.as_(amina), f"/patients/{amina.patient_id}"
    seen = program.get(f"{path}/profile")
    mark = {"If-Match": seen.headers["ETag"]}
    told = program.send("PUT", f"{path}/profile", ABOUT, headers=mark).get_json()
    assert (told["blood_group"], told["conditions"]) == ("O+", ["Asthma"])
    assert told["emergency_contact"] == {"name": "K", "phone": "", "relation": ""}
    problem(program.send("PUT", f"{path}/profile", ABOUT, headers=mark), 412, "stale_version")
    mild = program.post(f"{path}/allergies", {"substance": "Pollen", "severity": "mild"}).get_json()["id"]
    worst = program.post(f"{path}/allergies", {"substance": "Penicillin", "severity": "severe"})
    assert worst.status_code == 201
    listed = program.get(f"{path}/profile").get_json()["allergies"]
    assert [one["id"] for one in listed] == [worst.get_json()["id"], mild]
    assert program.delete(f"/allergies/{mild}").status_code == 204
    renamed = program.send("PUT", f"{path}/name", {"given_name": "Amina", "family_name": "Ziani", "locale": "ar"})
    assert (renamed.get_json()["family_name"], renamed.get_json()["language"]) == ("Ziani", "ar")


def test_somebody_who_works_becomes_a_patient_too_and_once(api: Program, nadia: Any) -> None:
    program = api.as_(nadia)
    made = program.post("/patients/me")
    assert made.status_code == 201
    assert program.get(f"/patients/{made.get_json()['id']}/profile").get_json() == made.get_json()
    problem(program.post("/patients/me"), 409, "is_patient")


def test_only_a_clinics_people_enter_patients(api: Program, amina: Any, kamel: Any, el_djazair: Any) -> None:
    wanted = MERIEM | {"clinic_id": str(el_djazair.clinic_id)}
    for stranger in (amina, kamel):
        problem(api.as_(stranger).post("/patients", wanted), 403, "forbidden")


def test_a_doctor_sees_contacts_but_leaves_them_to_the_desk(api: Program, known: Any, dr_benali: Any) -> None:
    program, path = api.as_(dr_benali), f"/patients/{known.patient_id}"
    assert program.get(path).status_code == 200
    problem(program.send("PUT", path, MERIEM), 403, "forbidden")


def test_scopes_narrow(api: Program, known: Any, nadia: Any) -> None:
    path = f"/patients/{known.patient_id}"
    reader = api.as_(nadia, scopes=["patients:read"])
    assert reader.get(path).status_code == 200
    problem(reader.send("PUT", path, MERIEM), 403, "insufficient_scope")
    mine = api.as_(known, scopes=["profile:read"])
    assert mine.get(f"{path}/profile").status_code == 200
    problem(mine.send("PUT", f"{path}/profile", ABOUT), 403, "insufficient_scope")
    problem(mine.post("/patients/search", {"q": "a"}), 403, "insufficient_scope")


def test_programs_read_it_with_a_scope_of_its_own(
    api: Program, amina: Any, dr_benali: Any, nadia: Any, kamel: Any, el_djazair: Any
) -> None:
    booked(amina, dr_benali, el_djazair, amina.patient_id)
    says(amina, no_known_allergies=True)
    path = f"/patients/{amina.patient_id}/health"
    told = api.as_(dr_benali).get(path).get_json()
    assert (told["allergy_status"], told["blood_group"], told["conditions"]) == ("none_known", "O+", ["Asthma"])
    told = api.as_(nadia, scopes=["health:read"]).get(path).get_json()
    assert (told["is_clinical"], told["blood_group"], told["conditions"]) == (False, None, [])
    assert told["emergency_contact"]["name"] == "Karim"
    assert api.as_(nadia, scopes=["patients:read"]).get(path).status_code == 403
    assert api.as_(kamel).get(path).status_code == 404


def test_a_number_is_meant_in_the_country_where_one_works(api: Program, nadia: Any, el_djazair: Any) -> None:
    session().get_one(Clinic, el_djazair.clinic_id).country = "FR"
    session().flush()
    about = MERIEM | {"phone": "06 12 34 56 78", "clinic_id": str(el_djazair.clinic_id)}
    assert api.as_(nadia).post("/patients", about).get_json()["phone"] == "+33612345678"
