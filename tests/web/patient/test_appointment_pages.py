"""A patient's home and appointments: seeing, moving, cancelling; never somebody else's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from icalendar import Calendar
from sqlalchemy import select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.events import Event
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, glance, video
from portal.domain.scheduling.models import STATES, Appointment
from portal.web.patient.appointments import WHENS
from tests.builders import HTMX, at


def book(patient: Any, doctor: Any, kind: UUID, moment: datetime | None = None, reason: str = "") -> UUID:
    """This patient's visit on a day well before which it can still be changed."""
    made = booking.book(
        patient.actor,
        practice_id=doctor.practice_id,
        visit_type_id=kind,
        starts_at=moment or at("09:00", ahead=4),
        reason=reason,
    )
    keep()
    return made.id


def now_of(key: UUID) -> Appointment:
    session().expire_all()
    return session().get_one(Appointment, key)


def path(key: UUID, more: str = "") -> str:
    return f"/patient/appointments/{key}{more}"


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> UUID:
    """Amina's consultation with Dr Benali."""
    return book(amina, dr_benali, el_djazair.consultation_id, reason="A <b>cough</b>")


@pytest.fixture
def as_amina(client: Any, amina: Any) -> Any:
    return client.sign_in(amina)


EVERY = ["", "/move", "/cancel", "/calendar.ics"]


@pytest.mark.parametrize("more", EVERY)
def test_somebody_elses_visit_and_one_that_never_was_answer_alike(
    client: Any, visit: UUID, yacine: Any, more: str
) -> None:
    client.sign_in(yacine)
    foreign, unknown = client.get(path(visit, more)), client.get(path(uuid4(), more))
    assert foreign.status_code == unknown.status_code == 404
    assert client.get(f"/patient/appointments/nonsense{more}").status_code == 404


@pytest.mark.parametrize("more", ["/move", "/cancel"])
def test_nobody_changes_somebody_elses_visit(client: Any, visit: UUID, yacine: Any, more: str) -> None:
    sent = {"starts_at": at("10:00", ahead=4).isoformat(), "code": "other", "version": "1"}
    assert client.sign_in(yacine).post(path(visit, more), data=sent).status_code == 404
    assert now_of(visit).version == 1


@pytest.mark.parametrize("address", ["/patient/home", "/patient/appointments"])
def test_strangers_are_asked_to_sign_in_and_others_are_refused(
    client: Any, nadia: Any, dr_haddad: Any, address: str
) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.location) == (303, f"/account/sign-in?next={address}")
    for person in (nadia, dr_haddad):
        assert client.sign_in(person).get(address).status_code == 403


def test_home_has_the_next_visit_on_top(as_amina: Any, visit: UUID, dr_benali: Any) -> None:
    page = as_amina.get("/patient/home").text
    assert "Your next visit" in page
    assert "Dr Samira Benali" in page
    assert path(visit) in page
    assert re.search(r"In \d days", page)


def test_home_without_visits_leads_to_a_doctor(as_amina: Any) -> None:
    page = as_amina.get("/patient/home").text
    assert "No visit planned" in page
    assert "Nothing new." in page


def test_home_says_what_is_to_do(client: Any, lina: Any) -> None:
    session().get_one(Patient, lina.patient_id).phone = ""
    page = client.sign_in(lina).get("/patient/home").text
    assert "Confirm your e-mail address" in page
    assert "Complete your profile" in page


def test_home_tells_what_is_new(as_amina: Any, visit: UUID, drain: Any) -> None:
    drain()
    page = as_amina.get("/patient/home").text
    assert "Nothing new." not in page
    assert "(new)" in page


def test_the_list_has_what_comes_and_what_was(as_amina: Any, visit: UUID) -> None:
    assert path(visit) in as_amina.get("/patient/appointments").text
    assert "No past visits" in as_amina.get("/patient/appointments?when=past").text
    assert as_amina.get("/patient/appointments?when=never").status_code == 422
    fragment = as_amina.get("/patient/appointments", headers=HTMX).text
    assert fragment.lstrip().startswith('<section id="visits"')


