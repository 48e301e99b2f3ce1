"""A clinic's figures: for those who run it, doctor by doctor, as a page and as a file."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from tests.builders import make_doctor, make_practice


def test_a_clinics_figures_name_its_doctors(client: Any, admin: Any, dr_benali: Any, dr_haddad: Any) -> None:
    html = client.sign_in(admin).get("/admin/figures").text
    assert "Clinique El Djazair" in html
    assert "Dr Samira Benali" in html
    assert "Dr Omar Haddad" not in html


def test_whoever_runs_several_clinics_switches_between_them(
    client: Any, superadmin: Any, dr_benali: Any, dr_haddad: Any, wahran: Any
) -> None:
    html = client.sign_in(superadmin).get(f"/admin/figures?clinic={wahran.slug}&weeks=12").text
    assert 'id="figures-clinic"' in html
    assert "Dr Omar Haddad" in html


def test_another_clinics_figures_do_not_exist(client: Any, admin: Any, el_djazair: Any, wahran: Any) -> None:
    client.sign_in(admin)
    assert client.get(f"/admin/figures?clinic={wahran.slug}").status_code == 404
    assert client.get(f"/admin/figures.csv?clinic={wahran.slug}").status_code == 404


def test_without_a_clinic_the_page_says_what_comes_first(client: Any, superadmin: Any) -> None:
    assert "No clinic yet" in client.sign_in(superadmin).get("/admin/figures").text
    assert client.get("/admin/figures.csv").status_code == 404


def test_a_name_that_looks_like_a_formula_is_no_formula_in_the_file(client: Any, admin: Any, el_djazair: Any) -> None:
    doctor = make_doctor(title="=HYPERLINK(1)", given_name="A", family_name="B")
    make_practice(doctor, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    answer = client.sign_in(admin).get("/admin/figures.csv?weeks=4")
    assert "\n'=HYPERLINK(1) A B," in answer.get_data(as_text=True).replace("\r", "")
    assert f"figures-{el_djazair.slug}" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "amina"])
def test_figures_of_a_clinic_are_for_its_admins(client: Any, who: str, request: pytest.FixtureRequest) -> None:
    assert client.sign_in(request.getfixturevalue(who)).get("/admin/figures").status_code == 403
