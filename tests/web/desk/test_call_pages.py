"""The desk's call list in the browser, with and without HTMX."""

from __future__ import annotations

import pytest

from portal.core.db import keep
from portal.domain.scheduling import booking, calls
from tests.builders import at

HTMX = {"HX-Request": "true"}


@pytest.fixture
def call(amina, dr_benali, el_djazair):
    visit = booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00", 5),
        reason="a private matter",
    )
    calls.ask(
        clinic_id=visit.clinic_id,
        patient_id=visit.patient_id,
        code="reminder_failed",
        key="k",
        appointment_id=visit.id,
    )
    keep()
    return visit


def _key(person):
    return calls.waiting(person.actor)[0].id


def test_the_list_says_whom_to_call_why_and_about_what(client, call, nadia):
    client.sign_in(nadia)
    page = client.get("/desk/calls").text
    for said in ("Amina Boudiaf", "tel:+213550000001", "No reminder reached the patient.", call.reference, "Benali"):
        assert said in page
    assert "private matter" not in page


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_each_button_keeps_what_came_of_it(client, call, nadia, headers):
    client.sign_in(nadia)
    key = _key(nadia)
    again = client.post(f"/desk/calls/{key}", data={"outcome": "no_answer", "note": "after five"}, headers=headers)
    assert again.status_code == (200 if headers else 303)
    assert "after five" in client.get("/desk/calls").text
    client.post(f"/desk/calls/{key}", data={"outcome": "reached"}, headers=headers)
    page = client.get("/desk/calls").text
    assert "Nobody to call" in page
    assert "Done in the last day" in page
    client.post(f"/desk/calls/{key}/reopen", headers=headers)
    assert "Nobody to call" not in client.get("/desk/calls").text


@pytest.mark.parametrize("sent", [{}, {"outcome": "won"}, {"outcome": "reached", "note": "x" * 501}])
def test_what_makes_no_sense_is_refused_and_the_list_stays(client, call, nadia, sent):
    client.sign_in(nadia)
    refused = client.post(f"/desk/calls/{_key(nadia)}", data=sent)
    assert refused.status_code == 422
    assert "Amina Boudiaf" in refused.text
    assert calls.waiting(nadia.actor)[0].tries == 0


def test_a_call_somebody_else_has_done_is_said(client, call, nadia, admin):
    client.sign_in(nadia)
    key = _key(nadia)
    calls.close(admin.actor, key, outcome="reached")
    refused = client.post(f"/desk/calls/{key}", data={"outcome": "reached"})
    assert refused.status_code == 409
    assert "Somebody has done this call" in refused.text


def test_another_clinics_desk_sees_none_of_it(client, call, nadia, kamel):
    key = _key(nadia)
    client.sign_in(kamel)
    assert "Amina" not in client.get("/desk/calls").text
    assert client.post(f"/desk/calls/{key}", data={"outcome": "reached"}).status_code == 404


def test_the_page_costs_a_fixed_number_of_statements(client, call, nadia, statements):
    client.sign_in(nadia)
    with statements() as count:
        client.get("/desk/calls")
        assert count() <= 12
