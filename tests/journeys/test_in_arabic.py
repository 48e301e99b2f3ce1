"""The portal in Arabic: a visit is booked from right to left, and no page keeps a word of English."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.core import text
from portal.core.db import keep, session
from portal.domain.identity.models import User
from portal.domain.scheduling import booking
from tests.builders import PASSWORD, at, working_day
from tests.journeys.steps import choose_time

pytestmark = pytest.mark.xdist_group("journeys")
LATIN = re.compile(r"[A-Za-zÀ-ÿ]*[a-zà-ÿ]{2}[A-Za-zÀ-ÿ]*")
# What stays as it is written: names of people, clinics, streets and languages, and addresses of mail.
NAMES = {
    "Amina", "Boudiaf", "Yacine", "Meziane", "Samira", "Benali", "Nadia", "Slimani", "Farid", "Ouali", "Clinique",
    "El", "Djazair", "Portal", "Algiers", "rue", "Didouche", "Mourad", "English", "Français", "amina", "example",
    "dz", "Dr",
}  # fmt: skip
PAGES = {
    "patient": (
        "/patient/home", "/patient/appointments", "/patient/waitlist", "/patient/family", "/account/calendars",
        "/notifications", "/doctors",
    ),
    "doctor": (
        "/doctor/today", "/doctor/week", "/doctor/openings", "/doctor/time-off", "/changes", "/doctor/figures",
        "/doctor/reviews", "/doctor/why-not",
    ),
    "desk": (
        "/desk/", "/desk/patients", "/desk/calendar", "/desk/book", "/desk/waitlist", "/desk/calls",
        "/desk/hours", "/desk/walk-ins/new", "/desk/why-not",
    ),
}  # fmt: skip


@pytest.fixture
def people(live_server: str, amina: Any, dr_benali: Any, nadia: Any) -> dict[str, Any]:
    """A patient, a doctor and the desk, who read Arabic."""
    found = {"patient": amina, "doctor": dr_benali, "desk": nadia}
    for person in found.values():
        session().get_one(User, person.user_id).locale = "ar"
    keep()
    return found


@pytest.fixture
def phone(browser: Any, live_server: str) -> Iterator[Callable[[], Page]]:
    """A function that makes a phone of 390 px which asks for Arabic."""
    made: list[Any] = []

    def do() -> Page:
        context = browser.new_context(base_url=live_server, viewport={"width": 390, "height": 844}, locale="ar-DZ")
        made.append(context)
        page: Page = context.new_page()
        page.set_default_timeout(15_000)
        return page

    yield do
    for context in made:
        context.close()


def test_a_visit_is_booked_in_arabic(
    phone: Callable[[], Page], live_mailbox: Any, people: dict[str, Any], el_djazair: Any
) -> None:
    page = phone()
    page.goto("/doctors?name=benali")
    page.get_by_role("link", name=re.compile("Samira Benali")).first.click()
    choose_time(page, "09:30")
    expect(page.locator("main")).to_contain_text(_says("We keep this time for you"))
    page.locator("main").get_by_role("link", name=_says("Sign in")).click()
    _signs_in(page, people["patient"])
    page.locator("textarea[name=reason]").fill("فحص قبل الرياضة")
    page.get_by_role("button", name=_says("Book this visit")).click()
    expect(page).to_have_url(re.compile("/book/done/"))
    expect(page.locator("main")).to_contain_text("استشارة")
    _is_arabic(page)
    letter = _letter(live_mailbox, people["patient"].email, "09:30")
    assert "Samira Benali" in letter and not set(LATIN.findall(re.sub(r"\S*://\S*", "", letter))) - NAMES
    _moves(page)
    doctor = phone()
    doctor.goto("/account/sign-in")
    _signs_in(doctor, people["doctor"])
    doctor.goto(f"/doctor/today?day={working_day(3)}")
    expect(doctor.locator("main")).to_contain_text("Amina Boudiaf")
    expect(doctor.locator("main")).to_contain_text("فحص قبل الرياضة")
    _is_arabic(doctor)


@pytest.mark.parametrize("role", sorted(PAGES))
def test_every_main_page_runs_from_right_to_left_without_english(
    phone: Callable[[], Page], people: dict[str, Any], dr_benali: Any, el_djazair: Any, role: str
) -> None:
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    visit = booking.book(people["patient"].actor, starts_at=at("10:00", 3), **about)
    keep()
    page = phone()
    page.goto("/account/sign-in")
    _signs_in(page, people[role])
    first = {"patient": "/patient", "doctor": "/doctor", "desk": "/desk"}[role]
    for address in (*PAGES[role], f"{first}/appointments/{visit.id}"):
        page.goto(address)
        _is_arabic(page)
    if role == "desk":
        page.goto("/desk/patients")
        page.locator("#search-q").fill("amina")
        expect(page.locator("#results")).to_contain_text("Amina Boudiaf")
        expect(page).to_have_url(re.compile(r"/desk/patients\?search=[\w-]+$"))
        _is_arabic(page)


def _is_arabic(page: Page) -> None:
    """From right to left, no wider than the phone, and every word that is not a name is Arabic."""
    root = page.locator("html")
    expect(root).to_have_attribute("dir", "rtl")
    expect(root).to_have_attribute("lang", "ar")
    assert root.evaluate("page => page.scrollWidth") <= 390, f"{page.url} is wider than the phone"
    left = set(LATIN.findall(page.locator("body").inner_text())) - NAMES
    assert not left, f"{page.url} keeps {sorted(left)}"


def _says(sentence: str) -> str:
    """This sentence as the portal says it in Arabic."""
    with text.speaking("ar"):
        said = text.gettext(sentence)
    assert said != sentence
    return said


def _signs_in(page: Page, person: Any) -> None:
    page.locator("main input[name=email]").fill(person.email)
    page.locator("main input[name=password]").fill(PASSWORD)
    page.locator("main form").get_by_role("button", name=_says("Sign in")).first.click()
    expect(page).not_to_have_url(re.compile("sign-in"))


def _moves(page: Page) -> None:
    page.goto("/patient/appointments")
    page.locator("main a[href^='/patient/appointments/0']").first.click()
    page.locator("#appointment").get_by_role("link", name=_says("Move")).click()
    _is_arabic(page)
    choose_time(page, "10:30")
    page.get_by_role("button", name=_says("Move to this time")).click()
    expect(page.locator("#appointment")).to_contain_text("10:30")
    _is_arabic(page)


def _letter(box: Any, address: str, word: str) -> str:
    """The latest letter to this address once it says `word`."""
    for _ in range(200):
        if box.to(address) and word in box.text(address):
            return str(box.text(address))
        time.sleep(0.1)
    raise AssertionError(f"no letter to {address} says {word!r}")
