"""What clinics ask about a record, by programs: the answer tells no more than the pages do."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from tests.api.conftest import Program, problem
from tests.builders import make_member, make_user, register_at

AMINA = {"given_name": "Amina", "family_name": "Boudiaf", "birth_date": "1990-05-17", "phone": "0550 00 00 01"}


@pytest.fixture
def known(amina: Any, el_djazair: Any) -> Any:
    """Amina, known to El Djazair."""
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return amina


def test_another_clinic_reads_a_record_once_its_patient_allows_it(
    api: Program, known: Any, kamel: Any, yacine: Any, wahran: Any
) -> None:
    desk = api.as_(kamel)
    entered = desk.post("/patients", AMINA | {"clinic_id": str(wahran.clinic_id), "email": known.email}).get_json()
    assert entered["may_exist_elsewhere"] and entered["id"] != str(known.patient_id)
    asked = desk.post(f"/patients/{entered['id']}/join-requests", {})
    assert (asked.status_code, asked.get_json()) == (202, {"request": None})
    (sent,) = desk.get("/record-requests?side=sent").get_json()["items"]
    assert sent["patient"]["id"] == entered["id"]
    assert str(known.patient_id) not in desk.get(f"/record-requests/{sent['id']}").text
    path = f"/record-requests/{sent['id']}"
    problem(desk.post(f"{path}/accept", {}), 403, "forbidden")
    problem(api.as_(yacine).post(f"{path}/accept", {}), 404, "not_found")
    (waits,) = api.as_(known).get("/record-requests").get_json()["items"]
    assert (waits["id"], waits["kind"], waits["state"]) == (sent["id"], "join", "open")
    assert api.as_(known).post(f"{path}/accept", {}).get_json()["state"] == "accepted"
    assert desk.get(f"/patients/{entered['id']}").get_json()["id"] == str(known.patient_id)
    problem(api.as_(known).post(f"{path}/refuse", {}), 410, "request_over")


def test_a_paper_needs_a_second_person_and_the_patient_has_the_last_word(
    api: Program, known: Any, nadia: Any, yacine: Any, el_djazair: Any
) -> None:
    second = make_user("Rachid", "Amrani", email="rachid@example.dz")
    make_member(second, session().get_one(Clinic, el_djazair.clinic_id), "staff")
    keep()
    desk, path = api.as_(nadia), f"/patients/{known.patient_id}/carer-requests"
    told = desk.post(path, {"email": yacine.email, "relation": "parent", "on_paper": True})
    assert told.status_code == 202
    made = told.get_json()["request"]
    assert (made["email"], made["on_paper"], made["scopes"]) == (yacine.email, True, ["view", "book"])
    way = told.headers["Location"].removeprefix("/api/v1")
    problem(desk.post(f"{way}/confirm", {}), 403, "second_person")
    rachid = api.as_(type(nadia)(name="Rachid", email="rachid@example.dz", user_id=second.id))
    assert rachid.post(f"{way}/confirm", {}).get_json()["decided_way"] == "paper"
    (unread,) = api.as_(known).get("/record-requests").get_json()["items"]
    assert (unread["id"], unread["is_seen"]) == (made["id"], False)
    assert api.as_(known).post(f"{way}/dispute", {}).get_json()["is_disputed"] is True
    assert api.as_(known).get("/record-requests").get_json()["items"] == []


def test_a_new_phone_waits_for_the_patient(api: Program, known: Any, nadia: Any) -> None:
    desk, path = api.as_(nadia), f"/patients/{known.patient_id}"
    seen = desk.get(path)
    wanted = AMINA | {"phone": "0661 22 33 44"}
    told = desk.send("PUT", path, wanted, headers={"If-Match": seen.headers["ETag"]}).get_json()
    assert (told["phone"], told["request"]["contact"]) == (
        "+213550000001",
        [{"field": "phone", "before": "+213550000001", "after": "+213661223344"}],
    )
    api.as_(known).post(f"/record-requests/{told['request']['id']}/accept", {})
    assert desk.get(path).get_json()["phone"] == "+213661223344"


def test_the_answer_to_naming_a_carer_is_the_same_whether_there_is_an_account(
    api: Program, known: Any, nadia: Any, yacine: Any
) -> None:
    def asked(email: str) -> dict[str, Any]:
        told = api.as_(nadia).post(f"/patients/{known.patient_id}/carer-requests", {"email": email})
        assert told.status_code == 202
        return {name: value for name, value in told.get_json()["request"].items() if isinstance(value, (bool, list))}

    assert asked(yacine.email) == asked("nobody@example.dz")
