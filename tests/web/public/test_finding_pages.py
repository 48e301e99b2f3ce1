"""Home, directory, doctor and clinic pages: what they show, to whom, and what they say to nonsense."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from tests.builders import (
    HTMX,
    make_clinic,
    make_closure,
    make_doctor,
    make_practice,
    make_user,
    make_visit_type,
    make_week,
)


@pytest.mark.parametrize("address", ["/", "/doctors", "/privacy"])
def test_a_stranger_may_look_around(client: Any, dr_benali: Any, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert "private" in answer.headers["Cache-Control"]
    assert "no-store" not in answer.headers["Cache-Control"]


def test_pages_of_someone_signed_in_are_not_kept(client: Any, amina: Any) -> None:
    assert client.sign_in(amina).get("/doctors").headers["Cache-Control"] == "no-store"


def test_home_offers_the_specialties_and_cities_there_are(client: Any, dr_benali: Any, dr_haddad: Any) -> None:
    page = client.get("/").text
    assert "/doctors?specialty=cardiology" in page
    assert "/doctors?city=Oran" in page
    assert '<form class="search-hero" method="get" action="/doctors"' in page


def test_home_without_any_doctor_says_so(client: Any) -> None:
    assert "No doctors receive here yet" in client.get("/").text


def test_a_card_leads_straight_into_booking(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    page = client.get("/doctors").text
    links = re.findall(rf'href="(/book/{dr_benali.practice_id}/[^"]+at=[^"]+)"', page)
    assert len(links) == 3
    taken = client.get(links[0].replace("&amp;", "&")).text
    assert "Take this time" in taken


def test_filters_live_in_the_address(client: Any, dr_benali: Any, dr_haddad: Any) -> None:
    page = client.get("/doctors?specialty=cardiology&city=&name=").text
    assert "Benali" in page
    assert "Haddad" not in page
    assert 'value="cardiology" selected' in page or 'selected value="cardiology"' in page


def test_a_city_is_asked_for_with_what_lies_around_it(client: Any, dr_benali: Any, dr_haddad: Any) -> None:
    near = client.get("/doctors?city=Algiers&within_km=20").text
    assert "Benali" in near and "Haddad" not in near
    assert re.search(r'<select[^>]*name="within_km".*?<option selected value="20">20 km<', near, re.S)
    assert re.search(r"<details[^>]* open", near)  # the filter that is on is seen
    made = make_doctor(make_user("Rym", "Blida"))
    blida = make_clinic("Clinique Blida", city="Blida", latitude=36.47, longitude=2.83)
    make_week(make_practice(made, blida), [make_visit_type(blida)])
    assert "Rym Blida" not in client.get("/doctors?city=Algiers&within_km=20").text
    assert "Rym Blida" in client.get("/doctors?city=Algiers&within_km=50").text
    assert "Rym Blida" not in client.get("/doctors?city=Algiers&within_km=").text


def test_a_distance_without_a_city_asks_for_one(client: Any, dr_benali: Any) -> None:
    answer = client.get("/doctors?within_km=20")
    assert answer.status_code == 422
    assert "Please choose a city" in answer.text


def test_free_on_or_before_a_date(client: Any, dr_benali: Any) -> None:
    make_closure(clock.now(), clock.now() + timedelta(days=15), doctor_id=dr_benali.doctor_id)
    day = clock.today(clock.home())
    assert "Benali" not in client.get(f"/doctors?before={day + timedelta(days=7)}").text
    assert "Benali" in client.get(f"/doctors?before={day + timedelta(days=30)}").text


def test_htmx_gets_only_the_results(client: Any, dr_benali: Any) -> None:
    answer = client.get("/doctors?name=benali", headers=HTMX)
    assert answer.text.lstrip().startswith('<section id="results"')
    assert "<html" not in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_nobody_found_says_what_to_do(client: Any, dr_benali: Any) -> None:
    page = client.get("/doctors?name=xyzzyq").text
    assert "No doctor matches all of this" in page
    assert "Show all doctors" in page


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("before=tomorrow", "Please write a date"),
        ("gender=robot", "This is not one of the choices"),
        ("name=" + "x" * 100, "This is too long"),
        ("after=nonsense", "This list has moved on"),
        ("name=a%00b", "Some characters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_a_sentence(client: Any, dr_benali: Any, address: str, sentence: str) -> None:
    for headers in ({}, HTMX):
        answer = client.get(f"/doctors?{address}", headers=headers)
        assert answer.status_code == 422
        summary = answer.text.split("error-summary-title")[1]
        assert summary.count(sentence) == 1


def test_a_key_that_is_not_ours_in_the_address_does_no_harm(client: Any, dr_benali: Any) -> None:
    assert client.get("/doctors?utm_source=letter&role=admin").status_code == 200


def test_the_next_page_keeps_the_filters(client: Any, database: Any) -> None:
    clinic = make_clinic("Clinique Grande")
    kind = make_visit_type(clinic)
    for number in range(13):
        make_week(make_practice(make_doctor(make_user("Dr", f"Number{number}")), clinic), [kind])
    first = client.get("/doctors?city=Algiers&sort=name").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    address = following.group(1).replace("&amp;", "&")
    assert "city=Algiers" in address
    second = client.get(address).text
    assert second.count('class="card doctor-card"') == 1


def test_a_doctor_page_shows_a_week_and_leads_to_the_next(client: Any, dr_benali: Any) -> None:
    page = client.get(f"/doctors/{dr_benali.slug}").text
    assert "Dr Samira Benali" in page
    assert 'name="starts_at"' in page
    assert "Algeria" in page  # whose clock it is
    following = re.search(r'href="([^"]+)" rel="next"', page)
    assert following
    week = client.get(following.group(1).replace("&amp;", "&"), headers=HTMX)
    assert week.text.lstrip().startswith('<div id="times"')


def test_a_doctor_page_changes_with_the_visit_type(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    page = client.get(f"/doctors/{dr_benali.slug}?visit_type={el_djazair.follow_up_id}").text
    assert f"/book/{dr_benali.practice_id}/{el_djazair.follow_up_id}" in page
    assert "The doctor confirms your request" in page


def test_an_empty_week_points_to_the_next_free_time(client: Any, dr_benali: Any) -> None:
    make_closure(clock.now(), clock.now() + timedelta(days=15), doctor_id=dr_benali.doctor_id)
    page = client.get(f"/doctors/{dr_benali.slug}").text
    assert "No free times on these days." in page
    assert "Next free time:" in page


@pytest.mark.parametrize("query", ["from=nonsense", "from=0001-01-01", "from=9999-12-31", "from=2024-02-30"])
def test_any_week_may_be_asked_for(client: Any, dr_benali: Any, query: str) -> None:
    assert client.get(f"/doctors/{dr_benali.slug}?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["practice=nonsense", "practice=00000000-0000-0000-0000-000000000000", "visit_type=nonsense"]
)
def test_a_practice_or_visit_type_that_is_not_there_is_not_found(client: Any, dr_benali: Any, query: str) -> None:
    assert client.get(f"/doctors/{dr_benali.slug}?{query}").status_code == 404


def test_a_doctor_who_is_not_verified_is_seen_by_their_own_clinic_only(
    client: Any, el_djazair: Any, nadia: Any
) -> None:
    from portal.core.db import session
    from portal.domain.clinics.models import Clinic

    hidden = make_doctor(make_user("Not", "Yet"), verified=False)
    make_practice(hidden, session().get_one(Clinic, el_djazair.clinic_id))
    assert client.get(f"/doctors/{hidden.slug}").status_code == 404
    seen = client.sign_in(nadia).get(f"/doctors/{hidden.slug}")
    assert seen.status_code == 200
    assert "until the licence is verified" in seen.text


def test_a_doctor_without_practice_says_so(client: Any, database: Any) -> None:
    doctor = make_doctor(make_user("No", "Where"))
    assert "does not receive anywhere" in client.get(f"/doctors/{doctor.slug}").text


def test_a_clinic_page_shows_address_hours_and_doctors(client: Any, database: Any) -> None:
    clinic = make_clinic("Clinique Claire", opening_hours={"mon": [["08:00", "17:00"]]}, email="hello@claire.example")
    make_week(make_practice(make_doctor(make_user("Ines", "Claire")), clinic), [make_visit_type(clinic)])
    page = client.get(f"/clinics/{clinic.slug}").text
    for shown in ("12 rue Didouche Mourad", "08:00 – 17:00", "closed", "Ines Claire", "mailto:hello@claire.example"):
        assert shown in page


def test_a_closed_clinic_is_not_found(client: Any, database: Any) -> None:
    closed = make_clinic("Clinique Close", is_active=False)
    assert client.get(f"/clinics/{closed.slug}").status_code == 404
    assert client.get("/clinics/never-was").status_code == 404


def test_names_are_shown_as_text(client: Any, database: Any) -> None:
    clinic = make_clinic("Clinique <script>alert(1)</script>")
    make_week(make_practice(make_doctor(make_user("Eve &lt;b", "O'Hara\"")), clinic), [make_visit_type(clinic)])
    page = client.get("/doctors").text
    assert "<script>alert" not in page
    assert "Eve &amp;lt;b" in page


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_pages_speak_the_language_of_the_browser(client: Any, dr_benali: Any, language: str) -> None:
    client.set_cookie("language", language)
    page = client.get("/doctors").text
    assert f'lang="{language}"' in page
    assert {"fr": "Cardiologie", "ar": "أمراض القلب"}[language] in page


def test_pages_take_few_statements_however_many_doctors(client: Any, dr_benali: Any, statements: Any) -> None:
    clinic = make_clinic("Clinique Pleine")
    kind = make_visit_type(clinic)
    for number in range(12):
        make_week(make_practice(make_doctor(make_user("Dr", f"Number{number}")), clinic), [kind])
    for address in ("/", "/doctors", f"/doctors/{dr_benali.slug}", f"/clinics/{clinic.slug}"):
        with statements() as count:
            assert client.get(address).status_code == 200
        assert count() <= 12, address
