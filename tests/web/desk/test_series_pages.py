"""Series and groups on the pages of the desk, the doctor and the patient; what all of the desk's pages keep to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, series
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import (
    at,
    make_opening,
    register_at,
    working_day,
)
from tests.web.desk.arranging import all_visits, sent_of, wish_of

MOST_STATEMENTS = 12
AND_HEALTH = 3  # who may see it, the allergies, and that they were read
WEEK = timedelta(days=7)


# --- series and groups ---


def _plan(client: Any, sent: dict[str, str], **more: str) -> Any:
    return client.get("/desk/series", query_string=sent | {"every": "1", "unit": "weeks", "count": "4"} | more)


def test_a_series_is_planned_then_booked_whole(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any, yacine: Any
) -> None:
    taken = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(yacine.actor, **taken, starts_at=at("09:00") + WEEK)
    keep()
    client.sign_in(nadia)
    sent = sent_of(selma, dr_benali, el_djazair)
    page = _plan(client, sent).text
    assert "3 of 4 dates are free" in page
    assert "Not free" in page
    chosen = [(at("09:00") + n * WEEK).isoformat() for n in (0, 2, 3)] + [(at("09:30") + WEEK).isoformat(), ""]
    form = sent | {"every": "1", "unit": "weeks", "count": "4", "every_days": "7", "times": chosen}
    answer = client.post("/desk/series", data=form)
    run = [one for one in all_visits() if one.series_id]
    assert answer.location == f"/desk/appointments/{run[0].id}"
    assert len(run) == 4
    page = client.get(f"/desk/appointments/{run[1].id}").text
    assert "Visit 2 of 4" in page
    assert "every week" in page


def test_a_series_of_which_one_time_was_lost_is_planned_again(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any, yacine: Any
) -> None:
    client.sign_in(nadia)
    sent = sent_of(selma, dr_benali, el_djazair)
    taken = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(yacine.actor, **taken, starts_at=at("09:00") + WEEK)
    keep()
    times = [(at("09:00") + n * WEEK).isoformat() for n in range(3)]
    form = sent | {"every": "1", "unit": "weeks", "count": "3", "every_days": "7", "times": times}
    answer = client.post("/desk/series", data=form)
    assert answer.status_code == 409
    assert "Nothing was booked" in answer.text
    assert "Not free" in answer.text
    assert len(all_visits()) == 1


@pytest.mark.parametrize("wrong", [{"count": "99"}, {"every": "0"}, {"unit": "years"}])
def test_what_is_no_series_comes_back_with_a_sentence(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any, wrong: dict[str, str]
) -> None:
    assert _plan(client.sign_in(nadia), sent_of(selma, dr_benali, el_djazair), **wrong).status_code == 422


@pytest.mark.parametrize(("who", "door"), [("nadia", "desk"), ("dr_benali", "doctor")])
def test_this_and_all_following_are_called_off_together(
    client: Any, who: str, door: str, run: list[Appointment], request: pytest.FixtureRequest
) -> None:
    client.sign_in(request.getfixturevalue(who))
    assert "Also the 2 visits of the series that follow" in client.get(f"/{door}/appointments/{run[1].id}").text
    client.post(f"/{door}/appointments/{run[1].id}/cancel", data={"code": "other", "following": "1"})
    assert [one.status for one in all_visits()] == ["confirmed", "cancelled", "cancelled", "cancelled"]


def test_a_patient_calls_off_their_series_from_one_on(
    client: Any, amina: Any, nadia: Any, dr_benali: Any, el_djazair: Any
) -> None:
    patient = session().get_one(Patient, amina.patient_id)
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    wish = wish_of(patient, dr_benali, el_djazair)
    wish.pop("starts_at")
    made = series.book(nadia.actor, **wish, times=[at("09:00", 4) + n * WEEK for n in range(3)], every_days=7)[1]
    keep()
    client.sign_in(amina)
    assert "Visit 2 of 3" in client.get(f"/patient/appointments/{made[1].id}").text
    assert (
        "Also the 1 visit of the series that follows" in client.get(f"/patient/appointments/{made[1].id}/cancel").text
    )
    client.post(f"/patient/appointments/{made[1].id}/cancel", data={"code": "no_time", "following": "1"})
    assert [one.status for one in all_visits()] == ["confirmed", "cancelled", "cancelled"]


def test_a_group_s_participants_stand_together(
    client: Any, amina: Any, yacine: Any, nadia: Any, dr_benali: Any, el_djazair: Any
) -> None:
    practice = session().get_one(Practice, dr_benali.practice_id)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    make_opening(practice, [kind], on_date=working_day(), starts="18:00", ends="18:30", capacity=5)
    keep()
    times = client.get(f"/book/{practice.id}/{kind.id}?from={working_day()}").text
    assert "5 places left" in times
    made = [
        booking.book(one.actor, practice_id=practice.id, visit_type_id=kind.id, starts_at=at("18:00"))
        for one in (amina, yacine)
    ]
    keep()
    client.sign_in(nadia)
    page = client.get(f"/desk/appointments/{made[0].id}").text
    assert "Together: 2 of 5" in page
    assert "Yacine Meziane" in page
    assert "Group: 2 of 5" in client.get(f"/desk/?day={working_day()}").text
    client.sign_in(dr_benali)
    assert "2 of 5 places taken" in client.get(f"/doctor/today?day={working_day()}").text
    assert "Yacine Meziane" in client.get(f"/doctor/appointments/{made[0].id}").text


# --- all of them ---


def test_the_pages_take_few_statements(
    client: Any,
    nadia: Any,
    visit: Appointment,
    selma: Patient,
    dr_benali: Any,
    el_djazair: Any,
    statements: Any,
    run: Any,
) -> None:
    client.sign_in(nadia)
    sent = sent_of(selma, dr_benali, el_djazair, "11:00")
    query = "&".join(f"{key}={value.replace('+', '%2B')}" for key, value in sent.items())
    about = f"patient_id={selma.id}&practice_id={dr_benali.practice_id}"
    counted = {}
    found = client.post("/desk/patients/search", data={"q": "selma"}).location
    for path in (
        found, f"/desk/patients/{selma.id}", f"/desk/book?{about}", f"/desk/book?{query}",
        f"/desk/appointments/{run[0].id}", f"/desk/appointments/{visit.id}/move", f"/desk/series?{query}",
    ):  # fmt: skip
        with statements() as count:
            assert client.get(path).status_code == 200
        counted[path] = count()
    most = {f"/desk/appointments/{run[0].id}": MOST_STATEMENTS + AND_HEALTH}
    assert {path: n for path, n in counted.items() if n > most.get(path, MOST_STATEMENTS)} == {}


@pytest.mark.parametrize("path", ["/desk/patients", "/desk/patients/new", "/desk/book"])
def test_the_desk_s_pages_are_for_the_desk(
    client: Any, amina: Any, dr_benali: Any, admin: Any, superadmin: Any, el_djazair: Any, path: str
) -> None:
    assert client.get(path).status_code == 303
    for person, status in ((amina, 403), (dr_benali, 403), (admin, 200), (superadmin, 200)):
        assert client.sign_in(person).get(path).status_code == status
