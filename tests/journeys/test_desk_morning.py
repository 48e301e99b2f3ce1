"""A morning at the desk, in a real browser: arrivals, a walk-in, a late patient, a no-show, an undo, and the board."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import VisitType
from tests.builders import PASSWORD, make_opening, make_patient, register_at

pytestmark = pytest.mark.xdist_group("journeys")
PEOPLE = (("Salima", "Early", 15), ("Rachid", "Late", -40), ("Karim", "Missing", -50))  # minutes from now


@pytest.fixture
def morning(live_server, nadia, dr_benali, el_djazair):
    """Three visits around this moment, in a clinic so far east or west that it is noon there."""
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    clinic.has_board, clinic.time_zone = True, f"Etc/GMT{clock.now().hour - 12:+d}"  # its sign is the other way round
    now = clock.now().astimezone(clinic.zone)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    practice = session().get_one(Practice, dr_benali.practice_id)
    make_opening(practice, [kind], on_date=now.date(), starts="00:00", ends="00:00", step=5)
    for given, family, ahead in PEOPLE:
        patient = make_patient(given_name=given, family_name=family)
        register_at(patient, clinic)
        keep()
        starts = _on_the_grid(now + timedelta(minutes=ahead))
        with clock.standing_at(starts - timedelta(days=1)):
            booking.book(
                nadia.actor, practice_id=practice.id, visit_type_id=kind.id, starts_at=starts, patient_id=patient.id,
                overbook="around this very moment",
            )  # fmt: skip
    keep()
    return el_djazair


def _on_the_grid(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def desk(request, browser, live_server, nadia, morning):
    """Nadia's browser at the desk."""
    context = browser.new_context(
        base_url=live_server,
        viewport={"width": 1280, "height": 900},
        locale="en-GB",
        java_script_enabled=request.param == "with JavaScript",
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None
    )
    page.goto("/account/sign-in")
    page.locator("#email").fill(nadia.email)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    expect(page).to_have_url(re.compile("/desk/"))
    yield page
    context.close()
    assert errors == []


def test_the_desk_runs_a_morning(desk: Page, browser, live_server, morning):
    board = browser.new_context(base_url=live_server, locale="en-GB").new_page()
    board.goto(f"/clinics/{morning.slug}/board")
    expect(board.get_by_text("Nobody is waiting at the moment.")).to_be_visible()

    _press(desk, "Salima Early", "Check in", "checked_in")
    expect(_row(desk, "Salima Early")).to_contain_text("here since")
    expect(_row(desk, "Rachid Late")).to_contain_text("Late")

    _press(desk, "Karim Missing", "Did not come", "no_show")
    _press(desk, "Karim Missing", "Undo", "confirmed")
    expect(_row(desk, "Karim Missing")).to_contain_text("Late")
    _press(desk, "Karim Missing", "Did not come", "no_show")

    _press(desk, "Rachid Late", "Check in", "checked_in")
    _adds_a_walk_in(desk)

    # late and walk-in count from when they came, the early one keeps the booked time: number 2, 3, then 1
    numbers = desk.locator("ol.turns .turn-number")
    expect(numbers).to_have_text([re.compile("2"), re.compile("3"), re.compile("1")])
    _to_the_front(desk, "Fatiha Walking")
    expect(numbers).to_have_text([re.compile("3"), re.compile("2"), re.compile("1")])

    desk.get_by_role("button", name=re.compile("Call next: 3")).click()
    expect(_row(desk, "Fatiha Walking")).to_contain_text("called at")
    expect(board.locator(".board-number.is-first")).to_have_text("3", timeout=15_000)
    expect(board.locator(".board-rest")).to_contain_text("2 and 1")
    expect(board.locator("body")).not_to_contain_text("Fatiha")

    _press(desk, "Fatiha Walking", "Start", "in_progress")
    _press(desk, "Fatiha Walking", "Complete", "completed")
    expect(desk.locator("#day")).to_contain_text("1 completed")

    _press(desk, "Karim Missing", "Check in", "checked_in")  # came after all: one click
    board.context.close()


@pytest.mark.parametrize("desk", ["with JavaScript"], indirect=True)
def test_a_button_is_not_taken_away_from_under_a_finger(desk: Page):
    """The list renews itself whenever something happens, and not just while somebody presses a button in it."""
    button = _row(desk, "Salima Early").get_by_role("button", name=re.compile("^Check in")).first
    button.hover()
    desk.route(lambda url: "/desk/" in url, _slowly)
    renew = "htmx.trigger('#day', 'sse:schedule')"
    # The answer is not waited for: it may give way to a later one's.
    with desk.expect_request(lambda request: request.headers.get("hx-target") == "day"):
        desk.evaluate(renew)
        desk.mouse.down()
    desk.evaluate(renew)
    desk.wait_for_timeout(900)  # what was asked for would have been put in by now
    desk.mouse.up()
    expect(_row(desk, "Salima Early")).to_have_class(re.compile("is-checked_in"))


