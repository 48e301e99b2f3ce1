"""The desk's day: what it shows, what its buttons do, and how a "no" looks there."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from tests.builders import HTMX, at, make_doctor, make_patient, make_practice, make_user, register_at, working_day

MOST_STATEMENTS = 12


@pytest.fixture
def booked(amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any) -> Any:
    """Amina comes at nine, Yacine at half past."""
    ids = [
        booking.book(
            who.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at(wall)
        ).id
        for who, wall in ((amina, "09:00"), (yacine, "09:30"))
    ]
    keep()
    return SimpleNamespace(amina=ids[0], yacine=ids[1])


@pytest.fixture
def morning(standing_at: Any) -> Any:
    """Ten to nine of that day."""
    with standing_at(at("08:50")):
        yield


def visit(key: Any) -> Appointment:
    return session().get_one(Appointment, key)


@pytest.mark.parametrize("path", ["/desk/", "/desk/walk-ins/new", "/desk/arrival-sign"])
def test_the_pages_are_for_the_clinics_desk(
    client: Any, nadia: Any, admin: Any, superadmin: Any, amina: Any, dr_benali: Any, path: str
) -> None:
    assert client.get(path).status_code == 303
    for who, status in ((amina, 403), (dr_benali, 403), (nadia, 200), (admin, 200), (superadmin, 200)):
        assert client.sign_in(who).get(path).status_code == status


def test_another_clinics_day_does_not_exist(client: Any, nadia: Any, wahran: Any) -> None:
    client.sign_in(nadia)
    for path in ("/desk/", "/desk/walk-ins/new", "/desk/arrival-sign"):
        assert client.get(f"{path}?clinic={wahran.slug}").status_code == 404


def test_who_arranges_several_clinics_chooses_one(client: Any, superadmin: Any, el_djazair: Any, wahran: Any) -> None:
    html = client.sign_in(superadmin).get(f"/desk/?clinic={wahran.slug}").text
    assert f'<option value="{wahran.slug}" selected>' in html
    assert f'<option value="{el_djazair.slug}"' in html


def test_the_day_shows_every_doctor_with_who_is_expected(
    client: Any, nadia: Any, booked: Any, morning: Any, dr_benali: Any
) -> None:
    html = client.sign_in(nadia).get("/desk/").text
    for expected in ("Dr Samira Benali", "Amina Boudiaf", "Yacine Meziane", "09:00", "Expected", "Who goes next?"):
        assert expected in html
    assert "Nobody comes to:" not in html


def test_another_day_is_looked_at_without_steps_of_today(client: Any, nadia: Any, booked: Any) -> None:
    html = client.sign_in(nadia).get(f"/desk/?day={working_day()}").text
    assert "Amina Boudiaf" in html
    assert "Check in" not in html
    assert "No visits on this day" in client.get(f"/desk/?day={working_day() - timedelta(days=1)}").text
    assert client.get("/desk/?day=soon").status_code == 200


def test_somebody_is_found_in_the_day(client: Any, nadia: Any, booked: Any, morning: Any) -> None:
    client.sign_in(nadia)
    for typed in ("meziane", "MÉZIANE yac", visit(booked.yacine).reference, "0550000002"):
        html = client.search("/desk", typed).text
        assert ("Yacine Meziane" in html, "Amina Boudiaf" in html) == (True, False), typed
    assert "Nobody like this comes on this day" in client.search("/desk", "zzz").text
    assert client.search("/desk", "a", headers=HTMX).text.lstrip().startswith('<div id="day"')


def test_a_morning_by_its_buttons(client: Any, nadia: Any, booked: Any, morning: Any, dr_benali: Any) -> None:
    client.sign_in(nadia)
    here = {"day": str(clock.today("Africa/Algiers"))}

    def press(key: Any, step: str, **more: Any) -> str:
        answer = client.post(f"/desk/visits/{key}/{step}", data=here | more, headers=HTMX)
        assert answer.status_code == 200, answer.text
        assert answer.text.lstrip().startswith('<div id="day"')
        return str(answer.text)

    assert "here since 08:50" in press(booked.amina, "check-in")
    assert "You" not in press(booked.yacine, "check-in")
    assert "Back into line" in press(booked.yacine, "to-front", code="cannot_wait")
    press(booked.yacine, "from-front")
    called = client.post(
        "/desk/call-next",
        data=here | {"clinic_id": visit(booked.amina).clinic_id, "doctor_id": dr_benali.doctor_id,
                     "expected": booked.amina},
        headers=HTMX,
    )  # fmt: skip
    assert "called at 08:50" in called.text
    assert "Number 1 is called." in called.headers["HX-Trigger"]
    press(booked.amina, "call")
    press(booked.amina, "send-back")
    press(booked.amina, "start")
    press(booked.amina, "complete")
    assert visit(booked.amina).status == "completed"
    press(booked.amina, "take-back")
    assert visit(booked.amina).status == "in_progress"


def test_without_javascript_a_step_leads_back_to_the_day(client: Any, nadia: Any, booked: Any, morning: Any) -> None:
    client.sign_in(nadia)
    page = client.search("/desk", "amina").text
    sealed = re.search(r'name="search" value="([\w-]+)"', page)[1]  # type: ignore[index]
    answer = client.post(f"/desk/visits/{booked.amina}/check-in", data={"search": sealed})
    assert (answer.status_code, answer.location.split("?")[0]) == (303, "/desk/")
    assert f"search={sealed}" in answer.location
    assert "Checked in." in client.get(answer.location).text


def test_a_missed_visit_is_checked_in_with_one_click(client: Any, nadia: Any, booked: Any, standing_at: Any) -> None:
    with standing_at(at("09:25")):
        client.sign_in(nadia)
        assert "Late" in client.get("/desk/").text
        client.post(f"/desk/visits/{booked.amina}/no-show")
        html = client.get("/desk/").text
        assert "Did not come" in html
        assert f"/desk/visits/{booked.amina}/check-in" in html
        client.post(f"/desk/visits/{booked.amina}/check-in")
    assert visit(booked.amina).status == "checked_in"


def test_a_stale_button_gets_409_and_the_day_as_it_is(client: Any, nadia: Any, booked: Any, morning: Any) -> None:
    client.sign_in(nadia).post(f"/desk/visits/{booked.amina}/check-in")
    again = client.post(f"/desk/visits/{booked.amina}/check-in", headers=HTMX)
    assert again.status_code == 409
    assert "The patient is checked in already." in again.text
    assert again.text.lstrip().startswith('<div id="day"')


def test_a_patient_called_by_another_desk_is_not_called_again(
    client: Any, nadia: Any, admin: Any, booked: Any, morning: Any, dr_benali: Any, el_djazair: Any
) -> None:
    for key in (booked.amina, booked.yacine):
        visits.check_in(admin.actor, key)
    visits.call(admin.actor, booked.amina)
    keep()
    asked = {"clinic_id": el_djazair.clinic_id, "doctor_id": dr_benali.doctor_id, "expected": booked.amina}
    answer = client.sign_in(nadia).post("/desk/call-next", data=asked)
    assert answer.status_code == 409
    assert "called by somebody else" in answer.text
    assert visit(booked.yacine).called_at is None


def test_other_clinics_visits_and_doctors_do_not_exist(
    client: Any, kamel: Any, booked: Any, morning: Any, dr_benali: Any, el_djazair: Any
) -> None:
    client.sign_in(kamel)
    assert client.post(f"/desk/visits/{booked.amina}/check-in").status_code == 404
    asked = {"clinic_id": el_djazair.clinic_id, "doctor_id": dr_benali.doctor_id}
    assert client.post("/desk/call-next", data=asked).status_code == 404
    assert client.post("/desk/call-next", data={"clinic_id": "x", "doctor_id": "y"}).status_code == 404
    assert visit(booked.amina).status == "confirmed"


def test_a_day_of_many_doctors_takes_few_statements(
    client: Any, nadia: Any, booked: Any, el_djazair: Any, morning: Any, statements: Any
) -> None:
    from portal.domain.day import walk_ins

    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    for number in range(5):
        practice = make_practice(make_doctor(make_user("Doctor", f"Number{number}")), clinic)
        patient = make_patient(given_name="Guest", family_name=f"Number{number}")
        register_at(patient, clinic)
        keep()
        walk_ins.add(
            nadia.actor, practice_id=practice.id, visit_type_id=el_djazair.consultation_id, patient_id=patient.id
        )
    client.sign_in(nadia)
    with statements() as count:
        assert client.get("/desk/").text.count('class="card lane"') == 6
    assert count() <= MOST_STATEMENTS


# --- walk-ins ---


def test_a_walk_in_is_found_and_put_on_the_list(
    client: Any, nadia: Any, amina: Any, dr_benali: Any, el_djazair: Any, morning: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    register_at(session().get_one(Patient, amina.patient_id), clinic)
    client.sign_in(nadia)
    found = client.search("/desk/walk-ins", "boudiaf")
    assert f"patient={amina.patient_id}" in found.text
    assert client.search("/desk/walk-ins", "boudiaf", headers=HTMX).text.lstrip().startswith('<div id="walk-in-found"')
    form = client.get(f"/desk/walk-ins/new?patient={amina.patient_id}&doctor={dr_benali.doctor_id}").text
    assert f'<option selected value="{dr_benali.practice_id}">' in form
    about = {
        "patient_id": amina.patient_id, "practice_id": dr_benali.practice_id,
        "visit_type_id": el_djazair.consultation_id, "urgent": "y",
    }  # fmt: skip
    answer = client.post("/desk/walk-ins", data=about)
    assert answer.status_code == 303
    html = client.get(answer.location).text
    for expected in ("number 1", "Walk-in", "First", "Amina Boudiaf"):
        assert expected in html


def test_a_refused_walk_in_keeps_what_was_chosen(
    client: Any, nadia: Any, amina: Any, booked: Any, dr_benali: Any, el_djazair: Any, morning: Any
) -> None:
    about = {
        "patient_id": amina.patient_id, "practice_id": dr_benali.practice_id,
        "visit_type_id": el_djazair.consultation_id, "reason": "A cut",
    }  # fmt: skip
    answer = client.sign_in(nadia).post("/desk/walk-ins", data=about)
    assert answer.status_code == 409
    assert "Check them in for that one." in answer.text
    assert 'value="A cut"' in answer.text
    assert client.post("/desk/walk-ins", data={"patient_id": amina.patient_id}).status_code == 422
    assert client.post("/desk/walk-ins", data=about | {"practice_id": "x"}).status_code == 422


def test_somebody_new_is_entered_on_the_way(client: Any, nadia: Any, el_djazair: Any, morning: Any) -> None:
    client.sign_in(nadia)
    new = {"given_name": "Rachid", "family_name": "Toumi", "birth_date": "1980-02-03", "phone": "0550 12 34 56"}
    answer = client.post("/desk/walk-ins/patients", data=new)
    assert answer.status_code == 303
    assert "Rachid Toumi" in client.get(answer.location).text
    again = client.post("/desk/walk-ins/patients", data=new)
    assert again.status_code == 409
    assert "Is it one of these?" in again.text
    assert client.post("/desk/walk-ins/patients", data={"given_name": ""}).status_code == 422
    other = client.post("/desk/walk-ins/patients", data=new | {"as_new": "yes"})
    assert other.status_code == 303
    assert other.location != answer.location


def test_the_sign_leads_to_the_clinics_own_page(client: Any, nadia: Any, el_djazair: Any) -> None:
    html = client.sign_in(nadia).get("/desk/arrival-sign").text
    assert "<svg" in html
    address = html.split(f"http://localhost/arrive/{el_djazair.slug}?sign=")[1].split("<")[0]
    client.sign_out()
    assert client.get(f"/arrive/{el_djazair.slug}?sign={address}").status_code == 200
    for language in ("en", "fr", "ar"):
        assert f'lang="{language}"' in html


def test_an_admin_finds_the_way_to_the_desk_and_back(client: Any, admin: Any, nadia: Any) -> None:
    client.sign_in(admin)
    assert 'href="/desk/"' in client.get("/admin/users").text
    assert 'href="/admin/users"' in client.get("/desk/").text
    assert 'href="/admin/users"' not in client.sign_in(nadia).get("/desk/").text


def test_a_step_is_shown_with_its_undo_which_takes_it_back(client: Any, nadia: Any, booked: Any, morning: Any) -> None:
    """Over the page after a swap, on top of it without JavaScript: the same button with the same fields."""
    client.sign_in(nadia)
    here = {"day": str(clock.today("Africa/Algiers"))}
    swapped = client.post(f"/desk/visits/{booked.amina}/check-in", data=here, headers=HTMX).text
    toast = swapped[swapped.index('<div id="toast"') :]
    assert "Checked in." in toast and f'hx-post="/desk/visits/{booked.amina}/take-back"' in toast

    client.post(f"/desk/visits/{booked.yacine}/check-in", data=here)
    page = client.get("/desk/").text
    said = page[page.index('id="flashes"') : page.index('class="page-head"')]
    assert 'tabindex="-1" autofocus' in said, "the sentence has the focus, so that it is read out"
    way = re.search(r'action="(/desk/visits/[^"]+)"', said)[1]  # type: ignore[index]
    assert client.post(way, data=here).status_code == 303
    assert visit(booked.yacine).status == "confirmed"


@pytest.mark.parametrize(
    ("steps", "back"),
    [
        (("check-in",), "take-back"),
        (("check-in", "call"), "send-back"),
        (("check-in", "start"), "take-back"),
        (("check-in", "start", "complete"), "take-back"),
        (("check-in", "to-front"), "from-front"),
    ],
)
def test_every_step_of_the_day_that_can_be_taken_back_says_how(
    client: Any, nadia: Any, booked: Any, morning: Any, steps: tuple[str, ...], back: str
) -> None:
    client.sign_in(nadia)
    for step in steps:
        said = client.post(f"/desk/visits/{booked.amina}/{step}", data={"code": "cannot_wait"}, headers=HTMX).text
    toast = said[said.index('<div id="toast"') :]
    assert f"/desk/visits/{booked.amina}/{back}" in toast
    way = f"/desk/visits/{booked.amina}/{back}"
    answer = client.post(way, headers=HTMX)
    assert answer.status_code == 200 and f"/{back}" not in answer.text[answer.text.index('<div id="toast"') :]


@pytest.mark.parametrize(
    ("search", "leads"),
    [
        ("/desk/walk-ins", "/desk/walk-ins/new"),
        ("/desk/patients", "/desk/patients/new"),
        ("/desk/book", "/desk/patients/new"),
        ("/desk/waitlist/new", "/desk/patients/new"),
    ],
)
def test_the_words_of_a_search_begin_the_form_for_somebody_new(
    client: Any, nadia: Any, search: str, leads: str
) -> None:
    """Wherever a search finds nobody, the way to a new person takes along what was typed, under its seal."""
    client.sign_in(nadia)
    found = client.search(search, "zineb touati 0550123456").text
    way = next(link for link in re.findall(r'href="([^"]+)"', found) if link.startswith(leads) and "search=" in link)
    assert "zineb" not in way.lower() and "0550" not in way
    form = client.get(way.replace("&amp;", "&")).text
    assert 'value="Zineb"' in form and 'value="Touati"' in form
