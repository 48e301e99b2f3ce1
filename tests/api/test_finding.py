"""The public part: doctors, clinics, what can be booked, free times, and why another time cannot be had."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.doctors.models import Doctor
from portal.domain.scheduling import availability
from tests.api.conftest import Program, problem
from tests.builders import at, make_clinic, working_day


def slots(api: Program, doctor: Any, place: Any, **query: Any) -> Any:
    told = {"practice_id": str(doctor.practice_id), "visit_type_id": str(place.consultation_id)} | query
    return api.get(f"/doctors/{doctor.doctor_id}/slots", query_string=told)


def test_doctors_are_found_without_accents_with_their_next_times(api: Program, dr_benali: Any, dr_haddad: Any) -> None:
    found = api.get("/doctors?name=bénali").get_json()["items"]
    assert [one["id"] for one in found] == [str(dr_benali.doctor_id)]
    assert found[0]["specialties"] == [{"code": "cardiology", "name": "Cardiology"}]
    assert len(found[0]["next_free"]) == 3
    assert found[0]["next_free"][0]["starts_at"].endswith("+01:00")
    assert found[0]["next_free"][0]["time_zone"] == "Africa/Algiers"
    assert found[0]["practices"][0]["fee"] == {"amount_minor": 250_000, "currency": "DZD"}


def test_names_come_in_the_reader_s_language(api: Program, dr_benali: Any) -> None:
    found = api.get("/specialties", headers={"Accept-Language": "fr"}).get_json()["items"]
    assert {"code": "cardiology", "name": "Cardiologie"} in found
    types = api.get(f"/practices/{dr_benali.practice_id}/visit-types", headers={"Accept-Language": "ar"}).get_json()
    assert {one["name"] for one in types["items"]} == {"استشارة", "متابعة عبر الفيديو"}


def test_lists_go_on_where_they_ended(api: Program, database: Any) -> None:
    made = {str(make_clinic(f"Clinique {n:02}").id) for n in range(7)}
    keep()
    seen, after = [], ""
    for _ in range(4):
        page = api.get(f"/clinics?limit=2{after}").get_json()
        seen += [one["id"] for one in page["items"]]
        after = f"&after={page['next']}"
    assert page["next"] is None and set(seen) == made and len(seen) == 7


def test_doctors_go_on_where_they_ended(api: Program, dr_benali: Any, dr_haddad: Any) -> None:
    for sort in ("soonest", "name"):
        first = api.get(f"/doctors?limit=1&sort={sort}").get_json()
        second = api.get(f"/doctors?limit=1&sort={sort}&after={first['next']}").get_json()
        ids = {first["items"][0]["id"], second["items"][0]["id"]}
        assert ids == {str(dr_benali.doctor_id), str(dr_haddad.doctor_id)} and second["next"] is None


def test_a_doctor_s_profile_is_public_once_the_licence_is_verified(api: Program, dr_benali: Any, admin: Any) -> None:
    path = f"/doctors/{dr_benali.doctor_id}"
    said = api.get(path).get_json()
    assert said["slug"] == dr_benali.slug and said["practices"][0]["id"] == str(dr_benali.practice_id)
    session().get_one(Doctor, dr_benali.doctor_id).licence_verified_at = None
    keep()
    problem(api.get(path), 404, "not_found")
    assert api.as_(admin).get(path).status_code == 200


def test_visit_types_tell_price_and_policy(api: Program, dr_benali: Any, el_djazair: Any) -> None:
    found = {one["id"]: one for one in api.get(f"/practices/{dr_benali.practice_id}/visit-types").get_json()["items"]}
    said = found[str(el_djazair.consultation_id)]
    assert said["price"] == {"amount_minor": 250_000, "currency": "DZD"}
    assert said["duration"] == 30 and said["mode"] == "in_person" and said["confirms"] == "at_once"
    assert "Confirmed at once." in said["policy"]
    problem(api.get(f"/practices/{el_djazair.clinic_id}/visit-types"), 404, "not_found")


def test_free_times_are_the_domain_s_in_the_clinic_s_time(
    api: Program, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    day = working_day(3)
    said = slots(api, dr_benali, el_djazair, **{"from": day, "to": day}).get_json()
    expected = availability.offers(amina.actor, dr_benali.practice_id, el_djazair.consultation_id, day, day)
    assert len(expected) == 14
    assert [datetime.fromisoformat(one["starts_at"]) for one in said["items"]] == [one.starts_at for one in expected]
    assert said["items"][0]["starts_at"] == f"{day}T08:00:00+01:00"
    assert said["items"][0]["places"] == 1 and said["why"] is None


def test_without_dates_the_next_week_is_meant(api: Program, dr_benali: Any, el_djazair: Any) -> None:
    days = {one["starts_at"][:10] for one in slots(api, dr_benali, el_djazair).get_json()["items"]}
    assert 4 <= len(days) <= 6


def test_another_doctor_s_practice_is_not_found(api: Program, dr_benali: Any, dr_haddad: Any, wahran: Any) -> None:
    told = {"practice_id": str(dr_haddad.practice_id), "visit_type_id": str(wahran.consultation_id)}
    problem(api.get(f"/doctors/{dr_benali.doctor_id}/slots", query_string=told), 404, "not_found")


@pytest.mark.parametrize(
    ("wall", "ahead", "code"),
    [("09:00", 3, "offered"), ("09:10", 3, "not_on_grid"), ("20:00", 3, "no_opening"), ("09:00", 90, "too_far")],
)
def test_a_time_is_explained(api: Program, dr_benali: Any, el_djazair: Any, wall: str, ahead: int, code: str) -> None:
    why = slots(api, dr_benali, el_djazair, explain="true", at=at(wall, ahead).isoformat()).get_json()["why"]
    assert why["code"] == code and why["bookable"] == (code == "offered") and why["detail"]
    assert why["starts_at"].endswith("+01:00")


def test_a_question_that_makes_no_sense_is_refused(api: Program, dr_benali: Any, el_djazair: Any) -> None:
    day = working_day(3)
    for query in (
        {"explain": "true"},
        {"at": at().isoformat()},
        {"from": day, "to": day - timedelta(days=1)},
        {"from": "1400-01-01"},
        {"to": "x"},
        {"practice_id": "x"},
    ):
        problem(slots(api, dr_benali, el_djazair, **query), 422, "invalid")


def test_a_hold_is_kept_by_its_token_and_given_back(api: Program, dr_benali: Any, el_djazair: Any, wish: Any) -> None:
    placed = api.post("/holds", wish())
    assert placed.status_code == 201
    told = {"Hold-Token": placed.get_json()["token"]}
    assert api.get("/holds", headers=told).get_json()["starts_at"] == placed.get_json()["starts_at"]
    taken = problem(api.post("/holds", wish()), 409, "taken")
    assert len(taken["alternatives"]) == 3
    assert api.delete("/holds", headers=told).status_code == 204
    problem(api.get("/holds", headers=told), 410, "hold_expired")
    assert api.post("/holds", wish()).status_code == 201


def test_a_hold_given_again_gives_the_first_time_back(api: Program, wish: Any) -> None:
    first = api.post("/holds", wish("09:00")).get_json()
    second = api.post("/holds", wish("10:00"), headers={"Hold-Token": first["token"]})
    assert second.status_code == 201
    assert api.post("/holds", wish("09:00")).status_code == 201
    problem(api.get("/holds", headers={"Hold-Token": first["token"]}), 410, "hold_expired")


def test_without_a_token_there_is_no_hold(api: Program, database: Any) -> None:
    problem(api.get("/holds"), 410, "hold_expired")
    assert api.delete("/holds").status_code == 204
