"""The availability editor: the week, the forms, copies and the preview, for doctors, the desk and admins."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.scheduling import booking, hours
from portal.domain.scheduling.models import Opening
from tests.builders import ALGIERS, HTMX, at, working_day

MOST_STATEMENTS = 12
SATURDAY = 5
DOORS = {
    "dr_benali": ("/doctor/openings", "/doctor/openings"),
    "nadia": ("/desk/practices/{practice}/hours", "/desk/hours"),
    "admin": ("/admin/practices/{practice}/hours", "/admin/hours"),
    "superadmin": ("/admin/practices/{practice}/hours", "/admin/hours"),
}
SAID = {"repeats": "weekly", "weekday": "5", "starts": "09:00", "ends": "11:00", "capacity": "1"}


@pytest.fixture(params=DOORS)
def door(request: Any, client: Any, dr_benali: Any, el_djazair: Any) -> tuple[str, str]:
    """The addresses of Dr Benali's hours and of one opening, for each who sets them, signed in."""
    client.sign_in(request.getfixturevalue(request.param))
    base, single = DOORS[request.param]
    return base.format(practice=dr_benali.practice_id), single


def of(doctor: Any, weekday: int) -> list[Opening]:
    return [one for one in hours.of_practice(doctor.actor, doctor.practice_id) if one.weekday == weekday]


def test_the_same_pages_serve_doctor_desk_and_admin(client: Any, dr_benali: Any, door: tuple[str, str]) -> None:
    base, single = door
    page = client.get(base).text
    for expected in ("08:00 – 12:00", "hours-draw", "What patients can book", "Copy"):
        assert expected in page
    answer = client.post(f"{base}/new", data=SAID)
    assert answer.status_code == 303
    assert client.get(answer.location).status_code == 200
    made = of(dr_benali, SATURDAY)[0]
    assert 'value="09:00"' in client.get(f"{single}/{made.id}").text
    stretched = client.post(f"{single}/{made.id}/stretch", data={"starts": "08:30", "ends": "11:30", "day": ""})
    assert stretched.status_code == 303
    assert client.post(f"{single}/{made.id}/break", data={"starts": "10:00", "ends": "10:30"}).status_code == 303
    assert [(f"{one.starts:%H:%M}", f"{one.ends:%H:%M}") for one in of(dr_benali, SATURDAY)] == [
        ("08:30", "10:00"), ("10:30", "11:30"),
    ]  # fmt: skip
    assert client.post(f"{base}/copy/day", data={"weekday": "5", "to": ["4"]}).status_code == 303
    assert len(of(dr_benali, 4)) == 2
    assert client.post(f"{single}/{made.id}/remove").status_code == 303
    assert len(of(dr_benali, SATURDAY)) == 1


def test_hours_past_midnight_say_so_and_stand_on_both_days(client: Any, dr_benali: Any, door: tuple[str, str]) -> None:
    base, single = door
    said = SAID | {"starts": "20:00", "ends": "02:00"}
    refused = client.post(f"{base}/new", data=said)
    assert refused.status_code == 422 and "Hours past midnight end on the next day" in refused.text
    assert 'value="02:00"' in refused.text
    answer = client.post(f"{base}/new", data=said | {"ends_next_day": "y"})
    assert answer.status_code == 303
    made = of(dr_benali, SATURDAY)[0]
    page = client.get(f"{base}?week={(working_day(8)).isoformat()}").text
    for block in ("20:00 – 02:00 the next day</span>", "20:00 the day before – 02:00</span>"):
        assert page.count(block) == 1
    assert f"{single}/{made.id}/stretch" not in page
    form = client.get(f"{single}/{made.id}").text
    assert re.search(r'<input[^>]*checked[^>]*name="ends_next_day"|name="ends_next_day"[^>]*checked', form)
    assert client.post(f"{single}/{made.id}/break", data={"starts": "23:30", "ends": "00:30"}).status_code == 303
    (rest,) = of(dr_benali, 6)[:1]
    assert (f"{rest.starts:%H:%M}", f"{rest.ends:%H:%M}") == ("00:30", "02:00")


def test_nobody_else_gets_there(client: Any, dr_benali: Any, dr_haddad: Any, kamel: Any, amina: Any) -> None:
    key = of(dr_benali, working_day().weekday())[0].id
    for person, base, single in (
        (dr_haddad, f"/doctor/openings?practice={dr_benali.practice_id}", "/doctor/openings"),
        (kamel, f"/desk/practices/{dr_benali.practice_id}/hours", "/desk/hours"),
        (amina, "/doctor/openings", "/doctor/openings"),
    ):
        client.sign_in(person)
        assert client.get(base).status_code in {403, 404}
        assert client.get(f"{single}/{key}").status_code in {403, 404}
        assert client.post(f"{single}/{key}/remove").status_code in {403, 404}
    assert session().get(Opening, key) is not None


def test_the_desk_chooses_among_its_doctors(client: Any, nadia: Any, dr_benali: Any, dr_haddad: Any) -> None:
    page = client.sign_in(nadia).get("/desk/hours").text
    assert f"/desk/practices/{dr_benali.practice_id}/hours" in page
    assert str(dr_haddad.practice_id) not in page


def test_a_drawing_fills_the_form_in(client: Any, dr_benali: Any) -> None:
    day = clock.today(ALGIERS) + timedelta(days=(SATURDAY - clock.today(ALGIERS).weekday()) % 7 + 7)
    page = client.sign_in(dr_benali).get(f"/doctor/openings/new?date={day}&starts=14:00&ends=16:30").text
    for expected in ('value="14:00"', 'value="16:30"', f'value="{day}"', '<option selected value="5">', "times more"):
        assert expected in page
    answer = client.post(f"/doctor/openings/new?date={day}", data=SAID)
    assert answer.location == f"/doctor/openings?practice={dr_benali.practice_id}&week={day}"
    assert client.get("/doctor/openings/new?date=soon&starts=x&weekday=9").status_code == 200


