"""The desk's calendar and its question “why not?”: what they show, and what a drag answers."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import booking, holds
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import (
    ALGIERS,
    HTMX,
    at,
    make_closure,
    make_doctor,
    make_member,
    make_practice,
    make_week,
    working_day,
)

MOST_STATEMENTS = 12


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    """Amina comes to Dr Benali at nine."""
    return _book(amina, dr_benali, el_djazair, "09:00")


@pytest.fixture
def second(dr_benali: Any, el_djazair: Any) -> Practice:
    """Another doctor of the same clinic with the same hours."""
    place = session().get_one(Clinic, el_djazair.clinic_id)
    practice = make_practice(make_doctor(given_name="Amel", family_name="Aziz"), place)
    make_week(practice, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    return practice


def _book(patient: Any, doctor: Any, place: Any, wall: str) -> Appointment:
    made = booking.book(
        patient.actor, practice_id=doctor.practice_id, visit_type_id=place.consultation_id, starts_at=at(wall)
    )
    keep()
    return made


def _wall(wall: str) -> str:
    return f"{working_day()}T{wall}"


def _events(client: Any, **asked: Any) -> list[dict[str, Any]]:
    day = working_day()
    asked = {"start": day, "end": day + timedelta(days=1), **asked}
    return client.get("/desk/calendar/events.json", query_string=asked).get_json()


def _of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in events if one["extendedProps"]["kind"] == kind]


def test_a_day_shows_all_doctors_and_a_plain_list_of_the_visits(
    client: Any, nadia: Any, visit: Appointment, second: Practice
) -> None:
    html = client.sign_in(nadia).get(f"/desk/calendar?day={working_day()}").text
    resources = json.loads(re.search(r"data-resources='([^']*)'", html).group(1))  # type: ignore[union-attr]
    assert [one["title"] for one in resources] == ["Dr Amel Aziz", "Dr Samira Benali"]
    for expected in ("Amina Boudiaf", "09:00 – 09:30", f"/desk/appointments/{visit.id}/move", "Confirmed"):
        assert expected in html
    assert "style=" not in html.split("<main")[1]


@pytest.mark.parametrize(("view", "drawn"), [("week", "timeGridWeek"), ("day", "resourceTimeGridDay"), ("list", None)])
def test_each_view_draws_its_own_and_the_list_needs_no_script(
    client: Any, nadia: Any, visit: Appointment, view: str, drawn: str | None
) -> None:
    html = client.sign_in(nadia).get(f"/desk/calendar?day={working_day()}&view={view}").text
    assert ("event-calendar.js" in html) == (drawn is not None)
    assert drawn is None or f'data-view="{drawn}"' in html
    assert "Amina Boudiaf" in html


def test_one_doctor_can_be_picked(client: Any, nadia: Any, visit: Appointment, second: Practice) -> None:
    html = client.sign_in(nadia).get(f"/desk/calendar?day={working_day()}&practice={second.id}").text
    assert "Amina Boudiaf" not in html
    assert "Dr Samira Benali" in html, "the others can still be picked"
    assert client.get(f"/desk/calendar?practice={visit.id}").status_code == 404


def test_a_member_of_two_clinics_switches_between_them(
    client: Any, nadia: Any, wahran: Any, dr_haddad: Any, visit: Appointment
) -> None:
    from portal.domain.identity.models import User

    assert 'id="cal-clinic"' not in client.sign_in(nadia).get("/desk/calendar").text
    make_member(session().get_one(User, nadia.user_id), session().get_one(Clinic, wahran.clinic_id))
    keep()
    html = client.get(f"/desk/calendar?clinic={wahran.clinic_id}").text
    assert "Clinique Wahran" in html
    assert "Dr Omar Haddad" in html
    assert "Dr Samira Benali" not in html


def test_the_feed_has_visits_hours_time_off_holidays_and_kept_times(
    client: Any, nadia: Any, visit: Appointment, el_djazair: Any, dr_benali: Any
) -> None:
    make_closure(at("13:00"), at("14:00"), practice_id=dr_benali.practice_id, note="Meeting")
    session().add(Holiday(clinic_id=el_djazair.clinic_id, day=working_day() + timedelta(days=1), name="Revolution Day"))
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    holds.place(nadia.actor, **about, starts_at=at("10:00"))
    keep()
    events = _events(client.sign_in(nadia), end=working_day() + timedelta(days=2))
    one = _of(events, "visit")[0]
    assert (one["start"], one["end"]) == (_wall("09:00:00"), _wall("09:30:00"))
    assert (one["startEditable"], one["resourceIds"]) == (True, [str(dr_benali.practice_id)])
    for part in ("09:00 – 09:30", "Amina Boudiaf", "Consultation", "Confirmed"):
        assert part in one["extendedProps"]["label"]
    assert [(off["start"], off["extendedProps"]["note"]) for off in _of(events, "off")] == [
        (f"{working_day() + timedelta(days=1)}T00:00:00", ""),
        (_wall("13:00:00"), "Meeting"),
    ]
    assert [kept["start"] for kept in _of(events, "kept")] == [_wall("10:00:00")]
    assert _of(events, "open")[0]["display"] == "background"


def test_marks_and_states_are_words_and_icons_never_colour_alone(client: Any, nadia: Any, visit: Appointment) -> None:
    visit.overbooked, visit.is_walk_in, visit.is_urgent = "Pain", True, True
    keep()
    about = _of(_events(client.sign_in(nadia)), "visit")[0]["extendedProps"]
    assert [mark["word"] for mark in about["marks"]] == ["Overbooked", "Walk-in", "Urgent"]
    assert about["icon"] == "circle-check"
    html = client.get(f"/desk/calendar?day={working_day()}").text
    for word in ("Overbooked", "Walk-in", "Urgent"):
        assert word in html


def test_a_visit_that_is_over_cannot_be_dragged(client: Any, nadia: Any, visit: Appointment) -> None:
    visit.status = "completed"
    keep()
    one = _of(_events(client.sign_in(nadia)), "visit")[0]
    assert (one["startEditable"], one["extendedProps"]["move"]) == (False, None)


def test_a_drag_moves_the_visit_and_offers_a_way_back(client: Any, nadia: Any, visit: Appointment) -> None:
    client.sign_in(nadia)
    url = f"/desk/calendar/{visit.id}/move"
    answer = client.post(url, data={"at": _wall("10:00"), "version": 1}, headers=HTMX)
    assert (answer.status_code, "data-moved" in answer.text, "Undo" in answer.text) == (200, True, True)
    assert session().get_one(Appointment, visit.id).starts_at == at("10:00")
    back = {"starts_at": at("09:00").isoformat(), "version": 2, "practice_id": str(visit.practice_id)}
    assert client.post(url, data=back, headers=HTMX).status_code == 200
    assert session().get_one(Appointment, visit.id).starts_at == at("09:00")


def test_a_drag_to_another_doctor_says_whom(client: Any, nadia: Any, visit: Appointment, second: Practice) -> None:
    data = {"at": _wall("09:00"), "version": 1, "practice_id": str(second.id)}
    answer = client.sign_in(nadia).post(f"/desk/calendar/{visit.id}/move", data=data, headers=HTMX)
    assert "with Dr Amel Aziz" in answer.text
    assert session().get_one(Appointment, visit.id).practice_id == second.id


def test_a_refused_drag_says_the_same_sentence_and_the_next_free_times(
    client: Any, nadia: Any, visit: Appointment, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    _book(yacine, dr_benali, el_djazair, "10:00")
    answer = client.sign_in(nadia).post(
        f"/desk/calendar/{visit.id}/move", data={"at": _wall("10:00"), "version": 1}, headers=HTMX
    )
    assert answer.status_code == 409
    for expected in ("Not moved", "This time has just been taken", f"{working_day()}T09:30"):
        assert expected in answer.text
    assert f"/desk/appointments/{visit.id}/move?practice_id={dr_benali.practice_id}" in answer.text
    assert "data-moved" not in answer.text
    assert session().get_one(Appointment, visit.id).starts_at == at("09:00")


@pytest.mark.parametrize("sent", [{}, {"at": "soon"}, {"at": "2026-03-31T09:00:17"}, {"starts_at": "2026-03-31T09:00"}])
def test_a_time_that_is_none_is_refused(client: Any, nadia: Any, visit: Appointment, sent: Any) -> None:
    answer = client.sign_in(nadia).post(f"/desk/calendar/{visit.id}/move", data=sent, headers=HTMX)
    assert answer.status_code == 422
    assert "Not moved" in answer.text


def test_a_stale_drag_is_refused(client: Any, nadia: Any, visit: Appointment) -> None:
    data = {"at": _wall("10:00"), "version": 5}
    answer = client.sign_in(nadia).post(f"/desk/calendar/{visit.id}/move", data=data, headers=HTMX)
    assert (answer.status_code, "changed in the meantime" in answer.text) == (409, True)


def test_moving_works_without_javascript(client: Any, nadia: Any, visit: Appointment) -> None:
    client.sign_in(nadia)
    url = f"/desk/calendar/{visit.id}/move"
    done = client.post(url, data={"at": _wall("10:00"), "version": 1})
    assert (done.status_code, done.location.split("?")[0]) == (303, "/desk/calendar")
    assert "Moved to" in client.get(done.location).text
    refused = client.post(url, data={"at": _wall("12:30"), "version": 2})
    assert (refused.status_code, "Not moved" in refused.text, "<title>Calendar" in refused.text) == (409, True, True)


@pytest.mark.parametrize(("who", "status"), [("amina", 403), ("dr_benali", 403), ("kamel", 404), ("superadmin", 200)])
def test_others_cannot_drag_it(
    client: Any, visit: Appointment, who: str, status: int, request: pytest.FixtureRequest
) -> None:
    client.sign_in(request.getfixturevalue(who))
    data = {"at": _wall("10:00"), "version": 1}
    assert client.post(f"/desk/calendar/{visit.id}/move", data=data, headers=HTMX).status_code == status


def test_the_feed_of_another_clinic_is_not_given(
    client: Any, kamel: Any, visit: Appointment, el_djazair: Any, dr_benali: Any
) -> None:
    events = _events(client.sign_in(kamel), clinic=el_djazair.clinic_id)
    assert _of(events, "visit") == []
    found = client.get(f"/desk/calendar/events.json?practice={dr_benali.practice_id}")
    assert found.status_code == 404


def test_the_pages_ask_the_database_few_times(
    client: Any, nadia: Any, visit: Appointment, second: Practice, yacine: Any, dr_benali: Any, el_djazair: Any,
    statements: Any,
) -> None:  # fmt: skip
    client.sign_in(nadia)
    _book(yacine, dr_benali, el_djazair, "10:00")
    day = working_day()
    pages = [f"/desk/calendar?day={day}", f"/desk/calendar?day={day}&view=week", f"/desk/calendar?practice={second.id}"]
    pages += [f"/desk/calendar/events.json?start={day}", f"/desk/why-not?day={day}&at=10:00"]
    make_closure(at("13:00"), at("14:00"), doctor_id=dr_benali.doctor_id)
    keep()
    pages += [f"/desk/why-not?day={day}&at={wall}" for wall in ("13:00", "12:15", "09:10")]
    counts = {}
    for path in pages:
        client.get(path)  # a connection prepares its statements once
        with statements() as count:
            assert client.get(path).status_code == 200
        counts[path] = count()
    assert {path: number for path, number in counts.items() if number > MOST_STATEMENTS} == {}


# --- why not? ---


def test_why_not_asks_for_a_time_first(client: Any, nadia: Any, dr_benali: Any) -> None:
    html = client.sign_in(nadia).get("/desk/why-not").text
    assert "Can this time be booked?" in html
    assert "In the way" not in html


def test_why_not_names_what_is_in_the_way_and_leads_to_free_times_and_to_booking(
    client: Any, nadia: Any, visit: Appointment, dr_benali: Any, el_djazair: Any
) -> None:
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id, "day": working_day()}
    html = client.sign_in(nadia).get("/desk/why-not", query_string={**about, "at": "09:00"}).text
    for expected in ("This time cannot be booked", "Amina Boudiaf", "at=09%3A30", "Book it all the same"):
        assert expected in html
    free = client.get("/desk/why-not", query_string={**about, "at": "09:30"}).text
    assert "This time is free" in free
    assert f"/desk/book?practice_id={dr_benali.practice_id}" in free


def test_why_not_is_a_fragment_for_the_calendar(client: Any, nadia: Any, dr_benali: Any) -> None:
    html = client.sign_in(nadia).get(f"/desk/why-not?day={working_day()}&at=09:00", headers=HTMX).text
    assert html.lstrip().startswith('<div id="why-not"')


@pytest.mark.parametrize(("day", "wall"), [("yesterday", "09:00"), ("2026-03-31", "late"), ("0001-01-01", "09:00")])
def test_why_not_refuses_what_is_no_time(client: Any, nadia: Any, dr_benali: Any, day: str, wall: str) -> None:
    answer = client.sign_in(nadia).get("/desk/why-not", query_string={"day": day, "at": wall})
    assert (answer.status_code, "In the way" in answer.text) == (422, False)


def test_why_not_says_what_to_do_where_no_doctor_works(client: Any, nadia: Any, el_djazair: Any) -> None:
    assert "No doctor receives at your clinics yet" in client.sign_in(nadia).get("/desk/why-not").text


def test_somebody_without_a_clinic_is_told_so(client: Any, superadmin: Any) -> None:
    answer = client.sign_in(superadmin).get("/desk/calendar")
    assert (answer.status_code, "Ask its admin" in answer.text) == (403, True)


def test_dates_that_are_none_show_today(client: Any, nadia: Any, dr_benali: Any) -> None:
    today = datetime.now(ALGIERS).date()
    assert f'data-date="{today}"' in client.sign_in(nadia).get("/desk/calendar?day=tomorrow&view=month").text


def test_a_day_on_which_nobody_receives_says_so(client: Any, nadia: Any, dr_benali: Any) -> None:
    friday = working_day() + timedelta(days=(4 - working_day().weekday()) % 7)
    client.sign_in(nadia)
    assert "No doctor receives on this day" in client.get(f"/desk/calendar?day={friday}").text
    assert "No doctor receives" not in client.get(f"/desk/calendar?day={working_day()}").text
