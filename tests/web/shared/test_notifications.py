"""The page of notifications and the bell."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from portal.core.db import keep
from portal.domain.notifications import inbox
from portal.domain.scheduling import booking
from tests.builders import at

HTMX = {"HX-Request": "true"}


@pytest.fixture
def told(amina: Any, dr_benali: Any, el_djazair: Any, drain: Any) -> Any:
    """A function that books a visit of Amina's and lets the notices come; returns its id."""

    def book(wall: str = "09:00", **more: Any) -> Any:
        about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id} | more
        made = booking.book(amina.actor, starts_at=at(wall), **about).id
        drain()
        return made

    return book


def test_what_one_was_told_is_listed_and_leads_to_the_visit(client: Any, amina: Any, told: Any) -> None:
    appointment = told()
    client.sign_in(amina)
    page = client.get("/notifications").text
    assert "Samira Benali" in page
    key = inbox.mine(amina.actor).items[0].id
    answer = client.post(f"/notifications/{key}/read", data={"open": "1"})
    assert answer.status_code == 303
    assert str(appointment) in answer.location
    assert answer.location.startswith("/patient")
    assert inbox.unread_count(amina.actor) == 0


def test_the_doctor_is_led_to_the_doctors_page(client: Any, dr_benali: Any, told: Any) -> None:
    appointment = told()
    client.sign_in(dr_benali)
    key = inbox.mine(dr_benali.actor).items[0].id
    answer = client.post(f"/notifications/{key}/read", data={"open": "1"})
    assert answer.location.startswith("/doctor")
    assert str(appointment) in answer.location


def test_the_bell_counts_and_marking_in_place_brings_it_along(client: Any, amina: Any, told: Any) -> None:
    told("09:00")
    told("10:00")
    client.sign_in(amina)
    assert bell(client.get("/notifications").text) == "2"
    assert bell(client.get("/notifications/badge").text) == "2"
    key = inbox.mine(amina.actor).items[0].id
    answer = client.post(f"/notifications/{key}/read", headers=HTMX)
    assert answer.status_code == 200
    assert bell(answer.text) == "1"
    assert 'hx-swap-oob="true"' in answer.text
    answer = client.post("/notifications/read", headers=HTMX)
    assert bell(answer.text) == ""
    assert bell(client.get("/account/profile").text) == ""


def test_marking_without_javascript_comes_back_to_the_same_filter(client: Any, amina: Any, told: Any) -> None:
    told()
    client.sign_in(amina)
    key = inbox.mine(amina.actor).items[0].id
    kept = {"unread": "1", "kind": "appointment.booked"}
    for path in (f"/notifications/{key}/read", "/notifications/read"):
        answer = client.post(path, data=kept)
        assert answer.location == "/notifications?unread=1&kind=appointment.booked"
    assert inbox.unread_count(amina.actor) == 0


def test_one_filters_by_kind_and_by_what_is_not_read(client: Any, amina: Any, told: Any) -> None:
    appointment = told("09:00")
    booking.cancel(amina.actor, appointment, code="mistake")
    told("10:00")
    client.sign_in(amina)
    assert listed(client.get("/notifications").text) == 3
    assert listed(client.get("/notifications?kind=appointment.cancelled").text) == 1
    assert listed(client.get("/notifications?kind=nonsense").text) == 3
    inbox.mark_read(amina.actor, inbox.mine(amina.actor).items[0].id)
    keep()
    assert listed(client.get("/notifications?unread=1").text) == 2
    assert listed(client.get("/notifications?unread=1", headers=HTMX).text) == 2


def test_a_long_list_comes_in_pages_and_shows_each_once(client: Any, amina: Any, dr_benali: Any, told: Any) -> None:
    from portal.domain.notifications.delivery import tell
    from portal.domain.notifications.words import appointment

    about = appointment(told())
    for number in range(45):
        tell(person_row(amina), "appointment.confirmed", about, f"n{number}", channels=())
    keep()
    client.sign_in(amina)
    seen: list[str] = []
    url = "/notifications"
    for _ in range(5):
        page = client.get(url).text
        seen += re.findall(r'id="notification-([0-9a-f-]+)"', page)
        following = re.search(r'href="(/notifications\?[^"]*after=[^"]+)"', page)
        if following is None:
            break
        url = following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 46


def test_nobody_reads_or_marks_somebody_elses(client: Any, amina: Any, yacine: Any, told: Any) -> None:
    told()
    key = inbox.mine(amina.actor).items[0].id
    client.sign_in(yacine)
    assert listed(client.get("/notifications").text) == 0
    for wanted in (key, uuid4()):
        assert client.post(f"/notifications/{wanted}/read").status_code == 404
    client.post("/notifications/read")
    assert inbox.unread_count(amina.actor) == 1


def test_an_empty_list_says_what_will_come(client: Any, superadmin: Any) -> None:
    client.sign_in(superadmin)
    assert "empty-state" in client.get("/notifications").text


@pytest.mark.parametrize("page", ["/notifications", "/notifications/badge", "/live"])
def test_a_stranger_is_asked_to_sign_in(client: Any, page: str) -> None:
    assert client.get(page).status_code == 303
    assert client.get(page, headers=HTMX).status_code == 401


def test_a_bad_cursor_is_a_sentence(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    for cursor in ("nonsense", "W10", "WyJ4IiwgInkiXQ", "WzEsMl0"):
        assert client.get(f"/notifications?after={cursor}").status_code == 422


def test_pages_that_are_live_listen_once(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    page = client.get("/notifications").text
    assert page.count('sse-connect="/live"') == 1
    assert 'hx-trigger="sse:notifications"' in page


def bell(html: str) -> str:
    found = re.search(r'id="bell".*?</a>', html, re.S)
    assert found, html
    number = re.search(r'<span class="count">(\d+\+?)', found[0])
    return number[1] if number else ""


def listed(html: str) -> int:
    return html.count('id="notification-')


def person_row(person: Any) -> Any:
    from portal.domain.identity import accounts

    return accounts.get(person.user_id)


def test_one_is_taken_off_the_list_in_place_and_the_filter_stays(
    client: Any, amina: Any, yacine: Any, told: Any
) -> None:
    told("09:00")
    told("10:00")
    keys = [one.id for one in inbox.mine(amina.actor).items]
    inbox.mark_read(amina.actor, keys[0])
    keep()
    client.sign_in(amina)
    read = client.get("/notifications?unread=0").text
    assert (str(keys[0]) in read, str(keys[1]) in read) == (True, False)
    answer = client.post(f"/notifications/{keys[0]}/remove", data={"unread": "0"}, headers=HTMX)
    assert (answer.status_code, str(keys[0]) in answer.text, str(keys[1]) in answer.text) == (200, False, False)
    answer = client.post(f"/notifications/{keys[1]}/remove", data={"unread": "1"})
    assert answer.location.endswith("/notifications?unread=1")
    assert inbox.mine(amina.actor).items == []
    assert client.sign_in(yacine).post(f"/notifications/{keys[1]}/remove").status_code == 404