def test_once_and_weekly_are_told_apart(client: Any, dr_benali: Any) -> None:
    day = clock.today(ALGIERS) + timedelta(days=20)
    client.sign_in(dr_benali)
    assert client.post("/doctor/openings/new", data=SAID | {"on_date": str(day)}).status_code == 303
    assert of(dr_benali, SATURDAY)[0].on_date is None
    once = SAID | {"repeats": "once", "on_date": str(day), "starts": "18:00", "ends": "19:00"}
    assert client.post("/doctor/openings/new", data=once).status_code == 303
    assert "Only on this date" in client.get(f"/doctor/openings?week={day}").text
    assert client.post("/doctor/openings/new", data=once | {"on_date": ""}).status_code == 422


def test_trying_shows_what_would_be_and_changes_nothing(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    client.sign_in(dr_benali)
    said = SAID | {"kind": str(el_djazair.follow_up_id)}
    answer = client.post("/doctor/openings/try", data=said, headers=HTMX)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="tried"')
    assert "times more" in answer.text
    assert "Add hours" in client.post("/doctor/openings/try", data=said).text
    assert client.post("/doctor/openings/try", data={**said, "ends": ""}, headers=HTMX).status_code == 422
    morning = of(dr_benali, working_day().weekday())[0]
    shorter = said | {"weekday": str(morning.weekday), "starts": "08:00", "ends": "09:00"}
    less = client.post(f"/doctor/openings/try?opening={morning.id}", data=shorter, headers=HTMX).text
    assert "times less" in less
    assert client.post("/doctor/openings/new", data=said | {"try": "1"}).status_code == 200
    assert client.post("/doctor/openings/new", data=said | {"try": "1", "ends": ""}).status_code == 422
    assert client.post(f"/doctor/openings/{morning.id}", data=shorter | {"try": "1"}).status_code == 200
    assert of(dr_benali, SATURDAY) == []
    assert of(dr_benali, morning.weekday)[0].ends.hour == 12


def test_a_break_or_a_drawing_that_cannot_be_comes_back_on_the_form(client: Any, dr_benali: Any) -> None:
    client.sign_in(dr_benali)
    morning = of(dr_benali, working_day().weekday())[0]
    wrong = client.post(f"/doctor/openings/{morning.id}/break", data={"starts": "06:00", "ends": "09:00"})
    assert wrong.status_code == 422
    assert "The break must lie inside these hours." in wrong.text
    over = client.post(f"/doctor/openings/{morning.id}/stretch", data={"starts": "08:00", "ends": "15:00"})
    assert over.status_code == 409
    assert 'value="15:00"' in over.text
    assert "This overlaps with the opening" in over.text
    assert client.post(f"/doctor/openings/{morning.id}/stretch", data={"starts": "x"}).status_code == 422


def test_copies_that_cannot_be_come_back_on_their_form(client: Any, dr_benali: Any) -> None:
    client.sign_in(dr_benali)
    assert client.get("/doctor/openings/copy?week=2031-06-02").status_code == 200
    empty = client.post("/doctor/openings/copy/day", data={"weekday": "5", "to": ["4"]})
    assert empty.status_code == 422
    assert "There are no weekly hours on this day to copy." in empty.text
    assert client.post("/doctor/openings/copy/day", data={"weekday": "5"}).status_code == 422
    today = clock.today(ALGIERS)
    over = client.post(
        "/doctor/openings/copy/week", data={"week": str(today), "first": str(today), "to_practice_id": ""}
    )
    assert over.status_code == 409
    assert client.post("/doctor/openings/copy/week", data={"week": str(today), "first": ""}).status_code == 422
    beyond = today + timedelta(days=7)
    done = client.post("/doctor/openings/copy/week", data={"week": str(today), "first": str(beyond), "replace": "y"})
    assert (done.status_code, f"week={beyond}" in done.location) == (303, True)


def test_drawing_over_a_booked_visit_leads_to_the_page_that_decides_it(
    client: Any, dr_benali: Any, amina: Any, el_djazair: Any
) -> None:
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    client.sign_in(dr_benali)
    morning = of(dr_benali, working_day().weekday())[0]
    answer = client.post(f"/doctor/openings/{morning.id}/stretch", data={"starts": "10:00", "ends": "12:00"})
    assert answer.location.startswith("/changes/")
    copied = client.post(
        "/doctor/openings/copy/day",
        data={"weekday": "5", "to": [str(morning.weekday)], "replace": "y"},
    )
    assert copied.status_code == 422


@pytest.mark.parametrize(
    "path",
    ["/doctor/openings", "/doctor/openings/new?date=2031-06-07&starts=09:00&ends=10:00", "/doctor/openings/copy"],
)
def test_the_editor_asks_the_database_a_fixed_number_of_times(
    client: Any, dr_benali: Any, statements: Any, path: str
) -> None:
    client.sign_in(dr_benali)
    with statements() as count:
        assert client.get(path).status_code == 200
    few = count()
    for start in ("14:00", "15:00", "16:00"):
        hours.add(dr_benali.actor, dr_benali.practice_id, weekday=SATURDAY, starts=start, ends=start[:2] + ":30")
    keep()
    with statements() as count:
        client.get(path)
    assert few == count() <= MOST_STATEMENTS