def test_the_past_is_read_page_by_page(as_amina: Any, amina: Any, dr_benali: Any, el_djazair: Any) -> None:
    row = now_of(book(amina, dr_benali, el_djazair.consultation_id))
    facts = {column.key: getattr(row, column.key) for column in Appointment.__table__.columns}
    for number in range(24):
        begins = clock.now() - timedelta(days=number + 2)
        over = {"id": uuid4(), "reference": f"PAST{number}", "starts_at": begins, "status": "completed"}
        session().add(Appointment(**facts | over | {"ends_at": begins + timedelta(minutes=30)}))
    first = as_amina.get("/patient/appointments?when=past").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = as_amina.get(unescape(following.group(1))).text
    seen = re.findall(r'href="(/patient/appointments/[0-9a-f-]{36})"', first + second)
    assert len(seen) == len(set(seen)) == 24
    assert as_amina.get("/patient/appointments?when=past&after=nonsense").status_code == 422


def test_a_visit_that_is_called_off_ahead_is_not_past_until_its_time_is_over(
    as_amina: Any, amina: Any, visit: UUID, standing_at: Any
) -> None:
    booking.cancel(amina.actor, visit)
    keep()
    for when, there in (("upcoming", False), ("past", False), ("called_off", True)):
        assert (path(visit) in as_amina.get(f"/patient/appointments?when={when}").text) is there
    with standing_at(at("12:00", ahead=4)):
        assert [one.id for one in glance.mine(amina.actor, "past").items] == [visit]
        assert glance.mine(amina.actor, "called_off").items == []


@pytest.mark.parametrize("status", sorted(STATES))
@pytest.mark.parametrize("ahead", [-2, 4])
def test_each_visit_stands_in_one_list_and_what_is_past_is_over(
    amina: Any, visit: UUID, status: str, ahead: int
) -> None:
    row = now_of(visit)
    row.starts_at, row.ends_at, row.status = at("09:00", ahead=ahead), at("09:30", ahead=ahead), status
    session().flush()
    lists = [when for when in WHENS if glance.mine(amina.actor, when).items]
    assert len(lists) == 1
    if ahead < 0:
        assert lists == ["past"]
    else:
        assert (lists == ["past"]) is (status in {"completed", "no_show"})


def test_one_visit_shows_everything(as_amina: Any, visit: UUID) -> None:
    page = as_amina.get(path(visit)).text
    shown = (
        "Confirmed",
        "Dr Samira Benali",
        "12 rue Didouche Mourad",
        now_of(visit).reference,
        "Algeria",
        "Booked",
        "by you",
    )
    for words in (*shown, "A &lt;b&gt;cough&lt;/b&gt;", "You can move or cancel it online until"):
        assert words in page
    assert "/move" in page
    assert "/cancel" in page
    assert as_amina.get(path(visit), headers=HTMX).text.lstrip().startswith('<div id="appointment"')


def test_the_calendar_file_can_be_read(as_amina: Any, visit: UUID) -> None:
    answer = as_amina.get(path(visit, "/calendar.ics"))
    assert answer.mimetype == "text/calendar"
    assert "attachment" in answer.headers["Content-Disposition"]
    (event,) = Calendar.from_ical(answer.data).walk("VEVENT")
    assert event.decoded("dtstart") == at("09:00", ahead=4)
    assert "cough" not in answer.text


def test_moving_wins_the_new_time_and_tells_it(as_amina: Any, visit: UUID) -> None:
    page = as_amina.get(path(visit, "/move")).text
    assert "You keep this time until the new one is yours." in page
    version = re.search(r'name="version" type="hidden" value="(\d+)"', page)
    assert version
    new = at("10:30", ahead=4)
    assert f'value="{new.isoformat()}"' in page
    assert f'value="{at("09:00", ahead=4).isoformat()}"' not in page
    answer = as_amina.post(path(visit, "/move"), data={"starts_at": new.isoformat(), "version": version.group(1)})
    assert (answer.status_code, answer.location) == (303, path(visit))
    assert (now_of(visit).starts_at, now_of(visit).version) == (new, 2)
    page = as_amina.get(path(visit)).text
    assert "Your visit is moved." in page
    assert "it was" in page


