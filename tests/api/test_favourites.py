"""Doctors kept, for programs: the same as the hearts of the pages."""

from __future__ import annotations

from typing import Any

from portal.domain.doctors import favourites
from tests.api.conftest import Program, problem
from tests.domain.reviews.visits import reviewed, visit_of


def test_doctors_are_kept_listed_with_their_next_time_and_let_go(api: Program, amina: Any, dr_benali: Any) -> None:
    program, path = api.as_(amina), f"/favourites/{dr_benali.doctor_id}"
    for _ in range(2):
        assert program.send("PUT", path).status_code == 204
    (found,) = program.get("/favourites").get_json()["items"]
    assert (found["id"], len(found["next_free"]), found["rating"], found["reviews"]) == (
        str(dr_benali.doctor_id), 1, None, 0,
    )  # fmt: skip
    for _ in range(2):
        assert program.delete(path).status_code == 204
    assert program.get("/favourites").get_json()["items"] == []


def test_only_patients_keep_and_only_with_the_scope(api: Program, nadia: Any, amina: Any, dr_benali: Any) -> None:
    path = f"/favourites/{dr_benali.doctor_id}"
    assert problem(api.as_(nadia).send("PUT", path), 403, "no_patient_profile")
    reader = api.as_(amina, scopes=["appointments:read"])
    assert reader.get("/favourites").status_code == 200
    assert reader.send("PUT", path).status_code == reader.delete(path).status_code == 403
    assert api.as_(amina, scopes=["profile:read"]).get("/favourites").status_code == 403
    assert api.send("PUT", path).status_code == 401
    assert favourites.kept(amina.actor) == frozenset()


def test_a_doctor_who_is_not_there_is_not_kept(api: Program, amina: Any) -> None:
    assert problem(api.as_(amina).send("PUT", "/favourites/019aa000-0000-7000-8000-000000000000"), 404, "not_found")


def test_the_directory_gives_averages_with_their_count_filters_and_sorts(
    api: Program, amina: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any
) -> None:
    reviewed(amina, visit_of(amina, dr_benali, el_djazair), 4)
    (found,) = api.get("/doctors?rating=4").get_json()["items"]
    assert (found["id"], found["rating"], found["reviews"]) == (str(dr_benali.doctor_id), 4.0, 1)
    order = [one["id"] for one in api.get("/doctors?sort=rating").get_json()["items"]]
    assert order == [str(dr_benali.doctor_id), str(dr_haddad.doctor_id)]
    assert problem(api.get("/doctors?rating=9"), 422, "invalid")
