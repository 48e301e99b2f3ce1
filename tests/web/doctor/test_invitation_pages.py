"""Inviting from a visit's page, and what the invited patient finds."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment, VisitType
from portal.domain.scheduling.planning import BookingInvitation
from tests.builders import at


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    """Amina's consultation with Dr Benali."""
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    made = booking.book(amina.actor, starts_at=at("09:00"), **about)
    keep()
    return made


@pytest.fixture
def doctor(client: Any, dr_benali: Any) -> Any:
    return client.sign_in(dr_benali)


def said(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


def wish(kind: Any, **more: str) -> dict[str, str]:
    return {"visit_type_id": str(kind), "first": "2027-01-10", "last": "2027-02-10"} | more


def test_a_visit_leads_to_the_invitation_and_shows_it_until_it_is_withdrawn(
    doctor: Any, visit: Any, el_djazair: Any
) -> None:
    url = f"/doctor/appointments/{visit.id}/invite"
    assert url in said(doctor.get(f"/doctor/appointments/{visit.id}"))
    assert "In 3 months" in said(doctor.get(f"{url}?after=3m"))
    done = doctor.post(url, data=wish(el_djazair.consultation_id, note="Please fast"))
    assert done.location == f"/doctor/appointments/{visit.id}"
    made = session().query(BookingInvitation).one()
    assert (made.follow_up_of, made.note) == (visit.id, "Please fast")
    assert "Invited to Consultation" in said(doctor.get(f"/doctor/appointments/{visit.id}"))
    again = doctor.post(url, data=wish(el_djazair.consultation_id))
    assert again.status_code == 409
    back = doctor.post(f"/doctor/invitations/{made.id}/withdraw", data={"visit": str(visit.id)})
    assert back.location == f"/doctor/appointments/{visit.id}"
    assert "Invited to" not in said(doctor.get(f"/doctor/appointments/{visit.id}"))
    assert doctor.post(f"/doctor/invitations/{made.id}/withdraw").location == "/doctor/today"  # it is over either way


def test_a_completed_visit_proposes_to_come_again(
    doctor: Any, visit: Any, dr_benali: Any, nadia: Any, standing_at: Any
) -> None:
    with standing_at(visit.starts_at):
        visits.check_in(nadia.actor, visit.id)
        visits.start(dr_benali.actor, visit.id)
        visits.complete(dr_benali.actor, visit.id)
        keep()
    page = said(doctor.get(f"/doctor/appointments/{visit.id}"))
    assert f"/doctor/appointments/{visit.id}/invite?after=3m" in page


@pytest.mark.parametrize("wrong", [{"last": "2026-12-01"}, {"first": ""}, {"visit_type_id": "x"}, {"note": "x" * 501}])
def test_wrong_answers_are_said(doctor: Any, visit: Any, el_djazair: Any, wrong: dict[str, str]) -> None:
    answer = doctor.post(f"/doctor/appointments/{visit.id}/invite", data=wish(el_djazair.consultation_id) | wrong)
    assert answer.status_code == 422
    assert session().query(BookingInvitation).count() == 0


def test_another_doctor_and_an_unknown_span_find_nothing(client: Any, visit: Any, dr_haddad: Any, doctor: Any) -> None:
    assert doctor.get(f"/doctor/appointments/{visit.id}/invite?after=9y").status_code == 404
    client.sign_in(dr_haddad)
    assert client.get(f"/doctor/appointments/{visit.id}/invite").status_code == 404
    assert client.post(f"/doctor/appointments/{visit.id}/invite").status_code == 404


def test_the_patient_finds_it_at_home_and_books_what_only_the_invited_may(
    client: Any, doctor: Any, visit: Any, el_djazair: Any, amina: Any, dr_benali: Any, yacine: Any, new_client: Any
) -> None:
    session().get_one(VisitType, el_djazair.follow_up_id).bookable_by = "invited"
    keep()
    times = f"/book/{dr_benali.practice_id}/{el_djazair.follow_up_id}"
    doctor.post(f"/doctor/appointments/{visit.id}/invite", data=wish(el_djazair.follow_up_id, note="Please fast"))
    made = session().query(BookingInvitation).one()
    assert new_client().get(times).location.startswith("/account/sign-in?next=")  # a stranger may be invited
    other = new_client().sign_in(yacine)
    assert other.get(times).status_code == 404
    assert other.get(f"/patient/invitations/{made.id}").status_code == 404
    mine = new_client().sign_in(amina)
    assert f"/patient/invitations/{made.id}" in said(mine.get("/patient/home"))
    page = said(mine.get(f"/patient/invitations/{made.id}"))
    assert f"{times}?from=2027-01-10" in page and "Please fast" in page
    assert "Video follow-up" in said(mine.get(f"/book/{dr_benali.practice_id}"))
    assert mine.get(times).status_code == 200
    held = mine.post(times, data={"starts_at": at("10:00", 3).isoformat()})
    assert held.location == "/book/details"


def test_the_patient_declines_once(client: Any, doctor: Any, visit: Any, el_djazair: Any, amina: Any) -> None:
    doctor.post(f"/doctor/appointments/{visit.id}/invite", data=wish(el_djazair.consultation_id))
    made = session().query(BookingInvitation).one()
    client.sign_in(amina)
    assert client.post(f"/patient/invitations/{made.id}/decline").location == "/patient/home"
    over = client.post(f"/patient/invitations/{made.id}/decline")
    assert over.status_code == 409
    assert "was used or has ended" in said(over)
