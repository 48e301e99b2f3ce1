"""The doctor's calendar, question “why not?” and figures: what they show, and that visits can be dragged."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.doctors.models import Doctor
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import HTMX, at, make_closure, make_practice, make_week, working_day

MOST_STATEMENTS = 12


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    """Amina comes to Dr Benali at nine."""
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    return made


def _kinds(client: Any, **asked: Any) -> dict[str, list[dict[str, Any]]]:
    asked = {"start": working_day(), "end": working_day() + timedelta(days=1), **asked}
    found: dict[str, list[dict[str, Any]]] = {}
    for one in client.get("/doctor/week/events.json", query_string=asked).get_json():
        found.setdefault(one["extendedProps"]["kind"], []).append(one)
    return found


@pytest.mark.parametrize(("view", "drawn"), [("week", "timeGridWeek"), ("day", "timeGridDay"), ("list", "")])
def test_week_day_and_list_show_the_visit_with_and_without_a_script(
    client: Any, dr_benali: Any, visit: Appointment, view: str, drawn: str
) -> None:
    html = client.sign_in(dr_benali).get(f"/doctor/week?start={working_day()}&view={view}").text
    assert "Amina Boudiaf" in html
    assert f"/doctor/appointments/{visit.id}/move" in html
    assert (f'data-view="{drawn}"' in html) == bool(drawn)


def test_a_phone_draws_a_day_unless_a_view_was_chosen(client: Any, dr_benali: Any) -> None:
    client.sign_in(dr_benali)
    assert 'data-narrow="timeGridDay"' in client.get("/doctor/week").text
    assert "data-narrow" not in client.get("/doctor/week?view=week").text


def test_the_feed_has_each_time_off_once_however_long_it_is(
    client: Any, dr_benali: Any, visit: Appointment, el_djazair: Any
) -> None:
    make_closure(at("08:00"), at("08:00") + timedelta(days=9), doctor_id=dr_benali.doctor_id, note="Conference")
    session().add(Holiday(clinic_id=el_djazair.clinic_id, day=working_day(), name="Revolution Day"))
    keep()
    found = _kinds(client.sign_in(dr_benali), end=working_day() + timedelta(days=7))
    assert sorted(one["extendedProps"]["word"] for one in found["off"]) == ["Closed: Revolution Day", "Leave"]
    assert [one["id"] for one in found["visit"]] == [str(visit.id)]
    assert found["visit"][0]["extendedProps"]["url"] == f"/doctor/appointments/{visit.id}"
    assert found["open"]


def test_a_doctor_of_two_clinics_reads_where_each_visit_is(
    client: Any, dr_benali: Any, visit: Appointment, wahran: Any
) -> None:
    there = make_practice(session().get_one(Doctor, dr_benali.doctor_id), session().get_one(Clinic, wahran.clinic_id))
    make_week(there, [session().get_one(VisitType, wahran.consultation_id)])
    keep()
    assert "Clinique El Djazair" in _kinds(client.sign_in(dr_benali))["visit"][0]["extendedProps"]["note"]


def test_a_drag_moves_the_visit_or_says_why_not(client: Any, dr_benali: Any, visit: Appointment) -> None:
    client.sign_in(dr_benali)
    url = f"/doctor/week/{visit.id}/move"
    moved = client.post(url, data={"at": f"{working_day()}T10:00", "version": 1}, headers=HTMX)
    assert (moved.status_code, "Undo" in moved.text) == (200, True)
    assert session().get_one(Appointment, visit.id).starts_at == at("10:00")
    refused = client.post(url, data={"at": f"{working_day()}T12:15", "version": 2}, headers=HTMX)
    assert (refused.status_code, "does not receive at this time" in refused.text) == (409, True)
    plain = client.post(url, data={"at": f"{working_day()}T12:15", "version": 2})
    assert (plain.status_code, "Not moved" in plain.text, "<title>Week" in plain.text) == (409, True, True)


@pytest.mark.parametrize("who", ["dr_haddad"])
def test_another_doctor_cannot_drag_it(
    client: Any, visit: Appointment, who: str, request: pytest.FixtureRequest
) -> None:
    client.sign_in(request.getfixturevalue(who))
    assert client.post(f"/doctor/week/{visit.id}/move", data={"at": f"{working_day()}T10:00"}).status_code == 404


def test_why_not_answers_about_ones_own_times_and_leads_to_booking(
    client: Any, dr_benali: Any, visit: Appointment
) -> None:
    client.sign_in(dr_benali)
    taken = client.get(f"/doctor/why-not?day={working_day()}&at=09:00").text
    assert "Amina Boudiaf" in taken
    free = client.get(f"/doctor/why-not?day={working_day()}&at=10:00").text
    assert "This time is free" in free
    assert "/doctor/book?practice_id=" in free


def test_why_not_about_another_doctor_is_about_oneself(client: Any, dr_benali: Any, dr_haddad: Any) -> None:
    html = client.sign_in(dr_benali).get(f"/doctor/why-not?practice_id={dr_haddad.practice_id}").text
    assert "Omar Haddad" not in html


def test_figures_are_shown_with_their_table_and_meaning(client: Any, dr_benali: Any, visit: Appointment) -> None:
    html = client.sign_in(dr_benali).get("/doctor/figures?weeks=12").text
    for expected in ("Use of open time", "Third next free", "What these figures mean", "did not attend", "data-plot"):
        assert expected in html
    assert html.count('data-label="Week"') == 12
    assert "style=" not in html.split("<main")[1]
    assert "4 weeks" in client.get("/doctor/figures?weeks=5").text


def test_figures_leave_as_a_file(client: Any, dr_benali: Any) -> None:
    answer = client.sign_in(dr_benali).get("/doctor/figures.csv?weeks=4")
    assert (answer.mimetype, answer.headers["Content-Disposition"].startswith("attachment")) == ("text/csv", True)
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert [row[0] for row in rows] == ["Of", "In all", "The period before", "Clinique El Djazair", *["Week"] * 4]
    assert {len(row) for row in rows} == {19}


def test_the_pages_ask_the_database_few_times(client: Any, dr_benali: Any, visit: Appointment, statements: Any) -> None:
    client.sign_in(dr_benali)
    counts = {}
    for path in (
        "/doctor/week",
        "/doctor/week/events.json",
        "/doctor/why-not?day=2030-01-01&at=09:00",
        "/doctor/figures",
    ):
        with statements() as count:
            assert client.get(path).status_code == 200
        counts[path] = count()
    assert {path: number for path, number in counts.items() if number > MOST_STATEMENTS} == {}
