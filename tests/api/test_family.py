"""Families for programs: who looks after whom, by the same rules as on the pages."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from tests.api.conftest import Program, problem
from tests.builders import register_at
from tests.domain.patients.test_family import booked
from tests.domain.patients.two_clinics import named_by

ADAM = {"given_name": "Adam", "family_name": "Boudiaf", "birth_date": "2019-05-04"}


def token_in(mailbox: Any, email: str) -> str:
    return str(mailbox.link(email, "/family/invitation/")).rsplit("/", 1)[1]


@pytest.fixture
def adam(api: Program, amina: Any) -> dict[str, Any]:
    """Amina's care of her son."""
    made = api.as_(amina).post("/family/dependants", ADAM)
    assert made.status_code == 201
    told: dict[str, Any] = made.get_json()
    return told


def test_a_child_is_added_booked_for_and_listed(api: Program, amina: Any, adam: Any, dr_benali: Any, wish: Any) -> None:
    program = api.as_(amina)
    assert (adam["relation"], adam["scopes"], adam["ends_on"]) == ("child", ["view", "book", "profile"], "2037-05-03")
    assert program.get("/family").get_json() == {"looks_after": [adam], "looked_after_by": [], "invitations": []}
    booked = program.post("/appointments", wish(patient_id=adam["patient"]["id"]))
    assert booked.get_json()["patient"] == adam["patient"]
    assert program.get(f"/patients/{adam['patient']['id']}/profile").get_json()["birth_date"] == "2019-05-04"
    problem(program.post("/family/dependants", ADAM), 409, "in_family")
    problem(program.post("/family/dependants", ADAM | {"birth_date": "1980-01-01"}), 409, "of_age")


def test_a_carer_is_asked_accepts_and_is_ended(api: Program, amina: Any, yacine: Any, mailbox: Any) -> None:
    hers, his = api.as_(amina), api.as_(yacine)
    asked = hers.post(f"/patients/{amina.patient_id}/carer-invitations", {"email": yacine.email, "scopes": ["view"]})
    assert asked.status_code == 201
    assert [one["id"] for one in hers.get("/family").get_json()["invitations"]] == [asked.get_json()["id"]]
    token = token_in(mailbox, yacine.email)
    told = his.post("/family/invitations/look", {"token": token}).get_json()
    assert (told["patient_name"], told["asked_by"], told["scopes"]) == (amina.name, amina.name, ["view"])
    problem(hers.post("/family/invitations/accept", {"token": token}), 403, "another_address")
    accepted = his.post("/family/invitations/accept", {"token": token})
    assert accepted.status_code == 200
    problem(his.post("/family/invitations/accept", {"token": token}), 410, "gone")
    (held,) = his.get("/family").get_json()["looks_after"]
    assert held["id"] == asked.get_json()["id"]
    assert hers.get("/family").get_json()["looked_after_by"] == [held]
    assert hers.delete(f"/care/{held['id']}").status_code == 204
    assert his.get("/family").get_json()["looks_after"] == []


def test_an_invitation_is_withdrawn(api: Program, amina: Any, yacine: Any, lina: Any, mailbox: Any) -> None:
    program = api.as_(amina)
    asked = program.post(f"/patients/{amina.patient_id}/carer-invitations", {"email": yacine.email}).get_json()
    token = token_in(mailbox, yacine.email)
    problem(api.as_(lina).delete(f"/family/invitations/{asked['id']}"), 404, "not_found")
    assert program.delete(f"/family/invitations/{asked['id']}").status_code == 204
    problem(api.as_(yacine).post("/family/invitations/look", {"token": token}), 410, "gone")
    problem(api.as_(yacine).post("/family/invitations/look", {"token": "nonsense"}), 410, "gone")
    own = {"email": amina.email}
    problem(program.post(f"/patients/{amina.patient_id}/carer-invitations", own), 409, "own_account")


def test_care_is_changed_by_whoever_let_it_and_not_unseen(
    api: Program, amina: Any, adam: Any, yacine: Any, mailbox: Any
) -> None:
    hers, his = api.as_(amina), api.as_(yacine)
    hers.post(f"/patients/{adam['patient']['id']}/carer-invitations", {"email": yacine.email, "scopes": ["view"]})
    his.post("/family/invitations/accept", {"token": token_in(mailbox, yacine.email)})
    carers = hers.get(f"/patients/{adam['patient']['id']}/carers").get_json()["carers"]
    (held,) = [one for one in carers if one["carer_id"] == str(yacine.user_id)]
    path = f"/care/{held['id']}"
    mark = {"If-Match": hers.get(path).headers["ETag"]}
    problem(his.send("PUT", path, {"scopes": ["view", "book"]}), 403, "forbidden")
    changed = hers.send("PUT", path, {"scopes": ["book"], "until": "2030-01-31"}, headers=mark).get_json()
    assert (changed["scopes"], changed["ends_on"]) == (["view", "book"], "2030-01-31")
    problem(hers.send("PUT", path, {"scopes": ["view"]}, headers=mark), 412, "stale_version")
    assert his.delete(path).status_code == 204
    problem(hers.get(path), 409, "ended")
    problem(his.get(f"/patients/{adam['patient']['id']}/carers"), 404, "not_found")