@pytest.mark.parametrize("desk", ["with JavaScript"], indirect=True)
def test_a_step_is_seen_and_undone_and_the_focus_stays_where_one_works(desk: Page):
    """The sentence and Undo are over the page for ten seconds, and for as long as they are pointed at or focused."""
    toast, focused = desk.locator("#toast"), desk.locator(":focus")
    _press(desk, "Salima Early", "Check in", "checked_in")
    expect(toast).to_contain_text("Checked in.")
    expect(desk.locator("#announcer")).to_have_text("Checked in.")
    expect(focused).to_have_class(re.compile("turn"))
    expect(focused).to_contain_text("Salima Early")
    desk.keyboard.press("Control+z")
    expect(_row(desk, "Salima Early")).to_have_class(re.compile("is-confirmed"))
    expect(toast).to_contain_text("The last step was taken back.")
    expect(toast.get_by_role("button", name="Undo")).to_have_count(0)

    _press(desk, "Salima Early", "Check in", "checked_in")
    _press(desk, "Salima Early", "Call", "called")
    _press(desk, "Salima Early", "Start", "in_progress")
    desk.get_by_role("button", name=re.compile("^Complete")).first.click()
    expect(desk.locator("#day")).to_contain_text("1 completed")
    expect(focused).to_have_count(1)  # the row is folded away: a heading of its place is next, not the top of the page
    assert focused.evaluate("one => one !== document.body && Boolean(one.closest('.lane'))")

    toast.get_by_role("button", name="Undo").focus()
    desk.evaluate("() => { const now = Date.now; Date.now = () => now() + 60_000; }")
    desk.wait_for_timeout(800)
    expect(toast).to_contain_text("The visit is completed.")
    desk.keyboard.press("Escape")
    expect(toast).to_be_empty()
    assert focused.get_attribute("id") == "main"


@pytest.mark.parametrize("desk", ["with JavaScript"], indirect=True)
def test_what_an_open_page_asks_by_itself_says_so(desk: Page):
    """The desk's page renews itself on a nudge and each minute; neither keeps the session alive."""
    for cause in ("htmx.trigger('#day', 'sse:schedule')", "htmx.ajax('GET', location.href, '#day')"):
        with desk.expect_request(lambda request: request.headers.get("hx-target") == "day") as asked:
            desk.evaluate(cause)
        assert asked.value.headers.get("portal-background") == "1"
    with desk.expect_request(lambda request: request.method == "POST") as asked:
        _row(desk, "Salima Early").get_by_role("button", name=re.compile("^Check in")).first.click()
    assert "portal-background" not in asked.value.headers


def _slowly(route: Route) -> None:
    time.sleep(0.3)
    route.continue_()


def _row(page: Page, name: str):
    return page.locator(".turn", has_text=name)


def _press(page: Page, name: str, button: str, then: str) -> None:
    """Press a button of somebody's row and wait until they stand where it leads."""
    _row(page, name).get_by_role("button", name=re.compile(f"^{button}")).first.click()
    expect(_row(page, name)).to_have_class(re.compile(f"is-{then}"))


def _to_the_front(page: Page, name: str) -> None:
    row = _row(page, name)
    row.locator("details[data-menu] > summary").click()
    row.get_by_role("button", name=re.compile("^Cannot wait")).click()
    expect(row).to_contain_text("First")


def _adds_a_walk_in(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Walk-in")).first.click()
    page.locator("#search-q").fill("walking fatiha")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#walk-in-found")).to_contain_text("Nobody like this")
    page.locator("#walk-in-found").get_by_role("link").click()
    expect(page.locator("input[name=given_name]")).to_have_value("Walking")
    page.locator("input[name=given_name]").fill("Fatiha")
    page.locator("input[name=family_name]").fill("Walking")
    page.get_by_role("button", name="Enter and go on").click()
    page.get_by_label("Doctor").select_option(label="Dr Samira Benali")
    page.get_by_role("button", name="Put on the list").click()
    expect(page).to_have_url(re.compile("/desk/\\?"))
    expect(_row(page, "Fatiha Walking")).to_contain_text("Walk-in")
