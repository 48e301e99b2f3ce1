"""Free times of many practices in one call, any doctor of a clinic, and holds that are kept longer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import availability, holds
from portal.domain.scheduling.models import VisitType
from tests.api.conftest import Program, problem
from tests.builders import at, make_doctor, make_practice, make_week, working_day


def test_two_practices_answer_in_one_call_as_each_does_alone(
    api: Program, dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any, amina: Any
) -> None:
    day = working_day(3)
    ids = f"{dr_haddad.practice_id},{dr_benali.practice_id}"
    found = api.get(f"/slots?practice_ids={ids}&from={day}&to={day}").get_json()["items"]
    assert [one["practice_id"] for one in found] == ids.split(",")
    for one, doctor, place in zip(found, (dr_haddad, dr_benali), (wahran, el_djazair), strict=True):
        alone = availability.offers(amina.actor, doctor.practice_id, place.consultation_id, day, day)
        assert [datetime.fromisoformat(time["starts_at"]) for time in one["times"]] == [x.starts_at for x in alone]
        assert (one["visit_type_id"], one["doctor_id"]) == (str(place.consultation_id), str(doctor.doctor_id))
        assert one["times"][0]["starts_at"] == f"{day}T08:00:00+01:00" and one["times"][0]["places"] == 1


def test_doctors_modes_and_types_narrow_it(
    api: Program, dr_benali: Any, dr_haddad: Any, el_djazair: Any, amina: Any
) -> None:
    ids = f"{dr_benali.doctor_id},{dr_haddad.doctor_id},{amina.patient_id}"
    by_video = api.get(f"/slots?doctor_ids={ids}&mode=video").get_json()["items"]
    assert {one["doctor_id"] for one in by_video} == {str(dr_benali.doctor_id), str(dr_haddad.doctor_id)}
    one_type = api.get(f"/slots?doctor_ids={ids}&visit_type_id={el_djazair.follow_up_id}").get_json()["items"]
    assert [one["doctor_id"] for one in one_type] == [str(dr_benali.doctor_id)]
    assert api.get(f"/slots?practice_ids={amina.patient_id}").get_json()["items"] == []


def test_no_more_than_two_weeks_are_answered(api: Program, dr_benali: Any) -> None:
    first = working_day(3)
    answer = api.get(f"/slots?practice_ids={dr_benali.practice_id}&from={first}&to={first + timedelta(days=60)}")
    days = {time["starts_at"][:10] for time in answer.get_json()["items"][0]["times"]}
    assert len(days) > 7 and max(days) <= str(first + timedelta(days=13))


def test_a_question_for_too_many_or_nobody_is_refused(api: Program, dr_benali: Any) -> None:
    one = str(dr_benali.practice_id)
    many = ",".join([one] * 51)
    for query in ("", f"practice_ids={one}&doctor_ids={one}", f"practice_ids={many}", "practice_ids=x", "doctor_ids=,"):
        problem(api.get(f"/slots?{query}"), 422, "invalid")
    problem(api.get(f"/slots?practice_ids={one}&from=2027-02-02&to=2027-02-01"), 422, "invalid")


@pytest.fixture
def second(dr_benali: Any, el_djazair: Any) -> Any:
    """A second cardiologist at El Djazair."""
    made = make_practice(make_doctor(given_name="Anis"), session().get_one(Clinic, el_djazair.clinic_id))
    kinds = [session().get_one(VisitType, key) for key in (el_djazair.consultation_id, el_djazair.follow_up_id)]
    make_week(made, kinds)
    keep()
    return made.id


def test_any_doctor_is_asked_for_and_the_one_whose_turn_it_is_is_held(
    api: Program, second: Any, dr_benali: Any, el_djazair: Any, amina: Any
) -> None:
    here = f"/clinics/{el_djazair.clinic_id}"
    choices = api.get(f"{here}/choices").get_json()["items"]
    (wanted,) = [one for one in choices if one["visit_type"]["id"] == str(el_djazair.consultation_id)]
    assert (wanted["doctors"], wanted["specialty"]["code"], wanted["mode"]) == (2, "cardiology", "in_person")
    assert wanted["prices"] == [{"amount_minor": 250_000, "currency": "DZD"}]
    asked = {"visit_type_id": str(el_djazair.consultation_id), "specialty": "cardiology"}
    times = api.get(f"{here}/slots", query_string=asked | {"from": working_day(3)}).get_json()["items"]
    assert times[0]["places"] == 2 and len(times[0]["practice_ids"]) == 2
    held = [api.post(f"{here}/holds", asked | {"starts_at": times[0]["starts_at"]}) for _ in range(2)]
    assert {one.get_json()["practice_id"] for one in held} == {str(dr_benali.practice_id), str(second)}
    assert [one.status_code for one in held] == [201, 201]
    problem(api.post(f"{here}/holds", asked | {"starts_at": times[0]["starts_at"]}), 409, "taken")
    body = held[0].get_json()
    wish = {name: body[name] for name in ("practice_id", "visit_type_id", "starts_at")}
    booked = api.as_(amina).post("/appointments", wish | {"hold_token": body["token"]})
    assert booked.status_code == 201


def test_what_nobody_or_one_gives_is_not_asked_of_any_doctor(
    api: Program, dr_benali: Any, el_djazair: Any, wahran: Any
) -> None:
    here = f"/clinics/{el_djazair.clinic_id}"
    assert api.get(f"{here}/choices").get_json()["items"] == []
    query = {"visit_type_id": str(el_djazair.consultation_id), "specialty": "cardiology"}
    problem(api.get(f"{here}/slots", query_string=query), 404, "not_found")
    problem(api.post(f"{here}/holds", query | {"starts_at": at().isoformat()}), 404, "not_found")


def test_without_an_account_a_hold_is_kept_no_longer(api: Program, wish: Any, amina: Any) -> None:
    told = {"Hold-Token": api.post("/holds", wish()).get_json()["token"]}
    problem(api.post("/holds/extend", headers=told), 401, "sign_in_to_keep")
    assert api.as_(amina).post("/holds/extend", headers=told).status_code == 200


def test_a_hold_is_kept_longer_but_not_for_ever(api: Program, wish: Any, amina: Any) -> None:
    told = {"Hold-Token": api.as_(amina).post("/holds", wish()).get_json()["token"]}
    began, until = clock.now(), []
    for minutes in (0, 8, 16, 24, 29):
        with standing_at(began + timedelta(minutes=minutes)):
            answer = api.as_(amina).post("/holds/extend", headers=told)
            assert answer.status_code == 200
            until.append(datetime.fromisoformat(answer.get_json()["expires_at"]) - began)
    assert until == sorted(until) and until[1] > timedelta(minutes=17)
    assert until[-1] == until[-2] <= holds.LONGEST
    with standing_at(began + timedelta(minutes=31)):
        problem(api.as_(amina).post("/holds/extend", headers=told), 410, "hold_expired")
    problem(api.post("/holds/extend"), 410, "hold_expired")