def test_moving_onto_a_taken_time_keeps_the_old_one(
    as_amina: Any, visit: UUID, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    taken = at("10:30", ahead=4)
    book(yacine, dr_benali, el_djazair.consultation_id, taken)
    answer = as_amina.post(path(visit, "/move"), data={"starts_at": taken.isoformat(), "version": "1"})
    assert answer.status_code == 409
    assert "This time has just been taken." in answer.text
    assert answer.text.count('class="slots-times"') > 1
    assert now_of(visit).starts_at == at("09:00", ahead=4)


@pytest.mark.parametrize("more", ["/move", "/cancel"])
def test_a_version_seen_before_a_change_is_refused(as_amina: Any, visit: UUID, more: str) -> None:
    as_amina.post(path(visit, "/move"), data={"starts_at": at("11:00", ahead=4).isoformat(), "version": "1"})
    sent = {"starts_at": at("10:00", ahead=4).isoformat(), "code": "other", "version": "1"}
    answer = as_amina.post(path(visit, more), data=sent)
    assert answer.status_code == 409
    assert "changed in the meantime" in answer.text
    assert now_of(visit).starts_at == at("11:00", ahead=4)


@pytest.mark.parametrize("sent", [{}, {"starts_at": ""}, {"starts_at": "soon"}, {"starts_at": "1", "version": "x"}])
def test_a_new_time_that_is_none_is_a_sentence(as_amina: Any, visit: UUID, sent: dict[str, str]) -> None:
    answer = as_amina.post(path(visit, "/move"), data=sent)
    assert answer.status_code == 422
    assert "Please choose one of the times." in answer.text


def test_moving_into_the_past_is_refused_with_a_sentence(as_amina: Any, visit: UUID) -> None:
    past = (at("09:00") - timedelta(days=7)).isoformat()
    answer = as_amina.post(path(visit, "/move"), data={"starts_at": past, "version": "1"})
    assert answer.status_code == 409
    assert "This time has passed." in answer.text


def test_cancelling_asks_first_and_gives_the_time_back(
    as_amina: Any, visit: UUID, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    page = as_amina.get(path(visit, "/cancel")).text
    assert "the time becomes free for others" in page
    assert now_of(visit).status == "confirmed"
    sent = {"code": "better", "text": "Thank you", "version": "1"}
    answer = as_amina.post(path(visit, "/cancel"), data=sent)
    assert (answer.status_code, answer.location) == (303, path(visit))
    ended = now_of(visit)
    assert (ended.status, ended.end_code, ended.end_text, ended.ended_by) == (
        "cancelled",
        "better",
        "Thank you",
        "patient",
    )
    page = as_amina.get(path(visit)).text
    assert "Your visit is cancelled." in page
    assert "Book again" in page
    assert "/move" not in page
    assert "CANCELLED" in as_amina.get(path(visit, "/calendar.ics")).text
    book(yacine, dr_benali, el_djazair.consultation_id)


def test_cancelling_twice_is_refused_with_a_sentence(as_amina: Any, visit: UUID) -> None:
    as_amina.post(path(visit, "/cancel"), data={"code": "other", "version": "1"})
    answer = as_amina.post(path(visit, "/cancel"), data={"code": "other", "version": "2"})
    assert answer.status_code == 409
    assert "cannot be done with the appointment as it is now" in answer.text


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"code": "because"}, "This is not one of the choices."),
        ({"code": "other", "text": "x" * 501}, "This is too long: at most 500 characters."),
        ({"code": "other", "version": "many"}, "Please write a whole number."),
    ],
)
def test_a_wrong_answer_is_a_sentence_and_changes_nothing(
    as_amina: Any, visit: UUID, sent: dict[str, str], sentence: str
) -> None:
    for headers in ({}, HTMX):
        answer = as_amina.post(path(visit, "/cancel"), data=sent, headers=headers)
        assert answer.status_code == 422
        assert sentence in answer.text
    assert now_of(visit).status == "confirmed"


