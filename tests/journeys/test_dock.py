"""On a phone the navigation lies over the end of every signed-in page, and hides none of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.builders import PASSWORD

pytestmark = pytest.mark.xdist_group("journeys")
END = """() => {
  window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  const box = (one) => document.querySelector(one).getBoundingClientRect();
  return [box(".bottom").bottom, box(".dock").top];
}"""


@pytest.fixture
def phone(browser, live_server):
    """A phone, 390 px wide."""
    context = browser.new_context(base_url=live_server, viewport={"width": 390, "height": 844}, locale="en-GB")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("who", ["amina", "dr_benali", "nadia", "admin"])
def test_the_last_line_of_every_page_stands_above_the_dock(
    phone: Page, who: str, request: pytest.FixtureRequest, el_djazair
):
    """At the end of each page that the dock leads to."""
    person = request.getfixturevalue(who)
    phone.goto("/account/sign-in")
    phone.locator("#email").fill(person.email)
    phone.locator("#password").fill(PASSWORD)
    phone.get_by_role("button", name="Sign in").first.click()
    expect(phone.locator(".dock")).to_be_visible()
    links = phone.locator(".dock a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert len(links) > 4
    hidden = {}
    for link in links:
        phone.goto(link, wait_until="domcontentloaded")
        end, dock = phone.evaluate(END)
        if end > dock:
            hidden[link] = end - dock
    assert hidden == {}
