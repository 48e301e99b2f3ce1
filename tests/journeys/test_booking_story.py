"""The portal's main story, in a real browser: find a doctor, book, be confirmed, be seen, move, cancel."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from portal.core.db import keep
from tests.builders import PASSWORD, working_day
from tests.journeys.steps import choose_time

pytestmark = pytest.mark.xdist_group("journeys")
NEWCOMER = "sarah@example.dz"


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def visitor(request, browser, live_server):
    """A newcomer's browser on a phone, once with and once without JavaScript."""
    context = browser.new_context(
        base_url=live_server,
        viewport={"width": 390, "height": 844},
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
    yield page
    context.close()
    assert errors == []


def test_a_newcomer_registers_finds_books_moves_and_cancels(
    visitor: Page, browser, live_server, live_mailbox, dr_benali, el_djazair
):
    keep()
    _finds_a_time(visitor)
    _registers_on_the_way(visitor)
    visitor.goto(_when_it_comes(live_mailbox, NEWCOMER, "verify"))
    visitor.locator("main form button[type=submit]").click()
    _books(visitor)
    confirmation = _letter(live_mailbox, NEWCOMER, "09:30")
    assert "Benali" in confirmation
    _the_doctor_sees(browser, live_server, dr_benali, "Sarah Toumi")
    _moves(visitor, "10:30")
    assert "10:30" in _letter(live_mailbox, NEWCOMER, "10:30")
    _cancels(visitor)
    assert _letter(live_mailbox, NEWCOMER, "cancel")


def _finds_a_time(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Doctor's name").fill("benaly samira")  # as one types a name one has only heard
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("link", name=re.compile("Samira Benali")).first.click()
    expect(page.get_by_role("heading", name=re.compile("Samira Benali"))).to_be_visible()
    choose_time(page, "09:30")


def _registers_on_the_way(page: Page) -> None:
    expect(page.locator("main").get_by_text("We keep this time for you")).to_be_visible()
    page.locator("main").get_by_role("link", name="Register").click()
    for name, value in (
        ("given_name", "Sarah"),
        ("family_name", "Toumi"),
        ("email", NEWCOMER),
        ("password", "a long enough sentence"),
    ):
        page.locator(f"main input[name={name}]").fill(value)
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("mail", re.I))


def _books(page: Page) -> None:
    expect(page.locator("main").get_by_text("We keep this time for you")).to_be_visible()
    page.locator("textarea[name=reason]").fill("A check before sports")
    page.get_by_role("button", name="Book this visit").click()
    expect(page).to_have_url(re.compile("/book/done/"))


def _the_doctor_sees(browser, live_server: str, doctor, patient: str) -> None:
    context = browser.new_context(base_url=live_server, locale="en-GB")
    page = context.new_page()
    page.goto("/account/sign-in")
    page.locator("main input[name=email]").fill(doctor.email)
    page.locator("main input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    expect(page).to_have_url(re.compile("/doctor/today"))
    page.goto(f"/doctor/today?day={working_day(3)}")
    expect(page.get_by_text(patient).first).to_be_visible()
    expect(page.get_by_text("A check before sports").first).to_be_visible()
    context.close()


def _moves(page: Page, to: str) -> None:
    page.goto("/patient/appointments")
    page.locator("main a[href^='/patient/appointments/0']").first.click()
    page.locator("#appointment").get_by_role("link", name="Move").click()
    choose_time(page, to)
    expect(page.locator(".old-new")).to_contain_text(to)
    page.get_by_role("button", name="Move to this time").click()
    expect(page.locator("#appointment")).to_contain_text(to)


def _cancels(page: Page) -> None:
    page.goto("/patient/appointments")
    page.locator("main a[href^='/patient/appointments/0']").first.click()
    page.locator("#appointment").get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the visit").click()
    expect(page.locator("main")).to_contain_text("Cancelled")


def _when_it_comes(box, address: str, about: str) -> str:
    _letter(box, address, "http")
    return box.link(address, about)


def _letter(box, address: str, word: str) -> str:
    """The latest letter to this address once it says `word`."""
    import time

    for _ in range(200):
        if box.to(address) and word in box.text(address):
            return box.text(address)
        time.sleep(0.1)
    raise AssertionError(f"no letter to {address} says {word!r}")
