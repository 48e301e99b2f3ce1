"""A patient answers a change: signed in, or by the link in the message with nothing but the birth date."""

from __future__ import annotations

import re
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.changes import applying, listing, planning
from portal.domain.changes.models import Change, Proposal
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment
from tests.builders import HTMX, at, working_day


@pytest.fixture
def asked(amina: Any, dr_benali: Any, el_djazair: Any) -> Proposal:
    """Amina is asked about her visit at 09:00."""
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    change = planning.plan(
        dr_benali.actor, "close_doctor", dr_benali.doctor_id, first=working_day(), last=working_day()
    )
    applying.apply(dr_benali.actor, change.id, {})
    keep()
    return session().query(Proposal).one()


def answer_of(proposal: Proposal) -> str | None:
    session().expire_all()
    return session().get_one(Proposal, proposal.id).answer


def test_signed_in_the_choices_are_shown(client: Any, amina: Any, asked: Proposal) -> None:
    client.sign_in(amina)
    url = f"/patient/changes/{asked.change_id}"
    page = client.get(url).text
    assert all(word in page for word in ("We propose", "Accept", "Choose another time", "Cancel the visit"))
    assert client.get(url, headers=HTMX).text.lstrip().startswith('<div id="asked"')


def test_signed_in_it_is_accepted(client: Any, amina: Any, asked: Proposal) -> None:
    wanted = asked.starts_at
    client.sign_in(amina)
    url = f"/patient/changes/{asked.change_id}"
    assert client.post(url, data={"do": "accept", "visit": asked.id}).location == url
    assert answer_of(asked) == "accepted"
    assert session().get_one(Appointment, asked.appointment_id).starts_at == wanted
    assert "Accepted" in client.get(url).text
    assert client.post(url, data={"do": "cancel", "visit": asked.id}).status_code == 409


def test_signed_in_another_time_is_chosen(client: Any, amina: Any, asked: Proposal) -> None:
    client.sign_in(amina)
    url = f"/patient/changes/{asked.change_id}"
    page = client.get(f"{url}?visit={asked.id}").text
    wanted = re.findall(r'name="starts_at" value="([^"]+)"', page)[-1]
    refused = client.post(url, data={"do": "choose", "visit": asked.id, "starts_at": at("11:00").isoformat()})
    assert refused.status_code == 409
    assert "Not moved" in refused.text and "Choose the new time" in refused.text
    assert client.post(url, data={"do": "choose", "visit": asked.id}).status_code == 422
    assert client.post(url, data={"do": "choose", "visit": asked.id, "starts_at": wanted}).location == url
    assert answer_of(asked) == "chosen"


def test_signed_in_it_is_cancelled(client: Any, amina: Any, asked: Proposal) -> None:
    client.sign_in(amina)
    url = f"/patient/changes/{asked.change_id}"
    assert client.post(url, data={"do": "cancel", "visit": asked.id}).status_code == 303
    assert session().get_one(Appointment, asked.appointment_id).status == "cancelled"
    assert client.post(url, data={"do": "forget", "visit": asked.id}).status_code == 422


def test_another_patient_sees_nothing(client: Any, yacine: Any, asked: Proposal) -> None:
    client.sign_in(yacine)
    url = f"/patient/changes/{asked.change_id}"
    assert client.get(url).status_code == 404
    assert client.post(url, data={"do": "accept", "visit": asked.id}).status_code == 404
    assert answer_of(asked) is None


def test_the_link_asks_the_birth_date_shows_and_acts(client: Any, amina: Any, asked: Proposal, mailbox: Any) -> None:
    link = mailbox.link(amina.email, "/go/").removeprefix("http://localhost")
    page = client.get(link)
    assert "Benali" not in page.text and "birth" in page.text
    assert client.post(link, data={"do": "accept", "visit": asked.id}).status_code == 403
    assert answer_of(asked) is None
    assert client.post(f"{link}/who", data={"birth_date": "1980-01-01"}).status_code == 422
    assert client.post(f"{link}/who", data={"birth_date": "1990-05-17"}).location == link
    assert "Benali" in client.get(link).text
    assert answer_of(asked) is None
    assert client.post(link, data={"do": "accept", "visit": asked.id}).location == link
    assert answer_of(asked) == "accepted"
    assert "Accepted" in client.get(link).text


def test_the_link_lets_choose_week_by_week(client: Any, amina: Any, asked: Proposal, mailbox: Any) -> None:
    link = mailbox.link(amina.email, "/go/").removeprefix("http://localhost")
    client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
    page = client.get(f"{link}?visit={asked.id}").text
    following = re.search(r'href="([^"]+)" rel="next"', page)
    assert following and following[1].startswith(link)
    page = client.get(following[1].replace("&amp;", "&")).text
    wanted = re.findall(r'name="starts_at" value="([^"]+)"', page)[0]
    assert client.post(link, data={"do": "choose", "visit": asked.id, "starts_at": wanted}).location == link
    assert answer_of(asked) == "chosen"


def test_a_link_of_one_answers_for_nobody_else(
    client: Any, amina: Any, yacine: Any, asked: Proposal, mailbox: Any, dr_benali: Any, el_djazair: Any
) -> None:
    link = mailbox.link(amina.email, "/go/").removeprefix("http://localhost")
    booking.book(
        yacine.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00", 9),
    )  # fmt: skip
    change = planning.plan(
        dr_benali.actor, "close_doctor", dr_benali.doctor_id, first=working_day(9), last=working_day(9)
    )
    applying.apply(dr_benali.actor, change.id, {})
    keep()
    (theirs,) = listing.waiting(yacine.actor)
    client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
    assert client.post(link, data={"do": "accept", "visit": theirs.proposal.id}).status_code == 404
    assert answer_of(theirs.proposal) is None


def test_the_notification_leads_to_the_choices(client: Any, amina: Any, asked: Proposal, drain: Any) -> None:
    drain()
    client.sign_in(amina)
    page = client.get("/notifications").text
    assert "Clinique El Djazair has to change 1 visit. Please say what suits you." in page
    assert session().query(Change).one().state == "applied"
