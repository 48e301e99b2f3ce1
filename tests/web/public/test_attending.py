"""“Will you come?” by the link of a reminder: looking changes nothing, yes is kept, no cancels or says whom to call."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.core.events import Event
from portal.domain.notifications.words import answer_link
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import at


@pytest.fixture
def visit(amina, dr_benali, el_djazair):
    made = booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00", 5),
        reason="a private matter",
    )
    keep()
    return made


@pytest.fixture
def link(visit, client):
    """The link of the reminder, in a browser that has shown the birth date."""
    path = answer_link(visit)
    client.post(f"{path}/who", data={"birth_date": "1990-05-17"})
    return path


def test_the_link_shows_the_visit_and_never_why(client, link, visit):
    page = client.get(link)
    assert page.status_code == 200
    assert "Will you come?" in page.text
    assert visit.reference in page.text
    assert "private matter" not in page.text


def test_yes_is_kept_once_and_the_audit_says_by_which_door(client, link, visit):
    for _ in range(2):
        answer = client.post(link, data={"answer": "yes"}, follow_redirects=True)
        assert "the clinic knows that you will come" in answer.text
    assert _again(visit).promised_at is not None
    (event,) = session().scalars(select(Event).where(Event.name == "appointment.promised"))
    assert (event.door, event.patient_id) == ("link", visit.patient_id)


def test_no_cancels_the_visit(client, link, visit):
    answer = client.post(link, data={"answer": "no"})
    assert answer.status_code == 200
    assert "The visit is cancelled" in answer.text
    assert (_again(visit).status, _again(visit).ended_by) == ("cancelled", "patient")
    used = client.get(link)
    assert used.status_code == 410
    assert "over or was cancelled" in used.text


def test_after_the_cut_off_no_says_whom_to_call(client, link, visit, standing_at):
    with standing_at(visit.starts_at - timedelta(hours=3)):
        client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
        assert "I cannot come" not in client.get(link).text
        refused = client.post(link, data={"answer": "no"})
        assert refused.status_code == 409
        assert "too late" in refused.text
        assert "+21321000000" in refused.text
    assert _again(visit).status == "confirmed"


@pytest.mark.parametrize("sent", [{}, {"answer": "maybe"}])
def test_another_answer_is_none(client, link, visit, sent):
    assert client.post(link, data=sent).status_code == 422
    assert _again(visit).promised_at is None


def test_the_link_of_an_older_time_is_used_up(client, link, visit, amina):
    booking.reschedule(amina.actor, visit.id, starts_at=at("10:00", 5))
    for answer in (
        client.get(link),
        client.post(link, data={"answer": "yes"}),
        client.post(link, data={"answer": "no"}),
    ):
        assert answer.status_code == 409
        assert "moved since" in answer.text
    assert _again(visit).status == "confirmed"


def test_a_visit_that_has_begun_is_not_answered_any_more(client, link, visit, standing_at):
    with standing_at(visit.starts_at):
        client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
        assert client.get(link).status_code == 410


def test_a_visit_with_no_cut_off_is_cancelled_until_it_begins(client, link, visit, standing_at):
    session().get_one(VisitType, visit.visit_type_id).cutoff_minutes = 0
    keep()
    with standing_at(visit.starts_at - timedelta(minutes=5)):
        client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
        assert client.post(link, data={"answer": "no"}).status_code == 200


def test_a_scanner_that_opens_everything_changes_nothing(client, visit):
    path = answer_link(visit)
    for _ in range(3):
        client.get(path)
        client.head(path)
    assert (_again(visit).promised_at, _again(visit).status, _again(visit).version) == (None, "confirmed", 1)


def test_the_page_needs_no_account_and_works_without_scripts(client, link):
    page = client.get(link).text
    assert page.count('method="post"') >= 2
    assert "hx-post" not in page.split("<main")[1]


def _again(visit):
    session().expire_all()
    return session().get_one(Appointment, visit.id)
