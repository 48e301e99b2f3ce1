"""A mother books for her child, on an old phone without JavaScript: found, held, for whom, confirmed, told, moved."""

from __future__ import annotations

import re
import time
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from portal.core.db import keep
from portal.domain.patients import family
from tests.builders import PASSWORD, working_day
from tests.journeys.steps import choose_time

pytestmark = pytest.mark.xdist_group("journeys")


@pytest.fixture
def phone(browser, live_server):
    """A phone of 390 px whose browser runs no scripts."""
    context = browser.new_context(
        base_url=live_server, viewport={"width": 390, "height": 844}, locale="en-GB", java_script_enabled=False
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


@pytest.fixture
def child(amina):
    """Amina's son, whom she has entered in her family."""
    care = family.add_dependant(
        amina.actor, given_name="Ilyes", family_name="Boudiaf", birth_date=date(2019, 6, 1), sex="male"
    )
    name = care.patient.name
    keep()
    return name


def test_a_mother_books_for_her_child_without_javascript(
    phone: Page, browser, live_server, live_mailbox, amina, child, dr_benali, el_djazair
):
    _finds_a_time(phone)
    _signs_in_on_the_way(phone, amina)
    _says_whom_it_is_for(phone, child)
    assert child in _letter(live_mailbox, amina.email, "09:30")
    _the_doctor_expects_the_child(browser, live_server, dr_benali, child)
    _moves_it(phone, child)


def _finds_a_time(page: Page) -> None:
    page.goto("/doctors?name=benali")
    page.get_by_role("link", name=re.compile("Samira Benali")).first.click()
    choose_time(page, "09:30")
    expect(page.locator("main").get_by_text("We keep this time for you")).to_be_visible()


def _signs_in_on_the_way(page: Page, amina) -> None:
    page.locator("main").get_by_role("link", name="Sign in").click()
    page.locator("#email").fill(amina.email)
    page.locator("#password").fill(PASSWORD)
    page.locator("main form").get_by_role("button", name="Sign in").first.click()
    expect(page.locator("main").get_by_text("We keep this time for you")).to_be_visible()


def _says_whom_it_is_for(page: Page, child: str) -> None:
    question = page.get_by_role("group", name=re.compile("Who is the visit for"))
    expect(question.get_by_label("Amina Boudiaf (yourself)")).to_be_checked()
    question.get_by_label(child).check()
    page.locator("textarea[name=reason]").fill("The vaccination at six")
    page.get_by_role("button", name="Book this visit").click()
    expect(page).to_have_url(re.compile("/book/done/"))
    expect(page.locator("main")).to_contain_text(child)
    wide = page.locator("html").evaluate("page => page.scrollWidth")
    assert wide <= 390, "the page is wider than the phone"


def _the_doctor_expects_the_child(browser, live_server: str, doctor, child: str) -> None:
    context = browser.new_context(base_url=live_server, locale="en-GB")
    page = context.new_page()
    page.goto("/account/sign-in")
    page.locator("#email").fill(doctor.email)
    page.locator("#password").fill(PASSWORD)
    page.locator("main form").get_by_role("button", name="Sign in").first.click()
    expect(page).to_have_url(re.compile("/doctor/today"))
    page.goto(f"/doctor/today?day={working_day(3)}")
    expect(page.get_by_text(child).first).to_be_visible()
    context.close()


def _moves_it(page: Page, child: str) -> None:
    page.goto("/patient/appointments")
    expect(page.locator("main")).to_contain_text(child)
    page.locator("main a[href^='/patient/appointments/0']").first.click()
    page.locator("#appointment").get_by_role("link", name="Move").click()
    choose_time(page, "10:30")
    page.get_by_role("button", name="Move to this time").click()
    expect(page.locator("#appointment")).to_contain_text("10:30")
    expect(page.locator("#appointment")).to_contain_text(child)


def _letter(box, address: str, word: str) -> str:
    """The latest letter to this address once it says `word`."""
    for _ in range(200):
        if box.to(address) and word in box.text(address):
            return box.text(address)
        time.sleep(0.1)
    raise AssertionError(f"no letter to {address} says {word!r}")