def test_htmx_cancels_in_place_and_is_sent_to_the_visit(as_amina: Any, visit: UUID) -> None:
    answer = as_amina.post(path(visit, "/cancel"), data={"code": "other", "version": "1"}, headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, path(visit))


def test_after_the_cut_off_the_page_says_so_and_the_verbs_refuse(
    client: Any, amina: Any, visit: UUID, standing_at: Any
) -> None:
    with standing_at(at("09:00", ahead=4) - timedelta(hours=3)):
        as_amina = client.sign_in(amina)
        page = as_amina.get(path(visit)).text
        assert "It is too late to change this online" in page
        assert path(visit, "/cancel") not in page
        for more in ("/move", "/cancel"):
            sent = {"starts_at": at("11:00", ahead=4).isoformat(), "code": "other", "version": "1"}
            answer = as_amina.post(path(visit, more), data=sent)
            assert answer.status_code == 409
            assert "Please call the clinic." in answer.text
    assert now_of(visit).status == "confirmed"


def rooms(page: Any) -> list[str]:
    return re.findall(r"https://meet\.jit\.si/([^\"]+)", page.text)


def test_a_video_link_shows_a_quarter_of_an_hour_before_to_both_sides(
    client: Any, amina: Any, dr_benali: Any, el_djazair: Any, standing_at: Any
) -> None:
    begins = at("09:00", ahead=4)
    key = book(amina, dr_benali, el_djazair.follow_up_id, begins)
    with standing_at(begins):
        assert rooms(client.sign_in(amina).get(path(key))) == [], "the doctor has not said yes"
    booking.confirm(dr_benali.actor, key)
    keep()
    for moment, shown in (
        (begins - timedelta(minutes=16), False),
        (begins - timedelta(minutes=15), True),
        (begins + timedelta(minutes=70), True),
        (begins + timedelta(minutes=80), False),
    ):
        with standing_at(moment):
            theirs = rooms(client.sign_in(amina).get(path(key)))
            assert bool(theirs) is shown, moment
            assert rooms(client.sign_in(dr_benali).get(f"/doctor/appointments/{key}")) == theirs
    booking.cancel(amina.actor, key)
    keep()
    with standing_at(begins):
        assert rooms(client.sign_in(amina).get(path(key))) == []


def test_the_room_is_a_secret_of_this_version_of_the_visit(
    client: Any, amina: Any, dr_benali: Any, el_djazair: Any, standing_at: Any
) -> None:
    begins = at("09:00", ahead=4)
    key = book(amina, dr_benali, el_djazair.follow_up_id, begins)
    booking.confirm(dr_benali.actor, key)
    keep()
    seen = []
    for _version in range(2):
        with standing_at(begins):
            seen += rooms(client.sign_in(amina).get(path(key)))
            assert str(key) not in seen[-1]
            assert re.fullmatch(r"[0-9a-f]{32}", seen[-1])
        begins += timedelta(days=1)
        booking.reschedule(dr_benali.actor, key, starts_at=begins)
        keep()
    assert len(set(seen)) == 2
    events = session().scalars(select(Event)).all()
    assert not any(room in str(event.facts) for room in seen for event in events)


def test_without_a_provider_nobody_is_promised_a_link(
    client: Any, amina: Any, dr_benali: Any, el_djazair: Any, standing_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "_address", "")
    begins = at("09:00", ahead=4)
    key = book(amina, dr_benali, el_djazair.follow_up_id, begins)
    booking.confirm(dr_benali.actor, key)
    keep()
    page = client.sign_in(amina).get(path(key)).text
    assert "The clinic tells you how the video visit takes place." in page
    assert "The link to the video visit appears" not in page
    assert "tell the patient how it takes place" in client.sign_in(dr_benali).get(f"/doctor/appointments/{key}").text
    with standing_at(begins):
        assert rooms(client.sign_in(amina).get(path(key))) == []


