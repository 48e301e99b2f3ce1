"""An admin reads why a time is not offered: taken by whom, closed by what, what patients are told, and what is free."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.core.db import keep
from portal.domain.scheduling import booking
from tests.builders import PASSWORD, at, working_day

pytestmark = pytest.mark.xdist_group("journeys")


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def office(request: Any, browser: Any, live_server: str, admin: Any) -> Iterator[Page]:
    """The admin, signed in at the desk of an office."""
    keep()
    context = browser.new_context(
        base_url=live_server,
        viewport={"width": 1280, "height": 900},
        locale="en-GB",
        java_script_enabled=request.param == "with JavaScript",
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto("/account/sign-in")
    page.locator("main input[name=email]").fill(admin.email)
    page.locator("main input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    expect(page).to_have_url(re.compile("/admin/"))
    yield page
    context.close()


def test_an_admin_reads_why_a_time_is_not_offered(
    office: Page, amina: Any, admin: Any, dr_benali: Any, el_djazair: Any
) -> None:
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(amina.actor, **about, starts_at=at("10:00"))
    keep()
    office.get_by_role("link", name="Front desk").first.click()
    office.get_by_role("link", name="Calendar").first.click()
    office.get_by_role("link", name="Why not?").click()
    _reads_who_has_it(office, dr_benali)
    _follows_a_free_time(office)
    _asks(office, at_="17:30")
    expect(_answer(office)).to_contain_text("The doctor does not receive at this time.")
    expect(_answer(office)).to_contain_text("13:00 – 16:00")
    _closes_a_day(office, el_djazair)
    _reads_that_it_is_closed(office)


def _reads_who_has_it(page: Page, doctor: Any) -> None:
    page.get_by_label("Doctor").select_option(label=f"Dr {doctor.name}")
    page.get_by_label("Visit", exact=True).select_option(label="Consultation · 30 minutes")
    _asks(page, day=str(working_day()), at_="10:00")
    answer = _answer(page)
    expect(answer).to_contain_text("This time cannot be booked")
    expect(answer).to_contain_text("This time has just been taken")
    expect(answer.get_by_role("listitem").first).to_contain_text("10:00 – 10:30 Amina Boudiaf · Consultation")
    expect(answer).to_contain_text("Patients who book online read: “This time has just been taken")


def _follows_a_free_time(page: Page) -> None:
    page.locator("#why-not .slot").first.click()
    expect(_answer(page)).to_contain_text("This time is free: it can be booked.")
    expect(_answer(page).get_by_role("link", name="Book this time")).to_be_visible()


def _closes_a_day(page: Page, clinic: Any) -> None:
    page.goto(f"/admin/clinics/{clinic.slug}/closures")
    form = page.locator("form[action$='/holidays']")
    form.locator("input[name=day]").fill(str(working_day(9)))
    form.locator("input[name=name]").fill("Stocktaking")
    form.get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("Stocktaking")


def _reads_that_it_is_closed(page: Page) -> None:
    page.goto("/desk/why-not")
    _asks(page, day=str(working_day(9)), at_="10:00")
    expect(_answer(page)).to_contain_text("The clinic is closed on this day.")
    expect(_answer(page)).to_contain_text("Closed: Stocktaking")


def _asks(page: Page, *, day: str | None = None, at_: str) -> None:
    if day:
        page.get_by_label("Day").fill(day)
    page.get_by_label("Time", exact=True).fill(at_)
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_label("Time", exact=True)).to_have_value(at_)


def _answer(page: Page) -> Any:
    return page.locator("#why-not section")
