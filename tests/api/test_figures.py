"""Figures for programs: a doctor's own, and a clinic's for its admins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Program, problem


def test_a_doctor_reads_their_own_figures(api: Program, dr_benali: Any, el_djazair: Any) -> None:
    told = api.as_(dr_benali).get(f"/doctors/{dr_benali.doctor_id}/figures?weeks=12").get_json()
    assert (len(told["weeks"]), told["time_zone"]) == (12, "Africa/Algiers")
    assert [row["practice_id"] for row in told["rows"]] == [str(dr_benali.practice_id)]
    assert {one["visit_type_id"] for one in told["access"]} <= {
        str(el_djazair.consultation_id), str(el_djazair.follow_up_id),
    }  # fmt: skip
    assert all(one["third_next"] for one in told["access"]) and told["access"]
    assert told["total"]["no_show_rate"] is None


def test_an_admin_reads_those_of_the_clinic(api: Program, admin: Any, el_djazair: Any, dr_benali: Any) -> None:
    told = api.as_(admin).get(f"/clinics/{el_djazair.clinic_id}/figures").get_json()
    assert len(told["weeks"]) == 4
    assert [row["doctor"]["id"] for row in told["rows"]] == [str(dr_benali.doctor_id)]


@pytest.mark.parametrize("weeks", ["5", "0", "x", "4.5"])
def test_other_spans_are_not_counted(api: Program, admin: Any, el_djazair: Any, weeks: str) -> None:
    problem(api.as_(admin).get(f"/clinics/{el_djazair.clinic_id}/figures?weeks={weeks}"), 422, "invalid")


@pytest.mark.parametrize("who", ["amina", "nadia", "kamel", "dr_haddad", "admin"])
def test_nobody_reads_a_doctors_figures_but_the_doctor(
    api: Program, dr_benali: Any, who: str, request: pytest.FixtureRequest
) -> None:
    program = api.as_(request.getfixturevalue(who))
    problem(program.get(f"/doctors/{dr_benali.doctor_id}/figures"), 404, "not_found")


def test_scopes_narrow(api: Program, dr_benali: Any) -> None:
    program = api.as_(dr_benali, scopes=["appointments:read"])
    problem(program.get(f"/doctors/{dr_benali.doctor_id}/figures"), 403, "insufficient_scope")