def test_a_visit_in_the_clinic_has_no_room(client: Any, amina: Any, visit: UUID, standing_at: Any) -> None:
    with standing_at(at("09:00", ahead=4)):
        page = client.sign_in(amina).get(path(visit))
    assert page.status_code == 200
    assert "meet.jit.si" not in page.text


def test_pages_take_few_statements(
    as_amina: Any, amina: Any, visit: UUID, dr_benali: Any, el_djazair: Any, drain: Any, statements: Any
) -> None:
    for wall in ("10:00", "11:00"):
        book(amina, dr_benali, el_djazair.consultation_id, at(wall, ahead=4))
    drain()
    for address in (
        "/patient/home",
        "/patient/appointments",
        path(visit),
        path(visit, "/move"),
        path(visit, "/cancel"),
    ):
        with statements() as count:
            assert as_amina.get(address).status_code == 200
        assert count() <= (13 if address == "/patient/home" else 12), address  # home asks what can be done, too


def test_a_chosen_time_stands_beside_the_present_one_before_anything_moves(as_amina: Any, visit: UUID) -> None:
    """Choosing asks by GET and changes nothing; one more button, with what it costs, moves the visit."""
    times = as_amina.get(path(visit, "/move")).text
    assert re.search(rf'<form class="stack" method="get" action="{path(visit, "/move")}"', times)
    new = at("10:30", ahead=4)
    page = as_amina.get(path(visit, "/move"), query_string={"version": "1", "starts_at": new.isoformat()}).text
    assert now_of(visit).starts_at == at("09:00", ahead=4)
    assert "Present time" in page and "9:00" in page and "10:30" in page
    assert "After this you can move it online 2 more times." in page
    sent = dict(re.findall(r'name="(version|starts_at)"[^>]* value="([^"]+)"', page))
    assert as_amina.post(path(visit, "/move"), data=sent).status_code == 303
    assert (now_of(visit).starts_at, now_of(visit).moves) == (new, 1)
    assert "It can be moved 2 more times." in as_amina.get(path(visit)).text


@pytest.mark.parametrize(
    ("moves", "words", "done"),
    [
        (0, "Look at it, move or cancel", "You can move or cancel it online until"),
        (3, "Look at it or cancel", "It cannot be moved online."),
    ],
)
def test_the_buttons_that_lead_to_a_visit_say_what_its_page_lets_one_do(
    as_amina: Any, visit: UUID, moves: int, words: str, done: str
) -> None:
    """Home and the page after booking are drawn from the same can_* as the visit's own page."""
    session().get_one(Appointment, visit).moves = moves
    keep()
    link = f'href="{path(visit, "/move")}"'
    assert (link in as_amina.get(path(visit)).text) == (moves == 0)
    assert f">{words}</a>" in as_amina.get("/patient/home").text
    assert done in as_amina.get(f"/book/done/{visit}").text


def test_the_reason_is_changed_on_a_page_and_the_doctor_reads_the_new_one(
    client: Any, as_amina: Any, dr_benali: Any, visit: UUID
) -> None:
    assert path(visit, "/reason") in as_amina.get(path(visit)).text
    assert "A &lt;b&gt;cough" in as_amina.get(path(visit, "/reason")).text
    long = as_amina.post(path(visit, "/reason"), data={"reason": "x" * 501})
    assert (long.status_code, "x" * 501 in long.text) == (422, True)
    assert as_amina.post(path(visit, "/reason"), data={"reason": "Fever"}).status_code == 303
    assert "The reason for coming was changed" in as_amina.get(path(visit)).text
    assert "Fever" in client.sign_in(dr_benali).get(f"/doctor/appointments/{visit}").text


def test_the_reason_is_no_more_asked_for_once_the_visit_is_called_off(as_amina: Any, amina: Any, visit: UUID) -> None:
    booking.cancel(amina.actor, visit)
    keep()
    assert path(visit, "/reason") not in as_amina.get(path(visit)).text
    assert as_amina.get(path(visit, "/reason")).status_code == 409
    assert as_amina.post(path(visit, "/reason"), data={"reason": "Fever"}).status_code == 409