@pytest.mark.parametrize("who", ["yacine", "kamel", "dr_benali"])
def test_nobody_else_sees_or_ends_care(api: Program, adam: Any, who: str, request: pytest.FixtureRequest) -> None:
    stranger = api.as_(request.getfixturevalue(who))
    for method, path, body in (
        ("GET", f"/care/{adam['id']}", None), ("PUT", f"/care/{adam['id']}", {}),
        ("DELETE", f"/care/{adam['id']}", None),
        ("GET", f"/patients/{adam['patient']['id']}/carers", None),
        ("GET", f"/patients/{adam['patient']['id']}/profile", None),
    ):  # fmt: skip
        problem(stranger.send(method, path, body), 404, "not_found")


def test_the_desk_hands_a_record_over_at_its_own_address_only(
    api: Program, nadia: Any, amina: Any, adam: Any, el_djazair: Any
) -> None:
    child = session().get_one(Patient, adam["patient"]["id"])
    register_at(child, session().get_one(Clinic, el_djazair.clinic_id))
    child.email = "adam@example.dz"
    keep()
    path, desk = f"/patients/{adam['patient']['id']}", api.as_(nadia)
    asked = desk.post(f"{path}/hand-over", {"email": "adam@example.dz"})
    assert (asked.status_code, asked.get_json()["kind"]) == (201, "record")
    problem(desk.post(f"{path}/hand-over", {"email": "other@example.dz"}), 409, "address_not_known")
    problem(desk.post(f"{path}/hand-over", {"email": nadia.email}), 409, "own")
    own = f"/patients/{amina.patient_id}/hand-over"
    problem(api.as_(amina).post(own, {"email": "x@example.dz"}), 409, "has_account")


def test_what_a_desk_enters_counts_at_its_clinic_and_is_seen_and_ended_there(
    api: Program, nadia: Any, kamel: Any, yacine: Any, amina: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any,
    wahran: Any,
) -> None:  # fmt: skip
    booked(amina, dr_benali, el_djazair, amina.patient_id, "09:00")
    booked(amina, dr_haddad, wahran, amina.patient_id, "11:00")
    path, here = f"/patients/{amina.patient_id}/carers", {"id": str(el_djazair.clinic_id), "name": el_djazair.name}
    desk, other = api.as_(nadia), api.as_(kamel)
    asking = f"/patients/{amina.patient_id}/carer-requests"
    for wrong in ({"clinic_id": "nonsense"}, {"scopes": ["view", "profile"]}):
        problem(desk.post(asking, {"email": yacine.email, **wrong}), 422, "invalid")
    problem(desk.post(asking, {"email": yacine.email, "clinic_id": str(wahran.clinic_id)}), 404, "not_found")
    care = f"/care/{named_by(nadia, yacine, amina.patient_id, el_djazair.clinic_id).id}"
    assert [one["clinic"] for one in desk.get(path).get_json()["carers"]] == [here]
    assert other.get(path).get_json()["carers"] == []
    problem(other.delete(care), 404, "not_found")
    named = api.as_(yacine)
    assert [one["clinic"]["name"] for one in named.get("/appointments").get_json()["items"]] == [el_djazair.name]
    assert [one["clinic"] for one in named.get("/family").get_json()["looks_after"]] == [here]
    for record in ("profile", "carers"):
        problem(named.get(f"/patients/{amina.patient_id}/{record}"), 404, "not_found")
    hers = api.as_(amina)
    told = hers.get(care)
    changed = hers.send("PUT", care, {"scopes": ["view", "profile"]}, headers={"If-Match": told.headers["ETag"]})
    assert changed.get_json()["scopes"] == ["view"]
    assert desk.delete(care).status_code == 204
    problem(named.get(f"/appointments?patient_id={amina.patient_id}"), 404, "not_found")


def test_scopes_narrow(api: Program, amina: Any, adam: Any) -> None:
    reader = api.as_(amina, scopes=["family:read"])
    assert reader.get("/family").status_code == 200
    problem(reader.delete(f"/care/{adam['id']}"), 403, "insufficient_scope")
    problem(api.as_(amina, scopes=["family:write"]).get("/family"), 403, "insufficient_scope")
