"""Public holidays for programs: an admin sees them and closes the clinic on them."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core import clock
from tests.api.conftest import Program, problem


def test_a_clinic_closes_on_the_public_holidays_of_its_country(api: Program, admin: Any, el_djazair: Any) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}"
    year = clock.now().year + 1
    offered = program.get(f"{path}/public-holidays?year={year}").get_json()["items"]
    assert f"{year}-07-05" in [one["day"] for one in offered]
    wanted = {"year": year, "days": [f"{year}-07-05", f"{year}-05-01"]}
    taken = program.post(f"{path}/public-holidays", wanted)
    assert [one["day"] for one in taken.get_json()["items"]] == [f"{year}-05-01", f"{year}-07-05"]
    assert program.get(f"{path}/holidays").get_json() == taken.get_json()
    assert program.post(f"{path}/public-holidays", wanted).get_json()["items"] == []
    there = [
        one["day"] for one in program.get(f"{path}/public-holidays?year={year}").get_json()["items"] if one["is_there"]
    ]
    assert sorted(there) == sorted(wanted["days"])
    for wrong in ({"year": year, "days": [f"{year}-07-06"]}, {"year": 1900, "days": ["1900-01-01"]}):
        problem(program.post(f"{path}/public-holidays", wrong), 422, "invalid")


@pytest.mark.parametrize("who", ["amina", "nadia", "dr_benali", "kamel"])
def test_nobody_else_does(api: Program, el_djazair: Any, who: str, request: pytest.FixtureRequest) -> None:
    program, path = api.as_(request.getfixturevalue(who)), f"/clinics/{el_djazair.clinic_id}/public-holidays"
    problem(program.get(path), 404, "not_found")
    problem(program.post(path, {"year": 2027, "days": ["2027-07-05"]}), 404, "not_found")
