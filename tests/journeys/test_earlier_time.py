"""An earlier time: a patient waits for one, another calls off, the offer comes and is taken: the visit has moved."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import booking
from tests.builders import PASSWORD, at

pytestmark = pytest.mark.xdist_group("journeys")


@pytest.fixture
def visits(live_server: str, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any) -> None:
    """Amina comes next week, Yacine in four days; nothing is quiet, whenever this runs."""
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    clinic.quiet_from = clinic.quiet_until
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(amina.actor, starts_at=at("10:00", 8), **about)
    booking.book(yacine.actor, starts_at=at("09:00", 4), **about)
    keep()


@pytest.mark.parametrize("by", ["the portal", "the link in the mail, without JavaScript"])
def test_a_patient_takes_an_earlier_time(
    browser: Any, live_server: str, live_mailbox: Any, visits: None, amina: Any, yacine: Any, by: str
) -> None:
    script = by == "the portal"
    phone = browser.new_context(
        base_url=live_server, viewport={"width": 390, "height": 844}, locale="en-GB", java_script_enabled=script
    )
    page = _signed_in(phone, amina)
    _joins(page)
    _calls_off(browser, live_server, yacine)
    letter = _letter(live_mailbox, amina.email, "/go/")
    if script:
        _takes_it_in_the_portal(page)
    else:
        phone.clear_cookies()
        _takes_it_by_link(page, re.search(r"https?://\S+/go/\S+", letter).group(0))
        page = _signed_in(phone, amina)
    page.goto("/patient/appointments")
    page.locator("main a[href^='/patient/appointments/0']").first.click()
    expect(page.locator("#appointment")).to_contain_text("09:00")
    page.goto("/patient/waitlist")
    expect(page.locator("#places")).to_contain_text("Booked")
    phone.close()


def _signed_in(context: Any, person: Any) -> Page:
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto("/account/sign-in")
    page.locator("main input[name=email]").fill(person.email)
    page.locator("main input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    expect(page).to_have_url(re.compile("/patient/home"))
    return page


def _joins(page: Page) -> None:
    page.goto("/patient/appointments")
    page.locator("main a[href^='/patient/appointments/0']").first.click()
    page.get_by_role("link", name="Tell me when an earlier time is free").click()
    page.get_by_label("From").first.fill("08:00")
    page.get_by_label("Until").first.fill("12:00")
    page.get_by_role("button", name="Join the waitlist").click()
    expect(page).to_have_url(re.compile("/patient/waitlist$"))
    expect(page.locator("#places")).to_contain_text("Nobody is before you for this doctor.")


def _calls_off(browser: Any, live_server: str, person: Any) -> None:
    context = browser.new_context(base_url=live_server, locale="en-GB")
    page = _signed_in(context, person)
    page.goto("/patient/appointments")
    page.locator("main a[href^='/patient/appointments/0']").first.click()
    page.locator("#appointment").get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the visit").click()
    expect(page.locator("#appointment")).to_contain_text("Cancelled")
    context.close()


def _takes_it_in_the_portal(page: Page) -> None:
    page.goto("/patient/home")
    page.get_by_role("link", name=re.compile("A time is free")).first.click()
    expect(page.locator("#offer")).to_contain_text("We keep this time for you")
    page.get_by_role("button", name="Yes, I take it").click()
    expect(page).to_have_url(re.compile("/patient/appointments/0"))


def _takes_it_by_link(page: Page, link: str) -> None:
    page.goto(link)
    page.locator("input[name=birth_date]").fill("1990-05-17")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Yes, I take it").click()
    expect(page.locator("#offer")).to_contain_text("This time is yours")


def _letter(mailbox: Any, address: str, about: str) -> str:
    """The latest letter to this address that says this; the worker may need a moment."""
    for _ in range(60):
        if any(about in (said := str(one.get_body(("plain",)).get_content())) for one in mailbox.to(address)):
            return said
        time.sleep(0.5)
    pytest.fail(f"no letter to {address} says {about!r}")
