"""A clinic's rooms and devices, closed days, settings and visit types, as its admins keep them."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic, Holiday, Resource, ResourceGroup
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Closure, VisitType
from tests.builders import ALGIERS, HTMX, at, working_day

NAMES = {
    "name": "Clinique Étoile",
    "address": "1 rue Larbi",
    "city": "Béjaïa",
    "time_zone": "Africa/Algiers",
    "currency": "DZD",
}
KIND = {
    "name": "ECG", "mode": "in_person", "duration": "20", "buffer_before": "0", "buffer_after": "0", "price": "",
    "bookable_by": "invited", "confirms": "by_doctor", "lead_minutes": "60", "horizon_days": "30",
    "cutoff_minutes": "60", "most_moves": "1", "most_upcoming": "1", "most_per_day": "8", "is_active": "y",
}  # fmt: skip


def test_rooms_are_added_changed_and_taken_out_of_use(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    url = f"/admin/clinics/{el_djazair.slug}/rooms"
    assert "No rooms or devices yet" in client.get(url).text
    group_url = client.post(url, data={"kind": "room", "name": "Treatment room"}).location
    assert client.post(url, data={"kind": "room", "name": "treatment room"}).status_code == 422
    assert client.post(url, data={"kind": "car", "name": "X"}).status_code == 422
    assert client.post(f"{group_url}/add", data={"name": "Room 1", "places": "2"}).status_code == 303
    assert client.post(f"{group_url}/add", data={"name": "room 1"}).status_code == 422
    assert client.post(f"{group_url}/add", data={"name": ""}).status_code == 422
    made = session().query(Resource).one()
    assert (made.name, made.places) == ("Room 1", 2)
    one = f"/admin/resources/{made.id}"
    assert 'value="Room 1"' in client.get(one).text
    assert client.post(one, data={"name": "Room A", "places": "0"}).status_code == 422
    assert client.post(one, data={"name": "Room A", "places": "1"}).location == group_url
    assert client.post(group_url, data={"kind": "device", "name": "Scanner"}).status_code == 303
    assert client.post(group_url, data={"kind": "device", "name": ""}).status_code == 422
    assert client.post(f"{one}/close").location == group_url
    assert "Use it again" in client.get(group_url).text
    assert client.post(f"{one}/reopen").status_code == 303
    assert "Scanner" in client.get(url).text
    assert client.post(f"{group_url}/end").location == url
    assert session().query(ResourceGroup).count() == 0


def test_a_visit_type_says_what_it_needs_and_keeps_the_group(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    group_url = client.post(f"/admin/clinics/{el_djazair.slug}/rooms", data={"kind": "device", "name": "ECG"}).location
    key = group_url.rpartition("/")[2]
    new = f"/admin/clinics/{el_djazair.slug}/visit-types/new"
    assert "ECG" in client.get(new).text
    assert client.post(new, data=KIND | {"needs": [key]}).status_code == 303
    made = session().query(VisitType).filter_by(name="ECG").one().id
    page = client.get(f"/admin/visit-types/{made}").text
    assert re.search(rf'<input[^>]*\bchecked\b[^>]*value="{key}"', page)
    assert "None can be used" in client.get(f"/admin/clinics/{el_djazair.slug}/rooms").text
    refused = client.post(f"{group_url}/end")
    assert refused.status_code == 409
    assert "These visit types need one of them: ECG." in refused.text
    assert client.post(f"/admin/visit-types/{made}", data=KIND).status_code == 303
    assert client.post(f"{group_url}/end").status_code == 303


def test_a_room_with_a_visit_leads_to_the_page_that_decides_it(
    client: Any, admin: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    client.sign_in(admin)
    group_url = client.post(f"/admin/clinics/{el_djazair.slug}/rooms", data={"kind": "room", "name": "Lab"}).location
    client.post(f"{group_url}/add", data={"name": "Lab 1", "places": "1"})
    client.post(
        f"/admin/visit-types/{el_djazair.consultation_id}",
        data=KIND | {"bookable_by": "anyone", "confirms": "at_once", "needs": [group_url.rpartition("/")[2]]},
    )
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    answer = client.post(f"/admin/resources/{session().query(Resource).one().id}/close")
    assert answer.location.startswith("/changes/")
    assert "Amina Boudiaf" in client.get(answer.location).text
    assert session().query(Resource).one().is_active


def test_the_policy_is_shown_in_words_while_it_is_written(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    url = f"/admin/clinics/{el_djazair.slug}/visit-types/words"
    shown = client.post(url, data=KIND, headers=HTMX)
    assert shown.text.lstrip().startswith('<div id="words"')
    for line in ("Only for patients the doctor has invited.", "The doctor sees at most 8 patients a day."):
        assert line in shown.text
    assert client.post(url, data=KIND | {"duration": ""}, headers=HTMX).status_code == 422
    page = client.post(f"{url}?kind={el_djazair.consultation_id}", data=KIND).text
    assert f'action="/admin/visit-types/{el_djazair.consultation_id}"' in page
    assert session().query(VisitType).filter_by(name="ECG").count() == 0


def test_public_holidays_are_taken_over_by_their_boxes(
    client: Any, admin: Any, el_djazair: Any, standing_at: Any
) -> None:
    from datetime import datetime

    with standing_at(datetime(2031, 6, 2, 9, tzinfo=ALGIERS)):
        client.sign_in(admin)
        url = f"/admin/clinics/{el_djazair.slug}/closures"
        page = client.get(f"{url}?year=2031&language=fr").text
        for expected in ("Public holidays of Algeria", "Fête de l&#39;Indépendance", 'value="2031-07-05"', "over"):
            assert expected in page
        take = f"/admin/clinics/{el_djazair.slug}/holidays/import"
        said = {"year": "2031", "language": "fr", "days": ["2031-07-05", "2031-11-01"]}
        assert client.post(take, data=said).location == url
        assert [one.name for one in session().query(Holiday).order_by(Holiday.day)] == [
            "Fête de l'Indépendance",
            "Fête de la Révolution",
        ]
        assert "closed already" in client.get(f"{url}?year=2031").text
        assert client.post(take, data={"year": "2031", "language": "fr"}).status_code == 422
        assert client.post(take, data=said | {"days": ["2031-07-06"]}).status_code == 422
        assert client.get(f"{url}?year=nonsense&language=xx").status_code == 200


def test_a_clinic_closes_for_some_hours_and_opens_again(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    url, day = f"/admin/clinics/{el_djazair.slug}/closures", str(working_day(30))
    said = {"first": day, "last": day, "starts": "08:00", "ends": "10:00", "note": "Painters"}
    assert client.post(url, data=said).location == url
    assert "Painters" in client.get(url).text
    made = session().query(Closure).one()
    assert (made.clinic_id, made.kind) == (el_djazair.clinic_id, "holiday")
    assert client.post(f"{url}/{made.id}/remove").location == url
    assert session().query(Closure).count() == 0
    assert client.post(url, data=said | {"last": "2020-01-01"}).status_code == 422
    assert client.post(url, data={}).status_code == 422


def test_a_clinics_settings_are_kept(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    url = f"/admin/clinics/{el_djazair.slug}/edit"
    more = {
        "country": "TN", "quiet_from": "22:00", "quiet_until": "07:30", "late_minutes": "15", "no_show_minutes": "45",
        "offer_minutes": "20", "has_board": "y",
    }  # fmt: skip
    assert client.post(url, data=NAMES | more).status_code == 303
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    session().refresh(clinic)
    assert (clinic.country, clinic.quiet_from, clinic.quiet_until) == ("TN", time(22), time(7, 30))
    assert (clinic.late_minutes, clinic.no_show_minutes, clinic.offer_minutes, clinic.has_board) == (15, 45, 20, True)
    assert 'value="22:00"' in client.get(url).text
    assert client.post(url, data=NAMES | more | {"no_show_minutes": "", "has_board": ""}).status_code == 303
    session().refresh(clinic)
    assert (clinic.no_show_minutes, clinic.has_board) == (None, False)
    for wrong in ({"country": "XX"}, {"late_minutes": "300"}, {"no_show_minutes": "2"}, {"offer_minutes": "1"}):
        assert client.post(url, data=NAMES | more | wrong).status_code == 422, wrong


def test_only_a_superadmin_is_shown_the_form_for_a_clinic(client: Any, admin: Any, superadmin: Any) -> None:
    assert client.sign_in(admin).get("/admin/clinics/new").status_code == 403
    assert client.sign_in(superadmin).get("/admin/clinics/new").status_code == 200


@pytest.mark.parametrize("path", ["rooms", "closures", "visit-types/new"])
def test_the_pages_of_a_clinic_ask_the_database_a_fixed_number_of_times(
    client: Any, admin: Any, el_djazair: Any, statements: Any, path: str
) -> None:
    client.sign_in(admin)
    url = f"/admin/clinics/{el_djazair.slug}/{path}"
    with statements() as count:
        assert client.get(url).status_code == 200
    few = count()
    client.post(f"/admin/clinics/{el_djazair.slug}/rooms", data={"kind": "room", "name": "Lab"})
    client.post(f"/admin/clinics/{el_djazair.slug}/rooms", data={"kind": "room", "name": "Hall"})
    session().add(Holiday(clinic_id=el_djazair.clinic_id, day=date(2031, 7, 5), name="Eid"))
    keep()
    with statements() as count:
        client.get(url)
    assert count() <= few + 1 <= 12
