"""The pages of a change over booked visits: decide, save, and see the answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.changes import listing
from portal.domain.changes.models import Change
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment
from tests.builders import HTMX, at, working_day


@pytest.fixture
def book(dr_benali: Any, el_djazair: Any) -> Callable[..., Appointment]:
    def at_(person: Any, wall: str = "09:00") -> Appointment:
        made = booking.book(
            person.actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall),
        )
        keep()
        return made

    return at_


@pytest.fixture
def planned(client: Any, dr_benali: Any, book: Any, amina: Any, yacine: Any) -> str:
    """The address of a day off of Dr Benali with two visits in it; she is signed in."""
    book(amina, "09:00"), book(yacine, "10:00")
    client.sign_in(dr_benali)
    day = str(working_day())
    answer = client.post("/doctor/time-off", data={"kind": "leave", "first": day, "last": day})
    assert answer.status_code == 303
    return str(answer.location)


def sheet(actor: Any, url: str) -> listing.Sheet:
    session().expire_all()
    return listing.show(actor, url.rpartition("/")[2])


def test_a_day_off_without_visits_is_saved_at_once(client: Any, dr_benali: Any) -> None:
    client.sign_in(dr_benali)
    day = str(working_day())
    answer = client.post("/doctor/time-off", data={"kind": "leave", "first": day, "last": day})
    assert answer.location == "/doctor/time-off"
    assert "Remove the time off" in client.get("/doctor/time-off").text


def test_the_plan_lists_who_when_and_the_held_time(client: Any, planned: str) -> None:
    page = client.get(planned).text
    assert "Amina Boudiaf" in page and "Yacine Meziane" in page
    assert page.count('value="move" checked') == 2
    assert "data-countdown=" in page
    assert client.get(planned, headers=HTMX).text.lstrip().startswith('<div id="change"')


def test_everything_is_approved_with_one_click(client: Any, planned: str, dr_benali: Any) -> None:
    answer = client.post(f"{planned}/apply")
    assert answer.location == planned
    page = client.get(planned).text
    assert "2 visits wait for their patients’ answers" in page
    assert "Waits for an answer: 2" in page
    assert sheet(dr_benali.actor, planned).change.state == "applied"


def test_some_are_approved(client: Any, planned: str, dr_benali: Any) -> None:
    one, two = (line.proposal.id for line in sheet(dr_benali.actor, planned).lines)
    client.post(f"{planned}/apply", data={f"do-{one}": "keep", f"do-{two}": "cancel", "do-nonsense": "move"})
    assert [line.standing for line in sheet(dr_benali.actor, planned).lines] == ["kept", "cancelled"]


def test_an_answer_that_is_none_is_shown_on_the_page(client: Any, planned: str, dr_benali: Any) -> None:
    one = sheet(dr_benali.actor, planned).lines[0].proposal.id
    answer = client.post(f"{planned}/apply", data={f"do-{one}": "vanish"})
    assert answer.status_code == 422
    assert "Please say for each visit what becomes of it." in answer.text
    assert client.post(f"{planned}/remember", data={f"do-{one}": "vanish"}).status_code == 422
    assert sheet(dr_benali.actor, planned).change.state == "draft"


@pytest.mark.parametrize("code", ["move", "choose", "keep", "cancel"])
def test_the_same_for_all(client: Any, planned: str, dr_benali: Any, code: str) -> None:
    assert client.post(f"{planned}/remember", data={"all": code}).location == planned
    assert {line.proposal.decision for line in sheet(dr_benali.actor, planned).lines} == {code}


def test_another_time_is_looked_for_and_held(client: Any, planned: str, dr_benali: Any) -> None:
    one, two = (line.proposal for line in sheet(dr_benali.actor, planned).lines)
    url = client.post(f"{planned}/remember", data={"other": one.id, f"do-{two.id}": "keep"}).location
    assert url == f"/changes/visits/{one.id}/times"
    page = client.get(url)
    assert page.status_code == 200
    assert client.get(url, headers=HTMX).text.lstrip().startswith('<div id="other-times"')
    wanted = re.findall(r'name="starts_at" value="([^"]+)"', page.text)[-1]
    assert client.post(url, data={"starts_at": wanted}).location == planned
    first, second = sheet(dr_benali.actor, planned).lines
    assert first.proposal.starts_at.isoformat() == wanted
    assert second.proposal.decision == "keep"
    assert client.post(url, data={"starts_at": at("11:00").isoformat()}).status_code == 409
    assert client.post(url, data={"starts_at": "soon"}).status_code == 422


def test_a_visit_booked_meanwhile_is_shown_before_anything_is_saved(
    client: Any, planned: str, book: Any, amina: Any, dr_benali: Any
) -> None:
    book(amina, "11:00")
    client.post(f"{planned}/apply")
    found = sheet(dr_benali.actor, planned)
    assert (found.change.state, len(found.lines)) == ("draft", 3)
    assert "A visit was booked meanwhile." in client.get(planned).text


def test_it_is_not_saved_after_all(client: Any, planned: str, dr_benali: Any) -> None:
    assert client.post(f"{planned}/drop").location == "/doctor/time-off"
    assert "Look for times again" in client.get(planned).text
    assert client.post(f"{planned}/renew").location == planned
    assert sheet(dr_benali.actor, planned).change.state == "draft"


def test_times_that_went_back_are_looked_for_again(client: Any, planned: str, dr_benali: Any, standing_at: Any) -> None:
    until = sheet(dr_benali.actor, planned).change.held_until
    with standing_at(until):
        assert "Look for times again" in client.get(planned).text
        client.post(f"{planned}/renew")
        assert 'value="move" checked' in client.get(planned).text


def test_the_desk_says_that_the_patient_agreed(client: Any, planned: str, nadia: Any, dr_benali: Any) -> None:
    client.post(f"{planned}/apply")
    one = sheet(dr_benali.actor, planned).lines[0].proposal.id
    client.sign_in(nadia)
    assert "Patient agreed" in client.get(planned).text
    assert client.post(f"/changes/visits/{one}/accept").location == planned
    assert "Arranged by the clinic: 1" in client.get(planned).text
    assert client.post(f"/changes/visits/{one}/accept").status_code == 409


def test_the_list_shows_plans_and_answers(client: Any, planned: str, nadia: Any, kamel: Any) -> None:
    assert "Not saved yet" in client.get("/changes").text
    client.post(f"{planned}/apply")
    client.sign_in(nadia)
    assert "Waits for an answer: 2" in client.get("/changes").text
    client.sign_in(kamel)
    assert "No changes over booked visits" in client.get("/changes").text


@pytest.mark.parametrize("who", ["kamel", "dr_haddad"])
def test_for_strangers_a_change_does_not_exist(request: Any, client: Any, planned: str, who: str) -> None:
    one = session().query(Change).one().id
    client.sign_in(request.getfixturevalue(who))
    assert client.get(planned).status_code == 404
    for what in ("apply", "drop", "renew", "remember"):
        assert client.post(f"/changes/{one}/{what}").status_code == 404


def test_pages_ask_the_database_a_fixed_number_of_times(client: Any, planned: str, statements: Any) -> None:
    for url in (planned, "/changes"):
        client.get(url)
        with statements() as count:
            client.get(url)
            assert count() <= 12
