"""A clinic and another clinic's person: it cannot see them, asks, and they allow it from a phone; and two on paper."""

from __future__ import annotations

import re
import time
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from tests.builders import PASSWORD, make_member, make_patient, make_user, register_at

pytestmark = pytest.mark.xdist_group("journeys")
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "en-GB"}


@pytest.fixture
def omar(live_server: str, el_djazair: Any) -> Any:
    """Known to El Djazair, without an account, reached by e-mail."""
    about = {"phone": "+213550112233", "email": "omar@example.dz", "birth_date": date(1988, 4, 12)}
    patient = make_patient(given_name="Omar", family_name="Saidi", city="Tamanrasset", **about)
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return patient.id


def test_a_patient_confirms_a_clinic_s_request_from_a_phone_and_the_clerk_sees_nothing_before(
    browser: Any, live_server: str, live_mailbox: Any, omar: Any, kamel: Any
) -> None:
    at_desk = browser.new_context(base_url=live_server, locale="en-GB")
    desk = _signed_in(at_desk, kamel.email, "/desk")
    _finds_nobody_and_enters(desk)
    expect(desk.locator("main")).to_contain_text("Somebody like this may exist")
    expect(desk.locator("main")).not_to_contain_text("Tamanrasset")
    desk.get_by_role("button", name="Ask them").click()
    expect(desk.locator("body")).to_contain_text("they are asked at the contact that record has")
    card = desk.url
    phone = browser.new_context(base_url=live_server, java_script_enabled=False, **PHONE)
    page = phone.new_page()
    page.goto(_link(live_mailbox, "omar@example.dz"))
    expect(page.locator("main")).not_to_contain_text("Wahran")  # nothing before they show who they are
    page.locator("input[name=birth_date]").fill("1988-04-12")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("h1")).to_contain_text("Clinique Wahran asks to read a record")
    page.get_by_role("button", name="Allow it").click()
    expect(page.locator("main")).to_contain_text("Allowed. The clinic knows.")
    desk.goto(card)
    expect(desk.locator("main")).to_contain_text("Tamanrasset")  # it is his own record now
    phone.close()
    at_desk.close()


def test_two_people_of_a_clinic_on_paper_and_the_patient_finds_it_at_the_next_sign_in(
    browser: Any, live_server: str, nadia: Any, amina: Any, el_djazair: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    register_at(session().get_one(Patient, amina.patient_id), clinic)
    make_member(make_user("Rachid", "Amrani", email="rachid@example.dz"), clinic, "staff")
    keep()
    first = browser.new_context(base_url=live_server, locale="en-GB")
    page = _signed_in(first, nadia.email, "/desk")
    page.goto(f"/desk/patients/{amina.patient_id}/edit")
    page.locator("input[name=phone]").fill("0661 22 33 44")
    page.locator("input[name=on_paper]").check()
    page.get_by_role("button", name="Save").click()
    page.locator("main").get_by_role("link", name="To change a contact").click()
    expect(page.locator("main")).to_contain_text("A colleague has to confirm the paper")
    expect(page.get_by_role("button", name="confirm")).to_have_count(0)
    request = page.url
    second = browser.new_context(base_url=live_server, java_script_enabled=False, **PHONE)
    colleague = _signed_in(second, "rachid@example.dz", "/desk")
    colleague.goto(request)
    expect(colleague.locator("main")).to_contain_text("+213661223344")
    colleague.get_by_role("button", name="I have seen the paper: confirm").click()
    expect(colleague.locator("body")).to_contain_text("Confirmed and done.")
    own = browser.new_context(base_url=live_server, **PHONE)
    mine = _signed_in(own, amina.email, "/patient/home")
    mine.get_by_role("link", name="Clinique El Djazair has done something for you on paper").first.click()
    mine.get_by_role("button", name="It is wrong: take it back").click()
    expect(mine.locator("body")).to_contain_text("Taken back.")
    mine.goto("/account/profile")
    expect(mine.locator("input[name=phone]").first).to_have_value(re.compile("550"))
    for context in (first, second, own):
        context.close()


def _finds_nobody_and_enters(page: Page) -> None:
    page.goto("/desk/patients")
    page.locator("main input[name=q]").fill("Saidi")
    page.locator("main input[name=q]").press("Enter")
    expect(page.locator("#results")).to_contain_text("Nobody like this is on your list")
    page.goto("/desk/patients/new")
    page.locator("input[name=given_name]").fill("Omar")
    page.locator("input[name=family_name]").fill("Saidi")
    page.locator("input[name=birth_date]").fill("1988-04-12")
    page.locator("input[name=phone]").fill("0550 11 22 33")
    page.locator("input[name=email]").fill("omar@example.dz")
    page.get_by_role("button", name="Enter", exact=True).click()
    expect(page).to_have_url(re.compile("/desk/patients/0"))


def _signed_in(context: Any, email: str, lands: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto("/account/sign-in")
    page.locator("main input[name=email]").fill(email)
    page.locator("main input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    expect(page).to_have_url(re.compile(lands))
    return page


def _link(mailbox: Any, address: str) -> str:
    """The link in the latest letter to this address; the worker may need a moment."""
    for _ in range(60):
        for one in mailbox.to(address):
            if found := re.search(r"https?://\S+/go/\S+", str(one.get_body(("plain",)).get_content())):
                return found.group(0)
        time.sleep(0.5)
    pytest.fail(f"no letter with a link to {address}")
