"""A doctor's pages: what they show, what their buttons do, and how a "no" looks there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.scheduling import booking, closures, hours
from portal.domain.scheduling.models import Appointment, Closure, Opening
from tests.builders import ALGIERS, HTMX, at, working_day

MOST_STATEMENTS = 12
PAGES = ["/doctor/today", "/doctor/week", "/doctor/openings", "/doctor/openings/new", "/doctor/time-off"]


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    """Amina comes to Dr Benali at nine, with a reason."""
    return _book(amina, dr_benali, el_djazair.consultation_id, "09:00")


@pytest.fixture
def wish(yacine: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    """Yacine asks for a video visit that the doctor has to confirm."""
    return _book(yacine, dr_benali, el_djazair.follow_up_id, "10:00")


def _book(patient: Any, doctor: Any, kind: Any, wall: str) -> Appointment:
    made = booking.book(
        patient.actor, practice_id=doctor.practice_id, visit_type_id=kind, starts_at=at(wall), reason="My <heart> races"
    )
    keep()
    return made


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_are_for_doctors_only(client: Any, dr_benali: Any, amina: Any, superadmin: Any, path: str) -> None:
    assert client.get(path).status_code == 303
    assert client.sign_in(amina).get(path).status_code == 403
    assert client.sign_in(superadmin).get(path).status_code == 403
    assert client.sign_in(dr_benali).get(path).status_code == 200


def test_a_day_lists_its_visits_with_the_patient_the_reason_and_the_phone(
    client: Any, dr_benali: Any, visit: Any
) -> None:
    html = client.sign_in(dr_benali).get(f"/doctor/today?day={working_day()}").text
    for expected in ("Amina Boudiaf", "My &lt;heart&gt; races", "tel:+213550000001", "09:00", "Confirmed"):
        assert expected in html
    assert "No visits on this day" in client.get(f"/doctor/today?day={working_day() + timedelta(days=1)}").text


def test_a_date_that_is_none_shows_today(client: Any, dr_benali: Any) -> None:
    assert "<title>Today" in client.sign_in(dr_benali).get("/doctor/today?day=yesterday").text


def test_a_request_is_confirmed_with_one_button(client: Any, dr_benali: Any, wish: Any) -> None:
    client.sign_in(dr_benali)
    assert "Requests to answer" in client.get("/doctor/today").text
    answer = client.post(f"/doctor/appointments/{wish.id}/confirm", data={"from": "day"})
    assert (answer.status_code, answer.location) == (303, f"/doctor/today?day={working_day()}")
    assert session().get_one(Appointment, wish.id).status == "confirmed"
    assert "Requests to answer" not in client.get("/doctor/today").text


def test_a_request_is_declined_with_a_reason(client: Any, dr_benali: Any, wish: Any, mailbox: Any, yacine: Any) -> None:
    client.sign_in(dr_benali)
    answer = client.post(f"/doctor/appointments/{wish.id}/decline", data={"code": "no_time", "day": str(working_day())})
    assert answer.status_code == 303
    assert session().get_one(Appointment, wish.id).status == "declined"
    assert mailbox.latest(yacine.email)


def test_steps_swap_the_day_for_htmx_and_lead_back_to_it_without(
    client: Any, dr_benali: Any, visit: Any, standing_at: Any
) -> None:
    day = {"from": "day", "day": str(working_day())}
    with standing_at(at("09:05")):
        client.sign_in(dr_benali)
        swapped = client.post(f"/doctor/appointments/{visit.id}/check-in", data=day, headers=HTMX)
        assert (swapped.status_code, swapped.text.lstrip()[:13]) == (200, '<div id="day"')
        assert "Start" in swapped.text
        plain = client.post(f"/doctor/appointments/{visit.id}/start", data=day)
        assert (plain.status_code, plain.location) == (303, f"/doctor/today?day={day['day']}")
        here = client.post(f"/doctor/appointments/{visit.id}/complete", data={"from": "visit"}, headers=HTMX)
        assert here.text.lstrip().startswith('<div id="visit"')
    assert session().get_one(Appointment, visit.id).status == "completed"


def test_a_stale_button_gets_409_and_the_present_state(
    client: Any, dr_benali: Any, visit: Any, standing_at: Any
) -> None:
    with standing_at(at("09:05")):
        client.sign_in(dr_benali).post(f"/doctor/appointments/{visit.id}/check-in")
        again = client.post(f"/doctor/appointments/{visit.id}/check-in", headers=HTMX)
    assert again.status_code == 409
    assert "The patient is checked in already." in again.text


def test_another_doctors_visit_does_not_exist(client: Any, dr_haddad: Any, visit: Any) -> None:
    client.sign_in(dr_haddad)
    for path in (f"/doctor/appointments/{visit.id}", f"/doctor/appointments/{visit.id}/move"):
        assert client.get(path).status_code == 404
    for step in ("check-in", "confirm", "cancel", "decline", "move"):
        assert client.post(f"/doctor/appointments/{visit.id}/{step}", data={"starts_at": str(at())}).status_code == 404
    assert client.get("/doctor/appointments/nothing").status_code == 404


def test_the_page_of_a_visit_tells_its_history(client: Any, dr_benali: Any, visit: Any) -> None:
    html = client.sign_in(dr_benali).get(f"/doctor/appointments/{visit.id}").text
    for expected in ("Booked", "by Amina Boudiaf", "This is the first visit with you.", visit.reference):
        assert expected in html


def test_a_visit_is_cancelled_and_the_patient_is_told(client: Any, dr_benali: Any, visit: Any, mailbox: Any) -> None:
    answer = client.sign_in(dr_benali).post(
        f"/doctor/appointments/{visit.id}/cancel",
        data={"code": "doctor_away", "text": "Sorry", "version": visit.version},
    )
    assert answer.status_code == 303
    assert session().get_one(Appointment, visit.id).ended_by == "doctor"
    assert mailbox.latest("amina@example.dz")
    assert "I am away: Sorry" in client.get(f"/doctor/appointments/{visit.id}").text


def test_a_cancellation_that_makes_no_sense_is_said_beside_the_field(client: Any, dr_benali: Any, visit: Any) -> None:
    answer = client.sign_in(dr_benali).post(f"/doctor/appointments/{visit.id}/cancel", data={"code": "bored"})
    assert answer.status_code == 422
    assert "This is not one of the choices." in answer.text
    assert session().get_one(Appointment, visit.id).status == "confirmed"


def test_a_visit_is_moved_to_a_free_time(client: Any, dr_benali: Any, visit: Any) -> None:
    client.sign_in(dr_benali)
    assert at("11:00").isoformat() in client.get(f"/doctor/appointments/{visit.id}/move?start={working_day()}").text
    answer = client.post(f"/doctor/appointments/{visit.id}/move", data={"starts_at": at("11:00").isoformat()})
    assert (answer.status_code, answer.location) == (303, f"/doctor/appointments/{visit.id}")
    assert session().get_one(Appointment, visit.id).starts_at == at("11:00")


def test_a_visit_is_not_moved_onto_another(client: Any, dr_benali: Any, visit: Any, wish: Any) -> None:
    client.sign_in(dr_benali)
    answer = client.post(f"/doctor/appointments/{visit.id}/move", data={"starts_at": at("10:00").isoformat()})
    assert answer.status_code == 409
    assert "These are free:" in answer.text
    assert client.post(f"/doctor/appointments/{visit.id}/move", data={}).status_code == 422


def test_the_week_shows_visits_open_hours_and_time_off(client: Any, dr_benali: Any, visit: Any) -> None:
    closures.close_doctor(
        dr_benali.actor, dr_benali.doctor_id, first=working_day(), last=working_day(), keep_visits=True
    )
    keep()
    html = client.sign_in(dr_benali).get(f"/doctor/week?start={working_day()}").text
    for expected in ("Amina Boudiaf", "08:00 – 12:00", "Leave", "All day"):
        assert expected in html


def test_hours_are_added_changed_and_removed(client: Any, dr_benali: Any) -> None:
    client.sign_in(dr_benali)
    said = {"weekday": "5", "starts": "09:00", "ends": "11:00", "capacity": "1"}
    assert client.post("/doctor/openings/new", data=said).status_code == 303
    made = next(one for one in hours.of_practice(dr_benali.actor, dr_benali.practice_id) if one.weekday == 5)
    assert 'value="09:00"' in client.get(f"/doctor/openings/{made.id}").text
    changed = client.post(f"/doctor/openings/{made.id}", data={**said, "ends": "12:00"})
    assert changed.location == f"/doctor/openings?practice={dr_benali.practice_id}"
    key = made.id
    assert client.post(f"/doctor/openings/{key}/remove").status_code == 303
    assert session().get(Opening, key) is None


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        (
            {"weekday": "5", "starts": "11:00", "ends": "09:00", "capacity": "1"},
            422,
            "The end must be after the start.",
        ),
        ({"weekday": "0", "starts": "09:00", "ends": "11:00", "capacity": "1"}, 409, "This overlaps with the opening"),
        ({"weekday": "5", "capacity": "1"}, 422, "Please fill this in."),
        ({"starts": "09:00", "ends": "11:00", "capacity": "1"}, 422, "Please choose either a weekday or one date."),
    ],
)
def test_hours_that_cannot_be_come_back_with_a_sentence(
    client: Any, dr_benali: Any, said: dict[str, str], status: int, sentence: str
) -> None:
    answer = client.sign_in(dr_benali).post("/doctor/openings/new", data=said, headers=HTMX)
    assert answer.status_code == status
    assert answer.text.lstrip().startswith('<div id="opening"')
    assert sentence in answer.text


def test_hours_that_a_visit_stands_in_are_decided_about_before_they_go(client: Any, dr_benali: Any, visit: Any) -> None:
    client.sign_in(dr_benali)
    day = visit.starts_at.astimezone(ALGIERS).weekday()
    found = hours.of_practice(dr_benali.actor, dr_benali.practice_id)
    morning = next(one for one in found if one.weekday == day and one.starts.hour == 8)
    key, shorter = morning.id, {"weekday": str(day), "starts": "10:00", "ends": "12:00", "capacity": "1"}
    for path, said in (
        (f"{key}/remove", {}),
        (str(key), shorter),
        (f"{key}/break", {"starts": "09:00", "ends": "10:00"}),
    ):
        answer = client.post(f"/doctor/openings/{path}", data=said)
        assert answer.status_code == 303
        assert answer.location.startswith("/changes/")
        assert "Amina Boudiaf" in client.get(answer.location).text
    assert session().get_one(Opening, key).starts.hour == 8


def test_the_preview_shows_what_patients_can_book(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    asked = {"practice": dr_benali.practice_id, "kind": el_djazair.follow_up_id, "start": working_day()}
    answer = client.sign_in(dr_benali).get("/doctor/openings/preview", query_string=asked, headers=HTMX)
    assert answer.text.lstrip().startswith('<div id="preview"')
    assert "08:15" in answer.text


def test_another_doctors_practice_does_not_exist(client: Any, dr_benali: Any, dr_haddad: Any) -> None:
    client.sign_in(dr_benali)
    assert client.get(f"/doctor/openings?practice={dr_haddad.practice_id}").status_code == 404
    assert client.post(f"/doctor/openings/new?practice={dr_haddad.practice_id}").status_code == 404


def test_time_off_is_added_and_removed(client: Any, dr_benali: Any) -> None:
    client.sign_in(dr_benali)
    day = str(working_day())
    said = {"place": "", "kind": "leave", "first": day, "last": day, "note": "Wedding"}
    assert client.post("/doctor/time-off", data=said).status_code == 303
    assert "Wedding" in client.get("/doctor/time-off").text
    made = session().query(Closure).one()
    assert client.post(f"/doctor/time-off/{made.id}/remove").status_code == 303
    assert session().query(Closure).count() == 0


def test_time_off_over_a_visit_asks_first(client: Any, dr_benali: Any, visit: Any) -> None:
    client.sign_in(dr_benali)
    day = str(working_day())
    said = {"place": str(dr_benali.practice_id), "kind": "blocked", "first": day, "last": day}
    answer = client.post("/doctor/time-off", data=said, headers=HTMX)
    assert answer.headers["HX-Redirect"].startswith("/changes/")
    asked = client.post("/doctor/time-off", data={**said, "keep_visits": "y"})
    assert asked.location == answer.headers["HX-Redirect"]
    assert "Amina Boudiaf" in client.get(asked.location).text
    assert "No time off is planned." in client.get("/doctor/time-off").text
    assert client.post("/doctor/time-off", data={**said, "last": "2020-01-01"}).status_code == 422


def test_a_doctor_without_a_practice_is_told_what_to_do(client: Any, where: Any) -> None:
    from tests.builders import make_doctor, make_user
    from tests.people import Person

    user = make_user("Rym", "Cherif")
    doctor = make_doctor(user)
    keep()
    client.sign_in(Person(user.name, user.email, user.id, doctor_id=doctor.id))
    assert "You have no practice yet" in client.get("/doctor/openings").text
    assert client.get("/doctor/openings/new").status_code == 404
    for path in ("/doctor/today", "/doctor/week", "/doctor/time-off"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/doctor/today?day={day}", "/doctor/week?start={day}", "/doctor/openings", "/doctor/time-off"]
)
def test_a_page_asks_the_database_a_fixed_number_of_times(
    client: Any, dr_benali: Any, visit: Any, wish: Any, amina: Any, el_djazair: Any, statements: Any, path: str
) -> None:
    client.sign_in(dr_benali)
    url = path.format(day=working_day())
    with statements() as count:
        client.get(url)
    few = count()
    for wall in ("11:00", "14:00"):
        _book(amina, dr_benali, el_djazair.consultation_id, wall)
    with statements() as count:
        client.get(url)
    assert few == count() <= MOST_STATEMENTS
