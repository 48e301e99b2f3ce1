"""A doctor takes Friday off although patients are booked: she approves, one accepts by the link in the letter without
signing in, another chooses another time, and she sees both answers."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import ALGIERS, PASSWORD, make_opening

pytestmark = pytest.mark.xdist_group("journeys")
FRIDAY = 4


def test_a_doctor_takes_friday_off(
    browser: Browser, live_server: str, live_mailbox: Any, dr_benali: Any, el_djazair: Any, amina: Any, yacine: Any
) -> None:
    friday = _next_friday()
    first = _booked(amina, dr_benali, el_djazair, friday, "09:00")
    second = _booked(yacine, dr_benali, el_djazair, friday, "10:00")
    doctor = _tab(browser, live_server, width=1280)
    _signs_in(doctor, dr_benali.email)
    _takes_off(doctor, friday)
    _approves(doctor)
    by_link = _tab(browser, live_server, width=390, scripts=False)
    _accepts_by_the_link(by_link, _link(live_mailbox, amina.email))
    signed_in = _tab(browser, live_server, width=390)
    _signs_in(signed_in, yacine.email)
    _chooses_another_time(signed_in)
    doctor.reload()
    tally = doctor.locator(".change-tally")
    expect(tally).to_contain_text("Accepted: 1")
    expect(tally).to_contain_text("Chose another time: 1")
    for key in (first, second):
        assert (
            session().get_one(Appointment, key, populate_existing=True).starts_at.astimezone(ALGIERS).date() != friday
        )
    for page in (doctor, by_link, signed_in):
        page.context.close()


def _takes_off(page: Page, friday: date) -> None:
    page.goto("/doctor/time-off")
    page.get_by_label("First day").fill(str(friday))
    page.get_by_label("Last day").fill(str(friday))
    page.get_by_role("button", name="Save the time off").click()
    expect(page).to_have_url(re.compile("/changes/"))
    expect(page.locator("main").get_by_text("2 booked visits are affected")).to_be_visible()
    expect(page.locator("main").get_by_text("These times are held for you")).to_be_visible()
    for name in ("Amina Boudiaf", "Yacine Meziane"):
        expect(page.get_by_role("row", name=re.compile(name))).to_be_visible()


def _approves(page: Page) -> None:
    """One visit gets another time than the one proposed; then everything is saved at once."""
    page.get_by_role("button", name=re.compile("Another time.*Yacine")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Yacine")
    page.locator("button[name=starts_at]").last.click()
    expect(page.locator("main").get_by_text("This time is held for the patient.")).to_be_visible()
    page.get_by_role("button", name="Save and tell the patients").click()
    expect(page.locator(".change-tally")).to_contain_text("Waits for an answer: 2")


def _accepts_by_the_link(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.get_by_text("Benali")).to_have_count(0)
    page.get_by_label("Date of birth").fill("1990-05-17")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("main").get_by_text("Dr Samira Benali")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Accept")).click()
    expect(page.locator("#asked")).to_contain_text("Accepted")


def _chooses_another_time(page: Page) -> None:
    """From the notification to the choices."""
    page.goto("/notifications")
    page.get_by_role("button", name=re.compile("has to change")).or_(
        page.get_by_role("link", name=re.compile("has to change"))
    ).first.click()
    expect(page).to_have_url(re.compile("/patient/changes/"))
    page.get_by_role("link", name="Choose another time").click()
    page.locator("button[name=starts_at]").nth(1).click()
    expect(page.locator("#asked")).to_contain_text("Chose another time")


def _booked(person: Any, doctor: Any, clinic: Any, day: date, wall: str) -> Any:
    practice, kind = (
        session().get_one(Practice, doctor.practice_id),
        session().get_one(VisitType, clinic.consultation_id),
    )
    make_opening(practice, [kind], on_date=day, starts=wall, ends=f"{int(wall[:2]) + 1}:00")
    starts_at = datetime.combine(day, wall_time.fromisoformat(wall), ALGIERS).astimezone(UTC)
    made = booking.book(person.actor, practice_id=practice.id, visit_type_id=kind.id, starts_at=starts_at)
    keep()
    return made.id


def _next_friday() -> date:
    day = clock.today(ALGIERS) + timedelta(days=3)
    return day + timedelta(days=(FRIDAY - day.weekday()) % 7)


def _tab(browser: Browser, base_url: str, *, width: int, scripts: bool = True) -> Page:
    context = browser.new_context(
        base_url=base_url, viewport={"width": width, "height": 900}, locale="en-GB", java_script_enabled=scripts
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


def _signs_in(page: Page, email: str) -> None:
    page.goto("/account/sign-in")
    page.locator("main input[name=email]").fill(email)
    page.locator("main input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    expect(page).not_to_have_url(re.compile("sign-in"))


def _link(box: Any, address: str) -> str:
    """The link of the letter that asks, once it is there."""
    for _ in range(300):
        found = [letter for letter in box.to(address) if "has to change" in str(letter["Subject"])]
        if found:
            return str(re.search(r"https?://\S+/go/\S+", found[0].get_body(("plain",)).get_content())[0])
        time.sleep(0.1)
    raise AssertionError("no letter asks for an answer")
